/**
 * A lean HTTP/1.1 client for one unix socket: a connection per request, which is what the plugin grants
 * dockerd too. Node's own client takes about as long as the handlers that are measured through it;
 * dockerd's (Go) does not, so this one does as little as possible.
 */
import { createConnection } from 'node:net';
import { BenchError } from './bench-error.ts';

export interface Reply {
  readonly status: number;
  readonly body: unknown;
  /** From connecting until the whole reply was there; JSON is made before and read after. */
  readonly elapsedMs: number;
}

const HEAD_END = '\r\n\r\n';

export class UnixHttp {
  readonly #socketPath: string;
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** At most `parallel` requests are under way at a time; others wait. */
  constructor(socketPath: string, parallel = 1) {
    this.#socketPath = socketPath;
    this.#free = parallel;
  }

  async call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Reply> {
    const text = body === undefined ? '' : JSON.stringify(body);
    const head = `${method} ${path} HTTP/1.1\r\nHost: plugin\r\nAccept: application/json\r\n`;
    const request = `${head}Content-Length: ${Buffer.byteLength(text)}${HEAD_END}${text}`;
    await this.#enter();
    try {
      const startedMs = performance.now();
      const reply = await exchange(this.#socketPath, request);
      const elapsedMs = performance.now() - startedMs;
      return { ...parseReply(reply), elapsedMs };
    } finally {
      this.#leave();
    }
  }

  async #enter(): Promise<void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>(resolve => this.#waiting.push(resolve));
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}

/** Sends `request` and resolves with the reply as latin1 text, in which a character is a byte. */
function exchange(socketPath: string, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(socketPath).setEncoding('latin1');
    let received = '';
    socket.on('data', (chunk: string) => {
      received += chunk;
      if (!isWhole(received)) return;
      resolve(received);
      socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new BenchError(`${socketPath} was closed amid a reply`)));
    socket.write(request);
  });
}

/** Whether `text` is a whole reply; the daemon always says how long its body is. */
function isWhole(text: string): boolean {
  const head = text.indexOf(HEAD_END);
  if (head < 0) return false;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, head))?.[1];
  return length !== undefined && text.length >= head + HEAD_END.length + Number(length);
}

function parseReply(text: string): Pick<Reply, 'status' | 'body'> {
  const payload = text.slice(text.indexOf(HEAD_END) + HEAD_END.length);
  const json = Buffer.from(payload, 'latin1').toString('utf8');
  return { status: Number(text.split(' ', 2)[1]), body: JSON.parse(json || 'null') };
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
