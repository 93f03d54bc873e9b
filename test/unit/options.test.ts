import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EswError } from '../../src/lib/errors.ts';
import { OPTION_NAMES, parseNetworkOptions, wantsNoGateway } from '../../src/model/options.ts';

const VLAN = { type: 'vlan', parent: 'eth1' };

describe('parseNetworkOptions', () => {
  it('has a default for everything', () => {
    expect(parseNetworkOptions({})).toEqual({
      type: 'bridge',
      datapath: 'auto',
      require: 'any',
      mtu: null,
      nat: true,
      hostBinding: null,
    });
  });

  it.each<[Record<string, string>, object]>([
    [{ mtu: '1450' }, { mtu: 1450 }],
    [{ 'com.docker.network.driver.mtu': '9000' }, { mtu: 9000 }],
    [{ mtu: '1450', 'com.docker.network.driver.mtu': '1450' }, { mtu: 1450 }],
    [{ nat: 'false' }, { nat: false }],
    [{ nat: '0' }, { nat: false }],
    [{ nat: 'T' }, { nat: true }],
    [{ 'com.docker.network.bridge.enable_ip_masquerade': 'false' }, { nat: false }],
    [{ 'com.docker.network.bridge.enable_icc': 'true' }, {}],
    [{ 'com.docker.network.bridge.host_binding_ipv4': '' }, { hostBinding: null }],
    [{ 'com.docker.network.bridge.host_binding_ipv4': '192.0.2.1' }, { hostBinding: '192.0.2.1' }],
    [
      { datapath: 'switchdev', require: 'hw' },
      { datapath: 'switchdev', require: 'hw' },
    ],
    [{ 'org.example.anything': 'x', 'com.docker.network.unknown': 'y' }, {}],
  ])('%j', (raw, expected) => expect(parseNetworkOptions(raw)).toMatchObject(expected));

  it.each<[Record<string, string>, string, RegExp]>([
    [{ typ: 'bridge' }, 'ESW_ERR_OPTION_UNKNOWN', /unknown option "typ"; did you mean type\?/],
    [{ colour: 'red' }, 'ESW_ERR_OPTION_UNKNOWN', /known: type, datapath, require, mtu, nat, nic, parent/],
    [{ parent: 'eth0' }, 'ESW_ERR_OPTION_VALUE', /parent="eth0": it belongs to network type vlan/],
    [{ vlan: '7', type: 'bridge' }, 'ESW_ERR_OPTION_VALUE', /vlan="7": it belongs to network type vlan/],
    [{ type: 'vlan' }, 'ESW_ERR_OPTION_VALUE', /needs the link that leads out: -o parent=/],
    [{ ...VLAN, nat: 'true' }, 'ESW_ERR_OPTION_VALUE', /it belongs to network type bridge; no packet/],
    [
      { ...VLAN, 'com.docker.network.bridge.host_binding_ipv4': '192.0.2.1' },
      'ESW_ERR_OPTION_VALUE',
      /this network publishes no ports/,
    ],
    [{ ...VLAN, vlan: '4095' }, 'ESW_ERR_OPTION_VALUE', /a number from 0 to 4094/],
    [{ ...VLAN, vlan: '-1' }, 'ESW_ERR_OPTION_VALUE', /a number from 0 to 4094/],
    [{ ...VLAN, trust: 'true' }, 'ESW_ERR_OPTION_VALUE', /available: on, off/],
    [{ ...VLAN, 'link-state': 'enabled' }, 'ESW_ERR_OPTION_VALUE', /did you mean enable\?/],
    [{ ...VLAN, 'max-tx-rate': '1000001' }, 'ESW_ERR_OPTION_VALUE', /a number from 0 to 1000000/],
    [{ ...VLAN, datapath: 'software', spoofchk: 'on' }, 'ESW_ERR_OPTION_VALUE', /datapath=software has none/],
    [{ type: 'vxlan' }, 'ESW_ERR_OPTION_VALUE', /option type="vxlan": available: bridge/],
    [
      { datapath: 'softwar' },
      'ESW_ERR_OPTION_VALUE',
      /available: auto, switchdev, sriov, software; did you mean software\?/,
    ],
    [{ require: 'yes' }, 'ESW_ERR_OPTION_VALUE', /available: any, hw/],
    [{ mtu: '67' }, 'ESW_ERR_OPTION_VALUE', /a number from 68 to 65535/],
    [{ mtu: '65536' }, 'ESW_ERR_OPTION_VALUE', /a number from 68/],
    [{ mtu: '1e3' }, 'ESW_ERR_OPTION_VALUE', /a number from 68/],
    [{ nat: 'maybe' }, 'ESW_ERR_OPTION_VALUE', /true or false/],
    [
      { mtu: '1400', 'com.docker.network.driver.mtu': '1500' },
      'ESW_ERR_OPTION_VALUE',
      /driver\.mtu="1500" says something else/,
    ],
    [
      { 'com.docker.network.bridge.host_binding_ipv4': 'lo' },
      'ESW_ERR_OPTION_VALUE',
      /an address of this host/,
    ],
    [{ 'com.docker.network.bridge.enable_icc': 'false' }, 'ESW_ERR_OPTION_VALUE', /use one network for each/],
  ])('%j: %s', (raw, code, message) => {
    expect(() => parseNetworkOptions(raw)).toThrow(message);
    expect(() => parseNetworkOptions(raw)).toThrow(expect.objectContaining({ code }));
  });

  it('reads what type vlan adds, with a default for everything but the parent', () => {
    expect(parseNetworkOptions(VLAN)).toMatchObject({
      ...{ type: 'vlan', nat: false },
      vlan: { parent: 'eth1', vlan: 0, trust: false, spoofchk: true, linkState: 'auto', maxTxRate: 0 },
    });
    const all = { vlan: '100', trust: 'on', spoofchk: 'off', 'link-state': 'enable', 'max-tx-rate': '500' };
    expect(parseNetworkOptions({ ...VLAN, ...all }).vlan).toEqual({
      ...{ parent: 'eth1', vlan: 100, trust: true, spoofchk: false, linkState: 'enable', maxTxRate: 500 },
    });
    expect(parseNetworkOptions({})).not.toHaveProperty('vlan');
  });

  it('answers or throws an error of its own for any text', () => {
    const names = fc.oneof(fc.constantFrom(...OPTION_NAMES), fc.string());
    const values = fc.oneof(
      fc.string(),
      fc.constantFrom('true', '1500', 'auto', 'hw', 'bridge', 'vlan', 'on'),
    );
    fc.assert(
      fc.property(fc.dictionary(names, values), raw => {
        try {
          parseNetworkOptions(raw);
        } catch (error) {
          expect(error).toBeInstanceOf(EswError);
          expect((error as EswError).code).toMatch(/^ESW_ERR_OPTION_/);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('-o nic', () => {
  it('names a NIC for the endpoints of a bridge network', () => {
    expect(parseNetworkOptions({ nic: 'enp3s0f0np0' }).nic).toBe('enp3s0f0np0');
    expect(parseNetworkOptions({})).not.toHaveProperty('nic');
  });

  it.each([
    [{ nic: '' }, /a NIC, e.g. pci/],
    [{ nic: 'eth1', datapath: 'software' }, /datapath=software uses none/],
    [{ ...VLAN, nic: 'eth1' }, /belongs to network type bridge; its parent names the NIC/],
  ])('%o is refused', (raw, words) => {
    expect(() => parseNetworkOptions(raw)).toThrow(words);
  });
});

it('wantsNoGateway reads the mode of each family', () => {
  expect(wantsNoGateway({})).toEqual({ ipv4: false, ipv6: false });
  expect(wantsNoGateway({ 'com.docker.network.bridge.gateway_mode_ipv6': 'isolated' })).toEqual({
    ipv4: false,
    ipv6: true,
  });
});
