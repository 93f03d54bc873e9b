/** NIC functions given back: after their port, and after whatever a crash left of one. */
import type { Port } from '../../ir/resource.ts';
import { ERRNO } from '../../lib/errno.ts';
import { fnv1a64 } from '../../lib/hash.ts';
import { type FunctionRef, functionKey, type NicFunction } from '../../model/nic.ts';
import type { FunctionSnapshot } from '../../model/vf-lease.ts';
import { FLOW_FLAG } from '../flow-port.ts';
import type { OpResult } from '../port.ts';
import { DONE } from './batch.ts';
import type { NativeContext } from './context.ts';
import { detachFrom } from './hooks.ts';
import type { LinkNames } from './link-names.ts';
import { hostLinks, isOfNic, type OwnLink } from './links.ts';
import { findAway, functionsByKey, isPassthrough } from './vf-functions.ts';
import { bringHome, formerNames, restoreLink, sideOf, undress } from './vf-links.ts';

/**
 * Gives the functions back under the names they had; the rest of what they were is `giveBack`'s. A
 * function whose representor is not marked as this port's is left alone: it may be another's by now.
 */
export async function releaseVfPorts(
  context: NativeContext,
  names: LinkNames,
  ports: readonly (Port & { readonly vf: FunctionRef })[],
): Promise<OpResult[]> {
  const results: OpResult[] = [];
  for (const port of ports) {
    const found = (await functionsByKey(context)).get(functionKey(port.vf));
    const isOurs = found?.representor != null && sideOf(context, found.representor.altnames) === port.rep;
    const likely = port.sandbox === null ? [] : [port.sandbox.netns];
    const freed = await undressAll(context, await nicLinks(context, [port.rep]));
    results.push(isOurs && freed.errno === 0 ? await releaseFunction(context, found, likely) : freed);
    names.forget(port.rep);
    names.forget(port.fn);
  }
  await context.pins.dropHooks(ports.filter((_, at) => results[at]?.errno === 0).map(port => port.rep));
  return results;
}

/** Takes names of ours off links of NICs, whichever function they belong to; false when there were none. */
export async function freeNames(context: NativeContext, reps: readonly string[]): Promise<boolean> {
  const marked = await nicLinks(context, reps);
  await undressAll(context, marked);
  return marked.length > 0;
}

async function nicLinks({ library, identity }: NativeContext, reps: readonly string[]): Promise<OwnLink[]> {
  if (reps.length === 0) return [];
  const { own } = await hostLinks(library, identity);
  return reps.flatMap(rep => own.get(rep) ?? []).filter(isOfNic);
}

/** Representors: the program off, the former name back. */
async function undressAll(context: NativeContext, marked: readonly OwnLink[]): Promise<OpResult> {
  if (marked.length === 0) return DONE;
  const formers = await formerNames(context);
  for (const link of marked) {
    const { ifindex, currentName, name } = link;
    await removeFlows(context, currentName);
    await detachFrom(context, currentName);
    const undressed = await undress(context, { name: currentName, ifindex }, formers.get(ifindex), name);
    if (undressed.errno !== 0) return undressed;
  }
  return DONE;
}

/** Rules of ours that whoever placed them has not taken away: the next port of this function is another. */
async function removeFlows({ flows, log }: NativeContext, link: string): Promise<void> {
  if (flows === null) return;
  try {
    const found = await flows.dump([link]);
    const refs = Array.from({ length: found.count }, (_, at) => at)
      .filter(at => ((found.flags[at] ?? 0) & FLOW_FLAG.ours) !== 0)
      .map(at => ({
        ...{ link, chain: found.chain[at] ?? 0, prio: found.prio[at] ?? 0 },
        ...{ protocol: found.protocol[at] ?? 0, handle: found.handle[at] ?? 0 },
      }));
    if (refs.length > 0) await flows.delete(refs);
  } catch (error) {
    // A kernel without flower has no rules either.
    log.debug({ err: error, link }, 'flower rules cannot be looked for');
  }
}

/** Both sides, the representor first: from then on the function reaches nothing, wherever it is. */
async function release(context: NativeContext, ref: FunctionRef): Promise<OpResult> {
  const found = (await functionsByKey(context)).get(functionKey(ref));
  if (found === undefined) return DONE;
  const rep = found.representor && sideOf(context, found.representor.altnames);
  const freed = rep === null ? DONE : await undressAll(context, await nicLinks(context, [rep]));
  return freed.errno === 0 ? releaseFunction(context, found, []) : freed;
}

async function releaseFunction(
  context: NativeContext,
  found: NicFunction,
  likely: readonly string[],
): Promise<OpResult> {
  const home = await broughtHome(context, found, likely);
  if ('errno' in home) return home;
  const { netdev } = home;
  if (netdev === null) return DONE;
  const former = (await formerNames(context)).get(netdev.ifindex);
  const side = sideOf(context, netdev.altnames);
  return side === null && former === undefined ? DONE : undress(context, netdev, former, side ?? netdev.name);
}

/** The function with its netdev in the host's namespace, or with none where it has none at all. */
async function broughtHome(
  context: NativeContext,
  found: NicFunction,
  likely: readonly string[],
): Promise<NicFunction | OpResult> {
  const { netdev, driver, device, ref } = found;
  if (netdev !== null || driver === null || device === null || isPassthrough(driver)) return found;
  const away = await findAway(context, device, likely);
  const where = `the netdev of ${functionKey(ref)} is in a namespace that cannot be found`;
  if (away === null) return { errno: ERRNO.EBUSY, extack: where };
  const moved = await bringHome(context, away, passingName(context, ref));
  if (moved.errno !== 0) return moved;
  return (await functionsByKey(context)).get(functionKey(ref)) ?? { ...found, driver: null };
}

/** A name that nobody has, until the former one is back: `eth0` of a sandbox may be taken here. */
function passingName({ identity }: NativeContext, ref: FunctionRef): string {
  return `${identity.linkPrefix}t${fnv1a64(functionKey(ref)).slice(0, 10)}`;
}

export async function giveBack(
  context: NativeContext,
  ref: FunctionRef,
  before: FunctionSnapshot | null,
): Promise<OpResult> {
  const released = await release(context, ref);
  if (released.errno !== 0 || before === null) return released;
  const found = (await functionsByKey(context)).get(functionKey(ref));
  if (found === undefined) return DONE;
  for (const side of ['netdev', 'representor'] as const) {
    const link = found[side];
    const was = before[side];
    if (link === null || was === null) continue;
    const restored = await restoreLink(context, link, was);
    if (restored.errno !== 0) return restored;
  }
  return DONE;
}
