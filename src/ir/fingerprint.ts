/**
 * Equality of two resources with the same key: what the kernel must show for a desired resource to
 * count as present. The key itself (names, slots, addresses that identify) is not repeated here.
 */
import { functionKey } from '../model/nic.ts';
import type { DirectPort, Port, Resource } from './resource.ts';

type Value = string | number | boolean | null;

/**
 * The fields that are compared, in a fixed order. Left out:
 *  - Port.fn, fnMac and sandbox: once Docker has moved the function side into a sandbox and renamed
 *    it, a dump of the host namespace cannot see them. They say how to make the pair, not how to
 *    recognise it.
 *  - DirectPort.mtu and a macvlan link's MAC: inside the sandbox they are the container's to change.
 */
function compared(resource: Resource): readonly Value[] {
  switch (resource.kind) {
    case 'programs':
    case 'nft-table':
      return [resource.digest];
    case 'port':
      return [resource.repMac, resource.mtu, resource.role, resource.down ?? false, functionOf(resource)];
    case 'vlan-link':
      return [resource.parent, resource.vlan, resource.mtu, resource.down ?? false];
    case 'direct-port':
      return comparedVia(resource);
    case 'sysctl':
    case 'nft-element':
      return [resource.value];
    case 'hook':
      return [resource.program];
    case 'port-entry': {
      const { slot, net, mac, ip4, ip6, trusted, countPairs } = resource;
      return [slot, net, mac, ip4, ip6, trusted, countPairs];
    }
    case 'net-entry': {
      const { internal, gateway, gatewaySlot, switchMac, gatewayMac } = resource;
      return [internal, gateway, gatewaySlot, switchMac, gatewayMac];
    }
    case 'fib-entry':
      return [resource.link, resource.slot, resource.mac, resource.delivery];
    case 'forward-accept':
      return [resource.linkPrefix];
    case 'address':
    case 'subnet-entry':
      return [];
  }
}

const functionOf = ({ vf }: Port): string | null => vf && functionKey(vf);

/** A VF that is trusted may change its MAC; any other is held to it by the PF. */
function comparedVia({ via, mac }: DirectPort): readonly Value[] {
  if (via.kind === 'macvlan') return [via.kind, via.parent];
  const { kind, ref, vlan, spoofchk, trust, linkState, maxTxRate } = via;
  return [kind, functionKey(ref), vlan, spoofchk, trust, linkState, maxTxRate, trust ? null : mac];
}

/** Text that is equal for two resources exactly when `same` holds. */
export function fingerprint(resource: Resource): string {
  return JSON.stringify([resource.key, ...compared(resource)]);
}

/** Whether two resources are the same object in the same state. */
export function same(a: Resource, b: Resource): boolean {
  if (a === b) return true;
  if (a.key !== b.key || a.kind !== b.kind) return false;
  const values = compared(b);
  return compared(a).every((value, i) => value === values[i]);
}
