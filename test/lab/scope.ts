/**
 * A stack of things to undo. Everything a test makes is registered the moment it exists and undone in
 * reverse order: at the end of `await using`, on `dispose()`, and on SIGINT, SIGTERM or SIGHUP.
 *
 *     await using scope = new Scope('nat');
 *     const ns = await makeNetns(scope, 'client');
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Undo = () => void | Promise<void>;

const open = new Set<Scope>();
let handling = false;

export class Scope implements AsyncDisposable {
  /** `t<name>-<pid>`: prefix of everything made in this scope, so that leftovers are recognised. */
  readonly prefix: string;
  readonly #stack: Undo[] = [];
  #disposing: Promise<void> | null = null;

  constructor(name: string) {
    this.prefix = `t${name.toLowerCase().replace(/[^a-z0-9]/g, '')}-${process.pid}`;
    open.add(this);
    handleSignals();
  }

  /** Registers an undo; it runs once, whatever happened meanwhile. */
  defer(undo: Undo): void {
    this.#stack.push(undo);
  }

  /** Registers a disposable and hands it back. */
  use<T extends AsyncDisposable | Disposable>(resource: T): T {
    this.defer(async () => {
      if (Symbol.asyncDispose in resource) await resource[Symbol.asyncDispose]();
      else resource[Symbol.dispose]();
    });
    return resource;
  }

  /** A temporary folder of this scope. */
  tempDir(name: string): string {
    mkdirSync(tmpdir(), { recursive: true });
    const dir = mkdtempSync(join(tmpdir(), `${this.prefix}-${name}-`));
    this.defer(() => rmSync(dir, { recursive: true, force: true }));
    return dir;
  }

  dispose(): Promise<void> {
    this.#disposing ??= this.#unwind();
    return this.#disposing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /** Every undo runs even when others fail; the failures are reported together. */
  async #unwind(): Promise<void> {
    const failures: unknown[] = [];
    for (let undo = this.#stack.pop(); undo; undo = this.#stack.pop()) {
      try {
        await undo();
      } catch (error) {
        failures.push(error);
      }
    }
    open.delete(this);
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) throw new AggregateError(failures, `${this.prefix}: clean-up failed`);
  }
}

function handleSignals(): void {
  if (handling) return;
  handling = true;
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
    ['SIGHUP', 1],
  ] as const) {
    process.once(signal, async () => {
      await Promise.allSettled([...open].map(scope => scope.dispose()));
      process.exit(128 + number);
    });
  }
}
