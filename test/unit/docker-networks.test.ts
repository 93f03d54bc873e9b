import { describe, expect, it } from 'vitest';
import type { NetworkId } from '../../src/lib/brand.ts';
import { createPlugin, EID, endpointBody, NID, networkBody } from './docker-harness.ts';

const CREATE = 'NetworkDriver.CreateNetwork';
const DELETE = 'NetworkDriver.DeleteNetwork';
const nid = NID as NetworkId;

describe('CreateNetwork', () => {
  it('commits the network, then waits until it is in the kernel', async () => {
    const plugin = createPlugin();
    expect(await plugin.ok(CREATE, networkBody({ pool6: 'fd00:1::/64' }))).toEqual({});
    expect(plugin.waits).toEqual([{ revision: 1, scope: NID }]);
    expect(plugin.notified).toEqual([{ networks: [NID] }]);
    const network = plugin.store.network(nid);
    expect(network).toMatchObject({
      id: NID,
      type: 'bridge',
      slot: 1,
      gatewaySlot: 0,
      datapath: 'auto',
      require: 'any',
      internal: false,
      nat: true,
      mtu: 1500,
      hostBinding: null,
      subnets: [
        { pool: '10.1.0.0/16', gateway: '10.1.0.1' },
        { pool: 'fd00:1::/64', gateway: 'fd00:1::1' },
      ],
    });
    expect(network?.switchMac).toMatch(/^.[26ae]:/);
    expect(network?.switchMac).not.toBe(network?.gatewayMac);
  });

  it('reads every option', async () => {
    const plugin = createPlugin();
    const options = {
      type: 'bridge',
      datapath: 'software',
      require: 'any',
      mtu: '9000',
      nat: 'false',
      'com.docker.network.bridge.host_binding_ipv4': '192.0.2.1',
      'org.example.note': 'kept',
    };
    await plugin.ok(CREATE, networkBody({ options, internal: true }));
    expect(plugin.store.network(nid)).toMatchObject({
      datapath: 'software',
      internal: true,
      nat: false,
      mtu: 9000,
      hostBinding: '192.0.2.1',
      options,
    });
  });

  it('takes null, absent and documented forms of the same thing', async () => {
    const plugin = createPlugin();
    await plugin.ok(CREATE, { NetworkID: 'a', Options: null, IPv4Data: null, IPv6Data: null });
    await plugin.ok(CREATE, { NetworkID: 'b' });
    const aux = { AuxAddresses: { one: '10.7.0.9/16', two: '10.7.0.10' }, Gateway: '10.7.0.1' };
    await plugin.ok(CREATE, {
      NetworkID: 'c',
      IPv4Data: [{ AddressSpace: 'x', Pool: '10.7.0.0/16', ...aux }],
    });
    expect(plugin.store.network('c' as NetworkId)?.subnets).toEqual([
      { pool: '10.7.0.0/16', gateway: '10.7.0.1' },
    ]);
    await plugin.ok(CREATE, { NetworkID: 'd', IPv4Data: [{ AddressSpace: 'null', Pool: '0.0.0.0/0' }] });
    expect(plugin.store.network('d' as NetworkId)?.subnets).toEqual([]);
  });

  it('assumes no gateway where none is given', async () => {
    const plugin = createPlugin();
    await plugin.ok(CREATE, networkBody({ gateway: null }));
    expect(plugin.store.network(nid)?.subnets).toEqual([{ pool: '10.1.0.0/16', gateway: null }]);
  });

  it('takes the MTU of the uplink, and refuses one too small for IPv6', async () => {
    const plugin = createPlugin();
    plugin.uplinkMtu = 1200;
    await plugin.ok(CREATE, networkBody());
    expect(plugin.store.network(nid)?.mtu).toBe(1200);
    expect(
      await plugin.err(
        CREATE,
        networkBody({ id: 'b', pool: '10.2.0.0/16', gateway: null, pool6: 'fd00::/64' }),
      ),
    ).toMatch(/^ESW_ERR_OPTION_VALUE: mtu 1200: IPv6 needs at least 1280/);
  });

  it('twice is fine, with another definition it is not', async () => {
    const plugin = createPlugin();
    await plugin.ok(CREATE, networkBody());
    await plugin.ok(CREATE, networkBody());
    expect(plugin.store.revision).toBe(1);
    for (const change of [
      { pool: '10.2.0.0/16', gateway: null },
      { internal: true },
      { options: { mtu: '900' } },
    ]) {
      expect(await plugin.err(CREATE, networkBody(change))).toMatch(/^ESW_ERR_NETWORK_EXISTS/);
    }
  });

  it('refuses subnets that overlap, naming both networks', async () => {
    const plugin = createPlugin();
    await plugin.ok(CREATE, networkBody());
    const message = await plugin.err(
      CREATE,
      networkBody({ id: 'other', pool: '10.1.4.0/24', gateway: null }),
    );
    expect(message).toMatch(
      /^ESW_ERR_NETWORK_OVERLAP: 10\.1\.4\.0\/24 of network other overlaps 10\.1\.0\.0\/16 of network 4444/,
    );
  });

  it('is taken back when the kernel refuses, in the kernel’s words', async () => {
    const plugin = createPlugin();
    plugin.refuse.set(NID, 'port/ewh12: Operation not supported');
    expect(await plugin.err(CREATE, networkBody())).toMatch(
      /^ESW_ERR_KERNEL_REFUSED: port\/ewh12: Operation not supported\. The kernel refused/,
    );
    expect(plugin.store.network(nid)).toBeNull();
    expect(plugin.notified.length).toBe(2);
    plugin.refuse.clear();
    await plugin.ok(CREATE, networkBody());
    plugin.refuse.set(NID, 'later');
    await plugin.err(CREATE, networkBody());
    expect(plugin.store.network(nid)).not.toBeNull();
  });

  it.each<[string, object, RegExp]>([
    ['no id', { IPv4Data: [] }, /ESW_ERR_REQUEST_FIELD: NetworkID: is missing or empty/],
    ['an id of another kind', { NetworkID: 5 }, /NetworkID: expected text, got a number/],
    ['an id with a slash', { NetworkID: '../x' }, /NetworkID: expected 1 to 64 letters/],
    ['options as a list', { NetworkID: 'n', Options: [] }, /Options: expected an object, got an array/],
    ['pools as an object', { NetworkID: 'n', IPv4Data: {} }, /IPv4Data: expected an array/],
    [
      'a pool as text',
      { NetworkID: 'n', IPv4Data: ['10.0.0.0/8'] },
      /IPv4Data\[0\]: expected an object, got a string/,
    ],
    [
      'a bad pool',
      { NetworkID: 'n', IPv4Data: [{ Pool: '10.0.0.0/33' }] },
      /IPv4Data\[0\]\.Pool: "10\.0\.0\.0\/33" is not a subnet/,
    ],
    [
      'IPv6 among IPv4',
      { NetworkID: 'n', IPv4Data: [{ Pool: 'fd00::/64' }] },
      /IPv4Data\[0\]\.Pool: fd00::\/64 is not IPv4/,
    ],
    [
      'a gateway elsewhere',
      { NetworkID: 'n', IPv4Data: [{ Pool: '10.1.0.0/24', Gateway: '10.2.0.1/24' }] },
      /IPv4Data\[0\]\.Gateway: 10\.2\.0\.1 is not in 10\.1\.0\.0\/24/,
    ],
    [
      'a bad auxiliary address',
      { NetworkID: 'n', IPv4Data: [{ Pool: '10.1.0.0/24', AuxAddresses: { x: 'y' } }] },
      /AuxAddresses\.x: "y" is not an address/,
    ],
    [
      'two pools of a family',
      { NetworkID: 'n', IPv4Data: [{ Pool: '10.1.0.0/24' }, { Pool: '10.2.0.0/24' }] },
      /IPv4Data: 2 pools/,
    ],
    [
      'internal as text',
      { NetworkID: 'n', Options: { 'com.docker.network.internal': 'perhaps' } },
      /internal: expected true or false/,
    ],
    [
      'a type to come',
      networkBody({ options: { type: 'vxlan' } }),
      /ESW_ERR_OPTION_VALUE: option type="vxlan": available: bridge/,
    ],
    [
      'an unknown option',
      networkBody({ options: { mut: '1500' } }),
      /ESW_ERR_OPTION_UNKNOWN: unknown option "mut"; did you mean mtu\?/,
    ],
    [
      'hardware that is not there',
      networkBody({ options: { require: 'hw' } }),
      /ESW_ERR_DATAPATH_UNAVAILABLE/,
    ],
    [
      'a datapath that is not there',
      networkBody({ options: { datapath: 'switchdev' } }),
      /ESW_ERR_DATAPATH_UNAVAILABLE: datapath=switchdev, require=any: no NIC in switchdev mode/,
    ],
    [
      'a datapath this type has not',
      networkBody({ options: { datapath: 'sriov' } }),
      /ESW_ERR_DATAPATH_UNAVAILABLE: .*network type bridge has no datapath sriov/,
    ],
  ])('refuses %s', async (_, body, expected) => {
    const plugin = createPlugin();
    expect(await plugin.err(CREATE, body)).toMatch(expected);
    expect(plugin.store.revision).toBe(0);
  });

  it('has an end of slots', async () => {
    const plugin = createPlugin({ maxPorts: 1 });
    await plugin.ok(CREATE, networkBody());
    expect(await plugin.err(CREATE, networkBody({ id: 'b', pool: '10.2.0.0/16', gateway: null }))).toMatch(
      /^ESW_ERR_SLOTS_EXHAUSTED/,
    );
  });
});

