/** A daemon killed at any point, and hands and NICs that meddle: the next one converges, by cookie alone. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePair, pairVariants } from '../../src/compile/pair.ts';
import type { FlowRef, FlowRule } from '../../src/ir/flow.ts';
import { printFlow } from '../../src/ir/flow-print.ts';
import { SimFlows } from '../../src/kernel/sim/flows.ts';
import { cidrAddress } from '../../src/lib/ip.ts';
import type { Endpoint } from '../../src/model/endpoint.ts';
import { NET, OffloadRig, onVf } from './offload-rig.ts';

class Killed extends Error {}

/** Dies before its k-th rule, in the middle of whatever call that is. */
class MortalFlows extends SimFlows {
  left = Number.POSITIVE_INFINITY;

  override async put(rules: readonly FlowRule[]): ReturnType<SimFlows['put']> {
    const part = rules.slice(0, Math.max(0, this.left));
    const results = await super.put(part);
    this.#spend(rules.length);
    return results;
  }

  override async delete(refs: readonly FlowRef[]): ReturnType<SimFlows['delete']> {
    const results = await super.delete(refs.slice(0, Math.max(0, this.left)));
    this.#spend(refs.length);
    return results;
  }

  #spend(count: number): void {
    this.left -= count;
    if (this.left < 0) throw new Killed();
  }
}

const ALL = [0, 1, 2, 3, 4].map(n => onVf(n));

function wanted(rig: OffloadRig, endpoints: readonly Endpoint[]): string[] {
  const ports = endpoints.map(each => ({
    slot: each.slot,
    rep: rig.rep(each),
    mac: each.mac,
    ip4: each.ip4 && cidrAddress(each.ip4),
    ip6: each.ip6 && cidrAddress(each.ip6),
  }));
  return ports
    .flatMap(src =>
      ports.flatMap(dst =>
        src === dst
          ? []
          : pairVariants(src, dst).map(variant => compilePair(NET.switchMac, src, dst, variant)),
      ),
    )
    .flatMap(rule => (rule === null ? [] : [printFlow(rule)]))
    .sort();
}

const shown = async (rig: OffloadRig): Promise<string[]> =>
  (await rig.flows.read(ALL.map(rig.rep)))
    .filter(({ inHw, ours }) => inHw && ours)
    .map(({ inHw: _inHw, ours: _ours, ...rule }) => printFlow(rule))
    .sort();

describe('a daemon that is killed', () => {
  it('at any rule of any change leaves what the next one puts right, and nothing of ours behind', async () => {
    const script = fc.array(
      fc.record({
        members: fc.subarray(ALL),
        killAfter: fc.option(fc.nat(30), { nil: null }),
        damage: fc.option(fc.nat(1000), { nil: null }),
      }),
      { minLength: 1, maxLength: 4 },
    );
    await fc.assert(
      fc.asyncProperty(script, async steps => {
        const flows = new MortalFlows();
        const rig = new OffloadRig({ flows, endpoints: ALL });
        await rig.engine.start();
        for (const { members, killAfter, damage } of steps) {
          flows.left = killAfter ?? Number.POSITIVE_INFINITY;
          const before = await rig.rules();
          const victim = damage === null ? undefined : before[damage % Math.max(1, before.length)];
          if (victim !== undefined && (damage ?? 0) % 2 === 0) flows.evict(victim);
          else if (victim !== undefined) await SimFlows.prototype.delete.call(flows, [victim]);
          rig.setEndpoints(members);
          rig.engine.kick();
          await rig.idle();
          flows.left = Number.POSITIVE_INFINITY;
          if (killAfter !== null) await rig.restart();
          for (let i = 0; i < 6; i++) if (rig.clock.step()) await rig.idle();
          expect(await shown(rig)).toEqual(wanted(rig, members));
        }
      }),
      { numRuns: 40 },
    );
  });
});
