/** Tries until it works, waiting longer each time. */

export interface RetryOptions {
  /** Wait before the next try, milliseconds; the last one repeats. */
  readonly delaysMs: readonly number[];
  readonly signal: AbortSignal;
  /** Told of every failure; returns false to give up. */
  onFailure(error: unknown, nextInMs: number): boolean;
}

/** The value, or null when given up or aborted. */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T | null> {
  const { delaysMs, signal, onFailure } = options;
  for (let tries = 0; !signal.aborted; tries++) {
    try {
      return await attempt();
    } catch (error) {
      const delayMs = delaysMs[Math.min(tries, delaysMs.length - 1)] ?? 1000;
      if (!onFailure(error, delayMs)) return null;
      await sleep(delayMs, signal);
    }
  }
  return null;
}

function sleep(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, delayMs);
    signal.addEventListener('abort', done);
  });
}
