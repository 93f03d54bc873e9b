/** Networks of type vlan, as Docker asks for them. */
import { describe, expect, it } from 'vitest';
import type { NetworkId } from '../../src/lib/brand.ts';
import { createPlugin, EID, endpointBody, NID, networkBody } from './docker-harness.ts';

const CREATE = 'NetworkDriver.CreateNetwork';
const VLAN = { type: 'vlan', parent: 'eth1', vlan: '100' };
const nid = NID as NetworkId;

describe('CreateNetwork, type vlan', () => {
  it('keeps the parent, its MTU and the router as gateway', async () => {
    const plugin = createPlugin();
    plugin.uplinkMtu = 9000;
    await plugin.ok(CREATE, networkBody({ options: VLAN }));
    expect(plugin.store.network(nid)).toMatchObject({
      ...{ type: 'vlan', nat: false, mtu: 1500 },
      vlan: { parent: 'eth1', vlan: 100, spoofchk: true, trust: false },
      subnets: [{ pool: '10.1.0.0/16', gateway: '10.1.0.1' }],
    });
  });

  it.each<[object, RegExp]>([
    [{ options: { ...VLAN, parent: 'eth9' } }, /^ESW_ERR_OPTION_VALUE: option parent="eth9": no such link/],
    [{ options: { ...VLAN, mtu: '1600' } }, /^ESW_ERR_OPTION_VALUE: mtu 1600: eth1 carries at most 1500/],
    [{ options: VLAN, internal: true }, /^ESW_ERR_OPTION_VALUE: a network of type vlan cannot be internal/],
    [
      { options: { ...VLAN, datapath: 'switchdev' } },
      /^ESW_ERR_DATAPATH_UNAVAILABLE: .*network type vlan has no datapath switchdev/,
    ],
    [{ options: { ...VLAN, require: 'hw' } }, /^ESW_ERR_DATAPATH_UNAVAILABLE: .*no NIC with VFs/],
  ])('refuses %j', async (change, message) => {
    const plugin = createPlugin();
    expect(await plugin.err(CREATE, networkBody(change))).toMatch(message);
    expect(plugin.store.network(nid)).toBeNull();
  });

  it('refuses a second network of one VLAN, and takes another VLAN of the same link', async () => {
    const plugin = createPlugin();
    await plugin.ok(CREATE, networkBody({ options: VLAN }));
    const second = { id: 'b', pool: '10.2.0.0/16', gateway: null };
    expect(await plugin.err(CREATE, networkBody({ ...second, options: VLAN }))).toMatch(
      /^ESW_ERR_NETWORK_OVERLAP: VLAN 100 of eth1: network 4444.* has it/,
    );
    await plugin.ok(CREATE, networkBody({ ...second, options: { ...VLAN, vlan: '0' } }));
    const third = { id: 'c', pool: '10.3.0.0/16', gateway: null };
    expect(
      await plugin.err(CREATE, networkBody({ ...third, options: { type: 'vlan', parent: 'eth1' } })),
    ).toMatch(/^ESW_ERR_NETWORK_OVERLAP: eth1 without a VLAN: network b has it/);
  });
});

describe('endpoints of a network of type vlan', () => {
  const PORTS = [{ Proto: 6, Port: 80, HostPort: 8080, HostPortEnd: 8080 }];
  const ref = { NetworkID: NID, EndpointID: EID };

  it('join with the router as gateway of both families', async () => {
    const plugin = createPlugin();
    await plugin.ok(CREATE, networkBody({ options: VLAN, pool6: 'fd00:1::/64' }));
    await plugin.ok('NetworkDriver.CreateEndpoint', endpointBody({ address6: 'fd00:1::5/64' }));
    const answer = await plugin.ok('NetworkDriver.Join', { ...ref, SandboxKey: '/run/docker/netns/a' });
    expect(answer).toMatchObject({
      ...{ Gateway: '10.1.0.1', GatewayIPv6: 'fd00:1::1', DisableGatewayService: true },
      InterfaceName: { SrcName: expect.stringMatching(/^ewf[0-9a-f]{10}$/) },
    });
    const { Value } = await plugin.ok('NetworkDriver.EndpointOperInfo', ref);
    expect(Value).toMatchObject({ representor: null, datapath: 'software', datapathWhy: 'no NIC with VFs' });
  });

  it('refuse published ports, at creation and later', async () => {
    const plugin = createPlugin();
    await plugin.ok(CREATE, networkBody({ options: VLAN }));
    const portMap = { 'com.docker.network.portmap': PORTS };
    const refusal =
      /^ESW_ERR_PORT_UNSUPPORTED: network 4444.* is of type vlan: its containers are on the physical/;
    const body = endpointBody();
    expect(await plugin.err('NetworkDriver.CreateEndpoint', { ...body, Options: portMap })).toMatch(refusal);
    await plugin.ok('NetworkDriver.CreateEndpoint', body);
    const program = 'NetworkDriver.ProgramExternalConnectivity';
    expect(await plugin.err(program, { ...ref, Options: portMap })).toMatch(refusal);
    await plugin.ok(program, { ...ref, Options: {} });
  });
});
