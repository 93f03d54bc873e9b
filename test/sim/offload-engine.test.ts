import { describe, expect, it } from 'vitest';
import { compilePair, pairRef } from '../../src/compile/pair.ts';
import type { FlowRule } from '../../src/ir/flow.ts';
import { SimFlows } from '../../src/kernel/sim/flows.ts';
import { ERRNO } from '../../src/lib/errno.ts';
import { REFUSAL_TTL_MS } from '../../src/offload/refusals.ts';
import { keyVariant } from '../../src/offload/rule-table.ts';
import { NET, NIC, OffloadRig, onVf } from './offload-rig.ts';

const [A, B, C] = [onVf(0), onVf(1), onVf(2)];

const ref = (rig: OffloadRig, src: typeof A, dst: typeof A) =>
  pairRef({ rep: rig.rep(src) }, dst.slot, 'ip4');

/** Only what traffic asks for. */
const ON_DEMAND = { tuning: { cacheTuning: { takeAllPart: 0 } } } as const;

async function started(options: ConstructorParameters<typeof OffloadRig>[0] = {}): Promise<OffloadRig> {
  const rig = new OffloadRig(options);
  await rig.engine.start();
  return rig;
}

const states = (rig: OffloadRig): string[] =>
  [...rig.cache.table.rows()].map(row => rig.cache.table.reason(row));

describe('a small host', () => {
  it('has all its pairs in hardware at once, of both families', async () => {
    const rig = await started();
    const rules = await rig.rules();
    expect(rules).toHaveLength(6 * 3);
    expect(rules.every(rule => rule.inHw && rule.ours)).toBe(true);
    expect(new Set(states(rig))).toEqual(new Set(['HW_OK']));
  });

  it('does nothing more while nothing changes, and polls more rarely', async () => {
    const rig = await started();
    rig.flows.log.length = 0;
    await rig.polls(8);
    expect(rig.flows.log).toEqual([]);
    expect(rig.clock.nextInMs).toBe(2000);
  });

  it('finds everything in place after a restart: 0 operations', async () => {
    const rig = await started();
    rig.flows.log.length = 0;
    await rig.restart();
    await rig.polls(3);
    expect(rig.flows.log).toEqual([]);
    expect(rig.cache.table.residents).toBe(18);
  });

  it('sleeps without a NIC in switchdev mode', async () => {
    const rig = new OffloadRig();
    rig.mode = 'legacy';
    rig.refresh();
    await rig.engine.start();
    expect([rig.clock.nextInMs, rig.flows.log]).toEqual([null, []]);
  });
});

describe('demand', () => {
  it('brings a pair in when it has traffic, one direction and family at a time', async () => {
    const rig = await started(ON_DEMAND);
    await rig.polls(2);
    expect(await rig.rules()).toEqual([]);
    await rig.polls(1, () => rig.send(A, B, 1000));
    const rules = await rig.rules();
    expect(rules.map(({ link, handle }) => [link, handle])).toEqual([[rig.rep(A), ref(rig, A, B).handle]]);
  });

  it('takes no counter of before its time for traffic', async () => {
    const rig = new OffloadRig(ON_DEMAND);
    rig.send(A, B, 1_000_000);
    await rig.engine.start();
    await rig.polls(3);
    expect(await rig.rules()).toEqual([]);
  });

  it('credits what hardware counts to both ends, over replaced rules and restarts', async () => {
    const rig = await started();
    rig.flows.count(ref(rig, A, B), { hw: [10n, 1000n] });
    await rig.polls(1);
    expect(rig.engine.totals.of(A.id)).toMatchObject({ txPackets: 10, txBytes: 1000, rxBytes: 0 });
    expect(rig.engine.totals.of(B.id)).toMatchObject({ rxPackets: 10, rxBytes: 1000, txBytes: 0 });
    await rig.flows.delete([ref(rig, A, B)]);
    await rig.polls(2);
    rig.flows.count(ref(rig, A, B), { hw: [5n, 500n] });
    await rig.polls(1);
    expect(rig.engine.totals.of(A.id)).toMatchObject({ txPackets: 15, txBytes: 1500 });
  });
});

