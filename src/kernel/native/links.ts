/** Links of a namespace as the kernel shows them, and which of them are ours. */
import { altnameMark, type LinkRole, linkRole } from '../../ir/names.ts';
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
}

export interface HostLinks {
  readonly own: ReadonlyMap<string, OwnLink>;
  readonly byIfindex: ReadonlyMap<number, OwnLink>;
  /** Links with a name of ours that are not ours: name of the port they stand in the way of. */
  readonly foreign: readonly { readonly name: string; readonly rep: string }[];
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
  const foreign: { name: string; rep: string }[] = [];
  const mark = altnameMark(identity);
  for (const record of await dumpLinks(library, identity, '')) {
    const name = record.altname === '' ? record.name : record.altname.slice(mark.length);
    const known = linkRole(identity, name);
    if (known === null) continue;
    if (record.altname === '') {
      foreign.push({ name, rep: isRepresentor(known.role) ? name : known.twin });
      continue;
    }
    const { ifindex, mtu, mac } = record;
    const up = (record.flags & IFF_UP) !== 0;
    const link: OwnLink = { ifindex, name, currentName: record.name, ...known, up, mtu, mac };
    own.set(name, link);
    byIfindex.set(ifindex, link);
  }
  return { own, byIfindex, foreign };
}

export function isRepresentor(role: LinkRole): boolean {
  return role === 'endpoint-rep' || role === 'gateway-rep';
}
