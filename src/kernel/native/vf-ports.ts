/**
 * Ports that are functions of a NIC. Functions and representors are found by their tuple, never by name.
 * A representor stays in the host's namespace; the function side goes where the container is and comes
 * back in many ways (by the engine, by the kernel under any name, as a new netdev after a reset).
 */
import { linkRole } from '../../ir/names.ts';
import type { Port } from '../../ir/resource.ts';
import { ERRNO } from '../../lib/errno.ts';
import { type FunctionRef, functionKey, type NicFunction } from '../../model/nic.ts';
import type { OpResult } from '../port.ts';
import { DONE } from './batch.ts';
import type { NativeContext } from './context.ts';
import type { LinkNames } from './link-names.ts';
import { hostLinks } from './links.ts';
import { placeInSandbox, sandboxIsThere } from './placement.ts';
import { deletePairs } from './veth-ports.ts';
import { type Functions, functionsByKey, functionsWith, isPassthrough } from './vf-functions.ts';
import { dress, formerNames, sideOf } from './vf-links.ts';
import { freeNames, giveBack } from './vf-release.ts';

export type VfPort = Port & { readonly vf: FunctionRef };

export function isVfPort(port: Port): port is VfPort {
  return port.vf !== null;
}

/** Takes functions as ports, or puts such ports right. */
export async function putVfPorts(
  context: NativeContext,
  names: LinkNames,
  ports: readonly VfPort[],
): Promise<OpResult[]> {
  const functions = await functionsWith(
    context,
    ports.map(port => functionKey(port.vf)),
  );
  await clearNames(context, names, ports, functions);
  const formers = await formerNames(context);
  const results: OpResult[] = [];
  for (const port of ports) {
    const found = functions.get(functionKey(port.vf));
    results.push(await putOne(context, names, port, found, formers));
  }
  return results;
}

/** Links of ours under these names that are none of these functions: of before a NIC's reset, or pairs. */
async function clearNames(
  context: NativeContext,
  names: LinkNames,
  ports: readonly VfPort[],
  functions: Functions,
): Promise<void> {
  const { own } = await hostLinks(context.library, context.identity);
  const wrong = ports.filter(port => {
    const ifindex = own.get(port.rep)?.ifindex;
    return ifindex !== undefined && ifindex !== functions.get(functionKey(port.vf))?.representor?.ifindex;
  });
  const pairs = wrong.filter(port => own.get(port.rep)?.kind === 'veth');
  await deletePairs(context, names, pairs);
  await freeNames(
    context,
    wrong.filter(port => !pairs.includes(port)).map(port => port.rep),
  );
}

async function putOne(
  context: NativeContext,
  names: LinkNames,
  port: VfPort,
  found: NicFunction | undefined,
  formers: ReadonlyMap<number, string>,
): Promise<OpResult> {
  const why = problemOf(found);
  if (found === undefined || found.representor === null || why !== null) return lost(port.vf, why ?? '');
  const { representor, netdev, device } = found;
  const isNew = sideOf(context, representor.altnames) !== port.rep;
  if (isNew && netdev === null && !(await isInSandbox(context, port, found)))
    return lost(
      port.vf,
      `no netdev of ${device ?? 'it'} is in the host's namespace (driver ${found.driver})`,
    );
  const done = await takeAsPort(context, port, found, formers);
  if (done.errno === 0) names.learn(port.rep, representor.ifindex);
  // Half a port would keep the function from others and be of no use itself.
  else if (isNew) await giveBack(context, port.vf, null);
  return done;
}

async function takeAsPort(
  context: NativeContext,
  port: VfPort,
  found: NicFunction,
  formers: ReadonlyMap<number, string>,
): Promise<OpResult> {
  const { representor, netdev } = found;
  if (representor === null) return DONE;
  const repSide = { name: port.rep, mac: port.repMac, mtu: port.mtu, side: 'representor' } as const;
  const dressed = await dress(context, representor, formers.get(representor.ifindex), repSide);
  if (dressed.errno !== 0) return dressed;
  if (netdev === null) return DONE;
  const addressed = await setFunctionMac(context, port, found);
  if (addressed.errno !== 0) return addressed;
  const fnSide = { name: port.fn, mac: port.fnMac, mtu: port.mtu, side: 'function' } as const;
  const made = await dress(context, netdev, formers.get(netdev.ifindex), fnSide);
  if (made.errno !== 0) return made;
  // Without its sandbox it stays here: the engine is about to say what becomes of the endpoint.
  return (await sandboxIsThere(port)) ? placeInSandbox(context, port) : DONE;
}

/** What keeps a function from being a port, null when nothing does. */
function problemOf(found: NicFunction | undefined): string | null {
  if (found === undefined) return 'there is no such function (its VFs were disabled, or the NIC was reset)';
  if (found.driver === null) return `no driver is bound to ${found.device ?? 'it'}`;
  if (found.netdev === null && isPassthrough(found.driver))
    return `${found.driver} has taken ${found.device}`;
  return found.representor === null ? 'it has no representor (is the NIC in switchdev mode?)' : null;
}

/** Whether a port's function can serve; its netdev may be in a sandbox, where nothing is seen of it. */
export function serves(context: NativeContext, found: NicFunction, fn: string): boolean {
  if (problemOf(found) !== null) return false;
  const { netdev } = found;
  return netdev === null || (netdev.name === fn && sideOf(context, netdev.altnames) === fn);
}

function lost(ref: FunctionRef, why: string): OpResult {
  return { errno: ERRNO.ENODEV, extack: `${functionKey(ref)}: ${why}` };
}

async function isInSandbox(
  { nics }: NativeContext,
  { sandbox }: Port,
  { device }: NicFunction,
): Promise<boolean> {
  if (sandbox === null || device === null || nics === null) return false;
  return (await nics.functionIn(sandbox.netns, device).catch(() => null)) !== null;
}

/** A NIC that keeps no MAC for its functions forwards by the representor alone. */
async function setFunctionMac(
  { nics }: NativeContext,
  { vf: ref, fnMac }: VfPort,
  { hwAddr }: NicFunction,
): Promise<OpResult> {
  if (nics === null || hwAddr === fnMac) return DONE;
  const [result] = await nics.apply([{ verb: 'function-mac', ref, mac: fnMac }]);
  return result === undefined || result.errno === ERRNO.EOPNOTSUPP ? DONE : result;
}

/** Name of the function side in a sandbox, by the device of the function that `rep` represents. */
export async function ifnameIn(context: NativeContext, netns: string, rep: string): Promise<string | null> {
  const { nics, identity } = context;
  if (nics === null || linkRole(identity, rep) === null) return null;
  for (const { representor, device } of (await functionsByKey(context)).values()) {
    if (representor === null || device === null || sideOf(context, representor.altnames) !== rep) continue;
    return nics.functionIn(netns, device);
  }
  return null;
}
