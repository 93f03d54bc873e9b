/** Ports, hooks and gateway addresses as observed. */
import { address, hook, port } from '../../ir/make.ts';
import type { Port, Resource } from '../../ir/resource.ts';
import type { Cidr, Ifindex } from '../../lib/brand.ts';
import { cidrOf, ipFromBytes } from '../../lib/ip.ts';
import { macFromBytes } from '../../lib/mac.ts';
import type { NicFunction } from '../../model/nic.ts';
import type { Snapshot } from '../port.ts';
import { dumpRecords } from './batch.ts';
import type { NativeContext } from './context.ts';
import type { HookRecord } from './hooks.ts';
import { type HostLinks, isRepresentor, type OwnLink } from './links.ts';
import { loopbackLinks } from './loopback-route.ts';
import { ADDR_REC, HOOK_MODE } from './records.ts';
import { mapped, type PortRow } from './tables.ts';
import { serves as functionServes } from './vf-ports.ts';

const AF_INET = 2;
const RT_SCOPE_LINK = 253;

/** `functions`: those of NICs, by the ifindex of their representor. */
export function observedPorts(
  context: NativeContext,
  links: HostLinks,
  entries: readonly PortRow[],
  functions: ReadonlyMap<number, NicFunction>,
): Resource[] {
  const mayUse = new Map(entries.map(row => [row.ifindex, row.mac]));
  return [...links.own.values()]
    .filter(link => isRepresentor(link.role))
    .map(rep => {
      const fn = links.own.get(rep.twin);
      const isGateway = rep.role === 'gateway-rep';
      const repMac = macFromBytes(rep.mac);
      const role: Port['role'] = isGateway ? 'gateway' : 'endpoint';
      const vf = functions.get(rep.ifindex);
      const canServe = vf === undefined || functionServes(context, vf, rep.twin);
      const serves = isInPlace(rep) && canServe && (!isGateway || (fn !== undefined && isInPlace(fn)));
      return port({
        rep: rep.name,
        fn: rep.twin,
        repMac,
        // A function side that is away is known only by the MAC it may use.
        fnMac: fn === undefined ? (mayUse.get(rep.ifindex) ?? repMac) : macFromBytes(fn.mac),
        // The smaller of the two ends is what a gateway port really carries.
        mtu: isGateway && fn !== undefined ? Math.min(rep.mtu, fn.mtu) : rep.mtu,
        role,
        vf: vf?.ref ?? null,
        sandbox: null,
        ...(serves ? {} : { down: true as const }),
      });
    });
}

/** Up and under its own name: a link that somebody renamed serves as little as one that is down. */
function isInPlace(link: OwnLink): boolean {
  return link.up && link.currentName === link.name;
}

/** Hooks that run the program pinned now; one that runs another is as good as missing. */
export function observedHooks(
  records: readonly HookRecord[],
  links: HostLinks,
  programId: number,
): { readonly resources: Resource[]; readonly mode: Snapshot['hookMode'] } {
  const resources = records.flatMap(record => {
    const link = links.byIfindex.get(record.ifindex);
    return link === undefined || record.prog_id !== programId ? [] : [hook(link.name)];
  });
  // Ports are moved from clsact to tcx one by one: what some have, all will.
  const onTcx = records.some(record => record.mode === HOOK_MODE.tcx);
  return { resources, mode: onTcx ? 'tcx' : records.length > 0 ? 'clsact' : 'none' };
}

/** By ifindex, in the order of the dump; link-local addresses tell nothing about a link's use. */
export async function hostAddresses({
  library,
}: NativeContext): Promise<ReadonlyMap<Ifindex, readonly Cidr[]>> {
  const found = new Map<Ifindex, Cidr[]>();
  const records = await dumpRecords('esw_addr_dump', ADDR_REC, out =>
    library.call('esw_addr_dump', '', out, out.length),
  );
  for (const record of records) {
    if (record.scope === RT_SCOPE_LINK) continue;
    const ifindex = record.ifindex as Ifindex;
    const ip = ipFromBytes(record.family === AF_INET ? mapped(record.addr.subarray(0, 4)) : record.addr);
    found.set(ifindex, [...(found.get(ifindex) ?? []), cidrOf(ip, record.prefixlen)]);
  }
  return found;
}

/** Addresses on our gateway links, except the link-local ones that the kernel makes. */
export async function observedAddresses(context: NativeContext, links: HostLinks): Promise<Resource[]> {
  const { library } = context;
  const records = await dumpRecords('esw_addr_dump', ADDR_REC, out =>
    library.call('esw_addr_dump', '', out, out.length),
  );
  const withLoopback = await loopbackLinks(library);
  return records.flatMap(record => {
    const link = links.byIfindex.get(record.ifindex);
    if (link?.role !== 'gateway-fn' || record.scope === RT_SCOPE_LINK) return [];
    const isIp4 = record.family === AF_INET;
    // The route for [::1] belongs to an IPv6 gateway address: one without it is incomplete.
    if (!isIp4 && !withLoopback.has(record.ifindex)) return [];
    const ip = ipFromBytes(isIp4 ? mapped(record.addr.subarray(0, 4)) : record.addr);
    return [address(link.name, cidrOf(ip, record.prefixlen))];
  });
}
