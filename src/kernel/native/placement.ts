/** A function side into its sandbox, configured as Docker had it: for ports that were lost and rebuilt. */
import { spawn } from 'node:child_process';
import { access } from 'node:fs/promises';
import { altname } from '../../ir/names.ts';
import type { DirectPort, Port, SandboxPlacement } from '../../ir/resource.ts';
import type { Cidr, Ip } from '../../lib/brand.ts';
import { ERRNO } from '../../lib/errno.ts';
import { cidrAddress, cidrLength, ipFamily, ipToBytes } from '../../lib/ip.ts';
import type { OpResult } from '../port.ts';
import { applyBatch, DONE } from './batch.ts';
import type { NativeContext } from './context.ts';
import { ADD, ADDR_OP, LINK_OP, LINK_SET, LINK_VERB, PROTO_MARK, ROUTE_OP } from './records.ts';

const AF_INET = 2;
const AF_INET6 = 10;
const RT_TABLE_MAIN = 254;

/** Whether there is a sandbox to put the function side into: it may have ended by now. */
export async function sandboxIsThere({ sandbox }: Pick<Port, 'sandbox'>): Promise<boolean> {
  if (sandbox === null) return false;
  return access(sandbox.netns).then(
    () => true,
    () => false,
  );
}

/** Moves, renames and raises the function side, then sets its addresses and default routes. */
export async function placeInSandbox(
  context: NativeContext,
  port: Pick<Port | DirectPort, 'fn' | 'sandbox'>,
): Promise<OpResult> {
  const { sandbox } = port;
  if (sandbox === null) return DONE;
  const { library, identity } = context;
  const move = {
    verb: LINK_VERB.set,
    set: LINK_SET.netns | LINK_SET.name | LINK_SET.up,
    name: port.fn,
    new_name: sandbox.ifname,
    to_netns: sandbox.netns,
    altname: altname(identity, port.fn),
    up: 1,
  };
  const [moved] = await applyBatch(library, 'esw_link_apply', LINK_OP, [move]);
  if (moved === undefined || moved.errno !== 0) return pick(moved);
  const addressed = await setAddresses(context, sandbox);
  return addressed.errno === 0 ? setRoutes(context, sandbox) : addressed;
}

async function setAddresses(context: NativeContext, sandbox: SandboxPlacement): Promise<OpResult> {
  const attempt = async (): Promise<OpResult> => {
    const ops = sandbox.addresses.map(cidr => addressOp(sandbox.netns, sandbox.ifname, cidr));
    const results = await applyBatch(context.library, 'esw_addr_apply', ADDR_OP, ops);
    return results.find(result => result.errno !== 0) ?? DONE;
  };
  const first = await attempt();
  if (first.errno !== ERRNO.EACCES) return pick(first);
  // Docker disables IPv6 by default in its sandboxes and enables it per interface; so must we.
  await enableIp6(sandbox);
  return pick(await attempt());
}

async function setRoutes({ library }: NativeContext, sandbox: SandboxPlacement): Promise<OpResult> {
  const ops = sandbox.gateways.map(gateway => ({
    verb: ADD,
    netns: sandbox.netns,
    oif: sandbox.ifname,
    family: familyOf(gateway),
    has_gateway: 1,
    protocol: PROTO_MARK,
    table: RT_TABLE_MAIN,
    gateway: wireAddress(gateway),
  }));
  const results = await applyBatch(library, 'esw_route_apply', ROUTE_OP, ops);
  return pick(results.find(result => result.errno !== 0) ?? DONE);
}

/** An address record; duplicate address detection would delay an IPv6 address that nobody else can have. */
export function addressOp(netns: string, name: string, cidr: Cidr, verb = ADD) {
  const ip = cidrAddress(cidr);
  return {
    verb,
    netns,
    name,
    family: familyOf(ip),
    prefixlen: cidrLength(cidr),
    nodad: ipFamily(ip) === 6 ? 1 : 0,
    addr: wireAddress(ip),
  };
}

function familyOf(ip: Ip): number {
  return ipFamily(ip) === 4 ? AF_INET : AF_INET6;
}

/** In network order: four bytes or sixteen. */
export function wireAddress(ip: Ip): Uint8Array {
  return ipFamily(ip) === 4 ? ipToBytes(ip).subarray(12) : ipToBytes(ip);
}

/** A sysctl of another namespace can be written only from inside; `tee` writes what it reads. */
async function enableIp6({ netns, ifname }: SandboxPlacement): Promise<void> {
  const path = `/proc/sys/net/ipv6/conf/${ifname}/disable_ipv6`;
  await new Promise<void>(resolve => {
    const child = spawn('nsenter', [`--net=${netns}`, 'tee', path], { stdio: ['pipe', 'ignore', 'ignore'] });
    child.once('error', () => resolve());
    child.once('close', () => resolve());
    child.stdin.on('error', () => undefined);
    child.stdin.end('0');
  });
}

function pick(result: OpResult | undefined): OpResult {
  return { errno: result?.errno ?? ERRNO.EIO, extack: result?.extack ?? '' };
}
