/**
 * The three ways between two containers of a host that the suite compares: our network, Docker's own
 * bridge, and a bare veth pair (the limit on this kernel). All three run the same tool in containers of
 * the same engine and image, so that only the way differs.
 */

import { exec } from '../../../test/lab/exec.ts';
import type { Scope } from '../../../test/lab/scope.ts';
import type { DockerHost } from '../../lib/docker-host.ts';
import type { Path } from '../../lib/traffic.ts';

export const CONTENDERS = ['eswitch', 'docker_bridge', 'veth'] as const;
export type Contender = (typeof CONTENDERS)[number];

const SUBNETS = {
  eswitch: { ip4: '10.131.1.0/24', ip6: 'fd00:e5:1::/64' },
  docker_bridge: { ip4: '10.131.2.0/24', ip6: 'fd00:e5:2::/64' },
} as const;
const VETH = { link: 'bench0', ip4: '10.131.3.', ip6: 'fd00:e5:3::', server: 1, client: 2 } as const;

/** Two containers each; removed again by `scope`. */
export async function openContenders(host: DockerHost, scope: Scope): Promise<ReadonlyMap<Contender, Path>> {
  return new Map<Contender, Path>([
    ['eswitch', await onNetwork(host, 'eswitch', scope)],
    ['docker_bridge', await onNetwork(host, 'docker_bridge', scope)],
    ['veth', await onVeth(host, scope)],
  ]);
}

async function onNetwork(host: DockerHost, contender: keyof typeof SUBNETS, scope: Scope): Promise<Path> {
  const network = `bench-local-${contender}`;
  await host.createNetwork(contender, network, SUBNETS[contender], scope);
  const server = await host.startContainer(`${network}-server`, network, scope);
  const client = await host.startContainer(`${network}-client`, network, scope);
  return { server, client, ip4: server.ip4, ip6: server.ip6 };
}

/** Containers without a network, and one veth pair with an end in each. */
async function onVeth(host: DockerHost, scope: Scope): Promise<Path> {
  const server = await host.startContainer('bench-local-veth-server', 'none', scope);
  const client = await host.startContainer('bench-local-veth-client', 'none', scope);
  const { link, ip4, ip6 } = VETH;
  const ends = `${link} netns ${server.pid} type veth peer name ${link} netns ${client.pid}`;
  await exec(['ip', 'link', 'add', ...ends.split(' ')]);
  for (const [side, number] of [
    [server, VETH.server],
    [client, VETH.client],
  ] as const) {
    // Docker turns IPv6 off in a container without an IPv6 network.
    const script = [
      `sysctl -qw net.ipv6.conf.${link}.disable_ipv6=0`,
      `ip addr add ${ip4}${number}/24 dev ${link}`,
      `ip addr add ${ip6}${number}/64 dev ${link} nodad`,
      `ip link set ${link} up`,
    ].join(' && ');
    await exec(['nsenter', '--target', String(side.pid), '--net', 'sh', '-c', script]);
  }
  return {
    server,
    client,
    ip4: `${ip4}${VETH.server}`,
    ip6: `${ip6}${VETH.server}`,
  };
}
