/** Which function of a NIC becomes the port of a new endpoint. Pure: what is free comes with the question. */
import { altnameMark, formerMark } from '../ir/names.ts';
import type { Cidr, Ifindex } from '../lib/brand.ts';
import type { Identity } from '../model/intent.ts';
import {
  type DevlinkHandle,
  type EswitchMode,
  type FunctionKey,
  functionKey,
  type Inventory,
  type Nic,
  type NicFunction,
} from '../model/nic.ts';
import type { VfLease } from '../model/vf-lease.ts';
import { sriovProblem, switchdevProblem } from './capabilities.ts';

/** The host's NICs, and what else is known about their functions. */
export interface FunctionView {
  readonly inventory: Inventory;
  /** Addresses of links in the host's namespace: who has one is in use by the host. */
  readonly addresses: ReadonlyMap<Ifindex, readonly Cidr[]>;
  /** When a function was given back last, on any clock; absent = not since the daemon started. */
  readonly lastUsed: ReadonlyMap<FunctionKey, number>;
}

export interface FunctionWish {
  /** Of NICs in which mode: functions with representors, or VFs alone. */
  readonly mode: EswitchMode;
  /** devlink handle, device or uplink name that `-o nic=` gives; null = any. */
  readonly nic: string | null;
  /** How many endpoints of the same network each NIC has: pairs on one NIC can be in its hardware. */
  readonly near: ReadonlyMap<DevlinkHandle, number>;
}

export type FunctionChoice =
  | { readonly verdict: 'chosen'; readonly function: NicFunction }
  | { readonly verdict: 'none'; readonly why: string };

/** `ledger`: the row of a function, null when it is free as far as the ledger knows. */
export function chooseFunction(
  identity: Identity,
  view: FunctionView,
  ledger: (key: FunctionKey) => VfLease | null,
  wish: FunctionWish,
): FunctionChoice {
  const { nics } = view.inventory;
  const wanted = wish.nic === null ? nics : nics.filter(nic => isNamed(nic, wish.nic ?? ''));
  if (wanted.length === 0) return { verdict: 'none', why: absent(wish.nic, nics) };
  const problem = wish.mode === 'switchdev' ? switchdevProblem : sriovProblem;
  const usable = wanted.filter(nic => problem(nic) === null);
  if (usable.length === 0) {
    return { verdict: 'none', why: wanted.map(nic => `${nic.handle}: ${problem(nic)}`).join('; ') };
  }
  const obstacle = (each: NicFunction): Obstacle | null =>
    obstacleOf(identity, view, ledger, each, wish.mode);
  const offers = usable
    .map(nic => ({ nic, free: nic.functions.filter(each => obstacle(each) === null) }))
    .filter(({ free }) => free.length > 0)
    .sort((a, b) => nearness(wish, b.nic) - nearness(wish, a.nic) || b.free.length - a.free.length);
  const [best] = offers;
  if (best === undefined) {
    const why = usable.map(nic => `${nic.handle}: ${summary(nic.functions.map(obstacle))}`);
    return { verdict: 'none', why: why.join('; ') };
  }
  return { verdict: 'chosen', function: longestIdle(best.free, view.lastUsed) };
}

/** The NICs that an uplink (or a handle) names; all without a name. */
export function nicsOf(inventory: Inventory, uplink: string | undefined): Inventory {
  return uplink === undefined ? inventory : { nics: inventory.nics.filter(nic => isNamed(nic, uplink)) };
}

/** Whether `text` names a NIC: its handle, the device in it, or an uplink by any of its names. */
export function isNamed(nic: Nic, text: string): boolean {
  const device = nic.handle.slice(nic.handle.indexOf('/') + 1);
  return (
    text === nic.handle ||
    text === device ||
    nic.uplinks.some(({ name, altnames }) => name === text || altnames.includes(text))
  );
}

function absent(wanted: string | null, nics: readonly Nic[]): string {
  const there = nics.map(({ handle, uplinks: [uplink] }) => (uplink ? `${handle} (${uplink.name})` : handle));
  const known = there.length === 0 ? 'this host has none' : `there are ${there.join(', ')}`;
  return wanted === null ? 'this host has no NIC' : `no NIC ${wanted}; ${known}`;
}

const nearness = ({ near }: FunctionWish, { handle }: Nic): number => near.get(handle) ?? 0;

function longestIdle(free: readonly NicFunction[], lastUsed: ReadonlyMap<FunctionKey, number>): NicFunction {
  const since = ({ ref }: NicFunction): number => lastUsed.get(functionKey(ref)) ?? Number.NEGATIVE_INFINITY;
  // The first of equals: in the order of their numbers.
  return free.reduce((best, each) => (since(each) < since(best) ? each : best));
}

/** Why a function cannot be taken; those of one `kind` are counted together, others told one by one. */
interface Obstacle {
  readonly kind: 'in use' | 'being reset' | 'other';
  readonly text: string;
}

function obstacleOf(
  identity: Identity,
  { addresses }: FunctionView,
  ledger: (key: FunctionKey) => VfLease | null,
  each: NicFunction,
  mode: EswitchMode,
): Obstacle | null {
  const key = functionKey(each.ref);
  const other = (text: string): Obstacle => ({ kind: 'other', text: `${key} ${text}` });
  const row = ledger(key);
  if (row?.state === 'used') return { kind: 'in use', text: key };
  if (row?.state === 'cooling') return { kind: 'being reset', text: key };
  if (row !== null) return other(`is broken (${row.fault ?? 'cause unknown'})`);
  const { representor, netdev, driver } = each;
  if (mode === 'switchdev' && representor === null) return other('has no representor');
  if (mode === 'legacy' && (each.ref.kind !== 'vf' || each.vf === null))
    return other('is no VF of a legacy PF');
  if (driver === null) return other('has no driver');
  if (netdev === null) return other(`has no netdev in the host's namespace (driver ${driver})`);
  const owner = ownerOf(identity, [...(representor?.altnames ?? []), ...netdev.altnames]);
  if (owner !== null) return other(owner);
  const [address] = [netdev, representor].flatMap(link => (link && addresses.get(link.ifindex)) ?? []);
  return address === undefined ? null : other(`has address ${address}`);
}

/** A mark of ours without a ledger row is a leftover; one of another instance is its property. */
function ownerOf(identity: Identity, altnames: readonly string[]): string | null {
  const ours = [altnameMark(identity), formerMark(identity, '')];
  if (altnames.some(name => ours.some(mark => name.startsWith(mark)))) return 'is being given back';
  const theirs = altnames
    .map(name => /^([a-z][a-z0-9-]{0,23})\.[a-z0-9]{1,4}[rf][0-9a-f]{10}$/.exec(name)?.[1])
    .find(instance => instance !== undefined);
  return theirs === undefined ? null : `belongs to ${theirs}`;
}

/** `6 in use, 1 being reset, pci/…/c0pf0vf7 has address 10.0.0.1/24`. */
function summary(obstacles: readonly (Obstacle | null)[]): string {
  const found = obstacles.filter(each => each !== null);
  const counts = (['in use', 'being reset'] as const).flatMap(kind => {
    const count = found.filter(each => each.kind === kind).length;
    return count === 0 ? [] : [`${count} ${kind}`];
  });
  const others = found.filter(each => each.kind === 'other').map(each => each.text);
  const more = others.length > MOST_NAMED ? [`and ${others.length - MOST_NAMED} more`] : [];
  return `no free function: ${[...counts, ...others.slice(0, MOST_NAMED), ...more].join(', ')}`;
}

/** A sentence for people, not a list of a hundred VFs. */
const MOST_NAMED = 3;
