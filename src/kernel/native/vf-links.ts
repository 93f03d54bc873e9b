/**
 * A NIC's links as sides of a port: marked and renamed, and given back. They were there before us and
 * stay after us, so the name a link had is kept on the link itself, as an altname of our own.
 */
import { altname, altnameMark, formerMark, linkRole } from '../../ir/names.ts';
import type { Mac } from '../../lib/brand.ts';
import { ERRNO } from '../../lib/errno.ts';
import { macToBytes } from '../../lib/mac.ts';
import type { NicLink } from '../../model/nic.ts';
import type { LinkSnapshot } from '../../model/vf-lease.ts';
import type { OpResult } from '../port.ts';
import { applyBatch, type BatchResult, DONE, dumpRecords } from './batch.ts';
import type { NativeContext } from './context.ts';
import type { ValuesOf } from './layout.ts';
import { LINK_OP, LINK_REC, LINK_SET, LINK_VERB } from './records.ts';

type LinkOp = Partial<ValuesOf<typeof LINK_OP>>;

const NO_MAC = '00:00:00:00:00:00';

/** What a link is to be as a side of a port. */
export interface Dress {
  /** Name of ours. */
  readonly name: string;
  readonly mac: Mac;
  readonly mtu: number;
  readonly side: 'representor' | 'function';
}

/** Ifindex → the name the link had before it became ours; links that are none of ours are left out. */
export async function formerNames({
  library,
  identity,
}: NativeContext): Promise<ReadonlyMap<number, string>> {
  const prefix = formerMark(identity, '');
  const records = await dumpRecords('links', LINK_REC, out =>
    library.call('esw_link_dump', '', prefix, 1, out, out.length),
  );
  return new Map(records.map(({ ifindex, altname: text }) => [ifindex, text.slice(prefix.length)]));
}

/**
 * Marks first and the name after them: no link has a name of ours without a mark. A representor ends up,
 * without an IPv6 address of its own; a function side ends down, because who takes it raises it.
 */
export async function dress(
  context: NativeContext,
  link: Pick<NicLink, 'name' | 'ifindex' | 'mac' | 'up'>,
  former: string | undefined,
  wanted: Dress,
): Promise<OpResult> {
  const { identity } = context;
  const isRep = wanted.side === 'representor';
  const set = LINK_SET.name | LINK_SET.altname | LINK_SET.mtu | LINK_SET.mac | LINK_SET.up;
  const wasOurs = former !== undefined;
  return run(context, [
    ...(wasOurs ? [] : [addAltname(link.name, formerMark(identity, link.name))]),
    // Not every driver takes another MAC while the link is up.
    ...(link.up && (!isRep || link.mac !== wanted.mac) ? [setUp(link.name, false)] : []),
    {
      ...{ verb: LINK_VERB.set, set: isRep ? set | LINK_SET.noaddrgen : set },
      ...{ name: link.name, new_name: wanted.name, altname: altname(identity, wanted.name) },
      ...{ mac: macToBytes(wanted.mac), mtu: wanted.mtu, up: isRep ? 1 : 0, noaddrgen: isRep ? 1 : 0 },
    },
    // Inside a sandbox an engine may need that very name, so a function side goes without.
    ...(isRep && !wasOurs && link.name !== wanted.name ? [addAltname(wanted.name, link.name)] : []),
  ]);
}

/** Down, under the name it had (`dev<ifindex>` when that is taken by now), without marks of ours. */
export async function undress(
  context: NativeContext,
  link: { readonly name: string; readonly ifindex: number },
  former: string | undefined,
  ourName: string,
): Promise<OpResult> {
  const { identity } = context;
  const down = await run(context, [setUp(link.name, false)]);
  if (down.errno !== 0) return isGone(down) ? DONE : down;
  let { name } = link;
  if (former !== undefined && former !== name) {
    await run(context, [takeAltname(name, former)]);
    const back = await run(context, [rename(name, former)]);
    const kept = back.errno === ERRNO.EEXIST ? `dev${link.ifindex}` : former;
    const renamed = kept === former ? back : await run(context, [rename(name, kept)]);
    if (renamed.errno !== 0) return isGone(renamed) ? DONE : renamed;
    name = kept;
  }
  const marks = [altname(identity, ourName), ...(former === undefined ? [] : [formerMark(identity, former)])];
  return run(
    context,
    marks.map(mark => takeAltname(name, mark)),
  );
}

