/** Which published endpoint holds which host port. */
import type { EndpointId } from '../lib/brand.ts';
import { ipFamily } from '../lib/ip.ts';
import type { Endpoint, PortBinding } from '../model/endpoint.ts';

export type HostPort = Pick<PortBinding, 'proto' | 'hostIp' | 'hostPort'>;

/** The key of a binding's host address: `*` = every address of both families. */
export function hostKey(hostIp: HostPort['hostIp']): string {
  return hostIp ?? '*';
}

/** Whether one packet could be meant for both. 0.0.0.0 and :: are every address of one family. */
export function hostPortsMeet(a: HostPort, b: HostPort): boolean {
  if (a.proto !== b.proto || a.hostPort !== b.hostPort) return false;
  if (a.hostIp === null || b.hostIp === null || a.hostIp === b.hostIp) return true;
  if (ipFamily(a.hostIp) !== ipFamily(b.hostIp)) return false;
  return [a.hostIp, b.hostIp].some(ip => ip === '0.0.0.0' || ip === '::');
}

/** The bindings of an endpoint that are in force. */
export function bindingsInForce(endpoint: Endpoint | null): readonly PortBinding[] {
  return endpoint?.published === true ? endpoint.bindings : [];
}

interface Claim {
  readonly binding: HostPort;
  readonly owner: EndpointId;
}

export class HostPorts {
  readonly #byPort = new Map<string, Claim[]>();

  owner(binding: HostPort, except: EndpointId | null): EndpointId | null {
    const claims = this.#byPort.get(portKey(binding)) ?? [];
    return (
      claims.find(claim => claim.owner !== except && hostPortsMeet(claim.binding, binding))?.owner ?? null
    );
  }

  replace(id: EndpointId, before: readonly HostPort[], after: readonly HostPort[]): void {
    for (const binding of before) {
      const key = portKey(binding);
      const rest = (this.#byPort.get(key) ?? []).filter(claim => claim.owner !== id);
      if (rest.length === 0) this.#byPort.delete(key);
      else this.#byPort.set(key, rest);
    }
    for (const binding of after) {
      const key = portKey(binding);
      this.#byPort.set(key, [...(this.#byPort.get(key) ?? []), { binding, owner: id }]);
    }
  }
}

function portKey(binding: HostPort): string {
  return `${binding.proto}/${binding.hostPort}`;
}