describe('what goes wrong', () => {
  it('rules flushed by hand are put again, and the state says so meanwhile', async () => {
    const rig = await started();
    await rig.flows.delete([ref(rig, A, B), ref(rig, B, A)]);
    await rig.polls(1);
    expect(rig.reports.at(-1)).toMatchObject({ missing: 2, put: 2 });
    expect(await rig.rules()).toHaveLength(18);
  });

  it('left-over and foreign rules: ours go, others stay', async () => {
    const rig = await started();
    const stranger: FlowRule = {
      ...{ link: rig.rep(A), chain: 0, prio: 1, protocol: 0x0800, handle: 1 },
      ...{ match: [], actions: [{ kind: 'drop' }], where: 'hw' },
    };
    rig.flows.addForeign(stranger);
    const port = { slot: 9 as never, rep: rig.rep(C), mac: C.mac, ip4: '10.1.0.99' as never, ip6: null };
    const old = compilePair(NET.switchMac, { ...port, rep: rig.rep(A) }, port, 'ip4');
    await rig.flows.put(old === null ? [] : [old]);
    expect(await rig.rules()).toHaveLength(20);
    await rig.polls(2);
    const rules = await rig.rules();
    expect(rules).toHaveLength(19);
    expect(rules.filter(rule => !rule.ours)).toHaveLength(1);
  });

  it('a rule that the NIC dropped is put again; one that it keeps dropping is left alone for a while', async () => {
    const rig = await started();
    for (let i = 0; i < 2; i++) {
      rig.flows.evict(ref(rig, A, B));
      await rig.polls(1);
      expect(rig.reports.at(-1)).toMatchObject({ evicted: 1, put: 1 });
    }
    rig.flows.evict(ref(rig, A, B));
    await rig.polls(2);
    expect(states(rig).filter(reason => reason === 'EVICTED')).toHaveLength(1);
    expect(await rig.rules()).toHaveLength(17);
  });

  it('a rule that counts nothing while its packets pass in software is put again', async () => {
    const rig = await started();
    await rig.polls(5, () => rig.send(A, B, 100));
    expect(rig.reports.some(report => report.stuck === 1)).toBe(true);
    expect(await rig.rules()).toHaveLength(18);
  });

  it('a rule that somebody edited under our cookie is found by the audit', async () => {
    const rig = await started();
    const [rule] = await rig.rules();
    if (rule === undefined) throw new Error('there are rules');
    rig.flows.edit(rule, { ...rule, actions: [{ kind: 'drop' }] });
    await rig.polls(30);
    const drops = (await rig.rules()).filter(each => each.actions.some(({ kind }) => kind === 'drop'));
    expect(drops).toEqual([]);
  });

  it('a refusal is asked for once, not per pair, and again after a while or with another firmware', async () => {
    const flows = new SimFlows({ refuse: rule => (rule.protocol === 0x86dd ? 'no IPv6 here' : null) });
    const rig = await started({ flows });
    await rig.polls(3);
    const asked = () =>
      flows.log.filter(({ verb, ref: { protocol } }) => verb === 'put' && protocol === 0x86dd);
    expect(asked()).toHaveLength(1);
    const before = asked().length;
    await rig.polls(10);
    expect(asked()).toHaveLength(before);
    const { table } = rig.cache;
    const refused = [...table.rows()].filter(row => keyVariant(table.key[row] ?? 0) !== 'ip4');
    expect(refused.map(row => [table.state(row), table.extack(row)])).toEqual(
      refused.map(() => ['refused', 'no IPv6 here']),
    );
    rig.clock.nowMs += REFUSAL_TTL_MS;
    await rig.polls(2);
    expect(asked()).toHaveLength(before + 1);
    flows.refuse = () => null;
    rig.firmware = '1.1';
    rig.refresh();
    rig.engine.kick();
    await rig.idle();
    await rig.polls(2);
    expect(flows.inHardware).toBe(18);
  });

  it('rules refused while hw-tc-offload is off are tried again when it is on', async () => {
    const flows = new SimFlows({ refuse: () => 'TC offload is disabled on net device' });
    const rig = new OffloadRig({ flows });
    rig.tcOffload = false;
    rig.refresh();
    await rig.engine.start();
    expect(flows.inHardware).toBe(0);
    flows.refuse = () => null;
    rig.tcOffload = true;
    rig.refresh();
    rig.engine.kick();
    await rig.idle();
    await rig.polls(2);
    expect(flows.inHardware).toBe(18);
  });

  it('a refusal of what the NIC took before is about one rule', async () => {
    const rig = await started();
    await rig.flows.delete([ref(rig, A, B)]);
    rig.flows.refuse = rule =>
      rule.handle === ref(rig, A, B).handle && rule.link === rig.rep(A) ? 'no' : null;
    await rig.polls(3);
    expect(states(rig).filter(reason => reason === 'DRIVER_REJECT')).toHaveLength(1);
    expect(rig.flows.inHardware).toBe(17);
    rig.flows.refuse = () => null;
    await rig.polls(260);
    expect(rig.flows.inHardware).toBe(18);
  });

  it('a full table shrinks the budget, and room that comes back is used', async () => {
    const flows = new SimFlows({ capacity: 10 });
    const rig = await started({ flows, tableSize: null });
    await rig.polls(4);
    expect(flows.inHardware).toBe(10);
    expect(rig.cache.budget.value).toBe(10);
    expect(states(rig).filter(reason => reason === 'TABLE_FULL').length).toBeGreaterThan(0);
    flows.capacity = 100;
    await rig.polls(1200);
    expect(flows.inHardware).toBe(18);
  });

  it('what the kernel cannot do for the moment is done later', async () => {
    const rig = new OffloadRig();
    rig.flows.failNext(ERRNO.EBUSY, 'busy', 5);
    await rig.engine.start();
    expect(await rig.rules()).toHaveLength(13);
    await rig.polls(8);
    expect(await rig.rules()).toHaveLength(18);
  });

  it('a NIC that comes back without its rules gets them again', async () => {
    const rig = await started();
    for (const each of [A, B, C]) {
      rig.flows.removeLink(rig.rep(each));
      rig.addLink(each);
    }
    rig.refresh();
    rig.engine.kick();
    await rig.idle();
    await rig.polls(2);
    expect((await rig.rules()).filter(rule => rule.inHw)).toHaveLength(18);
  });

  it('a representor made anew gets the rules that sent to the old one', async () => {
    const rig = await started();
    rig.flows.removeLink(rig.rep(B));
    rig.addLink(B);
    rig.refresh();
    rig.flows.log.length = 0;
    rig.engine.kick();
    await rig.idle();
    await rig.polls(2);
    const put = rig.flows.log.filter(({ verb }) => verb === 'put').map(({ ref: { link } }) => link);
    expect(put.filter(link => link === rig.rep(A))).toHaveLength(3);
    expect(put.filter(link => link === rig.rep(B))).toHaveLength(6);
    expect(rig.flows.inHardware).toBe(18);
  });
});

