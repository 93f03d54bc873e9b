/** Keeps the tracker's desired side equal to the store's intent, recompiling only what was named. */

import type { CompileContext } from '../compile/context.ts';
import { compileEndpoint } from '../compile/endpoint.ts';
import { compileHost, forwardedFamilies } from '../compile/host.ts';
import { compileNetwork } from '../compile/network.ts';
import type { EndpointId, NetworkId, Revision } from '../lib/brand.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { HOST_OWNER, type Tracker } from '../plan/tracker.ts';
import type { StoreReader } from '../store/port.ts';

/** Hears of every endpoint that was compiled, and of those that are gone. */
export interface EndpointObserver {
  note(endpoint: Endpoint): void;
  forget(id: EndpointId): void;
}

export class IncrementalCompiler {
  /** Revision that the desired side shows. */
  compiled = -1 as Revision;
  readonly #context: CompileContext;
  readonly #store: StoreReader;
  readonly #tracker: Tracker;
  readonly #observer: EndpointObserver;
  readonly #networks = new Set<NetworkId>();
  readonly #endpoints = new Set<EndpointId>();
  #everything = true;
  /** Endpoints whose sandbox and port are both gone: nothing to connect until Docker speaks again. */
  readonly #detached = new Set<EndpointId>();

  constructor(context: CompileContext, store: StoreReader, tracker: Tracker, observer: EndpointObserver) {
    this.#context = context;
    this.#store = store;
    this.#tracker = tracker;
    this.#observer = observer;
  }

  get isStale(): boolean {
    return this.#everything || this.#networks.size > 0 || this.#endpoints.size > 0;
  }

  get detached(): readonly EndpointId[] {
    return [...this.#detached];
  }

  markAll(): void {
    this.#everything = true;
  }

  mark(networks: readonly NetworkId[], endpoints: readonly EndpointId[]): void {
    for (const id of networks) this.#networks.add(id);
    for (const id of endpoints) this.#endpoints.add(id);
  }

  /** Takes an endpoint out of the desired side until it is marked again. */
  detach(id: EndpointId): void {
    this.#detached.add(id);
    this.#tracker.setOwner(id, []);
    this.#observer.forget(id);
  }

  run(): void {
    const revision = this.#store.revision;
    if (this.#everything) this.#markEverything();
    const networks = [...this.#networks];
    const endpoints = [...this.#endpoints];
    this.#networks.clear();
    this.#endpoints.clear();
    this.#everything = false;
    for (const id of endpoints) this.#detached.delete(id);
    if (networks.length > 0 || this.compiled < 0) this.#compileHost();
    // What is gone goes first: its keys may be wanted by somebody else in the same breath.
    for (const id of [...networks, ...endpoints]) {
      if (this.#exists(id)) continue;
      this.#tracker.setOwner(id, []);
      this.#observer.forget(id as EndpointId);
    }
    for (const id of networks) this.#compileNetwork(id);
    for (const id of endpoints) this.#compileEndpoint(id);
    this.compiled = revision;
  }

  #markEverything(): void {
    const intent = this.#store.intent();
    for (const network of intent.networks.values()) this.#networks.add(network.id);
    for (const endpoint of intent.endpoints.values()) this.#endpoints.add(endpoint.id);
    for (const owner of this.#tracker.owners()) {
      const isGone = owner !== HOST_OWNER && !intent.networks.has(owner) && !intent.endpoints.has(owner);
      if (isGone) this.#endpoints.add(owner as EndpointId);
    }
  }

  #exists(id: NetworkId | EndpointId): boolean {
    return this.#store.network(id as NetworkId) !== null || this.#store.endpoint(id as EndpointId) !== null;
  }

  #compileHost(): void {
    const families = forwardedFamilies(this.#store.intent().networks.values());
    this.#tracker.setOwner(HOST_OWNER, compileHost(this.#context, families));
  }

  #compileNetwork(id: NetworkId): void {
    const network = this.#store.network(id);
    if (network !== null) this.#tracker.setOwner(id, compileNetwork(this.#context, network));
  }

  #compileEndpoint(id: EndpointId): void {
    const endpoint = this.#store.endpoint(id);
    const network = endpoint && this.#store.network(endpoint.networkId);
    if (endpoint === null || network === null) return;
    this.#tracker.setOwner(id, compileEndpoint(this.#context, network, endpoint));
    this.#observer.note(endpoint);
  }
}
