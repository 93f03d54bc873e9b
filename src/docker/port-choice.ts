/** Choosing host ports for what `-p` asks. */
import type { EndpointId } from '../lib/brand.ts';
import { EswError } from '../lib/errors.ts';
import { type Family, ipFamily } from '../lib/ip.ts';
import type { Endpoint, PortBinding } from '../model/endpoint.ts';
import { hostPortsMeet } from '../model/host-port.ts';
import type { Network } from '../model/network.ts';
import type { PluginDeps } from './deps.ts';
import type { PortRequest } from './requests.ts';

/** IANA's dynamic ports (RFC 6335 section 6), as Docker uses them. */
const EPHEMERAL_FIRST = 49_153;
const EPHEMERAL_LAST = 65_535;

type Wish = Omit<PortBinding, 'hostPort'>;

export class PortChooser {
  readonly #deps: PluginDeps;
  /** Where the last search ended: a port just freed is not given out again at once. */
  #nextEphemeral = EPHEMERAL_FIRST;

  constructor(deps: PluginDeps) {
    this.#deps = deps;
  }

  /**
   * One binding for each request, in order. What the endpoint has in force already is kept if it
   * fits. Throws ESW_ERR_PORT_IN_USE naming the port and who has it.
   */
  async choose(
    network: Network,
    endpoint: Endpoint,
    requests: readonly PortRequest[],
  ): Promise<readonly PortBinding[]> {
    const chosen: PortBinding[] = [];
    const inForce = endpoint.published ? endpoint.bindings : [];
    for (const request of requests) {
      const { proto, containerPort } = request;
      const wish: Wish = { proto, containerPort, hostIp: request.hostIp ?? network.hostBinding };
      checkFamily(endpoint, wish);
      const kept = inForce.find(binding => !chosen.includes(binding) && fits(binding, wish, request));
      chosen.push(kept ?? (await this.#search(endpoint.id, wish, request, chosen)));
    }
    return chosen;
  }

  async #search(
    id: EndpointId,
    wish: Wish,
    request: PortRequest,
    chosen: readonly PortBinding[],
  ): Promise<PortBinding> {
    let problem = '';
    for (const hostPort of this.#candidates(request)) {
      const binding: PortBinding = { ...wish, hostPort };
      problem = (await this.#problem(id, binding, chosen)) ?? '';
      if (problem === '') {
        if (request.first === 0) this.#nextEphemeral = hostPort + 1;
        return binding;
      }
    }
    const range =
      request.first === 0 ? `${EPHEMERAL_FIRST}-${EPHEMERAL_LAST}` : `${request.first}-${request.last}`;
    const where = wish.hostIp === null ? '' : ` of ${wish.hostIp}`;
    const message =
      request.first === request.last && request.first !== 0
        ? `${wish.proto} port ${request.first}${where}: ${problem}`
        : `no ${wish.proto} port of ${range}${where} is free; the last one: ${problem}`;
    throw new EswError('ESW_ERR_PORT_IN_USE', message);
  }

  *#candidates({ first, last }: PortRequest): Generator<number> {
    if (first !== 0) {
      for (let port = first; port <= last; port++) yield port;
      return;
    }
    const count = EPHEMERAL_LAST - EPHEMERAL_FIRST + 1;
    const start = this.#nextEphemeral - EPHEMERAL_FIRST;
    for (let i = 0; i < count; i++) yield EPHEMERAL_FIRST + ((start + i) % count);
  }

  /** Who has the host port: a sibling binding, another endpoint, or a process; null = nobody. */
  async #problem(
    id: EndpointId,
    binding: PortBinding,
    chosen: readonly PortBinding[],
  ): Promise<string | null> {
    // Docker lists 0.0.0.0 and :: as two bindings of one port: those do not meet.
    const isTwice = chosen.some(other => hostPortsMeet(other, binding));
    if (isTwice) return 'the same container publishes it twice';
    const owner = this.#deps.store.hostPortOwner(binding);
    if (owner === id) return null;
    if (owner !== null) return `published by endpoint ${owner}`;
    return this.#deps.checkHostPort(binding);
  }
}

function fits(binding: PortBinding, wish: Wish, { first, last }: PortRequest): boolean {
  const isPort = first === 0 || (binding.hostPort >= first && binding.hostPort <= last);
  const { proto, containerPort, hostIp } = binding;
  return isPort && proto === wish.proto && containerPort === wish.containerPort && hostIp === wish.hostIp;
}

/** A binding to an address of a family in which the endpoint has none could never answer. */
function checkFamily(endpoint: Endpoint, { hostIp, proto, containerPort }: Wish): void {
  if (hostIp === null) return;
  const family: Family = ipFamily(hostIp);
  if ((family === 4 ? endpoint.ip4 : endpoint.ip6) !== null) return;
  const message = `${proto} port ${containerPort} cannot be published on ${hostIp}: the endpoint has no IPv${family} address`;
  throw new EswError('ESW_ERR_ENDPOINT_ADDRESS', message);
}
