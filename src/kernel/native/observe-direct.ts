/** Direct ports and the sub-interfaces they stand on, as observed: in the host and in the sandboxes named. */
import { directPort, vlanLink } from '../../ir/make.ts';
import { altnameMark } from '../../ir/names.ts';
import type { DirectPort, Resource, SandboxPlacement } from '../../ir/resource.ts';
import { ERRNO } from '../../lib/errno.ts';
import { macFromBytes } from '../../lib/mac.ts';
import type { Identity } from '../../model/intent.ts';
import { dumpRecords } from './batch.ts';
import type { NativeContext } from './context.ts';
import type { NativeLibrary } from './library.ts';
import { type HostLinks, type LinkRecord, originalName } from './links.ts';
import { LINK_REC } from './records.ts';

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
  const { library, identity } = context;
  const found: Resource[] = [];
  for (const link of links.own.values()) {
    const parent = nameOf(links, link.lower);
    if (link.role === 'vlan-link') {
      const { name, vlan, mtu } = link;
      const down = link.up && link.currentName === name ? {} : { down: true as const };
      found.push(vlanLink({ link: name, parent, vlan, mtu, ...down }));
    } else if (link.role === 'endpoint-fn' && link.kind === MACVLAN) {
      found.push(
        directPort({
          fn: link.name,
          mac: macFromBytes(link.mac),
          mtu: link.mtu,
          via: { kind: MACVLAN, parent },
          sandbox: null,
        }),
      );
    }
  }
  const paths = [...new Set(sandboxes)];
  for (let at = 0; at < paths.length; at += AT_ONCE) {
    const part = paths.slice(at, at + AT_ONCE);
    const inside = await Promise.all(part.map(path => sandboxLinks(library, identity, path)));
    part.forEach((netns, index) => {
      for (const record of inside[index] ?? [])
        if (record.kind === MACVLAN) found.push(inSandbox(identity, links, record, netns));
    });
  }
  return found;
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

function inSandbox(identity: Identity, links: HostLinks, record: LinkRecord, netns: string): DirectPort {
  const fn = originalName(identity, record);
  const sandbox: SandboxPlacement = { netns, ifname: record.name, addresses: [], gateways: [] };
  const via = { kind: MACVLAN, parent: nameOf(links, record.peer_ifindex) } as const;
  return directPort({ fn, mac: macFromBytes(record.mac), mtu: record.mtu, via, sandbox });
}

/** The link below is in the host wherever the child is. */
function nameOf(links: HostLinks, ifindex: number): string {
  const own = links.byIfindex.get(ifindex);
  return own?.name ?? links.names.get(ifindex) ?? `#${ifindex}`;
}
