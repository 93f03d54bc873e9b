/** The simulated kernel's answers to operations on programs, maps and nftables. */
import type { FibEntry, NetEntry, NftElement, PortEntry, SubnetEntry } from '../../ir/resource.ts';
import type { Cidr } from '../../lib/brand.ts';
import { ERRNO } from '../../lib/errno.ts';
import { cidrOverlaps } from '../../lib/ip.ts';
import type { SimHost } from './host.ts';
import { findOurs, needOurs } from './links.ts';
import { Refusal } from './refusal.ts';
import { emptyMaps, NFT_MAPS, NFT_SETS, type SimMaps, type SimState, type SimTable } from './state.ts';

/** Programs are always loaded afresh; maps that are pinned already keep their contents. */
export function loadPrograms(state: SimState, digest: string): void {
  state.programs = { digest, generation: state.nextId() };
  if (state.maps !== null) return;
  state.maps = emptyMaps();
  state.fibGeneration = state.nextId();
}

export function unloadPrograms(state: SimState): void {
  state.programs = null;
  state.maps = null;
  state.fibGeneration = 0;
  for (const link of state.links.values()) link.hook = null;
}

export function putPortEntry(host: SimHost, entry: PortEntry): void {
  const { ports } = needMaps(host.state);
  const { ifindex } = needOurs(host, entry.rep);
  if (!ports.has(ifindex) && ports.size >= host.capacity.ports)
    throw new Refusal(ERRNO.E2BIG, 'map "ports" is full');
  ports.set(ifindex, entry);
}

export function deletePortEntry(host: SimHost, entry: PortEntry): void {
  const orphan = /^#(\d+)$/.exec(entry.rep);
  const ifindex = orphan === null ? findOurs(host, entry.rep)?.ifindex : Number(orphan[1]);
  if (ifindex !== undefined) host.state.maps?.ports.delete(ifindex);
}

export function putNetEntry(host: SimHost, entry: NetEntry): void {
  const { nets } = needMaps(host.state);
  if (entry.net < 1 || entry.net > 65535)
    throw new Refusal(ERRNO.E2BIG, `no slot ${entry.net} in map "nets"`);
  nets.set(entry.net, { ifindex: needOurs(host, entry.gateway).ifindex, entry });
}

export function putSubnetEntry(state: SimState, entry: SubnetEntry): void {
  needMaps(state).subnets.set(entry.key, entry);
}

export function putFibEntry(host: SimHost, entry: FibEntry): void {
  const { fib } = needMaps(host.state);
  const { ifindex } = needOurs(host, entry.link);
  if (!fib.has(entry.key) && fib.size >= host.capacity.fib)
    throw new Refusal(ERRNO.E2BIG, 'map "fib" is full');
  fib.set(entry.key, { ifindex, entry });
}

/** All or nothing: every link is resolved before the slot is replaced. */
export function swapFib(host: SimHost, entries: readonly FibEntry[]): void {
  const maps = needMaps(host.state);
  if (entries.length > host.capacity.fib) throw new Refusal(ERRNO.E2BIG, 'map "fib" is full');
  maps.fib = new Map(
    entries.map(entry => [entry.key, { ifindex: needOurs(host, entry.link).ifindex, entry }]),
  );
  host.state.fibGeneration = host.state.nextId();
}

function needMaps(state: SimState): SimMaps {
  if (state.maps === null) throw new Refusal(ERRNO.ENOENT, 'maps are not pinned');
  return state.maps;
}

/** Another rule text replaces the table in one transaction, and its elements go with the old one. */
export function putTable(state: SimState, digest: string): void {
  if (state.table?.digest === digest) return;
  state.table = { digest, sets: new Map([...NFT_SETS, ...NFT_MAPS].map(set => [set, new Map()])) };
}

export function putElement(state: SimState, { set, element, value }: NftElement): void {
  const elements = needTable(state).sets.get(set);
  if (elements === undefined) throw new Refusal(ERRNO.ENOENT, `No such file or directory; no set ${set}`);
  const isMap = (NFT_MAPS as readonly string[]).includes(set);
  if (isMap !== (value !== null))
    throw new Refusal(ERRNO.EINVAL, `set ${set} and ${element} disagree on a value`);
  if (set.startsWith('masq') && !elements.has(element)) {
    for (const other of elements.keys()) {
      if (cidrOverlaps(other as Cidr, element as Cidr)) {
        throw new Refusal(ERRNO.EEXIST, 'Could not process rule: interval overlaps with an existing one');
      }
    }
  }
  elements.set(element, value);
}

function needTable(state: SimState): SimTable {
  if (state.table === null) throw new Refusal(ERRNO.ENOENT, 'No such file or directory; no table');
  return state.table;
}
