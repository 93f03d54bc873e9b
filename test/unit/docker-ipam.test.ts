import { beforeEach, describe, expect, it } from 'vitest';
import type { Ip } from '../../src/lib/brand.ts';
import { createPlugin, EID, endpointBody, NID, networkBody, type Plugin, ref } from './docker-harness.ts';

const POOL = 'local/10.1.0.0/16';
const GATEWAY = { RequestAddressType: 'com.docker.network.gateway' };
const macOption = (mac: string) => ({ 'com.docker.network.endpoint.macaddress': mac });
let plugin: Plugin;

const requestPool = (body: object = {}) =>
  plugin.ok('IpamDriver.RequestPool', {
    AddressSpace: 'local',
    Pool: '10.1.0.0/16',
    SubPool: '',
    Options: {},
    V6: false,
    ...body,
  });
const requestAddress = (options: object | null, address = '', pool = POOL) =>
  plugin.ok('IpamDriver.RequestAddress', { PoolID: pool, Address: address, Options: options });
const releaseAddress = (address: string, pool = POOL) =>
  plugin.ok('IpamDriver.ReleaseAddress', { PoolID: pool, Address: address });

beforeEach(() => {
  plugin = createPlugin();
});

describe('IpamDriver', () => {
  it('answers in the form Docker parses', async () => {
    expect(await requestPool()).toEqual({ PoolID: POOL, Pool: '10.1.0.0/16', Data: {} });
    expect(await requestAddress(GATEWAY)).toEqual({ Address: '10.1.0.1/16', Data: {} });
    expect(await requestAddress(macOption('02:42:ac:11:00:02'))).toEqual({
      Address: '10.1.0.2/16',
      Data: {},
    });
    expect(await requestAddress(null, '10.1.7.7')).toEqual({ Address: '10.1.7.7/16', Data: {} });
    expect(await releaseAddress('10.1.7.7')).toEqual({});
    expect(await plugin.ok('IpamDriver.ReleasePool', { PoolID: POOL })).toEqual({});
    expect(plugin.store.pools()).toEqual([]);
  });

  it('takes null and absent options, and ids with a sub-pool', async () => {
    await requestPool({ Options: null, SubPool: '10.1.2.0/24' });
    expect(await requestAddress(null, '', `${POOL}/10.1.2.0/24`)).toMatchObject({ Address: '10.1.2.0/16' });
    await plugin.ok('IpamDriver.RequestPool', { AddressSpace: 'local', Pool: '10.9.0.0/16' });
    await plugin.ok('IpamDriver.RequestAddress', { PoolID: 'local/10.9.0.0/16' });
  });

  it('gives default pools of both families', async () => {
    expect(await requestPool({ Pool: '' })).toMatchObject({ Pool: '10.200.0.0/20' });
    const { Pool } = await requestPool({ Pool: '', V6: true });
    expect(Pool).toMatch(/^fd[0-9a-f]{2}:.*::\/64$/);
  });

  it.each<[string, string, object, RegExp]>([
    ['no PoolID', 'ReleasePool', {}, /PoolID: is missing/],
    ['no PoolID', 'RequestAddress', { Address: '' }, /PoolID: is missing/],
    ['no PoolID', 'ReleaseAddress', { Address: '' }, /PoolID: is missing/],
    ['an unknown pool', 'RequestAddress', { PoolID: 'x' }, /^ESW_ERR_IPAM_POOL_UNKNOWN/],
    ['a pool as number', 'RequestPool', { Pool: 5 }, /Pool: expected text, got a number/],
    ['V6 as text', 'RequestPool', { Pool: '', V6: 'six' }, /V6: expected true or false/],
    ['options as text', 'RequestPool', { Options: 'x' }, /Options: expected an object/],
    ['a sub-pool alone', 'RequestPool', { SubPool: '10.0.0.0/24' }, /^ESW_ERR_IPAM_POOL_INVALID/],
    ['another space', 'RequestPool', { AddressSpace: 'mars' }, /^ESW_ERR_IPAM_ADDRESS_SPACE/],
  ])('refuses %s in %s', async (_, method, body, expected) => {
    expect(await plugin.err(`IpamDriver.${method}`, body)).toMatch(expected);
  });

  it('is fine with releasing what is unknown', async () => {
    await plugin.ok('IpamDriver.ReleasePool', { PoolID: 'x' });
    await releaseAddress('10.0.0.1', 'x');
    await requestPool();
    await releaseAddress('10.1.0.99');
  });
});

describe('as Docker calls it', () => {
  const mac = '02:42:0a:01:00:02';

  beforeEach(async () => {
    await plugin.ok('Plugin.Activate');
    await requestPool();
    await requestAddress(GATEWAY);
    await plugin.ok('NetworkDriver.CreateNetwork', networkBody());
    await requestAddress(macOption(mac));
    await plugin.ok('NetworkDriver.CreateEndpoint', endpointBody({ mac }));
  });

  it('a restart of Docker asks everything again and changes nothing', async () => {
    const revision = plugin.store.revision;
    await plugin.ok('Plugin.Activate');
    await requestPool();
    expect(await requestAddress(GATEWAY, '10.1.0.1')).toMatchObject({ Address: '10.1.0.1/16' });
    // The options of an endpoint are not kept by Docker: no MAC this time.
    expect(await requestAddress({}, '10.1.0.2')).toMatchObject({ Address: '10.1.0.2/16' });
    expect(await requestAddress(null, '10.1.0.2')).toMatchObject({ Address: '10.1.0.2/16' });
    expect(plugin.store.revision).toBe(revision);
  });

  it('a second network with the same subnet is refused, and its clean-up frees nothing of the first', async () => {
    await requestPool();
    await requestAddress(GATEWAY);
    expect(await plugin.err('NetworkDriver.CreateNetwork', networkBody({ id: 'second' }))).toMatch(
      /^ESW_ERR_NETWORK_OVERLAP/,
    );
    await releaseAddress('10.1.0.1');
    await plugin.ok('IpamDriver.ReleasePool', { PoolID: POOL });
    expect([...plugin.store.leases(POOL).keys()]).toEqual(['10.1.0.1', '10.1.0.2']);
  });

  it('a refused endpoint gives its address back', async () => {
    const { Address } = await requestAddress(macOption('02:42:0a:01:00:09'));
    plugin.refuse.set('late', 'no');
    const body = endpointBody({ id: 'late', address: String(Address), mac: '02:42:0a:01:00:09' });
    await plugin.err('NetworkDriver.CreateEndpoint', body);
    await releaseAddress('10.1.0.3');
    expect(plugin.store.leases(POOL).has('10.1.0.3' as Ip)).toBe(false);
  });

  it.each([true, false])('the end of a network leaves nothing, released first: %s', async isReleasedFirst => {
    const release = async () => {
      await releaseAddress('10.1.0.1');
      await plugin.ok('IpamDriver.ReleasePool', { PoolID: POOL });
    };
    await plugin.ok('NetworkDriver.Leave', ref());
    await plugin.ok('NetworkDriver.DeleteEndpoint', ref(NID, EID));
    await releaseAddress('10.1.0.2');
    if (isReleasedFirst) await release();
    await plugin.ok('NetworkDriver.DeleteNetwork', { NetworkID: NID });
    if (!isReleasedFirst) await release();
    expect(plugin.store.pools()).toEqual([]);
    expect(plugin.store.intent().networks.size + plugin.store.intent().endpoints.size).toBe(0);
  });
});
