/** Rules that may be in the kernel and that nobody wants any more, until they are known to be gone. */
import { pairOfRef } from '../compile/pair.ts';
import type { FlowRef } from '../ir/flow.ts';

const keyOf = ({ link, chain, prio, handle }: FlowRef): string => `${link} ${chain} ${prio} ${handle}`;

export class Orphans {
  readonly #refs = new Map<string, FlowRef>();

  get size(): number {
    return this.#refs.size;
  }

  add({ link, chain, prio, protocol, handle }: FlowRef): void {
    const ref: FlowRef = { link, chain, prio, protocol, handle };
    this.#refs.set(keyOf(ref), ref);
  }

  gone(ref: FlowRef): void {
    this.#refs.delete(keyOf(ref));
  }

  /** Behind the others: one that stays must not hold them up. */
  postpone(ref: FlowRef): void {
    if (this.#refs.delete(keyOf(ref))) this.add(ref);
  }

  /** At most `most` of them, oldest first. */
  take(most: number): FlowRef[] {
    const taken: FlowRef[] = [];
    for (const ref of this.#refs.values()) {
      if (taken.length === most) break;
      taken.push(ref);
    }
    return taken;
  }

  /** Those on this link or sending to this slot; of an unknown slot every one may be it. */
  touching(rep: string, slot: number | undefined): FlowRef[] {
    if (slot === undefined) return [...this.#refs.values()];
    return [...this.#refs.values()].filter(ref => ref.link === rep || pairOfRef(ref)?.dstSlot === slot);
  }
}
