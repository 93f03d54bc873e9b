/** Entries of the eBPF maps: put, delete and the swap of the forwarding table. */
import type { FibEntry } from '../../ir/resource.ts';
import type { OpResult } from '../port.ts';
import { DONE } from './batch.ts';
import type { NativeContext } from './context.ts';
import { type Entry, fibRow, goneIfindex, linkOf, netRow, portRow, subnetRow } from './entries.ts';
import { type LinkNames, noLink, type Resolved } from './link-names.ts';
import type { Maps } from './maps.ts';
import { FIB, NETS, PORTS, SUBNETS } from './tables.ts';

/** All of one kind. Entries whose link is not there are refused; the others are written. */
export async function putEntries(
  { maps }: NativeContext,
  names: LinkNames,
  entries: readonly Entry[],
): Promise<OpResult[]> {
  const links = await resolveLinks(names, entries);
  const good = entries.flatMap((entry, at) => {
    const ifindex = links[at]?.ifindex ?? null;
    return ifindex === null ? [] : [{ entry, ifindex }];
  });
  const results = await write(maps, good);
  let next = 0;
  return entries.map((_, at) => {
    const link = links[at];
    return link?.ifindex === null ? link.refusal : (results[next++] ?? DONE);
  });
}

/** Entries of one kind to their map. Link-less ones come with ifindex 0. */
function write(
  maps: Maps,
  items: readonly { readonly entry: Entry; readonly ifindex: number }[],
): Promise<OpResult[]> {
  const rows = <K extends Entry['kind'], Row>(
    kind: K,
    toRow: (entry: Extract<Entry, { kind: K }>, ifindex: number) => Row,
  ): Row[] =>
    items.flatMap(({ entry, ifindex }) =>
      entry.kind === kind ? [toRow(entry as Extract<Entry, { kind: K }>, ifindex)] : [],
    );
  switch (items[0]?.entry.kind) {
    case 'port-entry':
      return maps.update(PORTS, rows('port-entry', portRow));
    case 'net-entry':
      return maps.update(NETS, rows('net-entry', netRow));
    case 'subnet-entry':
      return maps.update(SUBNETS, rows('subnet-entry', subnetRow));
    case 'fib-entry':
      return maps.update(FIB, rows('fib-entry', fibRow));
    default:
      return Promise.resolve([]);
  }
}

/** All of one kind. What is absent, or has no link any more, is deleted already. */
export async function deleteEntries(
  { maps }: NativeContext,
  names: LinkNames,
  entries: readonly Entry[],
): Promise<OpResult[]> {
  const [first] = entries;
  const removed = await erase(maps, names, entries);
  // Without the map there is no entry either.
  const pinned =
    first === undefined || removed.every(result => result.errno === 0) || (await isPinned(maps, first));
  return pinned ? removed : entries.map(() => DONE);
}

async function erase(maps: Maps, names: LinkNames, entries: readonly Entry[]): Promise<OpResult[]> {
  switch (entries[0]?.kind) {
    case 'port-entry': {
      // By the link of now, or by the number that was observed for one that is gone.
      const links = await resolveLinks(names, entries);
      const rows = entries.flatMap((entry, at) => {
        const ifindex = links[at]?.ifindex ?? null;
        return ifindex === null || entry.kind !== 'port-entry' ? [] : [portRow(entry, ifindex)];
      });
      const results = await maps.delete(PORTS, rows);
      let next = 0;
      return links.map(link => (link.ifindex === null ? DONE : (results[next++] ?? DONE)));
    }
    case 'net-entry': {
      // An array has no delete: an absent network is an entry of zeros.
      const rows = entries.flatMap(entry => (entry.kind === 'net-entry' ? [netRow(entry, 0)] : []));
      const values = Buffer.alloc(rows.length * NETS.valueSize);
      return maps.updateRaw(NETS.map, { keys: NETS.encodeKeys(rows), values, count: rows.length });
    }
    case 'subnet-entry':
      return maps.delete(
        SUBNETS,
        entries.flatMap(entry => (entry.kind === 'subnet-entry' ? [subnetRow(entry)] : [])),
      );
    case 'fib-entry':
      return maps.delete(
        FIB,
        entries.flatMap(entry => (entry.kind === 'fib-entry' ? [fibRow(entry, 0)] : [])),
      );
    default:
      return [];
  }
}

/** All or nothing: an entry whose link is not there refuses the swap, and the live table stays. */
export async function swapEntries(
  { maps }: NativeContext,
  names: LinkNames,
  entries: readonly FibEntry[],
): Promise<OpResult> {
  const links = await resolveLinks(names, entries);
  const refused = links.find(link => link.ifindex === null);
  if (refused?.ifindex === null) return refused.refusal;
  return maps.swapFib(entries.map((entry, at) => fibRow(entry, links[at]?.ifindex ?? 0)));
}

async function resolveLinks(names: LinkNames, entries: readonly Entry[]): Promise<Resolved[]> {
  const wanted = entries.map(linkOf);
  const real = wanted.filter(link => link !== null && goneIfindex(link) === null) as string[];
  const resolved = await names.resolve(real);
  const byName = new Map(real.map((name, at) => [name, resolved[at]]));
  return wanted.map(link => {
    if (link === null) return { ifindex: 0 };
    const gone = goneIfindex(link);
    if (gone !== null) return { ifindex: gone };
    return byName.get(link) ?? { ifindex: null, refusal: noLink(link) };
  });
}

const MAP_OF = { 'port-entry': PORTS, 'net-entry': NETS, 'subnet-entry': SUBNETS, 'fib-entry': FIB } as const;

async function isPinned(maps: Maps, entry: Entry): Promise<boolean> {
  return (await maps.info(MAP_OF[entry.kind].map)) !== null;
}
