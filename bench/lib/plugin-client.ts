/**
 * dockerd's side of the plugin protocol (moby daemon/libnetwork/drivers/remote and ipams/remote), as
 * far as the benchmarks need it.
 */
import { createHash } from 'node:crypto';
import { BenchError } from './bench-error.ts';
import { field, type Reply, UnixHttp } from './unix-http.ts';

/** A network as dockerd would create it: IPv4 only, addresses from our own IPAM. */
export interface PluginNetwork {
  readonly id: string;
  readonly poolId: string;
}

/** An endpoint's ids and address, as dockerd knows them after RequestAddress. */
export interface PluginEndpoint {
  readonly id: string;
  readonly network: PluginNetwork;
  /** `address/prefixlen` */
  readonly address: string;
}

export interface Timed<T> {
  readonly value: T;
  readonly elapsedMs: number;
}

export class PluginClient {
  readonly #http: UnixHttp;

  /** At most `parallel` requests are under way at a time. */
  constructor(pluginSocket: string, parallel = 1) {
    this.#http = new UnixHttp(pluginSocket, parallel);
  }

  async createNetwork(name: string, pool: string, gateway: string): Promise<PluginNetwork> {
    const spaces = await this.#post('IpamDriver.GetDefaultAddressSpaces');
    const space = text(spaces, 'LocalDefaultAddressSpace');
    const requested = { AddressSpace: space, Pool: pool, SubPool: '', Options: {}, V6: false };
    const poolId = text(await this.#post('IpamDriver.RequestPool', requested), 'PoolID');
    const options = { RequestAddressType: 'com.docker.network.gateway' };
    const reply = await this.#post('IpamDriver.RequestAddress', {
      PoolID: poolId,
      Address: gateway,
      Options: options,
    });
    const id = hexId(name);
    await this.#post('NetworkDriver.CreateNetwork', {
      NetworkID: id,
      Options: { 'com.docker.network.enable_ipv6': false, 'com.docker.network.generic': {} },
      IPv4Data: [{ AddressSpace: space, Pool: pool, Gateway: text(reply, 'Address'), AuxAddresses: {} }],
      IPv6Data: [],
    });
    return { id, poolId };
  }

  async requestAddress(network: PluginNetwork, name: string): Promise<Timed<PluginEndpoint>> {
    const body = { PoolID: network.poolId, Address: '', Options: {} };
    const reply = await this.#post('IpamDriver.RequestAddress', body);
    const endpoint = { id: hexId(name), network, address: text(reply, 'Address') };
    return { value: endpoint, elapsedMs: reply.elapsedMs };
  }

  async releaseAddress(endpoint: PluginEndpoint): Promise<Timed<null>> {
    const Address = endpoint.address.split('/')[0] ?? '';
    const body = { PoolID: endpoint.network.poolId, Address };
    return { value: null, elapsedMs: (await this.#post('IpamDriver.ReleaseAddress', body)).elapsedMs };
  }

  async createEndpoint(endpoint: PluginEndpoint): Promise<Timed<null>> {
    const reply = await this.#post('NetworkDriver.CreateEndpoint', {
      ...ids(endpoint),
      Options: { 'com.docker.network.portmap': null, 'com.docker.network.endpoint.exposedports': null },
      Interface: { Address: endpoint.address, AddressIPv6: '', MacAddress: '' },
    });
    return { value: null, elapsedMs: reply.elapsedMs };
  }

  /** The value is the name of the link that dockerd has to move into the sandbox. */
  async join(endpoint: PluginEndpoint, sandboxKey: string): Promise<Timed<string>> {
    const reply = await this.#post('NetworkDriver.Join', {
      ...ids(endpoint),
      SandboxKey: sandboxKey,
      Options: {},
    });
    return { value: text(reply, 'InterfaceName', 'SrcName'), elapsedMs: reply.elapsedMs };
  }

  async leave(endpoint: PluginEndpoint): Promise<Timed<null>> {
    return { value: null, elapsedMs: (await this.#post('NetworkDriver.Leave', ids(endpoint))).elapsedMs };
  }

  /** What the driver shows of the endpoint, its MAC address among it. */
  async operInfo(endpoint: PluginEndpoint): Promise<unknown> {
    return (await this.#post('NetworkDriver.EndpointOperInfo', ids(endpoint))).body;
  }

  async deleteEndpoint(endpoint: PluginEndpoint): Promise<Timed<null>> {
    const reply = await this.#post('NetworkDriver.DeleteEndpoint', ids(endpoint));
    return { value: null, elapsedMs: reply.elapsedMs };
  }

  async #post(method: string, body?: unknown): Promise<Reply> {
    const reply = await this.#http.call('POST', `/${method}`, body);
    const problem = field(reply.body, 'Err') ?? field(reply.body, 'Error');
    if (reply.status === 200 && (problem === null || problem === '')) return reply;
    throw new BenchError(`${method}: status ${reply.status}, ${String(problem)}`);
  }
}

function ids(endpoint: PluginEndpoint) {
  return { NetworkID: endpoint.network.id, EndpointID: endpoint.id };
}

function text(reply: Reply, ...path: readonly string[]): string {
  const found = field(reply.body, ...path);
  if (typeof found === 'string' && found !== '') return found;
  throw new BenchError(`the plugin's reply has no ${path.join('.')}: ${JSON.stringify(reply.body)}`);
}

/** Docker's ids are 64 hex digits; a digest of a name makes the same ones in every run. */
function hexId(name: string): string {
  return createHash('sha256').update(name).digest('hex');
}
