/** What every `FlowPort` must do: run against the model, and in a guest against the kernel. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FlowRef, FlowRule } from '../../src/ir/flow.ts';
import { flowFingerprint } from '../../src/ir/flow-fingerprint.ts';
import { normalFlow } from '../../src/ir/flow-normal.ts';
import { FLOW_FLAG, FLOW_IDLE_UNKNOWN, type FlowPort } from '../../src/kernel/flow-port.ts';
import { ERRNO } from '../../src/lib/errno.ts';
import { macRule, wideRule } from './flow-rules.ts';

export interface FlowHarness {
  readonly flows: FlowPort;
  /** Two links without offload. */
  readonly a: string;
  readonly b: string;
  /** A rule of this identity, not made by us. */
  addForeign(rule: FlowRule): Promise<void>;
  removeLink(name: string): Promise<void>;
  cleanup(): Promise<void>;
}

const ABSENT = 'ewnone0';

export function flowPortContract(name: string, open: () => Promise<FlowHarness>): void {
  describe(`flow port: ${name}`, () => {
    let the: FlowHarness;
    beforeEach(async () => {
      the = await open();
    });
    afterEach(() => the.cleanup());

    const errnos = (results: readonly { readonly errno: number; readonly extack: string }[]): number[] =>
      results.map(({ errno }) => errno);
    const put = async (...rules: FlowRule[]): Promise<void> => {
      const results = await the.flows.put(rules);
      expect(errnos(results), JSON.stringify(results)).toEqual(rules.map(() => 0));
    };
    const rule = (handle: number, change: Partial<FlowRule> = {}): FlowRule => ({
      ...macRule(the.a, the.b, handle),
      ...change,
    });
    const shown = async (): Promise<readonly FlowRule[]> => {
      const rules = await the.flows.read([the.a]);
      return rules.map(({ inHw, ours, ...rest }) => rest).sort((x, y) => x.handle - y.handle);
    };

    it('shows what was put, in both kinds of dump', async () => {
      const rules = [rule(1), rule(2), wideRule(the.a, the.b, 7)];
      await put(...rules);
      expect(await shown()).toEqual(rules.map(normalFlow));
      const dump = await the.flows.dump([the.a, the.b]);
      expect(dump.count).toBe(3);
      const rows = [...dump.handle].map((handle, i) => [handle, dump.fingerprint[i], dump.flags[i]]);
      expect(rows.sort((x, y) => Number(x[0]) - Number(y[0]))).toEqual(
        rules.map(r => [r.handle, flowFingerprint(r), FLOW_FLAG.ours | FLOW_FLAG.skipHw]),
      );
      expect(new Set(dump.ifindex).size).toBe(1);
      expect([...dump.idleMs]).toEqual(rules.map(() => FLOW_IDLE_UNKNOWN));
      const { idleMs } = await the.flows.dump([the.a], { idle: true });
      expect(Math.max(...idleMs)).toBeLessThan(60_000);
    });

    it('takes the same put twice and shows one rule', async () => {
      await put(rule(1));
      await put(rule(1));
      expect(await shown()).toEqual([normalFlow(rule(1))]);
    });

    it('replaces a rule by another of its identity: actions, then the match', async () => {
      await put(rule(1));
      const dropping = rule(1, { actions: [{ kind: 'drop' }] });
      await put(dropping);
      expect(await shown()).toEqual([normalFlow(dropping)]);
      const other = rule(1, { match: [{ field: 'eth_src', value: '02000000aaaa', mask: 'ffffffffff00' }] });
      await put(other);
      expect(await shown()).toEqual([normalFlow(other)]);
    });

    it('deletes once, twice, and on a link that is gone', async () => {
      await put(rule(1), rule(2));
      expect(errnos(await the.flows.delete([rule(1), rule(1)]))).toEqual([0, 0]);
      expect(errnos(await the.flows.delete([rule(9), { ...rule(1), link: ABSENT }]))).toEqual([0, 0]);
      expect((await shown()).map(({ handle }) => handle)).toEqual([2]);
    });

    it('leaves rules of others alone', async () => {
      await the.addForeign(rule(5));
      const refused: FlowRef = rule(5);
      expect(errnos(await the.flows.put([rule(5, { actions: [{ kind: 'drop' }] })]))).toEqual([ERRNO.EEXIST]);
      expect(errnos(await the.flows.delete([refused]))).toEqual([ERRNO.EEXIST]);
      const [seen] = await the.flows.read([the.a]);
      expect(seen?.ours).toBe(false);
      expect(seen?.actions).toEqual(rule(5).actions);
      const dump = await the.flows.dump([the.a]);
      expect([dump.fingerprint[0], (dump.flags[0] ?? 0) & FLOW_FLAG.ours]).toEqual([0n, 0]);
    });

    it('leaves rules of others alone among many', async () => {
      const many = Array.from({ length: 300 }, (_, i) => rule(10 + i));
      await put(...many);
      await the.addForeign(rule(5));
      const results = await the.flows.delete([...many.slice(1), rule(5), rule(900)]);
      expect(errnos(results)).toEqual([...many.slice(1).map(() => 0), ERRNO.EEXIST, 0]);
      expect((await shown()).map(({ handle }) => handle)).toEqual([5, 10]);
    });

    it('refuses by rule, and runs the others', async () => {
      const results = await the.flows.put([
        rule(1),
        { ...rule(2), link: ABSENT },
        rule(3, { actions: [{ kind: 'redirect', link: ABSENT }] }),
        rule(4, { match: rule(1).match }),
        rule(5),
      ]);
      expect(errnos(results)).toEqual([0, ERRNO.ENODEV, ERRNO.ENODEV, ERRNO.EEXIST, 0]);
      expect((await shown()).map(({ handle }) => handle)).toEqual([1, 5]);
    });

    it('refuses what flower would read differently', async () => {
      const results = await the.flows.put([
        rule(1, { match: [{ field: 'dst_port', value: '0050', mask: 'ffff' }] }),
        rule(2, { match: [{ field: 'ip_proto', value: '06', mask: '0f' }], protocol: 0x0800, prio: 9 }),
        rule(3, { actions: [] }),
        rule(0),
      ]);
      expect(errnos(results)).toEqual([ERRNO.EINVAL, ERRNO.EINVAL, ERRNO.EINVAL, ERRNO.EINVAL]);
      expect(results.every(({ extack }) => extack !== '')).toBe(true);
      expect(await shown()).toEqual([]);
    });

    it('refuses a second protocol on a prio', async () => {
      await put(rule(1));
      const [result] = await the.flows.put([rule(2, { protocol: 0x0806 })]);
      expect(result?.errno).toBe(ERRNO.EINVAL);
    });

    it('refuses hardware only where there is none, and says so of both', async () => {
      const [only] = await the.flows.put([rule(1, { where: 'hw' })]);
      expect([only?.errno, only?.inHw]).toEqual([ERRNO.EOPNOTSUPP, false]);
      const [both] = await the.flows.put([rule(2, { where: 'both' })]);
      expect([both?.errno, both?.inHw]).toEqual([0, false]);
      const dump = await the.flows.dump([the.a]);
      expect([...dump.flags]).toEqual([FLOW_FLAG.ours]);
    });

    it('has nothing to show of links without rules, and of links that are gone', async () => {
      expect((await the.flows.dump([the.a, ABSENT])).count).toBe(0);
      await put(rule(1));
      await the.removeLink(the.a);
      expect((await the.flows.dump([the.a])).count).toBe(0);
      expect(await the.flows.read([the.a])).toEqual([]);
    });
  });
}
