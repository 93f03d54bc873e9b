import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compile/compile.ts';
import { compileEndpoint } from '../../src/compile/endpoint.ts';
import { printResource } from '../../src/ir/print.ts';
import type { Resource } from '../../src/ir/resource.ts';
import type { Cidr, Ip } from '../../src/lib/brand.ts';
import type { PortBinding } from '../../src/model/endpoint.ts';
import type { Intent } from '../../src/model/intent.ts';
import { parseFunctionKey } from '../../src/model/nic.ts';
import { endpoint, intentOf, network } from '../sim/arbitrary.ts';

const CONTEXT = {
  identity: { instance: 'eswitchd', linkPrefix: 'ew' },
  programsDigest: 'd'.repeat(64),
  nftDigest: 'n1',
};
const lines = (intent: Intent): string[] => [...compile(CONTEXT, intent).values()].map(printResource);
const net = network(1);
const binding = (change: Partial<PortBinding> = {}): PortBinding => {
  return { proto: 'tcp', containerPort: 80, hostIp: null, hostPort: 8080, ...change };
};
const elements = (resources: Iterable<Resource>): string[] =>
  [...resources].filter(r => r.kind === 'nft-element').map(printResource);

describe('an empty intent', () => {
  it('asks for programs and table only, and leaves forwarding as it is', () => {
    expect(lines(intentOf([], []))).toEqual(['programs dddddddddddd', 'nft-table n1']);
  });
});

describe('a network', () => {
  it('is its gateway port, its entries and its place in the sets', () => {
    expect(lines(intentOf([net], []))).toMatchSnapshot();
  });

  it('makes the host forward only the families it lets out', () => {
    const v4 = network(1, { subnets: net.subnets.slice(0, 1) });
    const kinds = (intent: Intent): string[] =>
      lines(intent).filter(line => /^(forward|sysctl .*forward)/.test(line));
    expect(kinds(intentOf([v4], []))).toEqual(['forward-accept ip ewg+', 'sysctl net/ipv4/ip_forward=1']);
    expect(kinds(intentOf([network(1, { internal: true })], []))).toEqual([]);
  });

  it.each([
    [{}, ['gateways', 'masq4', 'masq6']],
    [{ nat: false }, ['gateways', 'routed']],
    [{ internal: true }, ['gateways', 'internal']],
    [{ internal: true, nat: false }, ['gateways', 'internal']],
  ])('%o is in the sets %o', (change, sets) => {
    const all = compile(CONTEXT, intentOf([network(1, change)], []));
    expect([...all.values()].flatMap(r => (r.kind === 'nft-element' ? [r.set] : []))).toEqual(sets);
  });

  it('without a gateway address still has its gateway port', () => {
    const bare = network(1, { subnets: [{ pool: '10.1.0.0/16' as Cidr, gateway: null }] });
    const kinds = [...compile(CONTEXT, intentOf([bare], [])).values()].map(r => r.kind);
    expect(kinds).toContain('net-entry');
    expect(kinds).not.toContain('address');
    expect(kinds).not.toContain('fib-entry');
  });
});

describe('an endpoint', () => {
  const all = (change: Parameters<typeof endpoint>[2] = {}, of = net): Resource[] =>
    compileEndpoint(CONTEXT, of, endpoint(of, 1, change));

  it('is its port and one entry per table and address', () => {
    expect(all().map(printResource)).toMatchSnapshot();
  });

  it('with a function of a NIC is sent to through its representor, and counted by pair', () => {
    const vf = parseFunctionKey('pci/0000:3b:00.0/c0pf0vf3');
    const resources = all({ vf });
    expect(resources.map(printResource)).toMatchSnapshot();
    expect(resources.find(r => r.kind === 'port')).toMatchObject({ vf });
    const deliveries = resources.flatMap(r => (r.kind === 'fib-entry' ? [r.delivery] : []));
    expect(deliveries).toEqual(['transmit', 'transmit', 'transmit']);
  });

  it('without an IPv6 address has no link-local entry either', () => {
    expect(all({ ip6: null }).filter(r => r.kind === 'fib-entry')).toMatchObject([{ addr: '10.1.0.3' }]);
  });

  it('is placed in its sandbox once the name there is known', () => {
    const at = (sandbox: { key: string; ifname: string | null }): unknown => {
      const [port] = all({ sandbox });
      return port?.kind === 'port' ? port.sandbox : undefined;
    };
    expect(at({ key: '/run/x', ifname: null })).toBeNull();
    expect(at({ key: '/run/x', ifname: 'eth0' })).toEqual({
      netns: '/run/x',
      ifname: 'eth0',
      addresses: ['10.1.0.3/16', 'fd00:1::3/64'],
      gateways: ['10.1.0.1', 'fd00:1::1'],
    });
  });

  it('has no gateway in an internal network, nor one of a family it lacks', () => {
    const sandbox = { key: '/run/x', ifname: 'eth0' };
    const gateways = (resources: Resource[]): readonly Ip[] => {
      const [port] = resources;
      return port?.kind === 'port' ? (port.sandbox?.gateways ?? []) : [];
    };
    expect(gateways(all({ sandbox }, network(1, { internal: true })))).toEqual([]);
    expect(gateways(all({ sandbox, ip4: null }))).toEqual(['fd00:1::1']);
  });

  it('publishes on every address of both families', () => {
    expect(elements(all({ published: true, bindings: [binding()] }))).toEqual([
      'nft-element pub4any { tcp . 8080 : 10.1.0.3 . 80 }',
      'nft-element pub6any { tcp . 8080 : fd00:1::3 . 80 }',
    ]);
  });

  it.each([
    ['10.9.9.9', 'nft-element pub4 { 10.9.9.9 . udp . 8080 : 10.1.0.3 . 80 }'],
    ['fd00::9', 'nft-element pub6 { fd00::9 . udp . 8080 : fd00:1::3 . 80 }'],
    ['0.0.0.0', 'nft-element pub4any { udp . 8080 : 10.1.0.3 . 80 }'],
    ['::', 'nft-element pub6any { udp . 8080 : fd00:1::3 . 80 }'],
  ])('publishes on %s alone', (hostIp, text) => {
    const bindings = [binding({ proto: 'udp', hostIp: hostIp as Ip })];
    expect(elements(all({ published: true, bindings }))).toEqual([text]);
  });

  it('publishes nothing before it is the gateway, in an internal network, or in a family it lacks', () => {
    const bindings = [binding()];
    expect(elements(all({ bindings }))).toEqual([]);
    expect(elements(all({ published: true, bindings }, network(1, { internal: true })))).toEqual([]);
    expect(elements(all({ published: true, bindings, ip6: null }))).toHaveLength(1);
  });

  it('of an unknown network is left out', () => {
    expect(lines(intentOf([], [endpoint(net, 1)]))).toEqual(lines(intentOf([], [])));
  });
});
