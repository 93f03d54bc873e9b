/** Direct ports and the sub-interfaces they stand on, as observed: in the host and in the sandboxes named. */
import { directPort, vlanLink } from '../../ir/make.ts';
import { altnameMark } from '../../ir/names.ts';
import type { DirectPort, DirectVia, Resource, SandboxPlacement } from '../../ir/resource.ts';
import type { Mac } from '../../lib/brand.ts';
import { ERRNO } from '../../lib/errno.ts';
import { macFromBytes } from '../../lib/mac.ts';
import type { Identity } from '../../model/intent.ts';
import { dumpRecords } from './batch.ts';
import type { NativeContext } from './context.ts';
import { observedVia } from './direct-vf.ts';
import type { NativeLibrary } from './library.ts';
import { type HostLinks, isOfNic, type LinkRecord, originalName } from './links.ts';
import { dumpNicLinks } from './nic-dumps.ts';
import { LINK_REC } from './records.ts';
import { functionsByKey } from './vf-functions.ts';
import { sideOf } from './vf-links.ts';

/** Looks into sandboxes at once: each takes a thread of the pool. */
const AT_ONCE = 4;
/** A namespace that is gone, that is none, or that must not be entered holds nothing of ours. */
const NOTHING_THERE: ReadonlySet<number> = new Set([-ERRNO.ENOENT, -ERRNO.EINVAL, -ERRNO.EPERM]);

const MACVLAN = 'macvlan';

export async function observedDirect(
  context: NativeContext,
  links: HostLinks,
  sandboxes: Iterable<string>,
): Promise<Resource[]> {
  const inside = await linksInside(context, sandboxes);
  const found: Resource[] = [];
  for (const link of links.own.values()) {
    const { name, mtu, vlan } = link;
    const parent = nameOf(links, link.lower);
    if (link.role === 'vlan-link') {
      const down = link.up && link.currentName === name ? {} : { down: true as const };
      found.push(vlanLink({ link: name, parent, vlan, mtu, ...down }));
    } else if (link.role === 'endpoint-fn' && link.kind === MACVLAN) {
      const mac = macFromBytes(link.mac);
      found.push(directPort({ fn: name, mac, mtu, via: { kind: MACVLAN, parent }, sandbox: null }));
    }
  }
  for (const { netns, record } of inside) {
    if (record.kind !== MACVLAN) continue;
    const via = { kind: MACVLAN, parent: nameOf(links, record.peer_ifindex) } as const;
    found.push(inSandbox(context.identity, netns, record, via, macFromBytes(record.mac)));
  }
  return [...found, ...(await observedVfs(context, links, inside))];
}

interface Inside {
  readonly netns: string;
  readonly record: LinkRecord;
}

/** Links of ours in the sandboxes named. */
async function linksInside(
  { library, identity }: NativeContext,
  sandboxes: Iterable<string>,
): Promise<Inside[]> {
  const paths = [...new Set(sandboxes)];
  const found: Inside[] = [];
  for (let at = 0; at < paths.length; at += AT_ONCE) {
    const part = paths.slice(at, at + AT_ONCE);
    const lists = await Promise.all(part.map(path => sandboxLinks(library, identity, path)));
    part.forEach((netns, index) => {
      for (const record of lists[index] ?? []) found.push({ netns, record });
    });
  }
  return found;
}

/** VFs in use as direct ports. NICs are asked only when some link of ours may be one. */
async function observedVfs(
  context: NativeContext,
  links: HostLinks,
  inside: readonly Inside[],
): Promise<Resource[]> {
  const atHome = [...links.own.values()].some(link => link.role === 'endpoint-fn' && isOfNic(link));
  const away = inside.filter(({ record }) => isOfNic(record));
  if (!atHome && away.length === 0) return [];
  const vfs = [...(await functionsByKey(context)).values()].filter(each => each.representor === null);
  const places = new Map<string, Inside>();
  for (const each of away) {
    const device = await deviceOf(context, each);
    if (device !== null) places.set(device, each);
  }
  return vfs.flatMap((vf): Resource[] => {
    const via = observedVia(vf);
    const place = vf.device === null ? undefined : places.get(vf.device);
    if (via === null || vf.vf === null) return [];
    if (place !== undefined) return [inSandbox(context.identity, place.netns, place.record, via, vf.vf.mac)];
    const fn = vf.netdev && sideOf(context, vf.netdev.altnames);
    // Under another name it serves nobody: as good as missing, and put right by making it again.
    if (fn === null || vf.netdev === null || vf.netdev.name !== fn) return [];
    return [directPort({ fn, mac: vf.vf.mac, mtu: vf.netdev.mtu, via, sandbox: null })];
  });
}

async function deviceOf({ library }: NativeContext, { netns, record }: Inside): Promise<string | null> {
  const own = (await dumpNicLinks(library, netns)).find(link => link.ifindex === record.ifindex);
  return own === undefined ? null : `${own.parent_bus}/${own.parent_dev}`;
}

/** Links that carry our mark inside a sandbox; none when it cannot be entered. */
export function sandboxLinks(
  library: NativeLibrary,
  identity: Identity,
  netns: string,
): Promise<LinkRecord[]> {
  return dumpRecords(
    'sandbox links',
    LINK_REC,
    async out => {
      const count = await library.call('esw_link_dump', netns, altnameMark(identity), 1, out, out.length);
      return NOTHING_THERE.has(count) ? 0 : count;
    },
    16,
  );
}

function inSandbox(
  identity: Identity,
  netns: string,
  record: LinkRecord,
  via: DirectVia,
  mac: Mac,
): DirectPort {
  const sandbox: SandboxPlacement = { netns, ifname: record.name, addresses: [], gateways: [] };
  return directPort({ fn: originalName(identity, record), mac, mtu: record.mtu, via, sandbox });
}

/** The link below is in the host wherever the child is. */
function nameOf(links: HostLinks, ifindex: number): string {
  const own = links.byIfindex.get(ifindex);
  return own?.name ?? links.names.get(ifindex) ?? `#${ifindex}`;
}
