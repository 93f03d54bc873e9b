/** Which published endpoint holds which host port. */
import type { EndpointId } from '../lib/brand.ts';
import type { Endpoint, PortBinding } from '../model/endpoint.ts';
import { type HostPort, hostPortsMeet } from '../model/host-port.ts';

/** The key of a binding's host address: `*` = every address of both families. */
export function hostKey(hostIp: HostPort['hostIp']): string {
  return hostIp ?? '*';
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
