/**
 * Interleaved rounds. A shared machine drifts over minutes (neighbours, frequency, caches), so the
 * contenders of one comparison run back to back inside each round, the ratio is taken per round, and
 * the one that goes first changes from round to round.
 */
import { BenchError } from './bench-error.ts';

/** The indexes 0..count-1, starting at `round` modulo `count`. */
export function rotation(count: number, round: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => (index + round) % count);
}

/** What to run: every task is measured for every contender in every round. */
export interface Schedule {
  readonly rounds: number;
  readonly tasks: readonly string[];
  readonly contenders: readonly string[];
}

export type Measure = (task: string, contender: string, round: number) => Promise<number>;

/** samples.get(task).get(contender) = one number per round, in order. */
export type Samples = ReadonlyMap<string, ReadonlyMap<string, readonly number[]>>;

/**
 * Runs the schedule, one measurement at a time. A measurement that throws, or is not a positive
 * finite number, ends the run with a BenchError that names the contender: a contender that cannot
 * run must never look like a slow one.
 */
export async function interleave(schedule: Schedule, measure: Measure): Promise<Samples> {
  const samples = new Map(
    schedule.tasks.map(task => [task, new Map(schedule.contenders.map(name => [name, [] as number[]]))]),
  );
  for (let round = 0; round < schedule.rounds; round += 1) {
    for (const [task, byContender] of samples) {
      for (const index of rotation(schedule.contenders.length, round)) {
        const contender = schedule.contenders[index] ?? '';
        byContender.get(contender)?.push(await measured(measure, task, contender, round));
      }
    }
  }
  return samples;
}

async function measured(measure: Measure, task: string, contender: string, round: number): Promise<number> {
  const where = `${task}, contender ${contender}, round ${round + 1}`;
  try {
    const value = await measure(task, contender, round);
    if (Number.isFinite(value) && value > 0) return value;
    throw new BenchError(`measured ${value}, which is not a positive number`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BenchError(`${where}: ${reason}`, { cause: error });
  }
}

/** Samples of one task and contender; throws if the schedule had no such pair. */
export function samplesOf(samples: Samples, task: string, contender: string): readonly number[] {
  const found = samples.get(task)?.get(contender);
  if (found === undefined) throw new BenchError(`nothing was measured for ${task} of ${contender}`);
  return found;
}

/** Per-round quotients, `ours[i] / theirs[i]`. */
export function ratios(ours: readonly number[], theirs: readonly number[]): readonly number[] {
  if (ours.length !== theirs.length) throw new BenchError('contenders ran a different number of rounds');
  return ours.map((value, round) => value / (theirs[round] ?? Number.NaN));
}
