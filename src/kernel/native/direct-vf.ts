/**
 * VFs of a NIC in legacy mode as direct ports. The PF holds a VF to its attributes, so those come first;
 * then the VF's netdev is marked and renamed as any function side is, and goes into the container whole.
 */
import type { DirectPort, DirectVia } from '../../ir/resource.ts';
import { ERRNO } from '../../lib/errno.ts';
import {
  type DeviceName,
  functionKey,
  type NicFunction,
  type NicLink,
  type VfConfig,
} from '../../model/nic.ts';
import type { OpResult } from '../port.ts';
import { announce } from './announce.ts';
import { DONE } from './batch.ts';
import type { NativeContext } from './context.ts';
import { placeInSandbox, sandboxIsThere } from './placement.ts';
import { type Functions, functionsByKey, isPassthrough } from './vf-functions.ts';
import { dress, formerNames, insisting, sideOf, undress } from './vf-links.ts';
import { giveBack } from './vf-release.ts';

export type VfVia = Extract<DirectVia, { kind: 'vf' }>;
export type DirectVf = DirectPort & { readonly via: VfVia };

export function isDirectVf(port: DirectPort): port is DirectVf {
  return port.via.kind === 'vf';
}

/** Takes VFs as ports, or puts such ports right. One that is in its sandbox keeps its netdev as it is. */
export async function putDirectVfs(context: NativeContext, ports: readonly DirectVf[]): Promise<OpResult[]> {
  const functions = await functionsByKey(context);
  const results: OpResult[] = [];
  for (const port of ports) results.push(await putOne(context, functions, port));
  return results;
}

async function putOne(context: NativeContext, functions: Functions, port: DirectVf): Promise<OpResult> {
  const found = functions.get(functionKey(port.via.ref));
  const why = problemOf(found);
  if (found === undefined || why !== null) return lost(port, why ?? '');
  const { netdev } = found;
  const isAway = netdev === null;
  if (isAway && !(await isInSandbox(context, port, found.device)))
    return lost(port, `its netdev is in another namespace, or its driver (${found.driver}) makes none`);
  const isNew = !isAway && sideOf(context, netdev.altnames) !== port.fn;
  const held = await hold(context, port, found, isNew);
  if (held.errno !== 0 || isAway) return held;
  const dressed = await dressVf(context, port, found);
  // Half a port would keep the VF from others and be of no use itself.
  if (dressed.errno !== 0 && isNew) await giveBack(context, port.via.ref, null);
  if (dressed.errno !== 0 || port.sandbox === null || !(await sandboxIsThere(port))) return dressed;
  const placed = await placeInSandbox(context, port);
  if (placed.errno === 0) await announce(context.library, { ...port.sandbox, mac: port.mac });
  return placed;
}

/** What keeps a VF from being a port, null when nothing does. */
function problemOf(found: NicFunction | undefined): string | null {
  if (found === undefined) return 'there is no such VF (its VFs were disabled, or the NIC was reset)';
  if (found.representor !== null) return 'its NIC is in switchdev mode';
  if (found.vf === null) return 'its PF says nothing about it';
  if (found.driver === null) return `no driver is bound to ${found.device ?? 'it'}`;
  if (found.netdev === null && isPassthrough(found.driver))
    return `${found.driver} has taken ${found.device}`;
  return null;
}

function lost({ via }: DirectVf, why: string): OpResult {
  return { errno: ERRNO.ENODEV, extack: `${functionKey(via.ref)}: ${why}` };
}

async function isInSandbox(
  { nics }: NativeContext,
  { sandbox }: DirectVf,
  device: DeviceName | null,
): Promise<boolean> {
  if (sandbox === null || device === null || nics === null) return false;
  return (await nics.functionIn(sandbox.netns, device).catch(() => null)) !== null;
}

/** The PF's side. A trusted VF may have another MAC by now. */
async function hold(
  { nics }: NativeContext,
  port: DirectVf,
  { vf }: NicFunction,
  isNew: boolean,
): Promise<OpResult> {
  if (nics === null || vf === null) return DONE;
  const { ref, trust } = port.via;
  const { mac, ...rest } = wantedConfig(port);
  const config = isNew || (vf.mac !== mac && !trust) ? { mac, ...rest } : rest;
  const [result = DONE] = await nics.apply([{ verb: 'vf-config', ref, config }]);
  return result;
}

function wantedConfig({ mac, via }: DirectVf): VfConfig {
  const { vlan, spoofchk, trust, linkState, maxTxRate } = via;
  return {
    ...{ mac, vlan, vlanQos: 0, vlanProto: '802.1Q', minTxRate: 0, maxTxRate },
    ...{ spoofchk, trust, linkState },
  };
}

async function dressVf(context: NativeContext, port: DirectVf, { netdev }: NicFunction): Promise<OpResult> {
  if (netdev === null) return DONE;
  const { mac, mtu, fn } = port;
  const former = (await formerNames(context)).get(netdev.ifindex);
  const side = { name: fn, mac, mtu, side: 'function' } as const;
  let link: Pick<NicLink, 'name' | 'ifindex' | 'mac' | 'up'> = netdev;
  let known = former;
  // A refused MAC leaves the rest done: the link has our name by then, and its former one is noted.
  return insisting(context, fn, async () => {
    const done = await dress(context, link, known, side);
    known ??= netdev.name;
    link = { ...netdev, name: fn, up: false };
    return done;
  });
}

/** Gives VFs back under the names they had, unless they are another's by now. */
export async function releaseDirectVfs(
  context: NativeContext,
  ports: readonly DirectVf[],
): Promise<OpResult[]> {
  const results: OpResult[] = [];
  for (const port of ports) results.push(await releaseOne(context, port));
  return results;
}

async function releaseOne(context: NativeContext, port: DirectVf): Promise<OpResult> {
  const found = (await functionsByKey(context)).get(functionKey(port.via.ref));
  if (found === undefined) return DONE;
  const { netdev, device } = found;
  if (netdev === null)
    return (await isInSandbox(context, port, device)) ? giveBack(context, port.via.ref, null) : DONE;
  if (sideOf(context, netdev.altnames) !== port.fn) return DONE;
  return undress(context, netdev, (await formerNames(context)).get(netdev.ifindex), port.fn);
}

/** As observed: what the PF holds the VF to. */
export function observedVia({ ref, vf }: NicFunction): VfVia | null {
  if (vf === null) return null;
  const { vlan, spoofchk, trust, linkState, maxTxRate } = vf;
  return { kind: 'vf', ref, vlan, spoofchk, trust, linkState, maxTxRate };
}
