/** Everything of this instance in the kernel, as resources: `KernelPort.dump`. */
import { forwardAccept, programs } from '../../ir/make.ts';
import { gatewayPrefix } from '../../ir/names.ts';
import type { ForwardAccept, Key, Resource } from '../../ir/resource.ts';
import { ipFamily } from '../../lib/ip.ts';
import type { NicFunction } from '../../model/nic.ts';
import type { Snapshot } from '../port.ts';
import type { NativeContext } from './context.ts';
import { type EntryRows, observedEntries } from './entries.ts';
import { isAccepted } from './forward-accept.ts';
import { readPortHooks } from './hooks.ts';
import { type HostLinks, hostLinks, isFunction, isOfNic, isRepresentor } from './links.ts';
import { observedTable } from './nft-listing.ts';
import { observedDirect } from './observe-direct.ts';
import { observedAddresses, observedHooks, observedPorts } from './observe-links.ts';
import { PORT_PROGRAM } from './pins.ts';
import { GLOBAL_SYSCTLS, gatewaySysctls, readSysctls } from './sysctl.ts';
import { FIB, NETS, PORTS, SUBNETS } from './tables.ts';
import { functionsByKey } from './vf-functions.ts';

/** Reads the lanes beside each other; links come first, because the rest is named by them. */
export async function observe(
  context: NativeContext,
  sandboxes: () => Iterable<string> = () => [],
): Promise<Snapshot> {
  const links = await hostLinks(context.library, context.identity);
  const { library, pins, maps } = context;
  const [direct, programId, hookRecords, rows, addresses, table, sysctls, functions] = await Promise.all([
    observedDirect(context, links, sandboxes()),
    library.call('esw_prog_id', pins.dir, PORT_PROGRAM),
    readPortHooks(context, links),
    readRows(context),
    observedAddresses(context, links),
    context.nft.list(),
    readSysctls(sysctlPaths(context, links)),
    representedFunctions(context, links),
  ]);
  const hooks = observedHooks(hookRecords, links, programId);
  const found: Resource[] = [
    ...(await observedPrograms(context, programId)),
    ...observedPorts(context, links, rows.ports, functions),
    ...direct,
    ...hooks.resources,
    ...addresses,
    ...sysctls,
    ...observedEntries(rows, links),
    ...(table === null ? [] : [observedTable(table), ...table.elements]),
    ...(await observedForward(context, rows)),
  ];
  return {
    resources: new Map<Key, Resource>(found.map(resource => [resource.key, resource])),
    foreign: links.foreign.map(({ name, key }) => ({
      key,
      what: `link ${name} does not carry our altname`,
    })),
    homeFunctions: new Set([...links.own.values()].filter(l => isFunction(l.role)).map(l => l.name)),
    generation: await maps.generation(),
    hookMode: hooks.mode,
  };
}

/** Functions by their representor's ifindex. NICs are asked only when a port may be one of theirs. */
async function representedFunctions(
  context: NativeContext,
  links: HostLinks,
): Promise<ReadonlyMap<number, NicFunction>> {
  if (![...links.own.values()].some(link => isRepresentor(link.role) && isOfNic(link))) return new Map();
  const functions = [...(await functionsByKey(context)).values()];
  return new Map(
    functions.flatMap(each => (each.representor === null ? [] : [[each.representor.ifindex, each] as const])),
  );
}

async function readRows({ maps }: NativeContext): Promise<EntryRows> {
  const [ports, nets, subnets, fib] = await Promise.all([
    maps.dump(PORTS),
    maps.dump(NETS),
    maps.dump(SUBNETS),
    maps.dump(FIB),
  ]);
  return { ports, nets, subnets, fib };
}

/** Incomplete pins and programs of unknown origin have a digest that nothing desired can have. */
async function observedPrograms({ pins }: NativeContext, programId: number): Promise<Resource[]> {
  if (programId <= 0) return [];
  const digest = (await pins.isWhole()) ? await pins.noted(programId) : null;
  return [programs(digest ?? `unknown:${programId}`)];
}

function sysctlPaths(context: NativeContext, links: HostLinks): string[] {
  const gateways = [...links.own.values()].filter(link => link.role === 'gateway-fn');
  const paths = gateways.flatMap(link => gatewaySysctls(link.currentName));
  return [...new Set([...GLOBAL_SYSCTLS, ...paths, ...context.sysctlsSeen])];
}

/**
 * Accept rules where they are needed, and nothing where nothing could drop: then a family counts as
 * accepted while the tables have an open network of it, as that is when `compile` asks for it.
 */
async function observedForward(context: NativeContext, rows: EntryRows): Promise<Resource[]> {
  const { identity, forward } = context;
  const prefix = gatewayPrefix(identity);
  const forwarded = forwardedFamilies(rows);
  const families = await Promise.all(
    (['ip', 'ip6'] as const).map(async family => ({ family, chains: await forward.read(family) })),
  );
  return families
    .filter(({ family, chains }) =>
      chains.chain === null ? forwarded.has(family) : isAccepted(chains, identity.instance, prefix),
    )
    .map(({ family }) => forwardAccept(family, prefix));
}

/** Families of the subnets of networks that are not internal. */
function forwardedFamilies({ nets, subnets }: EntryRows): ReadonlySet<ForwardAccept['family']> {
  const open = new Set(nets.filter(row => !row.internal).map(row => row.net));
  const families = subnets.filter(row => open.has(row.net)).map(row => ipFamily(row.pool));
  return new Set(families.map(family => (family === 4 ? 'ip' : 'ip6')));
}
