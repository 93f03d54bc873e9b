/** The difference of one key. */
import { same } from '../ir/fingerprint.ts';
import { portKey } from '../ir/make.ts';
import type { Key, Kind, Resource } from '../ir/resource.ts';
import type { ResourceOp } from './order.ts';

/**
 * The operation that turns `observed` into `desired`, null when there is nothing to do. A sysctl is
 * never deleted: its value may have become somebody else's, and a link's go with the link.
 */
export function diff(desired: Resource | undefined, observed: Resource | undefined): ResourceOp | null {
  if (desired !== undefined) {
    if (observed === undefined) return { verb: 'create', resource: desired };
    return same(desired, observed) ? null : { verb: 'update', resource: desired };
  }
  return observed === undefined || observed.kind === 'sysctl' ? null : { verb: 'delete', resource: observed };
}

/**
 * What a put of this kind makes stale: hooks run the program they were attached with, and a replaced
 * table comes back empty. Those must be put again, whatever was observed of them before.
 */
export function staleAfterPut(kind: Kind): Kind | null {
  if (kind === 'programs') return 'hook';
  return kind === 'nft-table' ? 'nft-element' : null;
}

/**
 * What must be there before a resource of this kind can be: while that is refused, trying this one
 * would only add a refusal that says less. `port` is the port of the same owner.
 */
export function needsOf(kind: Kind): readonly ('programs' | 'nft-table' | 'port')[] {
  switch (kind) {
    case 'hook':
    case 'port-entry':
    case 'net-entry':
    case 'fib-entry':
      return ['programs', 'port'];
    case 'subnet-entry':
      return ['programs'];
    case 'address':
    case 'sysctl':
      return ['port'];
    case 'nft-element':
      return ['nft-table'];
    default:
      return [];
  }
}

/**
 * The port that takes `resource` with it when it is deleted. Detaching first would cost as much as
 * deleting the link: the kernel waits for a grace period in both.
 */
export function carrierOf(resource: Resource): Key | null {
  return resource.kind === 'hook' ? portKey(resource.link) : null;
}