describe('DeleteNetwork', () => {
  it('removes it, waits for the kernel, and never fails', async () => {
    const plugin = createPlugin();
    await plugin.ok(CREATE, networkBody());
    plugin.refuse.set(NID, 'busy');
    expect(await plugin.ok(DELETE, { NetworkID: NID })).toEqual({});
    expect(plugin.store.network(nid)).toBeNull();
    expect(plugin.waits.at(-1)).toEqual({ revision: 2, scope: NID });
    await plugin.ok(DELETE, { NetworkID: NID });
    await plugin.ok(DELETE, { NetworkID: 'never-seen' });
    expect(plugin.waits.length).toBe(2);
  });

  it('takes endpoints along that Docker has lost', async () => {
    const plugin = createPlugin();
    await plugin.ok(CREATE, networkBody());
    await plugin.ok('NetworkDriver.CreateEndpoint', endpointBody());
    await plugin.ok(DELETE, { NetworkID: NID });
    expect(plugin.store.intent().endpoints.size).toBe(0);
    expect(plugin.notified.at(-1)).toEqual({ networks: [NID], endpoints: [EID] });
    expect(plugin.logged.join()).toContain('Docker forgot');
  });
});

describe('the rest', () => {
  it('AllocateNetwork, FreeNetwork, Discover*: nothing to do, and said so', async () => {
    const plugin = createPlugin();
    expect(
      await plugin.ok('NetworkDriver.AllocateNetwork', {
        NetworkID: 'n',
        Options: { a: 'b' },
        IPv4Data: null,
      }),
    ).toEqual({
      Options: { a: 'b' },
    });
    expect(await plugin.ok('NetworkDriver.FreeNetwork', { NetworkID: 'n' })).toEqual({});
    const node = { DiscoveryType: 1, DiscoveryData: { Address: '10.0.0.1', BindAddress: '', Self: true } };
    expect(await plugin.ok('NetworkDriver.DiscoverNew', node)).toEqual({});
    expect(await plugin.ok('NetworkDriver.DiscoverDelete', node)).toEqual({});
    expect(plugin.store.revision).toBe(0);
  });

  it('GwAllocCheck skips a gateway only where the network is isolated from the host', async () => {
    const plugin = createPlugin();
    const ask = (generic: object) =>
      plugin.ok('NetworkDriver.GwAllocCheck', { Options: { 'com.docker.network.generic': generic } });
    expect(await ask({})).toEqual({ SkipIPv4: false, SkipIPv6: false });
    expect(await ask({ 'com.docker.network.bridge.gateway_mode_ipv4': 'isolated' })).toEqual({
      SkipIPv4: true,
      SkipIPv6: false,
    });
    expect(await plugin.ok('NetworkDriver.GwAllocCheck', {})).toEqual({ SkipIPv4: false, SkipIPv6: false });
  });
});
