/**
 * Constructors that derive the key of a resource from its fields, so that no key is ever spelt by
 * hand. Given a whole resource with changed fields they make the one of the new key.
 */

import type { Cidr, Ip, NetSlot } from '../lib/brand.ts';
import type {
  Address,
  DirectPort,
  FibEntry,
  ForwardAccept,
  Hook,
  Key,
  NetEntry,
  NftElement,
  NftTable,
  Port,
  PortEntry,
  Programs,
  SubnetEntry,
  Sysctl,
  VlanLink,
} from './resource.ts';

type Fields<R> = Omit<R, 'kind' | 'key'>;

export const programs = (digest: string): Programs => ({ kind: 'programs', key: 'programs', digest });
export const nftTable = (digest: string): NftTable => ({ kind: 'nft-table', key: 'nft-table', digest });

export const portKey = (rep: string): Key => `port/${rep}`;
export const port = (fields: Fields<Port>): Port => ({ ...fields, kind: 'port', key: portKey(fields.rep) });

export const vlanLinkKey = (link: string): Key => `vlan-link/${link}`;
export const vlanLink = (fields: Fields<VlanLink>): VlanLink => ({
  ...fields,
  kind: 'vlan-link',
  key: vlanLinkKey(fields.link),
});

export const directPortKey = (fn: string): Key => `direct-port/${fn}`;
export const directPort = (fields: Fields<DirectPort>): DirectPort => ({
  ...fields,
  kind: 'direct-port',
  key: directPortKey(fields.fn),
});

export const address = (link: string, cidr: Cidr): Address => ({
  kind: 'address',
  key: `address/${link}/${cidr}`,
  link,
  cidr,
});

export const sysctl = (path: string, value: string): Sysctl => ({
  kind: 'sysctl',
  key: `sysctl/${path}`,
  path,
  value,
});

export const hookKey = (link: string): Key => `hook/${link}/ingress`;
export const hook = (link: string): Hook => ({ kind: 'hook', key: hookKey(link), link, program: 'esw_port' });

export const portEntryKey = (rep: string): Key => `port-entry/${rep}`;
export const portEntry = (fields: Fields<PortEntry>): PortEntry => ({
  ...fields,
  kind: 'port-entry',
  key: portEntryKey(fields.rep),
});

export const netEntry = (fields: Fields<NetEntry>): NetEntry => ({
  ...fields,
  kind: 'net-entry',
  key: `net-entry/${fields.net}`,
});

export const subnetEntry = (net: NetSlot, pool: Cidr): SubnetEntry => ({
  kind: 'subnet-entry',
  key: `subnet-entry/${net}/${pool}`,
  net,
  pool,
});

export const fibKey = (net: NetSlot, addr: Ip): Key => `fib-entry/${net}/${addr}`;
export const fibEntry = (fields: Fields<FibEntry>): FibEntry => ({
  ...fields,
  kind: 'fib-entry',
  key: fibKey(fields.net, fields.addr),
});

export const nftElement = (set: string, element: string, value: string | null = null): NftElement => ({
  kind: 'nft-element',
  key: `nft-element/${set}/${element}`,
  set,
  element,
  value,
});

export const forwardAccept = (family: 'ip' | 'ip6', linkPrefix: string): ForwardAccept => ({
  kind: 'forward-accept',
  key: `forward-accept/${family}`,
  family,
  linkPrefix,
});
