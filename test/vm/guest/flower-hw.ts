/**
 * Flow rules into the virtual SmartNIC, by the port that the daemon uses. Runs where the module is loaded
 * and NIC 0 has two VFs in switchdev mode (test/simnic/lab.sh); prints what happened as JSON.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { FlowRule } from '../../../src/ir/flow.ts';
import { FLOW_FLAG, type FlowResult } from '../../../src/kernel/flow-port.ts';
import { createNativeFlows } from '../../../src/kernel/native/flower.ts';
import { NativeLibrary } from '../../../src/kernel/native/library.ts';
import { macRule } from '../../contract/flow-rules.ts';

const root = join(import.meta.dirname, '../../..');
const library = new NativeLibrary(join(root, 'native/build/libeswitch.so'));
const flows = createNativeFlows({ library, instance: 'hardware', dir: '' });
const REP = 'rep0.0';
const PEER = 'rep0.1';

const sh = (script: string): string =>
  execFileSync('sh', ['-c', `. ${join(root, 'test/simnic/lab.sh')}\nset -e\n${script}`], {
    encoding: 'utf8',
  });
const knob = (name: string, value: string): string => sh(`sn_knob 0 ${name} ${value}`);
const inTable = (): number => Number(sh('sn_stat 0 rules'));

const mac = (handle: number, where: FlowRule['where']): FlowRule => ({
  ...macRule(REP, PEER, handle),
  where,
});
/** ICMP of IPv4 to the other VF; `sn_ping` makes it. */
const icmp = (handle: number, link: string, to: string): FlowRule => ({
  ...{ link, chain: 0, prio: 5, protocol: 0x0800, handle, where: 'hw' },
  match: [{ field: 'ip_proto', value: '01', mask: 'ff' }],
  actions: [{ kind: 'redirect', link: to }],
});
const arp = (handle: number, link: string, to: string): FlowRule => ({
  ...{ link, chain: 0, prio: 6, protocol: 0x0806, handle, where: 'hw', match: [] },
  actions: [{ kind: 'redirect', link: to }],
});
const brief = (results: readonly FlowResult[]): readonly unknown[] =>
  results.map(({ errno, extack, inHw }) => [errno, inHw, extack]);

const report: Record<string, unknown> = {};

report.put = brief(await flows.put([mac(1, 'hw'), mac(2, 'both'), mac(3, 'sw')]));
const dump = await flows.dump([REP]);
report.flags = [...dump.handle].map((handle, i) => [handle, dump.flags[i]]).sort();
report.hardware = FLOW_FLAG.ours | FLOW_FLAG.inHw;
report.replaced = brief(await flows.put([{ ...mac(1, 'hw'), actions: [{ kind: 'drop' }] }]));
report.afterReplace = inTable();

knob('keys', '-eth_dst');
report.refused = brief(await flows.put([mac(4, 'hw'), mac(5, 'both')]));
knob('keys', 'all');

knob('table_size', '3');
report.full = brief(await flows.put([mac(6, 'hw'), mac(7, 'hw'), mac(8, 'both')]));
report.fullTable = inTable();
// Many at once go without read-back: the refusals must be those of their rules all the same.
const many = Array.from({ length: 1000 }, (_, i) => mac(1000 + i, i % 2 === 0 ? 'hw' : 'sw'));
const results = await flows.put(many);
report.many = [
  ...new Set(results.map(({ errno, extack }, i) => `${many[i]?.where} ${errno} ${extack}`)),
].sort();
knob('table_size', '65536');

// Put again, what the NIC had no room for goes in; what is there stays with its counters.
report.again = brief(await flows.put([mac(7, 'hw'), mac(8, 'both')]));
const everything = await flows.read([REP]);
report.deleted = new Set((await flows.delete(everything)).map(({ errno }) => errno)).size;
report.emptied = [inTable(), (await flows.dump([REP])).count];

const both = [icmp(1, REP, PEER), icmp(1, PEER, REP), arp(2, REP, PEER), arp(2, PEER, REP)];
report.traffic = brief(await flows.put(both));
sh('sn_ping n0.0 10.0.0.2 10');
const counted = await flows.dump([REP, PEER]);
report.counted = [...counted.prio].flatMap((prio, i) =>
  prio === 5
    ? [[Number(counted.hwPackets[i]), Number(counted.hwBytes[i]), Number(counted.swPackets[i])]]
    : [],
);

sh('ip link add vx0 type vxlan external dstport 4789; ip link set vx0 up');
const decap = (handle: number, where: FlowRule['where']): FlowRule => ({
  ...{ link: 'vx0', chain: 0, prio: 1, protocol: 0x0003, handle, where },
  match: [
    { field: 'eth_dst', value: `0200${handle.toString(16).padStart(8, '0')}`, mask: 'ffffffffffff' },
    { field: 'enc_key_id', value: '0000002a', mask: 'ffffffff' },
    { field: 'enc_ipv4_dst', value: 'c0a80701', mask: 'ffffffff' },
    { field: 'enc_dst_port', value: '12b5', mask: 'ffff' },
  ],
  actions: [{ kind: 'tunnel-unset' }, { kind: 'redirect', link: REP }],
});
report.tunnel = brief(await flows.put([decap(1, 'hw'), decap(2, 'both')])).map(result =>
  (result as []).slice(0, 2),
);

process.stdout.write(`${JSON.stringify(report)}\n`);
