/** Time as the reconciler uses it; tests bring their own. */
export interface Clock {
  /** Unix time, whole milliseconds; never goes back. */
  now(): number;
  /** Runs `action` once after `delayMs`; the result cancels it. Does not keep the process alive. */
  after(delayMs: number, action: () => void): () => void;
  /** Lets other work of the process run. */
  yield(): Promise<void>;
  /** Uniform in [0, 1). */
  random(): number;
}

export const systemClock: Clock = {
  now: () => Math.round(performance.timeOrigin + performance.now()),
  after: (delayMs, action) => {
    const timer = setTimeout(action, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
  yield: () => new Promise(resolve => void setImmediate(resolve)),
  random: () => Math.random(),
};
