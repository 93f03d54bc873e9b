/** A small HTTP client for one unix socket with kept-alive connections. */
import { Agent, request } from 'node:http';
import { BenchError } from './bench-error.ts';

export interface Reply {
  readonly status: number;
  readonly body: unknown;
  /** From before the request was made until the whole reply was parsed. */
  readonly elapsedMs: number;
}

export class UnixHttp {
  readonly #agent: Agent;
  readonly #socketPath: string;

  /** At most `connections` requests are under way at a time; others wait. */
  constructor(socketPath: string, connections = 1) {
    this.#socketPath = socketPath;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Reply> {
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers = { Accept: 'application/json', 'Content-Length': Buffer.byteLength(text) };
    return new Promise((resolve, reject) => {
      const startedMs = performance.now();
      const sent = request({ socketPath: this.#socketPath, agent: this.#agent, method, path, headers });
      sent.once('error', reject);
      sent.once('response', response => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          try {
            const parsed: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8') || 'null');
            resolve({
              status: response.statusCode ?? 0,
              body: parsed,
              elapsedMs: performance.now() - startedMs,
            });
          } catch (error) {
            reject(new BenchError(`${method} ${path}: the reply is not JSON`, { cause: error }));
          }
        });
      });
      sent.end(text);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** A field of a JSON object, null when the value is no object or has no such field. */
export function field(value: unknown, ...path: readonly string[]): unknown {
  let current = value;
  for (const name of path) {
    if (typeof current !== 'object' || current === null) return null;
    current = (current as Record<string, unknown>)[name] ?? null;
  }
  return current;
}

/** As `field`, for a number; throws when it is none. */
export function numberField(value: unknown, ...path: readonly string[]): number {
  const found = field(value, ...path);
  if (typeof found !== 'number') throw new BenchError(`the reply has no number at ${path.join('.')}`);
  return found;
}