/** Name (if it is free), MAC, MTU and up state as they were. */
export async function restoreLink(
  context: NativeContext,
  link: NicLink,
  before: LinkSnapshot,
): Promise<OpResult> {
  let { name } = link;
  if (name !== before.name) {
    const renamed = await run(context, [rename(name, before.name)]);
    if (renamed.errno === 0) name = before.name;
  }
  const hasMac = before.mac !== NO_MAC && before.mac !== link.mac;
  return insisting(context, name, () =>
    run(context, [
      ...(hasMac && link.up ? [setUp(name, false)] : []),
      {
        ...{ verb: LINK_VERB.set, name, up: before.up ? 1 : 0, mtu: before.mtu, mac: macToBytes(before.mac) },
        set: LINK_SET.mtu | LINK_SET.up | (hasMac ? LINK_SET.mac : 0),
      },
    ]),
  );
}

/** How drivers refuse a MAC. */
const MAC_REFUSED: readonly number[] = [ERRNO.EADDRNOTAVAIL, ERRNO.EPERM, ERRNO.EINVAL];

/**
 * Drivers of VFs differ in how a MAC that the PF has set reaches the netdev: some show it at once or take
 * it when it is set there too; others (igbvf) refuse that, and read it when they are lowered.
 */
export async function insisting(
  context: NativeContext,
  name: string,
  attempt: () => Promise<OpResult>,
): Promise<OpResult> {
  const first = await attempt();
  if (!MAC_REFUSED.includes(first.errno)) return first;
  await run(context, [setUp(name, true), setUp(name, false)]);
  return attempt();
}

/** Out of a namespace, under `name`, down. */
export function bringHome(
  context: NativeContext,
  from: { readonly netns: string; readonly name: string },
  name: string,
): Promise<OpResult> {
  const set = LINK_SET.netns | LINK_SET.name | LINK_SET.up;
  const move = { netns: from.netns, name: from.name, new_name: name, to_netns: '', up: 0 };
  return run(context, [{ verb: LINK_VERB.set, set, ...move }]);
}

/** The port side that a link is by its marks, null when it carries none of ours. */
export function sideOf({ identity }: NativeContext, altnames: readonly string[]): string | null {
  const mark = altnameMark(identity);
  for (const text of altnames) {
    const name = text.startsWith(mark) ? text.slice(mark.length) : '';
    if (linkRole(identity, name) !== null) return name;
  }
  return null;
}

const addAltname = (name: string, text: string): LinkOp => {
  return { verb: LINK_VERB.set, set: LINK_SET.altname, name, altname: text };
};
const takeAltname = (name: string, text: string): LinkOp => {
  return { verb: LINK_VERB.unmark, name, altname: text };
};
const setUp = (name: string, up: boolean): LinkOp => {
  return { verb: LINK_VERB.set, set: LINK_SET.up, name, up: up ? 1 : 0 };
};
const rename = (from: string, to: string): LinkOp => {
  return { verb: LINK_VERB.set, set: LINK_SET.name, name: from, new_name: to };
};

const isGone = ({ errno }: OpResult): boolean => errno === ERRNO.ENODEV;

/** All of them in order; the first refusal counts. */
async function run({ library }: NativeContext, ops: readonly LinkOp[]): Promise<OpResult> {
  const results: readonly BatchResult[] = await applyBatch(library, 'esw_link_apply', LINK_OP, ops);
  const { errno, extack } = results.find(result => result.errno !== 0) ?? DONE;
  return { errno, extack };
}
