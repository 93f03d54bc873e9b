import { beforeEach, describe, expect, it } from 'vitest';
import type { EndpointId, Ip } from '../../src/lib/brand.ts';
import { createPlugin, EID, endpointBody, NID, networkBody, type Plugin, ref } from './docker-harness.ts';

const CREATE = 'NetworkDriver.CreateEndpoint';
const DELETE = 'NetworkDriver.DeleteEndpoint';
const eid = EID as EndpointId;
let plugin: Plugin;

beforeEach(async () => {
  plugin = createPlugin();
  await plugin.ok('NetworkDriver.CreateNetwork', networkBody({ pool6: 'fd00:1::/64' }));
  plugin.waits.length = 0;
  plugin.notified.length = 0;
});

const create = (change: Parameters<typeof endpointBody>[0] = {}) => plugin.ok(CREATE, endpointBody(change));
const other = (n: number) => `${n}`.padStart(64, 'd');

describe('CreateEndpoint', () => {
  it('commits the endpoint and waits until it is in the kernel', async () => {
    expect(await create({ address6: 'fd00:1::2/64' })).toEqual({ Interface: {} });
    expect(plugin.waits).toEqual([{ revision: 2, scope: EID }]);
    expect(plugin.notified).toEqual([{ endpoints: [EID] }]);
    expect(plugin.store.endpoint(eid)).toMatchObject({
      networkId: NID,
      slot: 1,
      mac: '02:42:0a:01:00:02',
      ip4: '10.1.0.2/16',
      ip6: 'fd00:1::2/64',
      bindings: [],
      published: false,
      sandbox: null,
      ifnamePrefix: 'eth',
    });
  });

  it('returns a MAC only when Docker gave none: always the same one, and a local one', async () => {
    const first = await create({ mac: '' });
    const { MacAddress: mac } = first['Interface'] as { MacAddress: string };
    expect(mac).toMatch(/^.[26ae]:/);
    expect(await create({ mac: '' })).toEqual(first);
    await plugin.ok(DELETE, ref());
    expect(await create({ mac: '' })).toEqual(first);
    expect(await create({ mac })).toEqual({ Interface: {} });
  });

  it.each([
    ['base64, as Go writes a byte slice', 'AkIKAQAJ'],
    ['text', '02:42:0A:01:00:09'],
  ])('takes the MAC option as %s', async (_, option) => {
    const options = { 'com.docker.network.endpoint.macaddress': option };
    expect(await create({ mac: '', options })).toEqual({ Interface: { MacAddress: '02:42:0a:01:00:09' } });
    expect(plugin.store.endpoint(eid)?.mac).toBe('02:42:0a:01:00:09');
    await plugin.ok(DELETE, ref());
    expect(await create({ mac: '02:42:0a:01:00:09', options })).toEqual({ Interface: {} });
  });

  it('takes an interface without addresses, or none at all', async () => {
    await plugin.ok(CREATE, { NetworkID: NID, EndpointID: 'bare' });
    await plugin.ok(CREATE, { NetworkID: NID, EndpointID: 'nulls', Interface: null, Options: null });
    expect(plugin.store.endpoint('bare' as EndpointId)).toMatchObject({ ip4: null, ip6: null });
  });

  it('keeps unknown options, and the name wanted inside', async () => {
    const options = { 'com.docker.network.endpoint.ifname': 'data0', 'org.example.x': 'y', list: [1] };
    await create({ options });
    expect(plugin.store.endpoint(eid)?.ifnamePrefix).toBe('data0');
    expect(plugin.store.endpoint(eid)?.options).toMatchObject({ 'org.example.x': 'y', list: '[1]' });
  });

  it('leases an address of our pools that nobody asked the IPAM for', async () => {
    const { PoolID } = await plugin.ok('IpamDriver.RequestPool', {
      AddressSpace: 'local',
      Pool: '10.1.0.0/16',
    });
    await create();
    expect(plugin.store.leases(String(PoolID)).has('10.1.0.2' as Ip)).toBe(true);
    expect(plugin.store.revision).toBe(3);
  });

  it('again is the same endpoint; with other addresses it is refused', async () => {
    await create();
    await create();
    expect(plugin.store.revision).toBe(2);
    expect(await plugin.err(CREATE, endpointBody({ address: '10.1.0.3/16' }))).toMatch(
      /^ESW_ERR_ENDPOINT_EXISTS/,
    );
    expect(await plugin.err(CREATE, endpointBody({ mac: '02:00:00:00:00:07' }))).toMatch(
      /^ESW_ERR_ENDPOINT_EXISTS/,
    );
  });

  it('is taken back when the kernel refuses, in the kernel’s words; one that was there stays', async () => {
    plugin.refuse.set(EID, 'port/ewr1: No buffer space available');
    expect(await plugin.err(CREATE, endpointBody())).toMatch(
      /^ESW_ERR_KERNEL_REFUSED: port\/ewr1: No buffer space/,
    );
    expect(plugin.store.endpoint(eid)).toBeNull();
    expect(plugin.notified.length).toBe(2);
    plugin.refuse.clear();
    await create();
    plugin.refuse.set(EID, 'again');
    await plugin.err(CREATE, endpointBody());
    expect(plugin.store.endpoint(eid)).not.toBeNull();
  });

  it('does not take back what was deleted and made anew meanwhile', async () => {
    plugin.refuse.set(EID, 'no');
    plugin.onWait = async () => {
      plugin.onWait = () => undefined;
      plugin.refuse.clear();
      await plugin.ok(DELETE, ref());
      await create({ address: '10.1.0.77/16' });
      plugin.refuse.set(EID, 'no');
    };
    await plugin.err(CREATE, endpointBody());
    expect(plugin.store.endpoint(eid)?.ip4).toBe('10.1.0.77/16');
  });

  it.each<[string, Parameters<typeof endpointBody>[0], RegExp]>([
    [
      'an unknown network',
      { network: 'n' },
      /ESW_ERR_NETWORK_UNKNOWN: there is no network n; if Docker still lists it/,
    ],
    ['no endpoint id', { id: '' }, /EndpointID: is missing or empty/],
    [
      'an address without length',
      { address: '10.1.0.2' },
      /Interface\.Address: "10\.1\.0\.2" is not an address with prefix/,
    ],
    ['IPv6 as IPv4', { address: 'fd00:1::2/64' }, /Interface\.Address: fd00:1::2\/64 is not IPv4/],
    ['IPv4 as IPv6', { address6: '10.1.0.2/16' }, /Interface\.AddressIPv6: .* is not IPv6/],
    [
      'an address elsewhere',
      { address: '10.9.0.2/16' },
      /ESW_ERR_ENDPOINT_ADDRESS: 10\.9\.0\.2 is in no subnet of network .* \(10\.1\.0\.0\/16, fd00:1::\/64\)/,
    ],
    [
      "the gateway's address",
      { address: '10.1.0.1/16' },
      /ESW_ERR_ENDPOINT_ADDRESS: 10\.1\.0\.1 is the gateway/,
    ],
    ['nonsense for a MAC', { mac: '1234' }, /Interface\.MacAddress: "1234" is not a MAC address/],
    ['a multicast MAC', { mac: '01:00:5e:00:00:01' }, /ESW_ERR_ENDPOINT_MAC: .* is not a unicast/],
    ['a null MAC', { mac: '00:00:00:00:00:00' }, /ESW_ERR_ENDPOINT_MAC/],
    [
      'a bad MAC option',
      { mac: '', options: { 'com.docker.network.endpoint.macaddress': '!!' } },
      /Options\.com\.docker\.network\.endpoint\.macaddress: "!!" is not a MAC/,
    ],
    [
      'a name too long',
      { options: { 'com.docker.network.endpoint.ifname': 'x'.repeat(16) } },
      /endpoint\.ifname: "x{16}" cannot be the name/,
    ],
    [
      'a name with a slash',
      { options: { 'com.docker.network.endpoint.ifname': 'a/b' } },
      /cannot be the name/,
    ],
    ['ports as text', { options: { 'com.docker.network.portmap': '80' } }, /portmap: expected an array/],
  ])('refuses %s', async (_, change, expected) => {
    expect(await plugin.err(CREATE, endpointBody(change))).toMatch(expected);
    expect(plugin.store.intent().endpoints.size).toBe(0);
  });

  it('refuses the address and the MAC of another endpoint, and those of the switch', async () => {
    await create();
    expect(await plugin.err(CREATE, endpointBody({ id: other(1), mac: '' }))).toMatch(
      /^ESW_ERR_ENDPOINT_ADDRESS: 10\.1\.0\.2 belongs to endpoint eeee/,
    );
    expect(await plugin.err(CREATE, endpointBody({ id: other(1), address: '10.1.0.3/16' }))).toMatch(
      /^ESW_ERR_ENDPOINT_MAC: 02:42:0a:01:00:02 belongs to endpoint eeee/,
    );
    const mac = plugin.store.network(NID as never)?.switchMac ?? '';
    expect(await plugin.err(CREATE, endpointBody({ id: other(1), address: '10.1.0.3/16', mac }))).toMatch(
      /^ESW_ERR_ENDPOINT_MAC: .* belongs to the switch/,
    );
  });

  it('has an end of slots', async () => {
    plugin = createPlugin({ maxPorts: 2 });
    await plugin.ok('NetworkDriver.CreateNetwork', networkBody());
    await create();
    expect(await plugin.err(CREATE, endpointBody({ id: other(1), address: '10.1.0.3/16', mac: '' }))).toMatch(
      /^ESW_ERR_SLOTS_EXHAUSTED: all 2 ports are in use/,
    );
  });
});

