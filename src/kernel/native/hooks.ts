/**
 * The port program on the ingress of representors.
 *
 * Attaching through tcx waits for an RCU grace period while it holds the rtnl lock (tcx_entry_sync):
 * 10 to 20 ms for every port, in which no other link on the host can change. A clsact filter takes
 * 0.2 ms (2 ms with 9,000 of them: the kernel keeps such qdiscs in one list). So in mode `auto` a new
 * port gets a clsact filter, and moves to tcx once the host has been quiet for a while; the tcx program
 * is there before the filter goes, so no packet is missed.
 */
import type { Hook } from '../../ir/resource.ts';
import { ERRNO } from '../../lib/errno.ts';
import type { OpResult } from '../port.ts';
import { applyBatch, type BatchResult, DONE, dumpRecords } from './batch.ts';
import type { NativeContext } from './context.ts';
import type { ValuesOf } from './layout.ts';
import type { LinkNames } from './link-names.ts';
import { type HostLinks, isRepresentor } from './links.ts';
import { PORT_PROGRAM } from './pins.ts';
import { HOOK_MODE, HOOK_OP, HOOK_REC, HOOK_VERB } from './records.ts';

export type HookRecord = ValuesOf<typeof HOOK_REC>;

/** Refusals that mean: this kernel lacks that kind of hook. */
const LACKING: readonly number[] = [ERRNO.ENOENT, ERRNO.EOPNOTSUPP, ERRNO.EINVAL];

/** Our programs on the ingress of representors, whatever generation. */
export async function readPortHooks(
  { library, pins }: NativeContext,
  links: HostLinks,
): Promise<HookRecord[]> {
  const reps = [...links.own.values()].filter(link => isRepresentor(link.role));
  if (reps.length === 0) return [];
  const list = Buffer.alloc(reps.length * 4);
  reps.forEach((link, at) => {
    list.writeUInt32LE(link.ifindex, at * 4);
  });
  const records = await dumpRecords(
    'esw_hook_dump',
    HOOK_REC,
    out => library.call('esw_hook_dump', pins.dir, list, reps.length, out, out.length),
    // One on each; a second dump for want of room would cost as much as the first.
    reps.length + 16,
  );
  return records.filter(record => record.ours === 1 && record.egress === 0);
}

/** Attaches the pinned program, in place of an older one where there is one. */
export async function attachHooks(
  context: NativeContext,
  names: LinkNames,
  hooks: readonly Hook[],
): Promise<OpResult[]> {
  const links = await names.resolve(hooks.map(hook => hook.link));
  const present = hooks.filter((_, at) => links[at]?.ifindex !== null);
  const results = await attach(
    context,
    present.map(hook => hook.link),
  );
  let next = 0;
  return links.map(link => (link.ifindex === null ? link.refusal : plain(results[next++] ?? DONE)));
}

async function attach(context: NativeContext, links: readonly string[]): Promise<BatchResult[]> {
  const { hookMode, pins } = context;
  // A port that is on tcx already stays there: replacing the program of its link costs nothing.
  const modeOf = (name: string): number =>
    hookMode !== 'auto' ? HOOK_MODE[hookMode] : pins.hasTcxLink(name) ? HOOK_MODE.tcx : HOOK_MODE.clsact;
  const results = await attachIn(
    context,
    links.map(name => ({ name, mode: modeOf(name) })),
  );
  const lacking = links.filter((_, at) => hookMode === 'auto' && LACKING.includes(results[at]?.errno ?? 0));
  if (lacking.length === 0) return results;
  const second = await attachIn(
    context,
    lacking.map(name => ({ name, mode: HOOK_MODE.auto })),
  );
  const byName = new Map(lacking.map((name, at) => [name, second[at]]));
  return results.map((result, at) => byName.get(links[at] ?? '') ?? result);
}

/** Attaches to links by name, each in its mode. */
export function attachIn(
  { library, pins }: NativeContext,
  links: readonly { readonly name: string; readonly mode: number }[],
): Promise<BatchResult[]> {
  const ops = links.map(({ name, mode }) => ({
    verb: HOOK_VERB.attach,
    mode,
    name,
    program: PORT_PROGRAM,
    dir: pins.dir,
  }));
  return applyBatch(library, 'esw_hook_apply', HOOK_OP, ops);
}

/** Detaches. Hooks of links that this plan deletes go with them: one grace period instead of two. */
export async function detachHooks(
  { library, pins }: NativeContext,
  names: LinkNames,
  hooks: readonly Hook[],
): Promise<OpResult[]> {
  const staying = hooks.filter(hook => !names.isDoomed(hook.link));
  const links = await names.resolve(staying.map(hook => hook.link));
  const present = staying.filter((_, at) => links[at]?.ifindex !== null);
  const ops = present.map(({ link }) => ({
    verb: HOOK_VERB.detach,
    mode: HOOK_MODE.auto,
    name: link,
    program: PORT_PROGRAM,
    dir: pins.dir,
  }));
  const results = await applyBatch(library, 'esw_hook_apply', HOOK_OP, ops);
  const outcome = new Map(present.map((hook, at) => [hook, plain(results[at] ?? DONE)]));
  return hooks.map(hook => outcome.get(hook) ?? DONE);
}

/** Takes the program off one link, whatever its name is by now. */
export async function detachFrom({ library, pins }: NativeContext, name: string): Promise<OpResult> {
  const op = { verb: HOOK_VERB.detach, mode: HOOK_MODE.auto, name, program: PORT_PROGRAM, dir: pins.dir };
  const [result] = await applyBatch(library, 'esw_hook_apply', HOOK_OP, [op]);
  return plain(result ?? DONE);
}

function plain({ errno, extack }: OpResult): OpResult {
  return { errno, extack };
}
