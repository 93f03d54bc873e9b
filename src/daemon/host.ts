/** Questions to the host that need no library: its routes, its default MTU, its name. */
import { readdirSync, readFileSync, statfsSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Cidr } from '../lib/brand.ts';
import { EswError } from '../lib/errors.ts';
import { cidrOf, ipFromBytes } from '../lib/ip.ts';

/** NSFS_MAGIC of include/uapi/linux/magic.h. */
const NSFS_MAGIC = 0x6e736673;
const ETHERNET_MTU = 1500;
/** RTF_UP and RTF_REJECT of include/uapi/linux/route.h and ipv6_route.h. */
const ROUTE_UP = 0x0001;
const ROUTE_REJECT = 0x0200;
/** Names in a message; a large host has thousands. */
const LINKS_SHOWN = 12;

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

interface Route {
  readonly link: string;
  readonly destination: Cidr;
}

/** IPv4 routes in /proc/net/route (columns of net/ipv4/fib_trie.c; words are little-endian there). */
export function parseRoutes4(table: string): Route[] {
  return table.split('\n').flatMap(line => {
    const [link = '', destination = '', , flags = '', , , , mask = ''] = line
      .split('\t')
      .map(word => word.trim());
    if (!/^[0-9A-F]{8}$/.test(destination) || (Number.parseInt(flags, 16) & ROUTE_UP) === 0) return [];
    const bytes = new Uint8Array(16);
    bytes.set([0xff, 0xff, ...Buffer.from(destination, 'hex').reverse()], 10);
    const ones = Number.parseInt(mask, 16).toString(2).replaceAll('0', '').length;
    return [{ link, destination: cidrOf(ipFromBytes(bytes), ones) }];
  });
}

/** IPv6 routes in /proc/net/ipv6_route (columns of net/ipv6/route.c), without those that only reject. */
export function parseRoutes6(table: string): Route[] {
  return table.split('\n').flatMap(line => {
    const [destination = '', length = '', , , , , , , flags = '', link = ''] = line.trim().split(/\s+/);
    const bits = Number.parseInt(flags, 16);
    if (!/^[0-9a-f]{32}$/.test(destination) || (bits & ROUTE_UP) === 0 || (bits & ROUTE_REJECT) !== 0)
      return [];
    return [
      {
        link,
        destination: cidrOf(ipFromBytes(Buffer.from(destination, 'hex')), Number.parseInt(length, 16)),
      },
    ];
  });
}

const routes = (): Route[] =>
  [...parseRoutes4(read('/proc/net/route')), ...parseRoutes6(read('/proc/net/ipv6_route'))].filter(
    route => route.link !== 'lo',
  );

const isDefault = ({ destination }: Route): boolean => destination.endsWith('/0');

/** Destinations this host reaches by a route of its own, the default route left out. */
export function hostRoutes(): readonly Cidr[] {
  return routes()
    .filter(route => !isDefault(route))
    .map(route => route.destination);
}

/** The same for this host at every start, another one elsewhere. */
export function hostId(): string {
  return read('/etc/machine-id').trim() || hostname();
}

/** Smallest MTU in bytes among the links with a default route; 1500 when there is none. */
export function uplinkMtu(): number {
  const links = new Set(
    routes()
      .filter(isDefault)
      .map(route => route.link),
  );
  const mtus = [...links]
    .map(link => Number(read(`/sys/class/net/${link}/mtu`)))
    .filter(mtu => Number.isInteger(mtu) && mtu >= 68);
  return mtus.length === 0 ? ETHERNET_MTU : Math.min(...mtus);
}

/** ARPHRD_ETHER of include/uapi/linux/if_arp.h. */
const isEthernet = (link: string): boolean => read(`/sys/class/net/${link}/type`).trim() === '1';

/** Name and MTU (bytes) of an Ethernet link of this host; throws ESW_ERR_OPTION_VALUE naming those there are. */
export function ethernetLink(name: string): { readonly name: string; readonly mtu: number } {
  const links = readdirSync('/sys/class/net').filter(isEthernet);
  if (!links.includes(name)) {
    const there = links.length === 0 ? 'none' : links.slice(0, LINKS_SHOWN).join(', ');
    const message = `option parent="${name}": this host has no such Ethernet link; it has: ${there}`;
    throw new EswError('ESW_ERR_OPTION_VALUE', message);
  }
  return { name, mtu: Number(read(`/sys/class/net/${name}/mtu`)) };
}

/** Whether the path leads to a namespace: a left-over mount point is a plain file. */
export function isNamespace(path: string): boolean {
  try {
    return statfsSync(path).type === NSFS_MAGIC;
  } catch {
    return false;
  }
}
