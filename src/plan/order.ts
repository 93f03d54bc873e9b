/** The order of a batch: by fixed layers (KIND_ORDER), no dependency graph. */
import type { Op } from '../ir/op.ts';
import { KIND_ORDER, type Resource, type VlanLink } from '../ir/resource.ts';
import type { Cidr } from '../lib/brand.ts';
import { cidrOverlaps } from '../lib/ip.ts';

/** An operation on one resource. */
export type ResourceOp = Exclude<Op, { verb: 'swap-fib' }>;

const layer = (op: Op): number => KIND_ORDER[op.verb === 'swap-fib' ? 'fib-entry' : op.resource.kind];

/**
 * Deletes that make room for a create, then creates and updates ascending, then the other deletes
 * descending. Inside a layer the order given is kept.
 */
export function orderOps(ops: readonly Op[]): Op[] {
  const puts = ops.filter(op => op.verb !== 'delete').sort((a, b) => layer(a) - layer(b));
  const deletes = ops.filter(op => op.verb === 'delete').sort((a, b) => layer(b) - layer(a));
  if (puts.length === 0 || deletes.length === 0) return [...puts, ...deletes];
  const wanted = claims(puts);
  const first = deletes.filter(op => clashes(op.resource, wanted));
  return first.length === 0
    ? [...puts, ...deletes]
    : [...first, ...puts, ...deletes.filter(op => !first.includes(op))];
}

interface Claims {
  /** Parents and VLANs: a link has one sub-interface of each number. */
  readonly vlans: ReadonlySet<string>;
  readonly addresses: ReadonlySet<string>;
  readonly intervals: readonly { readonly set: string; readonly range: Cidr }[];
}

const isInterval = (set: string): boolean => set === 'masq4' || set === 'masq6';

/** What cannot exist twice although the keys differ: an address on two links, a VLAN of one, overlapping intervals. */
function claims(puts: readonly Op[]): Claims {
  const addresses = new Set<string>();
  const vlans = new Set<string>();
  const intervals: { set: string; range: Cidr }[] = [];
  for (const op of puts) {
    if (op.verb === 'swap-fib') continue;
    const { resource } = op;
    if (resource.kind === 'address') addresses.add(resource.cidr);
    if (resource.kind === 'vlan-link') vlans.add(vlanOf(resource));
    if (resource.kind === 'nft-element' && isInterval(resource.set)) {
      intervals.push({ set: resource.set, range: resource.element as Cidr });
    }
  }
  return { vlans, addresses, intervals };
}

const vlanOf = ({ parent, vlan }: VlanLink): string => `${parent}/${vlan}`;

function clashes(resource: Resource, wanted: Claims): boolean {
  if (resource.kind === 'address') return wanted.addresses.has(resource.cidr);
  if (resource.kind === 'vlan-link') return wanted.vlans.has(vlanOf(resource));
  if (resource.kind !== 'nft-element' || !isInterval(resource.set)) return false;
  const { set, element } = resource;
  return wanted.intervals.some(each => each.set === set && cidrOverlaps(each.range, element as Cidr));
}
