/**
 * Link names to ifindexes at apply time. An ifindex is believed only for a link that is ours and that
 * the kernel has just confirmed: ifindexes are reused, and names can be taken by others.
 */
import { ERRNO } from '../../lib/errno.ts';
import type { OpResult } from '../port.ts';
import { applyBatch } from './batch.ts';
import type { NativeContext } from './context.ts';
import { hostLinks } from './links.ts';
import { LINK_OP, LINK_VERB } from './records.ts';

/** Beyond this a dump of all links costs less than asking for each. */
const ASK_ONE_BY_ONE = 32;

/** Ifindex of a link of ours, or why there is none. */
export type Resolved = { readonly ifindex: number } | { readonly ifindex: null; readonly refusal: OpResult };

export class LinkNames {
  readonly #context: NativeContext;
  /** Last seen as ours; to be confirmed before use. */
  readonly #seen: Map<string, number>;
  /** Confirmed during this apply. */
  readonly #fresh = new Map<string, number>();

  readonly #doomed: ReadonlySet<string>;

  /**
   * `seen` outlives one apply: what was ours then is likely to be ours now. `doomed`: representors
   * of veth pairs that this apply deletes.
   */
  constructor(context: NativeContext, seen: Map<string, number>, doomed: ReadonlySet<string>) {
    this.#context = context;
    this.#seen = seen;
    this.#doomed = doomed;
  }

  /** Whether this apply deletes the link later on. */
  isDoomed(name: string): boolean {
    return this.#doomed.has(name);
  }

  /** A link that this apply just made or found to be ours. */
  learn(name: string, ifindex: number): void {
    this.#seen.set(name, ifindex);
    this.#fresh.set(name, ifindex);
  }

  forget(name: string): void {
    this.#seen.delete(name);
    this.#fresh.delete(name);
  }

  /** Answers in the order of `names`. */
  async resolve(names: readonly string[]): Promise<Resolved[]> {
    const unknown = [...new Set(names)].filter(name => !this.#fresh.has(name));
    let foreign: ReadonlySet<string> = new Set();
    if (unknown.length > 0) {
      const confirmed =
        unknown.length <= ASK_ONE_BY_ONE && unknown.every(name => this.#seen.has(name))
          ? await this.#confirm(unknown)
          : false;
      if (!confirmed) foreign = await this.#lookAtAll();
    }
    return names.map(name => {
      const ifindex = this.#fresh.get(name);
      if (ifindex !== undefined) return { ifindex };
      return { ifindex: null, refusal: foreign.has(name) ? notOurs(name) : noLink(name) };
    });
  }

  /** Asks the kernel for the ifindex of each; true if all are what was seen before. */
  async #confirm(names: readonly string[]): Promise<boolean> {
    const asks = names.map(name => ({ verb: LINK_VERB.set, name }));
    const answers = await applyBatch(this.#context.library, 'esw_link_apply', LINK_OP, asks);
    const same = names.every((name, at) => answers[at]?.ifindex === this.#seen.get(name));
    if (same) for (const [at, name] of names.entries()) this.#fresh.set(name, answers[at]?.ifindex ?? 0);
    return same;
  }

  async #lookAtAll(): Promise<ReadonlySet<string>> {
    const links = await hostLinks(this.#context.library, this.#context.identity);
    this.#seen.clear();
    for (const link of links.own.values()) this.learn(link.currentName, link.ifindex);
    return new Set(links.foreign.map(link => link.name));
  }
}

export function noLink(name: string): OpResult {
  return { errno: ERRNO.ENODEV, extack: `no link ${name}` };
}

function notOurs(name: string): OpResult {
  return { errno: ERRNO.EEXIST, extack: `link ${name} is not ours` };
}
