/** Everything the kernel tells about NICs in one look; what cannot be read is a problem, not a failure. */
import { ERRNO } from '../../lib/errno.ts';
import { asEswError } from '../../lib/errors.ts';
import type { DevlinkHandle } from '../../model/nic.ts';
import { checkStatus, dumpRecords } from './batch.ts';
import { decodeAll, type Fields, type RecordLayout, type Values, type ValuesOf } from './layout.ts';
import type { FunctionName, NativeLibrary } from './library.ts';
import {
  DEVLINK_HEALTH,
  DEVLINK_INFO,
  DEVLINK_PARAM,
  DEVLINK_PORT,
  DEVLINK_RATE,
  DEVLINK_REC,
  DEVLINK_RESOURCE,
  NIC_LINK,
  OFFLOAD_REC,
  VF_REC,
} from './nic-records.ts';

export type DevlinkRecord = ValuesOf<typeof DEVLINK_REC>;
export type InfoRecord = ValuesOf<typeof DEVLINK_INFO>;
export type PortRecord = ValuesOf<typeof DEVLINK_PORT>;
export type RateRecord = ValuesOf<typeof DEVLINK_RATE>;
export type ResourceRecord = ValuesOf<typeof DEVLINK_RESOURCE>;
export type ParamRecord = ValuesOf<typeof DEVLINK_PARAM>;
export type HealthRecord = ValuesOf<typeof DEVLINK_HEALTH>;
export type LinkFacts = ValuesOf<typeof NIC_LINK>;
export type VfRecord = ValuesOf<typeof VF_REC>;

export const handleOf = ({ bus, dev }: { readonly bus: string; readonly dev: string }): DevlinkHandle =>
  `${bus}/${dev}` as DevlinkHandle;

/** `<bus>/<device>` apart. */
export function splitHandle(handle: string): { readonly bus: string; readonly dev: string } {
  const at = handle.indexOf('/');
  return { bus: handle.slice(0, at), dev: handle.slice(at + 1) };
}

type PlainDump =
  | 'esw_devlink_dump'
  | 'esw_devlink_info_dump'
  | 'esw_devlink_port_dump'
  | 'esw_devlink_rate_dump'
  | 'esw_devlink_param_dump'
  | 'esw_devlink_health_dump'
  | 'esw_vf_dump';

/** A kernel without devlink has none of it. */
async function devlinkDump<F extends Fields>(
  library: NativeLibrary,
  name: PlainDump & FunctionName,
  layout: RecordLayout<F>,
): Promise<Values<F>[]> {
  return dumpRecords(name, layout, async out => {
    const count = await library.call(name, out, out.length);
    return count === -ERRNO.ENOENT ? 0 : count;
  });
}

export const dumpPorts = (library: NativeLibrary) =>
  devlinkDump(library, 'esw_devlink_port_dump', DEVLINK_PORT);
export const dumpRates = (library: NativeLibrary) =>
  devlinkDump(library, 'esw_devlink_rate_dump', DEVLINK_RATE);
export const dumpParams = (library: NativeLibrary) =>
  devlinkDump(library, 'esw_devlink_param_dump', DEVLINK_PARAM);

/** Links of a namespace; none when it is gone. */
export function dumpNicLinks(library: NativeLibrary, netns: string): Promise<LinkFacts[]> {
  const gone = new Set([-ERRNO.ENOENT, -ERRNO.EINVAL, -ERRNO.EPERM]);
  return dumpRecords('esw_nic_link_dump', NIC_LINK, async out => {
    const count = await library.call('esw_nic_link_dump', netns, out, out.length);
    return netns !== '' && gone.has(count) ? 0 : count;
  });
}

/** State of hw-tc-offload by ifindex; links that cannot be asked are left out. */
export async function dumpOffloads(
  library: NativeLibrary,
  ifindexes: readonly number[],
): Promise<ReadonlyMap<number, boolean>> {
  if (ifindexes.length === 0) return new Map();
  const asked = Buffer.alloc(ifindexes.length * 4);
  for (const [at, ifindex] of ifindexes.entries()) asked.writeUInt32LE(ifindex, at * 4);
  const out = Buffer.alloc(ifindexes.length * OFFLOAD_REC.size);
  const status = await library.call('esw_offload_dump', asked, ifindexes.length, out, out.length);
  checkStatus('esw_offload_dump', status);
  const records = decodeAll(OFFLOAD_REC, out, ifindexes.length);
  return new Map(records.filter(each => each.error === 0).map(each => [each.ifindex, each.active === 1]));
}

/** Resources of one instance. */
export function dumpResources(library: NativeLibrary, handle: string): Promise<ResourceRecord[]> {
  const { bus, dev } = splitHandle(handle);
  return dumpRecords('esw_devlink_resource_dump', DEVLINK_RESOURCE, out =>
    library.call('esw_devlink_resource_dump', bus, dev, out, out.length),
  );
}

export interface NicDumps {
  readonly instances: readonly DevlinkRecord[];
  readonly infos: readonly InfoRecord[];
  readonly ports: readonly PortRecord[];
  readonly rates: readonly RateRecord[];
  readonly health: readonly HealthRecord[];
  readonly links: readonly LinkFacts[];
  readonly vfs: readonly VfRecord[];
  /** What could not be read at all, in words. */
  readonly problems: readonly string[];
}

export async function takeDumps(library: NativeLibrary): Promise<NicDumps> {
  const problems: string[] = [];
  const attempt = async <T>(what: string, read: Promise<readonly T[]>): Promise<readonly T[]> => {
    try {
      return await read;
    } catch (error) {
      problems.push(`${what} cannot be read: ${asEswError(error).message}`);
      return [];
    }
  };
  const [instances, infos, ports, rates, health, links, vfs] = await Promise.all([
    attempt('devlink', devlinkDump(library, 'esw_devlink_dump', DEVLINK_REC)),
    attempt('devlink info', devlinkDump(library, 'esw_devlink_info_dump', DEVLINK_INFO)),
    attempt('devlink ports', dumpPorts(library)),
    attempt('devlink rates', dumpRates(library)),
    attempt('devlink health', devlinkDump(library, 'esw_devlink_health_dump', DEVLINK_HEALTH)),
    attempt('links', dumpNicLinks(library, '')),
    attempt('VF attributes', devlinkDump(library, 'esw_vf_dump', VF_REC)),
  ]);
  return { instances, infos, ports, rates, health, links, vfs, problems };
}
