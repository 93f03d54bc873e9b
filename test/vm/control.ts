/**
 * The commands' way into a guest: a virtio serial port that is a unix socket here. guest-init.sh has the
 * other end; its head describes the lines.
 */
import type { ChildProcess } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { hasEnded, sleep } from '../lab/exec.ts';

export interface GuestResult {
  /** Exit code; 124 when the script was ended for taking too long. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The guest itself ends a script at its time limit; only one that hangs altogether is later than this. */
const GRACE_MS = 30_000;

export class Control {
  readonly #qemu: ChildProcess;
  readonly #socket: Socket;
  #buffer = '';
  #next = 1;
  #pending: { readonly id: number; readonly resolve: (result: GuestResult) => void } | null = null;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(qemu: ChildProcess, socket: Socket) {
    this.#qemu = qemu;
    this.#socket = socket;
    socket.setEncoding('latin1').on('data', (chunk: string) => this.#receive(chunk));
    // The end of QEMU is noticed by its exit, not here.
    socket.on('error', () => undefined);
  }

  /** Runs a shell script to its end, one after the other. Rejects when the guest ends or hangs. */
  run(script: string, timeoutMs: number, graceMs = GRACE_MS): Promise<GuestResult> {
    const result = this.#queue.then(() => this.#send(script, timeoutMs, graceMs));
    this.#queue = result.catch(() => undefined);
    return result;
  }

  close(): void {
    this.#socket.destroy();
  }

  #send(script: string, timeoutMs: number, graceMs: number): Promise<GuestResult> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#qemu.off('exit', gone);
        this.#pending = null;
      };
      const give = (why: string): void => {
        settle();
        reject(new Error(`${why}: ${script}`));
      };
      const gone = (): void => give('the guest ended during');
      const limitMs = timeoutMs + graceMs;
      const late = (): void => give(`the guest hangs: no answer after ${limitMs} ms to`);
      const timer = setTimeout(late, limitMs);
      this.#qemu.once('exit', gone);
      if (hasEnded(this.#qemu)) return gone();
      this.#pending = {
        id,
        resolve: result => {
          settle();
          resolve(result);
        },
      };
      this.#socket.write(`${id} ${timeoutMs / 1000} ${Buffer.from(script).toString('base64')}\n`);
    });
  }

  #receive(chunk: string): void {
    this.#buffer += chunk;
    for (let end = this.#buffer.indexOf('\n'); end >= 0; end = this.#buffer.indexOf('\n')) {
      const line = this.#buffer.slice(0, end);
      this.#buffer = this.#buffer.slice(end + 1);
      const match = /^(\d+) (\d+) o(\S*) e(\S*)$/.exec(line);
      if (!match || Number(match[1]) !== this.#pending?.id) continue;
      const text = (part: string | undefined): string => Buffer.from(part ?? '', 'base64').toString('utf8');
      this.#pending.resolve({ code: Number(match[2]), stdout: text(match[3]), stderr: text(match[4]) });
    }
  }
}

/**
 * Connects to QEMU's end of the port at `path` and waits for the guest's `ready`. Rejects with what
 * `describe` says when QEMU ends or nothing comes in time.
 */
export async function openControl(
  qemu: ChildProcess,
  path: string,
  timeoutMs: number,
  describe: () => string,
): Promise<Control> {
  const deadline = performance.now() + timeoutMs;
  const check = (): void => {
    if (hasEnded(qemu) || performance.now() > deadline) throw new Error(describe());
  };
  let socket = await tryConnect(path);
  for (; !socket; socket = await tryConnect(path)) {
    check();
    await sleep(20);
  }
  let text = '';
  const take = (chunk: Buffer): void => {
    text += chunk.toString('latin1');
  };
  socket.on('data', take);
  while (!text.includes('ready\n')) {
    check();
    await sleep(20);
  }
  socket.off('data', take);
  return new Control(qemu, socket);
}

function tryConnect(path: string): Promise<Socket | null> {
  return new Promise(resolve => {
    const socket = connect(path);
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(null));
  });
}
