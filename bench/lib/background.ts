/** A process that runs beside a measurement, with everything it wrote. */
import { type Command, start } from '../../test/lab/exec.ts';
import { BenchError } from './bench-error.ts';

/** Chunks of output that are kept: enough to explain a failure. */
const CHUNKS_MAX = 2000;

export class Background {
  readonly #child: ReturnType<typeof start>;
  readonly #closed: Promise<void>;
  readonly #chunks: string[] = [];
  #exited = false;

  /** Starts `command`; the kernel ends it when this process ends. */
  constructor(command: Command) {
    const child = start(command, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => this.#keep(chunk.toString('utf8')));
    }
    this.#closed = new Promise(resolve => {
      const gone = () => {
        this.#exited = true;
        resolve();
      };
      child.once('close', gone);
      child.once('error', error => {
        this.#keep(error.message);
        gone();
      });
    });
  }

  #keep(text: string): void {
    this.#chunks.push(text);
    if (this.#chunks.length > CHUNKS_MAX) this.#chunks.shift();
  }

  /** Of the command itself: what starts it replaces itself by it. */
  get pid(): number {
    if (this.#child.pid === undefined) throw new BenchError(`not started: ${this.output}`);
    return this.#child.pid;
  }

  /** Both streams, in the order in which they were read. */
  get output(): string {
    return this.#chunks.join('').trim();
  }

  /** Whether it is gone and its output was read. */
  get exited(): boolean {
    return this.#exited;
  }

  /** Ends it, by SIGKILL if `signal` did not in ten seconds. */
  async stop(signal: NodeJS.Signals): Promise<void> {
    if (this.#exited) return;
    this.#child.kill(signal);
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await this.#closed;
    clearTimeout(killer);
  }
}
