/** Direct ports and sub-interfaces: links on links made, put right, placed and deleted. */
import { altname } from '../../ir/names.ts';
import type { DirectPort, VlanLink } from '../../ir/resource.ts';
import { ERRNO } from '../../lib/errno.ts';
import { macToBytes } from '../../lib/mac.ts';
import type { OpResult } from '../port.ts';
import { announce } from './announce.ts';
import { applyBatch, type BatchResult, DONE } from './batch.ts';
import type { NativeContext } from './context.ts';
import { isDirectVf, putDirectVfs, releaseDirectVfs } from './direct-vf.ts';
import type { ValuesOf } from './layout.ts';
import type { LinkNames } from './link-names.ts';
import { originalName } from './links.ts';
import { sandboxLinks } from './observe-direct.ts';
import { placeInSandbox } from './placement.ts';
import { LINK_OP, LINK_VERB } from './records.ts';
import { freeNames } from './vf-release.ts';

type LinkOp = Partial<ValuesOf<typeof LINK_OP>>;

const runLinks = ({ library }: NativeContext, ops: readonly LinkOp[]): Promise<BatchResult[]> =>
  applyBatch(library, 'esw_link_apply', LINK_OP, ops);

export async function putVlanLinks(
  context: NativeContext,
  _names: LinkNames,
  links: readonly VlanLink[],
): Promise<OpResult[]> {
  const ops = links.map(({ link, parent, vlan, mtu }) => ({
    ...childOf(context, LINK_VERB.vlan, link, parent, mtu),
    vlan_id: vlan,
    up: 1,
  }));
  return makeAnew(context, ops, 'the kernel has no 802.1Q VLAN devices (module 8021q)');
}

export function deleteVlanLinks(
  context: NativeContext,
  _names: LinkNames,
  links: readonly VlanLink[],
): Promise<OpResult[]> {
  return deleteLinks(
    context,
    links.map(({ link }) => ({ name: link, netns: '' })),
  );
}

export async function putDirectPorts(
  context: NativeContext,
  _names: LinkNames,
  ports: readonly DirectPort[],
): Promise<OpResult[]> {
  const vfs = await putDirectVfs(context, ports.filter(isDirectVf));
  const results: OpResult[] = [];
  for (const port of ports) {
    const { via } = port;
    results.push(via.kind === 'vf' ? (vfs.shift() ?? DONE) : await putMacvlan(context, port, via.parent));
  }
  return results;
}

/** What is in its sandbox already is left alone there: it is the container's. */
async function putMacvlan(context: NativeContext, port: DirectPort, parent: string): Promise<OpResult> {
  const { fn, mac, mtu, sandbox } = port;
  if (sandbox !== null && (await isInSandbox(context, port))) return DONE;
  const op = { ...childOf(context, LINK_VERB.macvlan, fn, parent, mtu), mac: macToBytes(mac) };
  const [made = DONE] = await makeAnew(context, [op], 'the kernel has no macvlan devices (module macvlan)');
  if (made.errno !== 0 || sandbox === null) return made;
  const placed = await placeInSandbox(context, port);
  // One that cannot be placed would look whole at home, and never be tried again.
  if (placed.errno !== 0) await deleteMacvlans(context, [port]);
  else await announce(context.library, { ...sandbox, mac });
  return placed;
}

export async function deleteDirectPorts(
  context: NativeContext,
  _names: LinkNames,
  ports: readonly DirectPort[],
): Promise<OpResult[]> {
  const vfs = await releaseDirectVfs(context, ports.filter(isDirectVf));
  const others = await deleteMacvlans(
    context,
    ports.filter(port => !isDirectVf(port)),
  );
  return ports.map(port => (isDirectVf(port) ? vfs : others).shift() ?? DONE);
}

async function deleteMacvlans(context: NativeContext, ports: readonly DirectPort[]): Promise<OpResult[]> {
  const results = await deleteLinks(
    context,
    ports.map(({ fn }) => ({ name: fn, netns: '' })),
  );
  // Docker may have left one behind in a sandbox that outlives its endpoint.
  for (const port of ports) {
    const { sandbox, fn } = port;
    if (sandbox === null) continue;
    const inside = await sandboxLink(context, port);
    if (inside !== undefined) await deleteLinks(context, [{ name: inside.name, netns: sandbox.netns, fn }]);
  }
  return results;
}

function deleteLinks(
  context: NativeContext,
  links: readonly { readonly name: string; readonly netns: string; readonly fn?: string }[],
): Promise<OpResult[]> {
  const { identity } = context;
  return plain(
    runLinks(
      context,
      links.map(({ name, netns, fn }) => {
        return { verb: LINK_VERB.delete, name, netns, altname: altname(identity, fn ?? name) };
      }),
    ),
  );
}

function childOf(
  { identity }: NativeContext,
  verb: number,
  name: string,
  lower: string,
  mtu: number,
): LinkOp & { name: string } {
  return { verb, name, peer_name: lower, altname: altname(identity, name), mtu, noaddrgen: 1 };
}

/**
 * One of ours that stands elsewhere goes first: what a link stands on cannot be changed. So does a VF that
 * had the name: its endpoint falls back.
 */
async function makeAnew(
  context: NativeContext,
  ops: readonly (LinkOp & { name: string })[],
  lacking: string,
): Promise<OpResult[]> {
  const results = await runLinks(context, ops);
  const taken = ops.filter((_, at) => results[at]?.errno === ERRNO.EEXIST);
  if (taken.length > 0) {
    await freeNames(
      context,
      taken.map(({ name }) => name),
    );
    await deleteLinks(
      context,
      taken.map(({ name }) => ({ name, netns: '' })),
    );
    const again = await runLinks(context, taken);
    taken.forEach((op, at) => {
      results[ops.indexOf(op)] = again[at] ?? { ...DONE, ifindex: 0 };
    });
  }
  return results.map(({ errno, extack }) =>
    errno === ERRNO.EOPNOTSUPP
      ? { errno, extack: `${lacking}${extack === '' ? '' : `: ${extack}`}` }
      : { errno, extack },
  );
}

async function sandboxLink({ library, identity }: NativeContext, { fn, sandbox }: DirectPort) {
  if (sandbox === null) return undefined;
  const inside = await sandboxLinks(library, identity, sandbox.netns);
  return inside.find(record => originalName(identity, record) === fn);
}

async function isInSandbox(context: NativeContext, port: DirectPort): Promise<boolean> {
  return (await sandboxLink(context, port)) !== undefined;
}

async function plain(results: Promise<readonly BatchResult[]>): Promise<OpResult[]> {
  return (await results).map(({ errno, extack }) => ({ errno, extack }));
}
