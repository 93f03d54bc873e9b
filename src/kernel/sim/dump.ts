/** What the simulated kernel shows of one instance: only what carries its mark. */
import {
  address,
  fibEntry,
  forwardAccept,
  hook,
  netEntry,
  nftElement,
  nftTable,
  port,
  portEntry,
  programs,
  sysctl,
  vlanLinkKey,
} from '../../ir/make.ts';
import { altname, linkRole } from '../../ir/names.ts';
import type { Key, Resource } from '../../ir/resource.ts';
import type { Snapshot } from '../port.ts';
import { dumpDirect } from './direct-links.ts';
import type { SimHost } from './host.ts';
import { peerOf } from './links.ts';
import { HOST, type SimLink } from './state.ts';
import { ownName, serves } from './vf-ports.ts';

export function dumpState(host: SimHost, sandboxes: Iterable<string> = []): Snapshot {
  const { state, identity } = host;
  const resources = new Map<Key, Resource>();
  const add = (resource: Resource): void => void resources.set(resource.key, resource);
  const foreign: { key: Key; what: string }[] = [];
  const homeFunctions = new Set<string>();
  let hooked = false;
  for (const link of state.links.values()) {
    const name = ownName(host, link);
    const known = link.netns === HOST ? linkRole(identity, name) : null;
    if (known === null) continue;
    const isRep = known.role === 'endpoint-rep' || known.role === 'gateway-rep';
    if (!link.altnames.has(altname(identity, name))) {
      foreign.push({
        key: known.role === 'vlan-link' ? vlanLinkKey(name) : `port/${isRep ? name : known.twin}`,
        what: `link ${link.name} of somebody else`,
      });
    } else if (isRep) {
      add(observedPort(host, link, known.twin, known.role === 'gateway-rep'));
      if (link.hook !== null && link.hook === state.programs?.generation) add(hook(name));
      hooked ||= link.hook !== null;
    } else if (known.role !== 'vlan-link') {
      homeFunctions.add(name);
      if (known.role === 'gateway-fn') addGateway(add, link);
    }
  }
  for (const resource of dumpDirect(host, new Set(sandboxes))) add(resource);
  dumpTables(host, add);
  const hookMode = hooked ? 'tcx' : 'none';
  return { resources, foreign, homeFunctions, generation: state.fibGeneration, hookMode };
}

function observedPort(host: SimHost, rep: SimLink, fn: string, isGateway: boolean): Resource {
  const found = host.nics?.representedBy(rep.ifindex);
  const peer = found === undefined ? peerOf(host.state, rep) : (found.vf.netdev ?? undefined);
  const isBroken = found !== undefined && !serves(host, rep, fn, found.vf);
  const down = !rep.up || isBroken || (isGateway && peer !== undefined && !peer.up);
  const role = isGateway ? 'gateway' : 'endpoint';
  const observed = {
    rep: ownName(host, rep),
    fn,
    repMac: rep.mac,
    fnMac: peer?.mac ?? rep.mac,
    mtu: rep.mtu,
  } as const;
  return port({
    ...observed,
    role,
    vf: found?.ref ?? null,
    sandbox: null,
    ...(down ? { down: true as const } : {}),
  });
}

function addGateway(add: (resource: Resource) => void, link: SimLink): void {
  for (const cidr of link.addresses) add(address(link.name, cidr));
  for (const [name, value] of link.sysctls) add(sysctl(`net/ipv4/conf/${link.name}/${name}`, value));
}

function dumpTables(host: SimHost, add: (resource: Resource) => void): void {
  const { state } = host;
  if (state.programs !== null) add(programs(state.programs.digest));
  for (const [path, value] of state.sysctls) add(sysctl(path, value));
  for (const [family, prefix] of state.forwardAccept) add(forwardAccept(family, prefix));
  if (state.table !== null) {
    add(nftTable(state.table.digest));
    for (const [set, elements] of state.table.sets) {
      for (const [element, value] of elements) add(nftElement(set, element, value));
    }
  }
  if (state.maps === null) return;
  const nameOf = (ifindex: number): string => {
    const link = state.links.get(ifindex);
    return link === undefined || link.netns !== HOST ? `#${ifindex}` : ownName(host, link);
  };
  for (const [ifindex, entry] of state.maps.ports) {
    const rep = nameOf(ifindex);
    add(rep === entry.rep ? entry : portEntry({ ...entry, rep }));
  }
  for (const { ifindex, entry } of state.maps.nets.values()) {
    const gateway = nameOf(ifindex);
    add(gateway === entry.gateway ? entry : netEntry({ ...entry, gateway }));
  }
  for (const entry of state.maps.subnets.values()) add(entry);
  for (const { ifindex, entry } of state.maps.fib.values()) {
    const link = nameOf(ifindex);
    add(link === entry.link ? entry : fibEntry({ ...entry, link }));
  }
}
