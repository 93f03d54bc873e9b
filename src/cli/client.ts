/** Asks the daemon over its unix socket. */
import { request } from 'node:http';
import type { ErrorDetail } from '../wire/api/common.ts';

/** Everything that can go wrong, with the exit code that says so (docs/operations.md). */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly detail: ErrorDetail;
  readonly exitCode: number;

  constructor(detail: ErrorDetail, exitCode: number) {
    super(detail.message);
    this.detail = detail;
    this.exitCode = exitCode;
  }
}

export const EXIT = { ok: 0, failed: 1, usage: 2, unreachable: 3, differences: 4 } as const;

/** Longest wait for an answer: a host with 10,000 endpoints answers in about a second. */
const TIMEOUT_MS = 60_000;

const REACH: Readonly<Record<string, readonly [string, string]>> = {
  ENOENT: ['no such socket', 'Start eswitchd, or name its socket with --socket.'],
  ECONNREFUSED: ['nobody listens there', 'Start eswitchd, or name its socket with --socket.'],
  EACCES: ['permission denied', 'Only root may ask the daemon: use sudo.'],
  EPERM: ['permission denied', 'Only root may ask the daemon: use sudo.'],
};

function unreachable(socketPath: string, error: Error): CliError {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const [text, hint] = REACH[code] ?? [error.message, 'See the log of eswitchd.'];
  return new CliError(
    {
      code: 'ESW_ERR_DAEMON_UNREACHABLE',
      message: `cannot reach the daemon at ${socketPath}: ${text}`,
      hint,
    },
    EXIT.unreachable,
  );
}

function isErrorBody(body: unknown): body is { readonly error: ErrorDetail } {
  if (typeof body !== 'object' || body === null || !('error' in body)) return false;
  const { error } = body;
  return typeof error === 'object' && error !== null && 'code' in error && 'message' in error;
}

function parse<T>(status: number, text: string): T {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    const message = `the answer (HTTP ${status}) is no JSON`;
    throw new CliError(
      { code: 'ESW_ERR_INTERNAL', message, hint: "Is --socket the socket of eswitchd's API?" },
      EXIT.failed,
    );
  }
  if (status >= 400 && isErrorBody(body)) throw new CliError(body.error, EXIT.failed);
  // Daemon and CLI share the schemas and are released together.
  return body as T;
}

export interface AskOptions {
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Longest wait without a byte, milliseconds. */
  readonly timeoutMs?: number;
}

/** The parsed answer; throws CliError. */
export function ask<T>(
  socketPath: string,
  method: 'GET' | 'POST',
  path: string,
  { body, timeoutMs = TIMEOUT_MS }: AskOptions = {},
): Promise<T> {
  const payload = body === undefined ? null : JSON.stringify(body);
  const headers =
    payload === null
      ? {}
      : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) };
  return new Promise((resolve, reject) => {
    const options = { socketPath, method, path, headers, timeout: timeoutMs, agent: false };
    const outgoing = request(options, response => {
      const chunks: string[] = [];
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => chunks.push(chunk));
      response.on('end', () => {
        try {
          resolve(parse<T>(response.statusCode ?? 0, chunks.join('')));
        } catch (error) {
          reject(error);
        }
      });
      response.on('error', error => reject(unreachable(socketPath, error)));
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer in ${timeoutMs / 1000} s`)));
    outgoing.on('error', error => reject(unreachable(socketPath, error)));
    outgoing.end(payload ?? undefined);
  });
}

/** `path?key=value`; undefined values are left out. */
export function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${encodeURIComponent(value)}`],
  );
  return given.length === 0 ? path : `${path}?${given.join('&')}`;
}
