/**
 * Published ports on [::1]. The packet's way out needs only NAT; on the way back the destination
 * becomes ::1 again before routing, and IPv6 looks a loopback destination up strictly on the
 * interface it came in by (rt6_need_strict in net/ipv6/route.c; IPv4 has route_localnet instead). So
 * each gateway link gets a local route of its own for ::1. Its metric is above that of the real one
 * on lo, so that nothing else uses it; packets that carry ::1 on the wire are still dropped, by the
 * kernel (ip6_rcv_core) and by our guard chain.
 */
import { dumpRecords } from './batch.ts';
import type { ValuesOf } from './layout.ts';
import type { NativeLibrary } from './library.ts';
import { ADD, PROTO_MARK, type ROUTE_OP, ROUTE_REC } from './records.ts';

const AF_INET6 = 10;
const RT_TABLE_LOCAL = 255;
const RTN_LOCAL = 2;
/** One metric per link: a replacing route request would otherwise replace another link's route. */
const METRIC_BASE = 2048;
const LOOPBACK = Uint8Array.from({ length: 16 }, (_, index) => (index === 15 ? 1 : 0));

export function loopbackRoute(link: string, ifindex: number): Partial<ValuesOf<typeof ROUTE_OP>> {
  return {
    verb: ADD,
    oif: link,
    family: AF_INET6,
    prefixlen: 128,
    protocol: PROTO_MARK,
    table: RT_TABLE_LOCAL,
    metric: METRIC_BASE + ifindex,
    dst: LOOPBACK,
    type: RTN_LOCAL,
  };
}

/** Ifindexes of the links that have their route. */
export async function loopbackLinks(library: NativeLibrary): Promise<ReadonlySet<number>> {
  const routes = await dumpRecords('esw_route_dump', ROUTE_REC, out =>
    library.call('esw_route_dump', '', PROTO_MARK, out, out.length),
  );
  const ours = routes.filter(
    route =>
      route.table === RT_TABLE_LOCAL &&
      route.prefixlen === 128 &&
      LOOPBACK.every((b, i) => route.dst[i] === b),
  );
  return new Set(ours.map(route => route.oif));
}
