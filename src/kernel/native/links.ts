/** Links of a namespace as the kernel shows them, and which of them are ours. */
import { portKey, vlanLinkKey } from '../../ir/make.ts';
import { altnameMark, type LinkRole, linkRole } from '../../ir/names.ts';
import type { Key } from '../../ir/resource.ts';
import type { Identity } from '../../model/intent.ts';
import { dumpRecords } from './batch.ts';
import type { ValuesOf } from './layout.ts';
import type { NativeLibrary } from './library.ts';
import { LINK_REC } from './records.ts';

const IFF_UP = 1;

export type LinkRecord = ValuesOf<typeof LINK_REC>;

/** A link that carries our altname. */
export interface OwnLink {
  readonly ifindex: number;
  /** The name it was made with: that of its altname, which survives renames and moves. */
  readonly name: string;
  /** The name it has now. */
  readonly currentName: string;
  readonly role: LinkRole;
  /** Name of the pair's other side. */
  readonly twin: string;
  readonly up: boolean;
  readonly mtu: number;
  readonly mac: Uint8Array;
  /** IFLA_INFO_KIND, "" for a NIC's own. */
  readonly kind: string;
  /** Ifindex of the peer or of the link below; 0 if none. */
  readonly lower: number;
  /** VLAN of a sub-interface, else 0. */
  readonly vlan: number;
}

export interface HostLinks {
  readonly own: ReadonlyMap<string, OwnLink>;
  readonly byIfindex: ReadonlyMap<number, OwnLink>;
  /** Links with a name of ours that are not ours, and the key of what they stand in the way of. */
  readonly foreign: readonly { readonly name: string; readonly key: Key }[];
  /** Current names of all links, ours or not. */
  readonly names: ReadonlyMap<number, string>;
}

/** Room for a large host in the first call: 2 MiB for a moment are cheaper than a second dump. */
const LINKS_EXPECTED = 16_384;

/** All links of `netns` ("" = the host's); the altname reported is the one with our mark. */
export function dumpLinks(library: NativeLibrary, identity: Identity, netns: string): Promise<LinkRecord[]> {
  const mark = altnameMark(identity);
  return dumpRecords(
    'esw_link_dump',
    LINK_REC,
    out => library.call('esw_link_dump', netns, mark, 0, out, out.length),
    LINKS_EXPECTED,
  );
}

export async function hostLinks(library: NativeLibrary, identity: Identity): Promise<HostLinks> {
  const own = new Map<string, OwnLink>();
  const byIfindex = new Map<number, OwnLink>();
  const names = new Map<number, string>();
  const foreign: { name: string; key: Key }[] = [];
  for (const record of await dumpLinks(library, identity, '')) {
    names.set(record.ifindex, record.name);
    const name = originalName(identity, record);
    const known = linkRole(identity, name);
    if (known === null) continue;
    if (record.altname === '') {
      foreign.push({ name, key: inTheWayOf(name, known) });
      continue;
    }
    const link: OwnLink = { ...ownLink(name, record), ...known };
    own.set(name, link);
    byIfindex.set(record.ifindex, link);
  }
  return { own, byIfindex, foreign, names };
}

/** The name it was made with, by its altname if that is ours. */
export function originalName(identity: Identity, { altname, name }: LinkRecord): string {
  return altname === '' ? name : altname.slice(altnameMark(identity).length);
}

function ownLink(name: string, record: LinkRecord): Omit<OwnLink, 'role' | 'twin'> {
  const { ifindex, mtu, mac, kind, peer_ifindex: lower, vlan_id: vlan } = record;
  return {
    ifindex,
    name,
    currentName: record.name,
    up: (record.flags & IFF_UP) !== 0,
    mtu,
    mac,
    kind,
    lower,
    vlan,
  };
}

function inTheWayOf(name: string, { role, twin }: { role: LinkRole; twin: string }): Key {
  if (role === 'vlan-link') return vlanLinkKey(name);
  return portKey(isRepresentor(role) ? name : twin);
}

/** A link that a NIC's driver made: it can be renamed and moved, never deleted. */
export function isOfNic({ kind }: Pick<OwnLink, 'kind'>): boolean {
  return kind === '';
}

export function isRepresentor(role: LinkRole): boolean {
  return role === 'endpoint-rep' || role === 'gateway-rep';
}

export function isFunction(role: LinkRole): boolean {
  return role === 'endpoint-fn' || role === 'gateway-fn';
}
