/** The simulated kernel's answers to VFs of a legacy NIC as direct ports. */
import { directPort } from '../../ir/make.ts';
import { altname, altnameMark } from '../../ir/names.ts';
import type { DirectPort, DirectVia, Resource } from '../../ir/resource.ts';
import { ERRNO } from '../../lib/errno.ts';
import { functionKey } from '../../model/nic.ts';
import type { SimHost } from './host.ts';
import type { SimVf } from './nic-state.ts';
import { Refusal } from './refusal.ts';
import { HOST, type SimLink } from './state.ts';
import { dress, release, takeOff } from './vf-ports.ts';

export type VfVia = Extract<DirectVia, { kind: 'vf' }>;

export function makeDirectVf(host: SimHost, port: DirectPort, via: VfVia): void {
  const { state } = host;
  const { vf, netdev } = needVf(host, via);
  const { mac, mtu, fn, sandbox } = port;
  const isAway = netdev.netns !== HOST;
  if (isAway && netdev.netns !== sandbox?.netns)
    throw new Refusal(ERRNO.ENODEV, `${functionKey(via.ref)}: its netdev is in another namespace`);
  const { kind: _kind, ref: _ref, ...attributes } = via;
  Object.assign(vf.config, { ...attributes, mac, vlanQos: 0, vlanProto: '802.1Q', minTxRate: 0 });
  if (isAway) return;
  dress(host, netdev, fn);
  Object.assign(netdev, { mac, mtu, up: false });
  if (sandbox === null || !state.namespaces.has(sandbox.netns)) return;
  if (state.isTaken(sandbox.netns, sandbox.ifname)) throw new Refusal(ERRNO.EEXIST, 'File exists');
  state.move(netdev, sandbox.netns, sandbox.ifname);
  for (const cidr of sandbox.addresses) netdev.addresses.add(cidr);
  netdev.up = true;
}

function needVf({ nics }: SimHost, { ref }: VfVia): { readonly vf: SimVf; readonly netdev: SimLink } {
  const vf = nics?.find(ref);
  const refuse = (why: string) => new Refusal(ERRNO.ENODEV, `${functionKey(ref)}: ${why}`);
  if (vf === undefined) throw refuse('there is no such VF');
  if (vf.representor !== null) throw refuse('its NIC is in switchdev mode');
  if (vf.driver === null) throw refuse('no driver is bound to it');
  if (vf.netdev === null) throw refuse(`${vf.driver} has taken it`);
  return { vf, netdev: vf.netdev };
}

/** A VF that is not marked as this port's is left alone: it may be another's by now. */
export function releaseDirectVf(host: SimHost, { fn, sandbox }: DirectPort, { ref }: VfVia): void {
  const vf = host.nics?.find(ref);
  const netdev = vf?.netdev ?? null;
  if (netdev?.altnames.has(altname(host.identity, fn)) !== true) return;
  if (netdev.netns === HOST) takeOff(host, netdev);
  else if (netdev.netns === sandbox?.netns) release(host, vf);
}

export function dumpDirectVfs(
  { nics, identity }: SimHost,
  sandboxes: ReadonlySet<string>,
): readonly Resource[] {
  const mark = altnameMark(identity);
  return (nics?.vfs() ?? []).flatMap(({ ref, vf }): Resource[] => {
    const { netdev, representor, config } = vf;
    const marked = [...(netdev?.altnames ?? [])].find(text => text.startsWith(mark));
    if (netdev === null || representor !== null || marked === undefined) return [];
    const fn = marked.slice(mark.length);
    const isHome = netdev.netns === HOST;
    if (isHome ? netdev.name !== fn : !sandboxes.has(netdev.netns)) return [];
    const { vlan, spoofchk, trust, linkState, maxTxRate, mac } = config;
    const via = { kind: 'vf', ref, vlan, spoofchk, trust, linkState, maxTxRate } as const;
    const sandbox = isHome ? null : { netns: netdev.netns, ifname: netdev.name, addresses: [], gateways: [] };
    return [directPort({ fn, mac, mtu: netdev.mtu, via, sandbox })];
  });
}
