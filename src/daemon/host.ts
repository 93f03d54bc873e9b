/** Questions to the host that need no library: its default MTU, its free ports. */
import { createSocket } from 'node:dgram';
import { readFileSync, statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { EswError } from '../lib/errors.ts';
import { ipFamily } from '../lib/ip.ts';
import type { PortBinding } from '../model/endpoint.ts';

/** NSFS_MAGIC of include/uapi/linux/magic.h. */
const NSFS_MAGIC = 0x6e736673;
const ETHERNET_MTU = 1500;
/** RTF_UP and RTF_REJECT of include/uapi/linux/route.h and ipv6_route.h. */
const ROUTE_UP = 0x0001;
const ROUTE_REJECT = 0x0200;

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

/** Links with a default route, from /proc/net/route (columns of net/ipv4/fib_trie.c). */
export function defaultLinks4(table: string): string[] {
  return table
    .split('\n')
    .slice(1)
    .map(line => line.split('\t').map(word => word.trim()))
    .filter(([, destination, , flags, , , , mask]) => {
      const up = (Number.parseInt(flags ?? '0', 16) & ROUTE_UP) !== 0;
      return up && destination === '00000000' && mask === '00000000';
    })
    .map(([link = '']) => link);
}

/** The same from /proc/net/ipv6_route (columns of net/ipv6/route.c); its null route rejects. */
export function defaultLinks6(table: string): string[] {
  return table
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .filter(([destination, length, , , , , , , flags]) => {
      const bits = Number.parseInt(flags ?? '0', 16);
      const usable = (bits & ROUTE_UP) !== 0 && (bits & ROUTE_REJECT) === 0;
      return usable && destination === '0'.repeat(32) && length === '00';
    })
    .map(words => words[9] ?? '');
}

/** Smallest MTU in bytes among the links with a default route; 1500 when there is none. */
export function uplinkMtu(): number {
  const links = new Set([
    ...defaultLinks4(read('/proc/net/route')),
    ...defaultLinks6(read('/proc/net/ipv6_route')),
  ]);
  links.delete('lo');
  const mtus = [...links]
    .map(link => Number(read(`/sys/class/net/${link}/mtu`)))
    .filter(mtu => Number.isInteger(mtu) && mtu >= 68);
  return mtus.length === 0 ? ETHERNET_MTU : Math.min(...mtus);
}

/** Whether the path leads to a namespace: a left-over mount point is a plain file. */
export function isNamespace(path: string): boolean {
  try {
    return statfsSync(path).type === NSFS_MAGIC;
  } catch {
    return false;
  }
}

function bindTcp(address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host: address, port, exclusive: true, ipv6Only: true }, () =>
      server.close(() => resolve()),
    );
  });
}

function bindUdp(address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const ipv6 = address.includes(':');
    const socket = createSocket({ type: ipv6 ? 'udp6' : 'udp4', ipv6Only: ipv6 });
    socket.once('error', reject);
    socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve()));
  });
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);

/**
 * Throws ESW_ERR_PORT_IN_USE when another program has the host port, found out by binding it for a
 * moment. Node has no SCTP sockets, so an SCTP port passes unasked; a conflict between containers is
 * found in the store, for every protocol.
 */
export async function checkHostPort(
  binding: Pick<PortBinding, 'proto' | 'hostIp' | 'hostPort'>,
): Promise<void> {
  const { proto, hostIp, hostPort } = binding;
  if (proto === 'sctp') return;
  const bind = proto === 'tcp' ? bindTcp : bindUdp;
  for (const address of hostIp === null ? ['0.0.0.0', '::'] : [hostIp]) {
    try {
      await bind(address, hostPort);
    } catch (error) {
      const code = codeOf(error);
      // A host without IPv6 has nobody on [::] either.
      if (code === 'EAFNOSUPPORT' || (code === 'EADDRNOTAVAIL' && hostIp === null)) continue;
      const shown =
        address.includes(':') || (hostIp !== null && ipFamily(hostIp) === 6) ? `[${address}]` : address;
      const why = code === 'EADDRINUSE' ? 'is in use' : `cannot be used (${code})`;
      throw new EswError('ESW_ERR_PORT_IN_USE', `host port ${shown}:${hostPort}/${proto} ${why}`, {
        cause: error,
      });
    }
  }
}
