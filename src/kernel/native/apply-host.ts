/** Programs, gateway addresses, sysctls and forward rules. */
import { linkRole } from '../../ir/names.ts';
import type { Address, ForwardAccept, Programs, Sysctl } from '../../ir/resource.ts';
import { ERRNO } from '../../lib/errno.ts';
import { ipFamily } from '../../lib/ip.ts';
import type { OpResult } from '../port.ts';
import { applyBatch, DONE } from './batch.ts';
import type { NativeContext } from './context.ts';
import { attachIn, readPortHooks } from './hooks.ts';
import type { LinkNames, Resolved } from './link-names.ts';
import { hostLinks } from './links.ts';
import { loopbackRoute } from './loopback-route.ts';
import { PORT_PROGRAM } from './pins.ts';
import { addressOp } from './placement.ts';
import { ADDR_OP, DELETE, ROUTE_OP } from './records.ts';
import { writeSysctl } from './sysctl.ts';

/**
 * Loads the object and pins it over the old programs; pinned maps and their contents stay. Hooks
 * that are attached are moved to the new program at once, each atomically: no packet is lost.
 */
export async function putPrograms(
  context: NativeContext,
  _names: LinkNames,
  resources: readonly Programs[],
): Promise<OpResult[]> {
  const results: OpResult[] = [];
  for (const { digest } of resources) results.push(await load(context, digest));
  return results;
}

async function load(context: NativeContext, digest: string): Promise<OpResult> {
  const { library, pins, maps, maxPorts, bpfObject } = context;
  const out = Buffer.alloc(8192);
  const sizes = `ports=${maxPorts},stats=${maxPorts},drops=${4 * maxPorts}`;
  const status = await library.call('esw_bpf_load', bpfObject, pins.dir, sizes, out, out.length);
  if (status < 0) return { errno: -status, extack: textOf(out) || `${bpfObject} cannot be loaded` };
  if ((await maps.generation()) === 0) {
    const made = await maps.swapFib([]);
    if (made.errno !== 0) return made;
  }
  const programId = await library.call('esw_prog_id', pins.dir, PORT_PROGRAM);
  if (programId < 0) return { errno: -programId, extack: `${bpfObject} has no program ${PORT_PROGRAM}` };
  const moved = await moveHooks(context, programId);
  if (moved.errno !== 0) return moved;
  await pins.sweep((await hostLinks(library, context.identity)).own);
  await pins.note(digest, programId);
  return DONE;
}

/** Links under a foreign name wait for their repair: pins go by name. */
async function moveHooks(context: NativeContext, programId: number): Promise<OpResult> {
  const links = await hostLinks(context.library, context.identity);
  const older = (await readPortHooks(context, links)).filter(record => record.prog_id !== programId);
  const results = await attachIn(
    context,
    older.flatMap(record => {
      const link = links.byIfindex.get(record.ifindex);
      return link === undefined || link.currentName !== link.name
        ? []
        : [{ name: link.name, mode: record.mode }];
    }),
  );
  return plain(results.find(result => result.errno !== 0) ?? DONE);
}

/** Removes programs and maps; what is attached by tc itself keeps running until its link goes. */
export async function deletePrograms(
  { pins }: NativeContext,
  _names: LinkNames,
  resources: readonly Programs[],
): Promise<OpResult[]> {
  await pins.remove();
  return resources.map(() => DONE);
}

/** IPv6 gateway addresses come with the route that lets published ports answer on [::1]. */
export async function putAddresses(
  { library }: NativeContext,
  names: LinkNames,
  addresses: readonly Address[],
): Promise<OpResult[]> {
  const links = await names.resolve(addresses.map(address => address.link));
  const present = addresses.flatMap((address, at) => {
    const ifindex = links[at]?.ifindex ?? null;
    return ifindex === null ? [] : [{ address, ifindex }];
  });
  const set = await applyBatch(
    library,
    'esw_addr_apply',
    ADDR_OP,
    present.map(({ address }) => addressOp('', address.link, address.cidr)),
  );
  const v6 = present.filter(({ address }) => ipFamily(address.cidr) === 6);
  const routes = v6.map(({ address, ifindex }) => loopbackRoute(address.link, ifindex));
  const routed = await applyBatch(library, 'esw_route_apply', ROUTE_OP, routes);
  const outcome = new Map<Address, OpResult>(
    present.map(({ address }, at) => [address, plain(set[at] ?? DONE)]),
  );
  v6.forEach(({ address }, at) => {
    const route = routed[at] ?? DONE;
    if (route.errno !== 0 && outcome.get(address)?.errno === 0) outcome.set(address, plain(route));
  });
  return addresses.map((address, at) => outcome.get(address) ?? refusalOf(links[at]));
}

export async function deleteAddresses(
  { library }: NativeContext,
  names: LinkNames,
  addresses: readonly Address[],
): Promise<OpResult[]> {
  const links = await names.resolve(addresses.map(address => address.link));
  const present = addresses.filter((_, at) => links[at]?.ifindex !== null);
  const ops = present.map(address => addressOp('', address.link, address.cidr, DELETE));
  const results = await applyBatch(library, 'esw_addr_apply', ADDR_OP, ops);
  const outcome = new Map(present.map((address, at) => [address, plain(results[at] ?? DONE)]));
  return addresses.map(address => outcome.get(address) ?? DONE);
}

/** A per-link sysctl is written only for a link of ours, where its name is one of ours. */
export async function putSysctls(
  context: NativeContext,
  names: LinkNames,
  sysctls: readonly Sysctl[],
): Promise<OpResult[]> {
  const links = sysctls.map(({ path }) => /^net\/ipv[46]\/conf\/([^/]+)\//.exec(path)?.[1] ?? null);
  const ours = links.filter(link => link !== null && linkRole(context.identity, link) !== null) as string[];
  const resolved = await names.resolve(ours);
  const refused = new Map(
    ours.flatMap((name, at) => (resolved[at]?.ifindex === null ? [[name, resolved[at]]] : [])),
  );
  return Promise.all(
    sysctls.map((sysctl, at) => {
      const refusal = refused.get(links[at] ?? '');
      if (refusal !== undefined) return refusalOf(refusal);
      context.sysctlsSeen.add(sysctl.path);
      return writeSysctl(sysctl);
    }),
  );
}

export async function putForward(
  { forward }: NativeContext,
  _names: LinkNames,
  accepts: readonly ForwardAccept[],
): Promise<OpResult[]> {
  return Promise.all(accepts.map(accept => forward.create(accept)));
}

export async function deleteForward(
  { forward }: NativeContext,
  _names: LinkNames,
  accepts: readonly ForwardAccept[],
): Promise<OpResult[]> {
  return Promise.all(accepts.map(accept => forward.delete(accept)));
}

function refusalOf(link: Resolved | undefined): OpResult {
  return link?.ifindex === null ? link.refusal : { errno: ERRNO.ENODEV, extack: '' };
}

function plain({ errno, extack }: OpResult): OpResult {
  return { errno, extack };
}

function textOf(out: Buffer): string {
  const end = out.indexOf(0);
  return out.toString('utf8', 0, end < 0 ? out.length : end).trim();
}
