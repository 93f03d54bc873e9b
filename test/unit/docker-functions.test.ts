/** Endpoints that get a function of a NIC, as Docker meets them. */
import { beforeEach, describe, expect, it } from 'vitest';
import { SimNics } from '../../src/kernel/sim/nics.ts';
import type { EndpointId } from '../../src/lib/brand.ts';
import { capabilitiesOf } from '../../src/place/capabilities.ts';
import { createPlugin, EID, endpointBody, NID, networkBody, type Plugin, ref } from './docker-harness.ts';

const NIC = 'pci/0000:3b:00.0';
const CREATE = 'NetworkDriver.CreateEndpoint';
const other = (n: number) => `${n}`.padStart(64, 'd');
let plugin: Plugin;

beforeEach(async () => {
  const nics = new SimNics([{ handle: NIC, uplink: 'up0', mode: 'switchdev', vfs: 1 }]);
  const inventory = await nics.inventory();
  plugin = createPlugin();
  plugin.capabilities = capabilitiesOf([], inventory);
  plugin.functions = { inventory, addresses: new Map(), lastUsed: new Map() };
});

const network = (options: Record<string, string> = {}) =>
  plugin.ok('NetworkDriver.CreateNetwork', networkBody({ options }));
const facts = async (id = EID) =>
  (await plugin.ok('NetworkDriver.EndpointOperInfo', ref(NID, id)))['Value'] as Record<string, unknown>;
const rows = () => plugin.store.vfs().map(({ ref: { index }, endpoint, state }) => [index, endpoint, state]);

describe('CreateEndpoint on a NIC in switchdev mode', () => {
  it('takes a function with the endpoint, in one commit', async () => {
    await network({ datapath: 'switchdev', require: 'hw', nic: 'up0' });
    const before = plugin.store.revision;
    await plugin.ok(CREATE, endpointBody());
    expect(plugin.store.revision).toBe(before + 1);
    expect(rows()).toEqual([[0, EID, 'used']]);
    expect(await facts()).toMatchObject({
      ...{ datapath: 'switchdev', vf: `${NIC}/c0pf0vf0`, nic: NIC, whyNotHardware: null },
    });
    await plugin.ok(CREATE, endpointBody());
    expect(plugin.store.revision).toBe(before + 1);
  });

  it('cools it with the endpoint, and tells the keeper after that', async () => {
    await network();
    await plugin.ok(CREATE, endpointBody());
    await plugin.ok('NetworkDriver.DeleteEndpoint', ref());
    expect([rows(), plugin.freed]).toEqual([[[0, null, 'cooling']], 1]);
  });

  it('falls back endpoint by endpoint, and tells why', async () => {
    await network();
    await plugin.ok(CREATE, endpointBody());
    await plugin.ok(CREATE, endpointBody({ id: other(1), address: '10.1.0.3/16', mac: '' }));
    const why = `${NIC}: no free function: 1 in use`;
    expect(await facts(other(1))).toMatchObject({
      ...{ datapath: 'software', datapathWhy: why, vf: null, whyNotHardware: why },
    });
  });

  it('refuses instead where hardware is required', async () => {
    await network({ require: 'hw' });
    await plugin.ok(CREATE, endpointBody());
    expect(await plugin.err(CREATE, endpointBody({ id: other(1), address: '10.1.0.3/16', mac: '' }))).toMatch(
      /^ESW_ERR_DATAPATH_UNAVAILABLE: datapath=auto, require=hw: .*no free function: 1 in use/,
    );
    expect(plugin.store.endpoint(other(1) as EndpointId)).toBeNull();
  });

  it('takes a veth pair when the kernel refuses the function', async () => {
    await network();
    plugin.refuse.set(EID, 'mtu greater than device maximum');
    plugin.onWait = () => {
      if (plugin.store.endpoint(EID as EndpointId)?.vf === null) plugin.refuse.delete(EID);
    };
    await plugin.ok(CREATE, endpointBody());
    expect(rows()).toEqual([[0, null, 'cooling']]);
    expect((await facts())['whyNotHardware']).toContain('mtu greater than device maximum');
    expect(plugin.freed).toBe(1);
  });

  it('is taken back with its function when nothing helps', async () => {
    await network();
    plugin.refuse.set(EID, 'no memory');
    expect(await plugin.err(CREATE, endpointBody())).toMatch(/no memory/);
    expect([plugin.store.endpoint(EID as EndpointId), rows()]).toEqual([null, [[0, null, 'cooling']]]);
  });

  it('asks no NIC for a network that wants software', async () => {
    await network({ datapath: 'software' });
    await plugin.ok(CREATE, endpointBody());
    expect([rows(), (await facts())['whyNotHardware']]).toEqual([[], null]);
  });

  it('falls back too when the NIC has left switchdev mode since', async () => {
    await network({ datapath: 'switchdev' });
    plugin.capabilities = capabilitiesOf([], { nics: [] });
    await plugin.ok(CREATE, endpointBody());
    expect((await facts())['whyNotHardware']).toBe('this host has no NIC in switchdev mode');
  });
});

describe('CreateNetwork with -o nic', () => {
  it('refuses a NIC that is not there', async () => {
    const body = networkBody({ options: { nic: 'eth9' } });
    expect(await plugin.err('NetworkDriver.CreateNetwork', body)).toMatch(
      /^ESW_ERR_DATAPATH_UNAVAILABLE: nic=eth9: this host has pci\/0000:3b:00.0/,
    );
  });
});
