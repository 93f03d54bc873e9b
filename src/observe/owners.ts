/** Which network and endpoint a resource belongs to. Resources themselves name links and slots only. */

import { gatewayNames, portNames, vlanLinkName } from '../ir/names.ts';
import type { Resource } from '../ir/resource.ts';
import type { EndpointId, NetworkId } from '../lib/brand.ts';
import { cidrAddress } from '../lib/ip.ts';
import type { Identity, Intent } from '../model/intent.ts';

export interface Owner {
  /** null: belongs to the host as a whole, or to something that is no longer wanted. */
  readonly network: NetworkId | null;
  readonly endpoint: EndpointId | null;
}

const NOBODY: Owner = { network: null, endpoint: null };

export class Owners {
  readonly #byLink = new Map<string, Owner>();
  readonly #byNet = new Map<number, Owner>();
  readonly #bySlot = new Map<number, Owner>();
  readonly #byAddress = new Map<string, Owner>();
  readonly #byPool = new Map<string, Owner>();

  constructor(identity: Identity, intent: Intent) {
    for (const network of intent.networks.values()) {
      const owner: Owner = { network: network.id, endpoint: null };
      const { rep, fn } = gatewayNames(identity, network.id);
      this.#byLink.set(rep, owner).set(fn, owner).set(vlanLinkName(identity, network.id), owner);
      this.#byNet.set(network.slot, owner);
      this.#bySlot.set(network.gatewaySlot, owner);
      for (const { pool } of network.subnets) this.#byPool.set(pool, owner);
    }
    for (const endpoint of intent.endpoints.values()) {
      const owner: Owner = { network: endpoint.networkId, endpoint: endpoint.id };
      const { rep, fn } = portNames(identity, endpoint.id);
      this.#byLink.set(rep, owner).set(fn, owner);
      this.#bySlot.set(endpoint.slot, owner);
      for (const cidr of [endpoint.ip4, endpoint.ip6]) {
        if (cidr !== null) this.#byAddress.set(cidrAddress(cidr), owner);
      }
    }
  }

  of(resource: Resource): Owner {
    switch (resource.kind) {
      case 'port':
      case 'port-entry':
        return this.#byLink.get(resource.rep) ?? NOBODY;
      case 'direct-port':
        return this.#byLink.get(resource.fn) ?? NOBODY;
      case 'address':
      case 'hook':
      case 'vlan-link':
        return this.#byLink.get(resource.link) ?? NOBODY;
      case 'net-entry':
      case 'subnet-entry':
        return this.#byNet.get(resource.net) ?? NOBODY;
      case 'fib-entry':
        return this.#bySlot.get(resource.slot) ?? this.#byNet.get(resource.net) ?? NOBODY;
      case 'sysctl':
        return this.#firstLink(resource.path.split('/'));
      case 'nft-element':
        return this.#ofElement(resource.element, resource.value);
      case 'programs':
      case 'nft-table':
      case 'forward-accept':
        return NOBODY;
    }
  }

  /** `"ewg…"` or a pool in sets; in maps the value `10.1.0.2 . 80` names the endpoint. */
  #ofElement(element: string, value: string | null): Owner {
    const words = (value ?? element).split(' . ').map(word => word.replaceAll(/["[\]]/g, ''));
    const address = this.#byAddress.get(words[0] ?? '');
    return address ?? this.#byPool.get(words[0] ?? '') ?? this.#firstLink(words);
  }

  #firstLink(words: readonly string[]): Owner {
    for (const word of words) {
      const owner = this.#byLink.get(word);
      if (owner !== undefined) return owner;
    }
    return NOBODY;
  }
}