describe('a port that goes', () => {
  it('takes the rules from it and to it along before it goes', async () => {
    const rig = await started();
    rig.setEndpoints([A, C]);
    expect(await rig.engine.retire([rig.rep(B)])).toEqual([]);
    const rules = await rig.flows.read([A, B, C].map(rig.rep));
    expect(rules).toHaveLength(6);
    expect(rules.some(rule => rule.link === rig.rep(B))).toBe(false);
    expect(rules.some(rule => rule.actions.some(a => a.kind === 'redirect' && a.link === rig.rep(B)))).toBe(
      false,
    );
  });

  it('stays when its rules cannot be removed', async () => {
    const rig = await started();
    rig.setEndpoints([A, C]);
    rig.flows.failNext(ERRNO.EBUSY, 'busy', 100);
    expect(await rig.engine.retire([rig.rep(B)])).toHaveLength(1);
    rig.flows.failNext(0, '', 0);
    expect(await rig.engine.retire([rig.rep(B)])).toEqual([]);
    expect(await rig.flows.read([A, B, C].map(rig.rep))).toHaveLength(6);
  });

  it('gets no rule back while its round runs, even when the intent still has it', async () => {
    const rig = await started();
    await rig.engine.retire([rig.rep(B)]);
    rig.engine.kick();
    await rig.idle();
    await rig.polls(2);
    expect(await rig.rules()).toHaveLength(6);
    rig.engine.roundDone();
    await rig.idle();
    expect(await rig.rules()).toHaveLength(18);
  });

  it('that went while no daemon ran leaves no rule behind the start', async () => {
    const rig = await started();
    await rig.engine.stop();
    rig.setEndpoints([A, C]);
    await rig.restart();
    const rules = await rig.flows.read([A, C].map(rig.rep));
    expect(rules).toHaveLength(6);
  });

  it('whose VF is handed to another endpoint in the same slot never gets the old one’s packets', async () => {
    const rig = await started();
    rig.setEndpoints([A, C]);
    await rig.engine.retire([rig.rep(B)]);
    const next = onVf(1, { id: 'f'.repeat(64) as never, mac: '02:00:00:00:00:99' as never });
    rig.flows.removeLink(rig.rep(B));
    rig.addLink(next);
    rig.setEndpoints([A, C, next]);
    rig.engine.roundDone();
    await rig.idle();
    await rig.polls(1);
    const rules = await rig.rules();
    expect(rules).toHaveLength(18);
    const macs = rules.flatMap(rule => rule.actions.flatMap(a => (a.kind === 'pedit' ? [a.value] : [])));
    expect(macs.some(mac => mac === B.mac.replaceAll(':', ''))).toBe(false);
  });
});

describe('a NIC that is being changed', () => {
  it('gets no rule, gives up those it has when asked to, and gets them back', async () => {
    const rig = await started();
    await rig.engine.pause(NIC, 'its mode changes', true);
    expect(rig.flows.inHardware).toBe(0);
    await rig.polls(3);
    expect([rig.flows.inHardware, states(rig)[0]]).toEqual([0, 'PAUSED']);
    rig.engine.resume(NIC);
    await rig.idle();
    await rig.polls(1);
    expect(rig.flows.inHardware).toBe(18);
  });
});
