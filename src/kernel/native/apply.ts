/** A plan's operations in order, adjacent ones of one kind as one batch: `KernelPort.apply`. */
import type { FibEntry, Kind, Resource } from '../../ir/resource.ts';
import { ERRNO } from '../../lib/errno.ts';
import { EswError } from '../../lib/errors.ts';
import type { Op, OpResult } from '../port.ts';
import { deleteDirectPorts, deleteVlanLinks, putDirectPorts, putVlanLinks } from './apply-direct.ts';
import { deleteEntries, putEntries, swapEntries } from './apply-entries.ts';
import {
  deleteAddresses,
  deleteForward,
  deletePrograms,
  putAddresses,
  putForward,
  putPrograms,
  putSysctls,
} from './apply-host.ts';
import { deletePorts, putPorts } from './apply-ports.ts';
import { DONE } from './batch.ts';
import type { NativeContext } from './context.ts';
import { attachHooks, detachHooks } from './hooks.ts';
import { LinkNames } from './link-names.ts';

/** What a batch handler gets: resources of one kind. */
interface Handler<R extends Resource> {
  put(context: NativeContext, names: LinkNames, resources: readonly R[]): Promise<readonly OpResult[]>;
  delete(context: NativeContext, names: LinkNames, resources: readonly R[]): Promise<readonly OpResult[]>;
}

type Handlers = { readonly [K in Exclude<Kind, 'nft-element'>]: Handler<Extract<Resource, { kind: K }>> };

const HANDLERS: Handlers = {
  programs: { put: putPrograms, delete: deletePrograms },
  port: { put: putPorts, delete: deletePorts },
  'vlan-link': { put: putVlanLinks, delete: deleteVlanLinks },
  'direct-port': { put: putDirectPorts, delete: deleteDirectPorts },
  address: { put: putAddresses, delete: deleteAddresses },
  sysctl: {
    put: putSysctls,
    // Never set back: somebody else may rely on the value by now.
    delete: async (_context, _names, sysctls) => sysctls.map(() => DONE),
  },
  hook: { put: attachHooks, delete: detachHooks },
  'port-entry': { put: putEntries, delete: deleteEntries },
  'net-entry': { put: putEntries, delete: deleteEntries },
  'subnet-entry': { put: putEntries, delete: deleteEntries },
  'fib-entry': { put: putEntries, delete: deleteEntries },
  'nft-table': {
    put: async ({ nft }, _names, tables) => sequence(tables, table => nft.createTable(table.digest)),
    delete: async ({ nft }, _names, tables) => sequence(tables, () => nft.deleteTable()),
  },
  'forward-accept': { put: putForward, delete: deleteForward },
};

/** Operations that one call can carry. */
type Group =
  | { readonly type: 'swap'; readonly entries: readonly FibEntry[] }
  | { readonly type: 'elements'; readonly ops: readonly Exclude<Op, { verb: 'swap-fib' }>[] }
  | { readonly type: 'put' | 'delete'; readonly kind: Kind; readonly resources: readonly Resource[] };

/** Splits a plan into groups, keeping its order. */
export function groupOps(ops: readonly Op[]): Group[] {
  const groups: Group[] = [];
  for (const op of ops) {
    const last = groups.at(-1);
    if (op.verb === 'swap-fib') {
      groups.push({ type: 'swap', entries: op.entries });
    } else if (op.resource.kind === 'nft-element') {
      if (last?.type === 'elements') (last.ops as Op[]).push(op);
      else groups.push({ type: 'elements', ops: [op] });
    } else {
      const type = op.verb === 'delete' ? 'delete' : 'put';
      const { kind } = op.resource;
      const joins = last !== undefined && last.type === type && 'kind' in last && last.kind === kind;
      if (joins) (last.resources as Resource[]).push(op.resource);
      else groups.push({ type, kind, resources: [op.resource] });
    }
  }
  return groups;
}

/**
 * Runs the groups one after the other. A group that fails as a whole fails its operations, not those
 * after it. `seen` keeps link names from one apply to the next.
 */
export async function applyOps(
  context: NativeContext,
  seen: Map<string, number>,
  ops: readonly Op[],
): Promise<OpResult[]> {
  const doomed = ops.flatMap(op =>
    op.verb === 'delete' && op.resource.kind === 'port' && op.resource.vf === null ? [op.resource.rep] : [],
  );
  const names = new LinkNames(context, seen, new Set(doomed));
  const results: OpResult[] = [];
  for (const group of groupOps(ops)) {
    const size =
      group.type === 'swap' ? 1 : group.type === 'elements' ? group.ops.length : group.resources.length;
    const done = await runGroup(context, names, group).catch(error => {
      context.log.warn({ err: error }, 'a batch of kernel operations failed');
      return Array.from({ length: size }, () => refusal(error));
    });
    results.push(...done);
  }
  return results;
}

async function runGroup(
  context: NativeContext,
  names: LinkNames,
  group: Group,
): Promise<readonly OpResult[]> {
  switch (group.type) {
    case 'swap':
      return [await swapEntries(context, names, group.entries)];
    case 'elements':
      return context.nft.changeElements(
        group.ops.flatMap(({ verb, resource }) =>
          resource.kind === 'nft-element' ? [{ verb, element: resource }] : [],
        ),
      );
    case 'put':
    case 'delete': {
      const handler = HANDLERS[group.kind as keyof Handlers] as Handler<Resource>;
      return handler[group.type](context, names, group.resources);
    }
  }
}

async function sequence<T>(items: readonly T[], run: (item: T) => Promise<OpResult>): Promise<OpResult[]> {
  const results: OpResult[] = [];
  for (const item of items) results.push(await run(item));
  return results;
}

/** A thrown error as a result: a value that does not fit its record, or a lane that is full. */
function refusal(error: unknown): OpResult {
  const extack = error instanceof Error ? error.message : String(error);
  if (error instanceof RangeError) return { errno: ERRNO.EINVAL, extack };
  return { errno: error instanceof EswError && error.retry === 'yes' ? ERRNO.EAGAIN : ERRNO.EIO, extack };
}
