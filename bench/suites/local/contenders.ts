/**
 * The ways between two containers of a host that the suite compares. All run the same tool in containers
 * of the same engine and image, so that only the way differs.
 *
 * The bare veth pair joins containers that are on a user-defined network like the others: in those,
 * Docker's embedded DNS server has NAT rules in the container's own namespace, and every packet of the
 * container pays for them, whichever way it takes. `veth_plain` is a pair without them, shown beside.
 */
import { exec } from '../../../test/lab/exec.ts';
import type { Scope } from '../../../test/lab/scope.ts';
import type { Container, DockerHost } from '../../lib/docker-host.ts';
import type { Path } from '../../lib/traffic.ts';

export const CONTENDERS = ['eswitch', 'docker_bridge', 'veth', 'veth_plain'] as const;
export type Contender = (typeof CONTENDERS)[number];

const LINK = 'bench0';
const SUBNETS = {
  eswitch: { ip4: '10.131.1.0/24', ip6: 'fd00:e5:1::/64' },
  docker_bridge: { ip4: '10.131.2.0/24', ip6: 'fd00:e5:2::/64' },
} as const;
/** Docker's network of the `veth` containers; their traffic does not take it. */
const IDLE_SUBNET = { ip4: '10.131.3.0/24', ip6: 'fd00:e5:3::/64' } as const;
const PAIRS = {
  veth: { ip4: '10.131.4.', ip6: 'fd00:e5:4::' },
  veth_plain: { ip4: '10.131.5.', ip6: 'fd00:e5:5::' },
} as const;

/** Two containers each; gone with the scope. */
export async function openContenders(host: DockerHost, scope: Scope): Promise<ReadonlyMap<Contender, Path>> {
  const idle = networkName('veth');
  await host.createNetwork('docker_bridge', idle, IDLE_SUBNET, scope);
  return new Map<Contender, Path>([
    ['eswitch', await onNetwork(host, 'eswitch', scope)],
    ['docker_bridge', await onNetwork(host, 'docker_bridge', scope)],
    ['veth', await onPair(host, 'veth', idle, scope)],
    ['veth_plain', await onPair(host, 'veth_plain', 'none', scope)],
  ]);
}

function networkName(contender: Contender): string {
  return `bench-local-${contender}`;
}

async function onNetwork(host: DockerHost, contender: keyof typeof SUBNETS, scope: Scope): Promise<Path> {
  const network = networkName(contender);
  await host.createNetwork(contender, network, SUBNETS[contender], scope);
  const server = await host.startContainer(`${network}-server`, network, scope);
  const client = await host.startContainer(`${network}-client`, network, scope);
  return { server, client, ip4: server.ip4, ip6: server.ip6 };
}

/** Containers on `network`, and one veth pair with an end in each that the traffic takes. */
async function onPair(
  host: DockerHost,
  contender: keyof typeof PAIRS,
  network: string,
  scope: Scope,
): Promise<Path> {
  const name = networkName(contender);
  const server = await host.startContainer(`${name}-server`, network, scope);
  const client = await host.startContainer(`${name}-client`, network, scope);
  const { ip4, ip6 } = PAIRS[contender];
  const ends = [
    'netns',
    String(server.pid),
    'type',
    'veth',
    'peer',
    'name',
    LINK,
    'netns',
    String(client.pid),
  ];
  await exec(['ip', 'link', 'add', LINK, ...ends]);
  await address(server, `${ip4}1`, `${ip6}1`);
  await address(client, `${ip4}2`, `${ip6}2`);
  return { server, client, ip4: `${ip4}1`, ip6: `${ip6}1` };
}

/** Docker turns IPv6 off in a container without an IPv6 network. */
async function address({ pid }: Container, ip4: string, ip6: string): Promise<void> {
  const script = [
    `sysctl -qw net.ipv6.conf.${LINK}.disable_ipv6=0`,
    `ip addr add ${ip4}/24 dev ${LINK}`,
    `ip addr add ${ip6}/64 dev ${LINK} nodad`,
    `ip link set ${LINK} up`,
  ].join(' && ');
  await exec(['nsenter', '--target', String(pid), '--net', 'sh', '-c', script]);
}