describe('DeleteEndpoint', () => {
  it('answers without waiting, and for unknown ones too', async () => {
    await create();
    plugin.waits.length = 0;
    expect(await plugin.ok(DELETE, ref())).toEqual({});
    expect(plugin.store.endpoint(eid)).toBeNull();
    expect(plugin.waits).toEqual([]);
    await plugin.ok(DELETE, ref());
    await plugin.ok(DELETE, ref('nowhere', 'nobody'));
  });

  it('leaves an endpoint of another network alone', async () => {
    await create();
    await plugin.ok(DELETE, ref('nowhere'));
    expect(plugin.store.endpoint(eid)).not.toBeNull();
  });
});

describe('Join', () => {
  const joined = (change: object = {}) =>
    plugin.ok('NetworkDriver.Join', {
      ...ref(),
      SandboxKey: '/var/run/docker/netns/1',
      Options: {},
      ...change,
    });

  it('names the link and the gateways, and turns docker_gwbridge off', async () => {
    await create({ address6: 'fd00:1::2/64' });
    plugin.waits.length = 0;
    const answer = await joined();
    expect(answer).toEqual({
      InterfaceName: { SrcName: expect.stringMatching(/^ewf[0-9a-f]{10}$/), DstPrefix: 'eth', DstName: '' },
      Gateway: '10.1.0.1',
      GatewayIPv6: 'fd00:1::1',
      StaticRoutes: [],
      DisableGatewayService: true,
    });
    expect(plugin.store.endpoint(eid)?.sandbox).toEqual({ key: '/var/run/docker/netns/1', ifname: null });
    expect(plugin.waits).toEqual([]);
    expect(await joined({ Options: null })).toEqual(answer);
  });

  it('gives no gateway of a family the endpoint has no address in', async () => {
    await create();
    expect(await joined()).not.toHaveProperty('GatewayIPv6');
  });

  it.each([
    ['an internal network', { internal: true }],
    ['a pool without gateway', { gateway: null }],
  ])('gives no gateway in %s', async (_, change) => {
    plugin = createPlugin();
    await plugin.ok('NetworkDriver.CreateNetwork', networkBody(change));
    await create();
    const answer = await joined();
    expect(answer).not.toHaveProperty('Gateway');
    expect(answer['DisableGatewayService']).toBe(true);
  });

  it.each([
    ['data0', { DstPrefix: 'data', DstName: 'data0' }],
    ['wan', { DstPrefix: 'wan', DstName: '' }],
    ['42', { DstPrefix: 'eth', DstName: '42' }],
  ])('wanted as %s inside is %j', async (ifname, expected) => {
    await create({ options: { 'com.docker.network.endpoint.ifname': ifname } });
    expect((await joined())['InterfaceName']).toMatchObject(expected);
  });

  it('takes the prefix from the network', async () => {
    plugin = createPlugin();
    const options = { 'com.docker.network.container_iface_prefix': 'net' };
    await plugin.ok('NetworkDriver.CreateNetwork', networkBody({ options }));
    await create();
    expect((await joined())['InterfaceName']).toMatchObject({ DstPrefix: 'net' });
  });

  it('moves to another sandbox, keeps what was seen in the same one', async () => {
    await create();
    await joined();
    const seen = plugin.store.endpoint(eid);
    if (seen === null) throw new Error('no endpoint');
    plugin.store.commit(tx =>
      tx.putEndpoint({ ...seen, sandbox: { key: '/var/run/docker/netns/1', ifname: 'eth0' } }),
    );
    await joined();
    expect(plugin.store.endpoint(eid)?.sandbox?.ifname).toBe('eth0');
    await joined({ SandboxKey: '/var/run/docker/netns/2' });
    expect(plugin.store.endpoint(eid)?.sandbox).toEqual({ key: '/var/run/docker/netns/2', ifname: null });
  });

  it('refuses unknown endpoints and an empty key', async () => {
    expect(await plugin.err('NetworkDriver.Join', { ...ref(), SandboxKey: '/x' })).toMatch(
      /^ESW_ERR_ENDPOINT_UNKNOWN/,
    );
    await create();
    expect(await plugin.err('NetworkDriver.Join', ref())).toMatch(/SandboxKey: is missing/);
  });
});

