/** A function of a NIC loses its port only after the rules that deliver to it are gone. */
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compile/compile.ts';
import { retiringFirst } from '../../src/daemon/offload-part.ts';
import { portNames } from '../../src/ir/names.ts';
import type { Op } from '../../src/ir/op.ts';
import type { KernelPort } from '../../src/kernel/port.ts';
import { SimKernel } from '../../src/kernel/sim/kernel.ts';
import type { Inventory } from '../../src/model/nic.ts';
import { Tracker } from '../../src/plan/tracker.ts';
import { Executor, type Retire } from '../../src/reconcile/executor.ts';
import { Failures } from '../../src/reconcile/failures.ts';
import { Journal } from '../../src/reconcile/journal.ts';
import { intentOf } from './arbitrary.ts';
import { ManualClock, NET, OffloadRig, onVf, vf } from './offload-rig.ts';
import { CONTEXT } from './sim-harness.ts';

const B = onVf(1);
const REP = portNames(CONTEXT.identity, B.id).rep;
const RESOURCES = [...compile(CONTEXT, intentOf([NET], [B])).values()];
const of = (kind: string) => RESOURCES.filter(each => each.kind === kind && each.key.includes(REP));
const deletes = (...kinds: string[]): Op[] =>
  kinds.flatMap(of).map(resource => ({ verb: 'delete', resource }));

function stage(retire: Retire) {
  const log: string[] = [];
  const kernel: KernelPort = Object.assign(new SimKernel(CONTEXT.identity), {
    apply: async (ops: readonly Op[]) => {
      log.push(...ops.map(op => `${op.verb} ${op.verb === 'swap-fib' ? op.key : op.resource.kind}`));
      return ops.map(() => ({ errno: 0, extack: '' }));
    },
  });
  const clock = {
    ...new ManualClock(),
    now: () => 0,
    random: () => 0,
    after: () => () => {},
    yield: async () => {},
  };
  const tracker = new Tracker();
  const failures = new Failures(clock, () => {});
  const asked: Retire = async reps => {
    log.push(`retire ${reps.join(' ')}`);
    return retire(reps);
  };
  const executor = new Executor(kernel, tracker, failures, new Journal(clock), asked);
  return { log, executor, failures };
}

describe('a port that goes', () => {
  it('waits until its rules are gone', async () => {
    const { log, executor } = stage(async () => []);
    await executor.apply(deletes('port-entry', 'port'));
    expect(log).toEqual([`retire ${REP}`, 'delete port-entry', 'delete port']);
  });

  it('stays, and is tried again, while they cannot be removed', async () => {
    const { log, executor, failures } = stage(async reps =>
      reps.map(rep => ({ rep, text: '3 hardware rules' })),
    );
    await executor.apply([...deletes('port-entry', 'port'), ...deletes('hook')]);
    expect(log).toEqual([`retire ${REP}`, 'delete hook']);
    expect(failures.list().map(({ key, extack }) => [key, extack])).toEqual([
      [`port-entry/${REP}`, '3 hardware rules'],
      [`port/${REP}`, '3 hardware rules'],
    ]);
  });

  it('of a veth pair asks nobody', async () => {
    const { log, executor } = stage(async () => []);
    const plain = [...compile(CONTEXT, intentOf([NET], [{ ...B, vf: null }])).values()];
    await executor.apply(
      plain.filter(each => each.kind === 'port-entry').map(resource => ({ verb: 'delete', resource })),
    );
    expect(log.some(line => line.startsWith('retire'))).toBe(false);
  });
});

describe('a function that is given back', () => {
  const inventory = (): Inventory => new OffloadRig({ endpoints: [B] }).inventory;

  it('has no rules any more', async () => {
    const log: string[] = [];
    const guarded = retiringFirst(
      {
        giveBack: async () => {
          log.push('given back');
          return { errno: 0, extack: '' };
        },
      },
      {
        retire: async reps => {
          log.push(`retire ${reps.join(' ')}`);
          return [];
        },
      },
      inventory,
    );
    expect(await guarded.giveBack(vf(1), null)).toEqual({ errno: 0, extack: '' });
    expect(log).toEqual([`retire ${REP}`, 'given back']);
  });

  it('is kept while it has', async () => {
    const guarded = retiringFirst(
      { giveBack: async () => ({ errno: 0, extack: '' }) },
      { retire: async ([rep = '']) => [{ rep, text: 'one is left' }] },
      inventory,
    );
    expect(await guarded.giveBack(vf(1), null)).toEqual({ errno: 16, extack: 'one is left' });
  });
});
