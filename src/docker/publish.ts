/** ProgramExternalConnectivity and RevokeExternalConnectivity: published ports come and go. */
import type { EndpointId, Revision } from '../lib/brand.ts';
import { asEswError } from '../lib/errors.ts';
import type { Endpoint, PortBinding } from '../model/endpoint.ts';
import type { PluginDeps } from './deps.ts';
import { findEndpoint, refusePublishing, requireEndpoint, requireNetwork } from './endpoints.ts';
import { PortChooser } from './port-choice.ts';
import { decodePortMap } from './port-map.ts';
import { type EndpointRef, LABELS, type PortRequest, type ProgramRequest } from './requests.ts';
import { settle } from './settle.ts';

/** A port may be taken by another call between the search and the commit; then search again. */
const ATTEMPTS_MAX = 4;

export class Publisher {
  readonly #deps: PluginDeps;
  readonly #ports: PortChooser;

  constructor(deps: PluginDeps) {
    this.#deps = deps;
    this.#ports = new PortChooser(deps);
  }

  /**
   * Puts the endpoint's ports in force and resolves when they answer. If the kernel does not get
   * there, nothing is published.
   */
  async program(request: ProgramRequest): Promise<void> {
    const { revision, endpoint } = await this.#commit(request);
    if (endpoint.bindings.length === 0) return this.#deps.reconciler.notify({ endpoints: [endpoint.id] });
    try {
      await settle(this.#deps, revision, endpoint.id, { endpoints: [endpoint.id] });
    } catch (error) {
      this.#withdraw(endpoint.id, endpoint);
      throw error;
    }
  }

  /** Unknown endpoints are fine: Docker revokes what it has deleted. */
  revoke(ref: EndpointRef): void {
    if (findEndpoint(this.#deps.store, ref) !== null) this.#withdraw(ref.id, null);
  }

  async #commit(
    request: ProgramRequest,
  ): Promise<{ readonly revision: Revision; readonly endpoint: Endpoint }> {
    const { store } = this.#deps;
    for (let attempt = 1; ; attempt++) {
      const network = requireNetwork(store, request);
      const found = requireEndpoint(store, request);
      const wanted = network.internal ? [] : (request.portMap ?? askedAtCreation(found));
      if (wanted.length > 0) refusePublishing(network);
      const bindings: readonly PortBinding[] = await this.#ports.choose(network, found, wanted);
      try {
        const { revision, value } = store.commit(tx => {
          const endpoint: Endpoint = { ...requireEndpoint(tx, request), bindings, published: true };
          tx.putEndpoint(endpoint);
          return endpoint;
        }, 'kill');
        return { revision, endpoint: store.endpoint(value.id) ?? value };
      } catch (error) {
        if (asEswError(error).code !== 'ESW_ERR_PORT_IN_USE' || attempt === ATTEMPTS_MAX) throw error;
      }
    }
  }

  /** `only`: nothing if the endpoint has changed since. */
  #withdraw(id: EndpointId, only: Endpoint | null): void {
    const { store, reconciler } = this.#deps;
    store.commit(tx => {
      const endpoint = tx.endpoint(id);
      if (endpoint === null || (only !== null && endpoint !== only)) return;
      tx.putEndpoint({ ...endpoint, bindings: [], published: false });
    }, 'kill');
    reconciler.notify({ endpoints: [id] });
  }
}

/** The port map of CreateEndpoint, kept among the endpoint's options. */
function askedAtCreation(endpoint: Endpoint): readonly PortRequest[] {
  const text = endpoint.options[LABELS.portMap];
  return text === undefined ? [] : decodePortMap(JSON.parse(text), LABELS.portMap);
}
