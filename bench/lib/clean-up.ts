/** Undoing what a suite set up: last in, first out, every step runs even if one before it fails. */

export class CleanUp {
  readonly #steps: (() => Promise<unknown> | unknown)[] = [];

  /** Remembers how to undo something, to be called right after doing it. */
  push(step: () => Promise<unknown> | unknown): void {
    this.#steps.push(step);
  }

  /** Runs all steps; returns the messages of those that failed. */
  async run(): Promise<readonly string[]> {
    const failures: string[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
      }
    }
    return failures;
  }
}

/**
 * Runs `body` and then the clean-up, also on SIGINT and SIGTERM (which end the process after it with
 * the shell's usual exit code).
 */
export async function withCleanUp<T>(
  progress: (line: string) => void,
  body: (cleanUp: CleanUp) => Promise<T>,
): Promise<T> {
  const cleanUp = new CleanUp();
  const onSignal = (signal: NodeJS.Signals) => {
    progress(`${signal}: cleaning up`);
    void cleanUp.run().finally(() => process.exit(signal === 'SIGINT' ? 130 : 143));
  };
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  try {
    return await body(cleanUp);
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    for (const failure of await cleanUp.run()) progress(`clean-up: ${failure}`);
  }
}
