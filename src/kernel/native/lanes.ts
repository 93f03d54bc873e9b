/**
 * One queue per lane: calls of a lane never overlap (the C library's rule), lanes run beside each
 * other. Bounded, because a queue that only grows hides that the kernel does not keep up.
 */
import { EswError } from '../../lib/errors.ts';

export class Lane {
  readonly #name: string;
  readonly #limit: number;
  #waiting = 0;
  #tail: Promise<unknown> = Promise.resolve();

  /** `limit`: calls that may run or wait at once. */
  constructor(name: string, limit = 256) {
    this.#name = name;
    this.#limit = limit;
  }

  /** True when nothing runs or waits: a synchronous call cannot overlap another now. */
  get idle(): boolean {
    return this.#waiting === 0;
  }

  /** Runs `task` after those before it. Rejects with ESW_ERR_KERNEL_REFUSED (retry) when the queue is full. */
  run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#waiting >= this.#limit)
      return Promise.reject(
        new EswError('ESW_ERR_KERNEL_REFUSED', `${this.#limit} calls wait on the ${this.#name} lane already`),
      );
    this.#waiting++;
    const result = this.#tail.then(task);
    this.#tail = result
      .catch(() => undefined)
      .finally(() => {
        this.#waiting--;
      });
    return result;
  }

  /** Resolves when everything queued so far is done. */
  async drain(): Promise<void> {
    await this.#tail;
  }
}

export interface Lanes {
  readonly route: Lane;
  readonly bpf: Lane;
  readonly nft: Lane;
  /** Changes of NICs: a mode change or a flash takes long and holds up nothing else. */
  readonly devlink: Lane;
  /** Flow rules: a large batch of them holds up nothing else. */
  readonly flow: Lane;
}

export function createLanes(): Lanes {
  return {
    route: new Lane('route'),
    bpf: new Lane('bpf'),
    nft: new Lane('nft'),
    devlink: new Lane('devlink'),
    flow: new Lane('flow'),
  };
}
