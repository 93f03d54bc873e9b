/** Names of our links: deterministic, so that a restart without a store still knows its own. */
import type { EndpointId, NetworkId } from '../lib/brand.ts';
import { fnv1a64 } from '../lib/hash.ts';
import type { Identity } from '../model/intent.ts';

/** The two sides of a port, both at most 15 characters (IFNAMSIZ - 1). */
export interface PairNames {
  readonly rep: string;
  readonly fn: string;
}

/** Representor `<prefix>r<h>` and function side `<prefix>f<h>` of an endpoint. */
export function portNames(identity: Identity, id: EndpointId): PairNames {
  const tail = digits(identity, id);
  return { rep: `${identity.linkPrefix}r${tail}`, fn: `${identity.linkPrefix}f${tail}` };
}

/** Representor `<prefix>h<h>` and function side `<prefix>g<h>` (it holds the addresses) of a gateway port. */
export function gatewayNames(identity: Identity, id: NetworkId): PairNames {
  const tail = digits(identity, id);
  return { rep: `${identity.linkPrefix}h${tail}`, fn: `${identity.linkPrefix}g${tail}` };
}

/** `<prefix>v<h>`: the 802.1Q sub-interface of a network of type vlan. */
export function vlanLinkName(identity: Identity, id: NetworkId): string {
  return `${identity.linkPrefix}v${digits(identity, id)}`;
}

/** Prefix of every gateway function side, as in iptables' `-i <prefix>+`. */
export function gatewayPrefix(identity: Identity): string {
  return `${identity.linkPrefix}g`;
}

/** Prefix of every altname we give: what marks a link as ours. */
export function altnameMark(identity: Identity): string {
  return `${identity.instance}.`;
}

/** The kernel altname that marks `linkName` as this instance's. */
export function altname(identity: Identity, linkName: string): string {
  return `${altnameMark(identity)}${linkName}`;
}

/**
 * The altname that keeps the name a NIC's link had before it became a side of a port. Apart from the
 * mark, and no plain altname: inside a sandbox an engine may need that very name (`eth0`).
 */
export function formerMark(identity: Identity, name: string): string {
  return `${identity.instance}~${name}`;
}

/** The name that a link had before it became ours; null when it is none of ours. */
export function formerName(identity: Identity, altnames: Iterable<string>): string | null {
  const prefix = formerMark(identity, '');
  for (const name of altnames) if (name.startsWith(prefix)) return name.slice(prefix.length);
  return null;
}

/** Whether a link carries a mark of this instance, of either kind. */
export function isMarked(identity: Identity, altnames: Iterable<string>): boolean {
  const prefixes = [altnameMark(identity), formerMark(identity, '')];
  for (const name of altnames) if (prefixes.some(prefix => name.startsWith(prefix))) return true;
  return false;
}

export type LinkRole = 'endpoint-rep' | 'endpoint-fn' | 'gateway-rep' | 'gateway-fn' | 'vlan-link';
const ROLES: Readonly<Record<string, LinkRole>> = {
  r: 'endpoint-rep',
  f: 'endpoint-fn',
  h: 'gateway-rep',
  g: 'gateway-fn',
  v: 'vlan-link',
};
/** A vlan-link is its own twin. */
const TWIN: Readonly<Record<string, string>> = { r: 'f', f: 'r', h: 'g', g: 'h', v: 'v' };

/** What a link name of ours stands for, with the name of its other side; null for other names. */
export function linkRole(
  identity: Identity,
  name: string,
): { readonly role: LinkRole; readonly twin: string } | null {
  const prefix = identity.linkPrefix;
  const letter = name[prefix.length];
  if (
    !name.startsWith(prefix) ||
    letter === undefined ||
    !/^[0-9a-f]{10}$/.test(name.slice(prefix.length + 1))
  ) {
    return null;
  }
  const role = ROLES[letter];
  return role === undefined
    ? null
    : { role, twin: `${prefix}${TWIN[letter]}${name.slice(prefix.length + 1)}` };
}

/** First ten hex digits (40 bits) of the hash: 10,000 ports of one host collide with probability 5e-5. */
function digits(identity: Identity, id: string): string {
  return fnv1a64(`${identity.instance}/${id}`).slice(0, 10);
}
