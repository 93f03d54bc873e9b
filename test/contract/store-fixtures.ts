/** Records for tests of the store, of the IPAM and of the plugin. */
import type { Cidr, EndpointId, Ip, Mac, NetSlot, NetworkId, PortSlot } from '../../src/lib/brand.ts';
import type { Endpoint, PortBinding } from '../../src/model/endpoint.ts';
import type { Network } from '../../src/model/network.ts';
import type { DevlinkHandle, FunctionRef } from '../../src/model/nic.ts';
import type { VfLease } from '../../src/model/vf-lease.ts';
import type { Lease, Pool } from '../../src/store/port.ts';

export const NET = 'net1' as NetworkId;

export function network(id: string, slot: number, gatewaySlot: number): Network {
  return {
    id: id as NetworkId,
    type: 'bridge',
    slot: slot as NetSlot,
    gatewaySlot: gatewaySlot as PortSlot,
    switchMac: '02:00:00:00:00:01' as Mac,
    gatewayMac: '02:00:00:00:00:02' as Mac,
    datapath: 'auto',
    require: 'any',
    internal: false,
    nat: true,
    mtu: 1500,
    hostBinding: null,
    subnets: [{ pool: `10.${slot}.0.0/16` as Cidr, gateway: `10.${slot}.0.1` as Ip }],
    options: {},
  };
}

export function endpoint(id: string, slot: number, overrides: Partial<Endpoint> = {}): Endpoint {
  return {
    id: id as EndpointId,
    networkId: NET,
    slot: slot as PortSlot,
    mac: `02:00:00:00:01:${(slot % 256).toString(16).padStart(2, '0')}` as Mac,
    ip4: `10.1.0.${slot + 1}/16` as Cidr,
    ip6: null,
    bindings: [],
    published: false,
    vf: null,
    fallback: null,
    sandbox: null,
    ifnamePrefix: 'eth',
    options: {},
    ...overrides,
  };
}

export const vfRef = (index: number): FunctionRef => ({
  ...{ nic: 'pci/0000:3b:00.0' as DevlinkHandle, controller: 0, pf: 0 },
  ...{ kind: 'vf', index },
});

/** The ledger's row of VF `index`: used by `endpoint`, or cooling. */
export function vfRow(index: number, id: string | null, overrides: Partial<VfLease> = {}): VfLease {
  return {
    ref: vfRef(index),
    endpoint: id as EndpointId | null,
    state: id === null ? 'cooling' : 'used',
    sinceMs: 1000,
    snapshot: { netdev: null, representor: null, hwAddr: null, vf: null },
    fault: null,
    ...overrides,
  };
}

export function pool(range: string, references = 1): Pool {
  return {
    id: `local/${range}`,
    space: 'local',
    pool: range as Cidr,
    subPool: null,
    references,
    cursor: null,
  };
}

export const lease = (poolId: string, address: string): Lease => ({
  poolId,
  address: address as Ip,
  purpose: 'endpoint',
  mac: null,
});

export const web = (hostIp: string | null, hostPort = 8080): PortBinding => ({
  proto: 'tcp',
  containerPort: 80,
  hostIp: hostIp as Ip | null,
  hostPort,
});
