/** The two benchmark functions of libeswitch.so (native/include/eswitch.h), bound with koffi. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import koffi from 'koffi';
import { BenchError } from '../../lib/bench-error.ts';

const LIBRARY = fileURLToPath(new URL('../../../native/build/libeswitch.so', import.meta.url));

export interface BoundaryLibrary {
  /** One call through koffi; the sum of the batch's `mtu` fields. */
  sum(batch: Buffer): number;
  /** The same on one of koffi's worker threads, as the daemon calls whatever may block. */
  sumAsync(batch: Buffer): Promise<number>;
  /** Nanoseconds per record when C runs the same loop `rounds` times by itself. */
  loop(batch: Buffer, rounds: number): number;
  /** Throws unless `sum` of the batch is `expected`: a figure of a wrong answer means nothing. */
  check(batch: Buffer, expected: number): void;
}

export function openLibrary(): BoundaryLibrary {
  if (!existsSync(LIBRARY)) throw new BenchError(`${LIBRARY} is absent: build it with \`npm run build\``);
  const library = koffi.load(LIBRARY);
  const benchSum = library.func('int esw_bench_sum(const void *batch, uint32_t len)');
  const benchLoop = library.func(
    'int esw_bench_loop(const void *batch, uint32_t len, uint32_t rounds, _Out_ uint64_t *ns_x1000)',
  );
  const sum = (batch: Buffer): number => benchSum(batch, batch.length);
  return {
    sum,
    sumAsync(batch) {
      return new Promise((resolve, reject) => {
        benchSum.async(batch, batch.length, (error: unknown, answer: number) => {
          if (error) reject(error);
          else resolve(answer);
        });
      });
    },
    loop(batch, rounds) {
      const thousandths = [0];
      const error: number = benchLoop(batch, batch.length, rounds, thousandths);
      if (error < 0) throw new BenchError(`esw_bench_loop answered ${error}`);
      return Number(thousandths[0]) / 1000;
    },
    check(batch, expected) {
      const answer = sum(batch);
      if (answer !== expected) throw new BenchError(`esw_bench_sum answered ${answer}, not ${expected}`);
    },
  };
}
