/** Our nftables table: reading it, making it, changing its elements. */
import type { NftElement } from '../../ir/resource.ts';
import { ERRNO } from '../../lib/errno.ts';
import type { OpResult } from '../port.ts';
import { DONE } from './batch.ts';
import type { NativeLibrary } from './library.ts';
import { MARKER, type NftListing, parseListing } from './nft-listing.ts';
import { isKnownSet, NFT_FAMILY, RULESET_BODY } from './nft-ruleset.ts';

/** What must become of one element. */
export interface ElementChange {
  readonly verb: 'create' | 'update' | 'delete';
  readonly element: NftElement;
}

const WORDS: readonly (readonly [string, number])[] = [
  ['No such file or directory', ERRNO.ENOENT],
  ['File exists', ERRNO.EEXIST],
  ['Operation not permitted', ERRNO.EPERM],
  ['Device or resource busy', ERRNO.EBUSY],
  ['Operation not supported', ERRNO.EOPNOTSUPP],
];

interface Reply {
  readonly errno: number;
  readonly text: string;
}

export class Nft {
  readonly #library: NativeLibrary;
  readonly #table: string;
  /** Size of the output buffer; grows with the longest listing seen. */
  #room = 1 << 18;

  /** `instance` is the table's name. */
  constructor(library: NativeLibrary, instance: string) {
    this.#library = library;
    this.#table = `${NFT_FAMILY} ${instance}`;
  }

  /** The table with its elements; null when there is none. Throws when nft cannot be asked. */
  async list(): Promise<NftListing | null> {
    const [family = '', name = ''] = this.#table.split(' ');
    const command = JSON.stringify({ nftables: [{ list: { table: { family, name } } }] });
    const reply = await this.#run(command, true);
    if (reply.errno === ERRNO.ENOENT) return null;
    if (reply.errno !== 0) throw new Error(`nftables cannot be listed: ${reply.text}`);
    return parseListing(reply.text);
  }

  /**
   * Makes the table as the fixed text says, in one transaction that replaces whatever is under its
   * name; elements that are there now are carried over. Then marks it with `digest`.
   */
  async createTable(digest: string): Promise<OpResult> {
    const before = await this.list();
    const kept = (before?.elements ?? []).map(element => ({ verb: 'create' as const, element }));
    const text = [
      `add table ${this.#table}`,
      `delete table ${this.#table}`,
      `table ${this.#table} {\n${RULESET_BODY}\n}`,
      ...this.#commands(kept),
    ].join('\n');
    const made = await this.#run(text, false);
    if (made.errno !== 0) return failed(made);
    const after = await this.list();
    const comment = `${digest} ${after?.hash ?? ''}`;
    const marked = await this.#run(
      `add set ${this.#table} ${MARKER} { type mark; comment "${comment}"; }`,
      false,
    );
    return marked.errno === 0 ? DONE : failed(marked);
  }

  async deleteTable(): Promise<OpResult> {
    const reply = await this.#run(`add table ${this.#table}\ndelete table ${this.#table}`, false);
    return reply.errno === 0 ? DONE : failed(reply);
  }

  /**
   * All changes in one transaction, supposing that the sets are as the caller believes. If nft
   * refuses (something was changed by hand: a transaction is all or nothing), once more with what
   * the sets really hold, then one by one, so that a refusal hits only the element it is about.
   */
  async changeElements(changes: readonly ElementChange[]): Promise<OpResult[]> {
    const known = changes.filter(change => isKnownSet(change.element.set));
    const outcome = new Map<ElementChange, OpResult>();
    if (known.length > 0) await this.#attempt(known, outcome);
    return changes.map(
      change =>
        outcome.get(change) ?? { errno: ERRNO.EINVAL, extack: `no set ${change.element.set} in our table` },
    );
  }

  async #attempt(changes: readonly ElementChange[], outcome: Map<ElementChange, OpResult>): Promise<void> {
    const hopeful = await this.#run(this.#commands(changes).join('\n'), false);
    if (hopeful.errno === 0) {
      for (const change of changes) outcome.set(change, DONE);
      return;
    }
    const listing = await this.list();
    if (listing === null) {
      for (const change of changes) outcome.set(change, change.verb === 'delete' ? DONE : failed(hopeful));
      return;
    }
    const present = new Map(listing.elements.map(element => [element.key, element]));
    const needed = changes.flatMap(change => {
      const corrected = correct(change, present.get(change.element.key));
      if (corrected === null) outcome.set(change, DONE);
      return corrected === null ? [] : [{ change, corrected }];
    });
    const informed = await this.#run(this.#commands(needed.map(item => item.corrected)).join('\n'), false);
    for (const { change, corrected } of needed) {
      if (informed.errno === 0) {
        outcome.set(change, DONE);
      } else {
        const single = await this.#run(this.#commands([corrected]).join('\n'), false);
        outcome.set(change, single.errno === 0 ? DONE : failed(single));
      }
    }
  }

  /** One command per run of changes of the same kind to the same set. */
  #commands(changes: readonly ElementChange[]): string[] {
    const runs: { command: 'add' | 'delete'; set: string; parts: string[] }[] = [];
    const put = (command: 'add' | 'delete', set: string, part: string): void => {
      const last = runs.at(-1);
      if (last?.command === command && last.set === set) last.parts.push(part);
      else runs.push({ command, set, parts: [part] });
    };
    for (const { verb, element } of changes) {
      const whole = element.value === null ? element.element : `${element.element} : ${element.value}`;
      if (verb !== 'create') put('delete', element.set, element.element);
      if (verb !== 'delete') put('add', element.set, whole);
    }
    return runs.map(run => `${run.command} element ${this.#table} ${run.set} { ${run.parts.join(', ')} }`);
  }

  async #run(commands: string, json: boolean): Promise<Reply> {
    if (commands === '') return { errno: 0, text: '' };
    const input = Buffer.from(`${commands}\0`);
    for (;;) {
      const out = Buffer.alloc(this.#room);
      const status = await this.#library.call('esw_nft_run', input, json ? 1 : 0, out, out.length);
      const end = out.indexOf(0);
      // Only a listing is worth asking for again: it changes nothing.
      if (json && status === 0 && (end < 0 || end >= out.length - 1)) {
        this.#room *= 4;
        continue;
      }
      const text = out.toString('utf8', 0, end < 0 ? out.length : end);
      return { errno: status < 0 ? errnoOf(text, -status) : 0, text };
    }
  }
}

/** What a change really needs, given the element that is there; null = nothing. */
function correct(change: ElementChange, present: NftElement | undefined): ElementChange | null {
  if (change.verb === 'delete') return present === undefined ? null : change;
  if (present === undefined) return { ...change, verb: 'create' };
  return present.value === change.element.value ? null : { ...change, verb: 'update' };
}

/** nft reports every refusal in words. */
function errnoOf(text: string, fallback: number): number {
  return WORDS.find(([words]) => text.includes(words))?.[1] ?? fallback;
}

function failed(reply: Reply): OpResult {
  return { errno: reply.errno, extack: reply.text.trim() };
}
