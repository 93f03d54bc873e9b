/** Ports that are veth pairs: made, put right and deleted; a lost one rebuilt in its sandbox. */
import { altname } from '../../ir/names.ts';
import type { Port } from '../../ir/resource.ts';
import { ERRNO } from '../../lib/errno.ts';
import { macToBytes } from '../../lib/mac.ts';
import type { OpResult } from '../port.ts';
import { applyBatch, type BatchResult, DONE } from './batch.ts';
import type { NativeContext } from './context.ts';
import type { ValuesOf } from './layout.ts';
import type { LinkNames } from './link-names.ts';
import { hostLinks } from './links.ts';
import { placeInSandbox } from './placement.ts';
import { LINK_OP, LINK_SET, LINK_VERB } from './records.ts';
import { freeNames } from './vf-release.ts';

type LinkOp = Partial<ValuesOf<typeof LINK_OP>>;

/** Makes pairs, or puts existing ones of ours right: MACs, MTU, names, altnames, up. */
export async function putPairs(
  context: NativeContext,
  names: LinkNames,
  ports: readonly Port[],
): Promise<OpResult[]> {
  const results = new Map<Port, OpResult>();
  const placed = ports.filter(port => port.sandbox !== null);
  const before = new Set(
    placed.length === 0 ? [] : [...(await hostLinks(context.library, context.identity)).own.keys()],
  );
  for (const [port, made] of await makePairs(context, ports)) {
    if (made.errno === 0) names.learn(port.rep, made.ifindex);
    results.set(port, { errno: made.errno, extack: made.extack });
  }
  for (const port of placed) {
    const isNew = !before.has(port.rep);
    if (results.get(port)?.errno === 0 && (isNew || before.has(port.fn)))
      results.set(port, await place(context, names, port, isNew));
  }
  return ports.map(port => results.get(port) ?? DONE);
}

async function makePairs(
  context: NativeContext,
  ports: readonly Port[],
): Promise<ReadonlyMap<Port, BatchResult>> {
  const run = (list: readonly LinkOp[]): Promise<BatchResult[]> =>
    applyBatch(context.library, 'esw_link_apply', LINK_OP, list);
  const first = await run(ports.map(port => pairOp(context, port)));
  const results = new Map(ports.map((port, at) => [port, first[at] ?? { ...DONE, ifindex: 0 }]));
  // A link of ours under another name keeps our altname and so makes the new pair's collide.
  const taken = ports.filter(port => results.get(port)?.errno === ERRNO.EEXIST);
  if (taken.length === 0) return results;
  // Or the endpoint had a NIC's function before, whose links still have the names.
  const isFreed = await freeNames(
    context,
    taken.flatMap(port => [port.rep, port.fn]),
  );
  const renames = await renamesHome(context, taken);
  if (renames.length > 0 || isFreed) {
    await run(renames);
    const again = await run(taken.map(port => pairOp(context, port)));
    for (const [at, port] of taken.entries()) results.set(port, again[at] ?? { ...DONE, ifindex: 0 });
  }
  return results;
}

/** What gives renamed links of these ports their own names back. */
async function renamesHome(context: NativeContext, ports: readonly Port[]): Promise<LinkOp[]> {
  const { own } = await hostLinks(context.library, context.identity);
  return ports
    .flatMap(port => [own.get(port.rep), own.get(port.fn)])
    .filter(link => link !== undefined && link.currentName !== link.name)
    .flatMap(link =>
      link === undefined
        ? []
        : [{ verb: LINK_VERB.set, set: LINK_SET.name, name: link.currentName, new_name: link.name }],
    );
}

function pairOp({ identity }: NativeContext, port: Port): LinkOp {
  return {
    verb: LINK_VERB.veth,
    name: port.rep,
    altname: altname(identity, port.rep),
    mac: macToBytes(port.repMac),
    up: 1,
    noaddrgen: 1,
    mtu: port.mtu,
    peer_name: port.fn,
    peer_altname: altname(identity, port.fn),
    peer_mac: macToBytes(port.fnMac),
    // Docker raises the function side of an endpoint, inside the sandbox.
    peer_up: port.role === 'gateway' ? 1 : 0,
  };
}

/** A new pair that cannot be placed is taken away again: it would look whole, and never be tried again. */
async function place(
  context: NativeContext,
  names: LinkNames,
  port: Port,
  isNew: boolean,
): Promise<OpResult> {
  const result = await placeInSandbox(context, port);
  if (result.errno !== 0 && isNew) await deletePairs(context, names, [port]);
  return result;
}

/** Both ends go, wherever the function side is. A link without our altname is refused (EEXIST). */
export async function deletePairs(
  { library, identity, pins }: NativeContext,
  names: LinkNames,
  ports: readonly Port[],
): Promise<OpResult[]> {
  const ops = ports.map(port => ({
    verb: LINK_VERB.delete,
    name: port.rep,
    altname: altname(identity, port.rep),
  }));
  const results = await applyBatch(library, 'esw_link_apply', LINK_OP, ops);
  for (const port of ports) {
    names.forget(port.rep);
    names.forget(port.fn);
  }
  await pins.dropHooks(ports.filter((_, at) => results[at]?.errno === 0).map(port => port.rep));
  return results.map(({ errno, extack }) => ({ errno, extack }));
}
