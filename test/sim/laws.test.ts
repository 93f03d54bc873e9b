/** The laws of DESIGN §3 as properties, over generated intents, damage and crashes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compile/compile.ts';
import { evaluate, tablesOf } from '../../src/ir/eval.ts';
import { portNames } from '../../src/ir/names.ts';
import type { Op } from '../../src/ir/op.ts';
import { type Key, KIND_ORDER, type Resource } from '../../src/ir/resource.ts';
import { SimKernel } from '../../src/kernel/sim/kernel.ts';
import { Outside } from '../../src/kernel/sim/outside.ts';
import type { EndpointId, NetworkId } from '../../src/lib/brand.ts';
import { ERRNO } from '../../src/lib/errno.ts';
import type { Intent } from '../../src/model/intent.ts';
import { plan } from '../../src/plan/plan.ts';
import type { RoundReport } from '../../src/reconcile/port.ts';
import { damages, endpoint, intentOf, intents, network, packets } from './arbitrary.ts';
import { commit, picture, type Rig, restarted, rig, wanted } from './rig.ts';
import { CONTEXT } from './sim-harness.ts';

type Table = ReadonlyMap<Key, Resource>;
const desired = (intent: Intent): Map<Key, Resource> => compile(CONTEXT, intent);
const RUNS = { numRuns: 60 };

async function applied(kernel: SimKernel, ops: readonly Op[]): Promise<Table> {
  const refused = (await kernel.apply(ops)).filter(result => result.errno !== 0);
  expect(refused).toEqual([]);
  return (await kernel.dump()).resources;
}

async function converge(the: Rig): Promise<void> {
  await the.reconciler.resync('request');
  expect(picture((await the.kernel.dump()).resources)).toEqual(picture(wanted(the.store)));
}

describe('laws of the plan', () => {
  it('plan(d, d) is empty', () => {
    fc.assert(
      fc.property(intents, intent => {
        expect(plan(desired(intent), desired(intent))).toEqual([]);
      }),
    );
  });

  it('one step converges, from any table to any other, with or without a swap', async () => {
    await fc.assert(
      fc.asyncProperty(intents, intents, fc.boolean(), async (from, to, swap) => {
        const kernel = new SimKernel(CONTEXT.identity);
        const options = swap ? { swapThreshold: 2 } : {};
        const before = await applied(kernel, plan(desired(from), (await kernel.dump()).resources, options));
        const after = await applied(kernel, plan(desired(to), before, options));
        expect(plan(desired(to), after, options)).toEqual([]);
        expect(picture(after)).toEqual(picture(desired(to)));
      }),
      RUNS,
    );
  });

  it('one step converges from any damage', async () => {
    await fc.assert(
      fc.asyncProperty(intents, damages, async (intent, damage) => {
        const kernel = new SimKernel(CONTEXT.identity);
        await applied(kernel, plan(desired(intent), (await kernel.dump()).resources));
        for (const each of damage) each(new Outside(kernel.state), kernel.state);
        const after = await applied(kernel, plan(desired(intent), (await kernel.dump()).resources));
        expect(plan(desired(intent), after)).toEqual([]);
      }),
      RUNS,
    );
  });

  it('every put follows what it stands on, every delete follows what stands on it', () => {
    const layer = (op: Op): number => KIND_ORDER[op.verb === 'swap-fib' ? 'fib-entry' : op.resource.kind];
    const isSorted = (numbers: number[]): boolean =>
      numbers.every((n, i) => i === 0 || n >= (numbers[i - 1] ?? n));
    fc.assert(
      fc.property(intents, intents, (from, to) => {
        const ops = plan(desired(to), desired(from));
        const puts = ops.filter(op => op.verb !== 'delete');
        const firstPut = ops.findIndex(op => op.verb !== 'delete');
        const deletes = ops.slice(Math.max(0, firstPut)).filter(op => op.verb === 'delete');
        expect(isSorted(puts.map(layer))).toBe(true);
        expect(isSorted(deletes.map(op => -layer(op)))).toBe(true);
        // Deletes that come before all puts make room in sets and on links; nothing stands on them.
        const first = ops.slice(0, Math.max(0, firstPut)).map(op => op.verb === 'delete' && op.resource.kind);
        expect(new Set([...first, 'address', 'nft-element'])).toEqual(new Set(['address', 'nft-element']));
      }),
    );
  });

  it('no more operations than keys that differ', () => {
    fc.assert(
      fc.property(intents, intents, (from, to) => {
        const [d, o] = [desired(to), desired(from)];
        expect(plan(d, o).length).toBeLessThanOrEqual(new Set([...d.keys(), ...o.keys()]).size);
      }),
    );
  });
});

describe('laws of the loop', () => {
  it('a crash after any operation, then a restart, converges', async () => {
    await fc.assert(
      fc.asyncProperty(intents, intents, fc.nat(80), async (from, to, crashAfter) => {
        const first = rig();
        commit(first.store, from);
        await first.reconciler.start();
        first.kernel.crashAfter(crashAfter);
        commit(first.store, to);
        first.reconciler.notify();
        await first.reconciler.resync('request').catch(() => {});
        await first.reconciler.stop();
        const second = restarted(first);
        await second.reconciler.start();
        await converge(second);
        await second.reconciler.stop();
      }),
      RUNS,
    );
  });

  it('any sequence of commits converges, and a restart then does nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(intents, { minLength: 1, maxLength: 4 }), async sequence => {
        let failed = 0;
        const onReport = (report: RoundReport): void => {
          failed += report.failed;
        };
        const the = rig({ onReport });
        await the.reconciler.start();
        for (const intent of sequence) {
          const before = the.store.intent();
          const named = {
            networks: [...new Set([...before.networks.keys(), ...intent.networks.keys()])] as NetworkId[],
            endpoints: [...new Set([...before.endpoints.keys(), ...intent.endpoints.keys()])] as EndpointId[],
          };
          commit(the.store, intent);
          the.reconciler.notify(named);
        }
        await converge(the);
        await the.reconciler.stop();
        // The model refuses what comes before its need, so this is the law of order for the loop.
        expect(failed).toBe(0);
        const next = restarted(the);
        await next.reconciler.start();
        expect(next.kernel.log).toEqual([]);
        await next.reconciler.stop();
      }),
      RUNS,
    );
  });

  it('refusals that pass, of whatever kind and wherever, end in convergence', async () => {
    const errnos = fc.constantFrom(...Object.values(ERRNO));
    const refusals = fc.array(fc.tuple(fc.nat(500), errnos, fc.integer({ min: 1, max: 3 })), {
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(intents, refusals, async (intent, planned) => {
        const the = rig();
        commit(the.store, intent);
        const keys = [...desired(intent).keys()];
        for (const [pick, errno, times] of planned)
          the.kernel.failNext(keys[pick % keys.length] ?? '', errno, '', times);
        await the.reconciler.start();
        for (let looks = 0; looks < 4; looks++) await the.reconciler.resync('request');
        await converge(the);
        expect(the.reconciler.status().failures).toEqual([]);
        await the.reconciler.stop();
      }),
      RUNS,
    );
  });

  it('any damage is repaired', async () => {
    await fc.assert(
      fc.asyncProperty(intents, damages, async (intent, damage) => {
        const the = rig();
        commit(the.store, intent);
        await the.reconciler.start();
        for (const each of damage) each(the.outside, the.kernel.state);
        await converge(the);
        await the.reconciler.stop();
      }),
      RUNS,
    );
  });

  it('what belongs to others is never touched', async () => {
    await fc.assert(
      fc.asyncProperty(intents, fc.nat(11), async (intent, pick) => {
        const the = rig();
        commit(the.store, intent);
        const ids = [...intent.endpoints.keys()] as EndpointId[];
        const taken = ids.map(id => portNames(CONTEXT.identity, id)).slice(0, pick);
        const foreign = [...taken.map(names => names.rep), 'eth0', 'ewr_mine'].map(name =>
          the.outside.addForeignLink(name),
        );
        const before = structuredClone(foreign);
        await the.reconciler.start();
        await the.reconciler.resync('request');
        expect(foreign.map(link => the.kernel.state.links.get(link.ifindex))).toEqual(before);
        expect(the.reconciler.status().foreign).toHaveLength(taken.length);
        await the.reconciler.stop();
      }),
      RUNS,
    );
  });
});

describe('laws of the packets', () => {
  it("the kernel's tables say of every packet what the intent says", async () => {
    const cases = intents.chain(intent =>
      fc.tuple(fc.constant(intent), damages, fc.array(packets(intent), { minLength: 40, maxLength: 40 })),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ([intent, damage, traffic]) => {
        const the = rig();
        commit(the.store, intent);
        await the.reconciler.start();
        for (const each of damage) each(the.outside, the.kernel.state);
        await the.reconciler.resync('request');
        const said = tablesOf(desired(intent).values());
        const done = tablesOf((await the.kernel.dump()).resources.values());
        for (const packet of traffic) expect(evaluate(done, packet)).toEqual(evaluate(said, packet));
        await the.reconciler.stop();
      }),
      RUNS,
    );
  });

  it('no packet of one network reaches a port of another, and none reaches the wrong MAC', () => {
    const cases = intents.chain(intent =>
      fc.tuple(fc.constant(intent), fc.array(packets(intent), { minLength: 40, maxLength: 40 })),
    );
    fc.assert(
      fc.property(cases, ([intent, traffic]) => {
        const table = desired(intent);
        const tables = tablesOf(table.values());
        for (const packet of traffic) {
          const verdict = evaluate(tables, packet);
          if (verdict.action !== 'deliver') continue;
          const from = tables.ports.get(packet.link);
          const home = [...tables.nets.values()].find(net => net.gateway === verdict.link)?.net;
          const to = tables.ports.get(verdict.link);
          expect(verdict.delivery === 'host' ? home : to?.net).toBe(from?.net);
          if (verdict.delivery !== 'host') expect(verdict.mac).toBe(to?.mac);
        }
      }),
    );
  });

  it("a container never speaks with another's address, and an internal network lets nothing out", () => {
    const net = network(1, { internal: true });
    const intent = intentOf([net], [endpoint(net, 1), endpoint(net, 2)]);
    const tables = tablesOf(desired(intent).values());
    fc.assert(
      fc.property(packets(intent), packet => {
        const verdict = evaluate(tables, packet);
        if (verdict.action !== 'deliver' || packet.payload.type !== 'ip') return;
        const from = tables.ports.get(packet.link);
        if (from?.trusted === false) expect(packet.srcMac).toBe(from.mac);
        expect(tables.fib.has(`1 ${packet.payload.dst}`)).toBe(true);
      }),
    );
  });
});

describe('laws of the compiler', () => {
  it('the result does not depend on the order of the intent', () => {
    fc.assert(
      fc.property(intents, intent => {
        const reversed = intentOf(
          [...intent.networks.values()].reverse(),
          [...intent.endpoints.values()].reverse(),
        );
        expect([...desired(reversed)]).toEqual([...desired(intent)]);
      }),
    );
  });

  it('every key is derived from its resource, and no two owners want the same', () => {
    fc.assert(
      fc.property(intents, intent => {
        const all = desired(intent);
        let parts = desired(intentOf([...intent.networks.values()], [])).size;
        for (const each of intent.endpoints.values()) {
          const one = desired(intentOf([...intent.networks.values()], [each]));
          parts += one.size - desired(intentOf([...intent.networks.values()], [])).size;
        }
        expect(all.size).toBe(parts);
      }),
    );
  });
});
