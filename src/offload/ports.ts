/** Which endpoints could have rules in which NIC, from the intent and the NICs that are there. */
import type { PairPort } from '../compile/pair.ts';
import { portNames } from '../ir/names.ts';
import type { EndpointId, Mac, NetworkId } from '../lib/brand.ts';
import { cidrAddress } from '../lib/ip.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Identity, Intent } from '../model/intent.ts';
import type { Network } from '../model/network.ts';
import { type DevlinkHandle, functionKey, type Inventory, type Nic, type NicLink } from '../model/nic.ts';

export interface OffloadPort extends PairPort {
  readonly endpoint: EndpointId;
  readonly network: NetworkId;
  readonly switchMac: Mac;
  /** Its network refuses to fall back to software. */
  readonly required: boolean;
  /** Of the representor; 0 while that has not got the port's name. */
  readonly ifindex: number;
}

/** A NIC in switchdev mode, with the endpoints on it by slot. */
export interface NicPorts {
  readonly nic: Nic;
  readonly ports: ReadonlyMap<number, OffloadPort>;
  /** Every representor that is there, ours or not: a rule of ours may be on any of them. */
  readonly links: ReadonlyMap<number, string>;
}

/** `fn` sides and legacy NICs are left out: they take no flower rules. */
export function portsByNic(
  identity: Identity,
  intent: Intent,
  inventory: Inventory,
  isRetired: (rep: string) => boolean,
): Map<DevlinkHandle, NicPorts> {
  const found = new Map<DevlinkHandle, NicPorts>();
  const byNic = Map.groupBy(
    [...intent.endpoints.values()].filter(endpoint => endpoint.vf !== null),
    endpoint => endpoint.vf?.nic,
  );
  for (const nic of inventory.nics) {
    if (nic.eswitch?.mode !== 'switchdev') continue;
    const representors = representorsOf(nic);
    const ports = new Map<number, OffloadPort>();
    for (const endpoint of byNic.get(nic.handle) ?? []) {
      const network = intent.networks.get(endpoint.networkId);
      if (network?.type !== 'bridge' || network.datapath === 'software' || endpoint.vf === null) continue;
      const port = portOf(identity, network, endpoint, representors.get(functionKey(endpoint.vf)));
      if (!isRetired(port.rep)) ports.set(port.slot, port);
    }
    const links = new Map([...representors.values()].map(({ ifindex, name }) => [ifindex as number, name]));
    found.set(nic.handle, { nic, ports, links });
  }
  return found;
}

function representorsOf(nic: Nic): Map<string, NicLink> {
  const found = new Map<string, NicLink>();
  for (const { ref, representor } of nic.functions) {
    if (representor !== null) found.set(functionKey(ref), representor);
  }
  return found;
}

function portOf(
  identity: Identity,
  network: Network,
  endpoint: Endpoint,
  representor: NicLink | undefined,
): OffloadPort {
  const { rep } = portNames(identity, endpoint.id);
  return {
    endpoint: endpoint.id,
    network: network.id,
    slot: endpoint.slot,
    rep,
    mac: endpoint.mac,
    ip4: endpoint.ip4 && cidrAddress(endpoint.ip4),
    ip6: endpoint.ip6 && cidrAddress(endpoint.ip6),
    switchMac: network.switchMac,
    required: network.require === 'hw',
    ifindex: representor?.name === rep ? representor.ifindex : 0,
  };
}

/** Whether rules made for `before` still say the right thing for `after`. */
export function isSamePort(before: OffloadPort, after: OffloadPort): boolean {
  return (
    before.endpoint === after.endpoint &&
    before.network === after.network &&
    before.rep === after.rep &&
    before.mac === after.mac &&
    before.ip4 === after.ip4 &&
    before.ip6 === after.ip6 &&
    before.switchMac === after.switchMac &&
    before.required === after.required
  );
}

/** Versions that run now, by name: what learned refusals hold for. */
export function firmwareOf({ firmware }: Nic): string {
  return firmware
    .filter(({ kind }) => kind === 'running')
    .map(({ name, value }) => `${name} ${value}`)
    .sort()
    .join(', ');
}