describe('Leave', () => {
  it('clears the sandbox and what was published, and is fine for unknown ones', async () => {
    await create();
    await plugin.ok('NetworkDriver.Join', { ...ref(), SandboxKey: '/x' });
    await plugin.ok('NetworkDriver.ProgramExternalConnectivity', ref());
    expect(plugin.store.endpoint(eid)).toMatchObject({ published: true });
    expect(await plugin.ok('NetworkDriver.Leave', ref())).toEqual({});
    expect(plugin.store.endpoint(eid)).toMatchObject({ sandbox: null, published: false });
    await plugin.ok('NetworkDriver.Leave', ref());
    await plugin.ok('NetworkDriver.Leave', ref('nowhere', 'nobody'));
  });
});

describe('EndpointOperInfo', () => {
  it('tells what there is', async () => {
    await create({ address6: 'fd00:1::2/64' });
    await plugin.ok('NetworkDriver.Join', { ...ref(), SandboxKey: '/x' });
    const answer = await plugin.ok('NetworkDriver.EndpointOperInfo', ref());
    expect(answer['Value']).toEqual({
      mac: '02:42:0a:01:00:02',
      addresses: ['10.1.0.2/16', 'fd00:1::2/64'],
      mtu: 1500,
      representor: expect.stringMatching(/^ewr[0-9a-f]{10}$/),
      function: expect.stringMatching(/^ewf[0-9a-f]{10}$/),
      sandbox: '/x',
      datapath: 'software',
      datapathWhy: 'no NIC in switchdev mode',
      ...{ vf: null, nic: null, whyNotHardware: null },
      published: [],
    });
    plugin.capabilities = {
      ...plugin.capabilities,
      software: { available: false, why: 'no hook for eBPF programs' },
    };
    const broken = await plugin.ok('NetworkDriver.EndpointOperInfo', ref());
    expect(broken['Value']).toMatchObject({ datapath: 'none' });
    expect(await plugin.err('NetworkDriver.EndpointOperInfo', ref(NID, 'nobody'))).toMatch(
      /^ESW_ERR_ENDPOINT_UNKNOWN/,
    );
  });
});
