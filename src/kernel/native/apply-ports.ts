/** Ports of both sorts: veth pairs and functions of NICs. */
import type { Port } from '../../ir/resource.ts';
import { ERRNO } from '../../lib/errno.ts';
import type { OpResult } from '../port.ts';
import { DONE } from './batch.ts';
import type { NativeContext } from './context.ts';
import type { LinkNames } from './link-names.ts';
import { deletePairs, putPairs } from './veth-ports.ts';
import { isVfPort, putVfPorts } from './vf-ports.ts';
import { releaseVfPorts } from './vf-release.ts';

/** ETH_MIN_MTU and ETH_MAX_MTU: the library takes 0 for "leave alone", so they are checked here. */
const MIN_MTU = 68;
const MAX_MTU = 65_535;

/** Makes ports, or puts those of ours right. */
export async function putPorts(
  context: NativeContext,
  names: LinkNames,
  ports: readonly Port[],
): Promise<OpResult[]> {
  const refusals = ports.map(port => checkMtu(port.mtu));
  const good = ports.filter((_, at) => refusals[at] === null);
  const [pairs, functions] = [good.filter(port => !isVfPort(port)), good.filter(isVfPort)];
  const results = new Map<Port, OpResult>();
  const note = (list: readonly Port[], outcome: readonly OpResult[]): void => {
    for (const [at, port] of list.entries()) results.set(port, outcome[at] ?? DONE);
  };
  if (pairs.length > 0) note(pairs, await putPairs(context, names, pairs));
  if (functions.length > 0) note(functions, await putVfPorts(context, names, functions));
  return ports.map((port, at) => refusals[at] ?? results.get(port) ?? DONE);
}

/** Pairs go, wherever their function side is; functions are given back. */
export async function deletePorts(
  context: NativeContext,
  names: LinkNames,
  ports: readonly Port[],
): Promise<OpResult[]> {
  const [pairs, functions] = [ports.filter(port => !isVfPort(port)), ports.filter(isVfPort)];
  const deleted = await deletePairs(context, names, pairs);
  const released = await releaseVfPorts(context, names, functions);
  return ports.map(port => {
    const outcome = isVfPort(port) ? released[functions.indexOf(port)] : deleted[pairs.indexOf(port)];
    return outcome ?? DONE;
  });
}

function checkMtu(mtu: number): OpResult | null {
  if (mtu < MIN_MTU) return { errno: ERRNO.EINVAL, extack: 'mtu less than device minimum' };
  return mtu > MAX_MTU ? { errno: ERRNO.EINVAL, extack: 'mtu greater than device maximum' } : null;
}
