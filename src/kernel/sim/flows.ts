/**
 * `FlowPort` over a model of cls_flower and of a NIC behind it, strict where they are: one protocol per
 * prio, no two rules of a prio with the same match, no `skip_sw` where there is no hardware, a table
 * that fills up. What the NIC refuses, loses and counts is for tests to set.
 */
import type { FlowRef, FlowRule } from '../../ir/flow.ts';
import { flowProblem, flowRefProblem } from '../../ir/flow-check.ts';
import { flowFingerprint } from '../../ir/flow-fingerprint.ts';
import { normalFlow } from '../../ir/flow-normal.ts';
import { ERRNO } from '../../lib/errno.ts';
import type { FlowDump, FlowDumpOptions, FlowPort, FlowResult } from '../flow-port.ts';
import type { OpResult } from '../port.ts';
import { type FlowEntry, flowDump, ZERO_COUNTERS } from './flow-dump.ts';
import { Refusal } from './refusal.ts';

/** `representor` and `uplink` are of the NIC; a vxlan device is offered to it, but takes no skip_sw. */
export type SimLinkKind = 'representor' | 'uplink' | 'vxlan' | 'plain';

export interface SimFlowsOptions {
  /** Rules that the NIC's table holds. */
  readonly capacity?: number;
  /** What the NIC says to a rule: null takes it, a sentence refuses it with EOPNOTSUPP. */
  readonly refuse?: (rule: FlowRule) => string | null;
}

interface SimLink {
  readonly kind: SimLinkKind;
  readonly ifindex: number;
  readonly rules: Map<string, FlowEntry>;
}

const identity = ({ chain, prio, handle }: FlowRef): string => `${chain} ${prio} ${handle}`;
const matchText = (rule: FlowRule): string =>
  rule.match.map(({ field, value, mask }) => `${field}=${value}/${mask}`).join(' ');

const TABLE_FULL = 'the flow table is full';

export class SimFlows implements FlowPort {
  /** Rules that the NIC's table holds; lowering it evicts nothing. */
  capacity: number;
  refuse: (rule: FlowRule) => string | null;
  /** Every put and delete that was asked for, in order, refused ones too. */
  readonly log: { readonly verb: 'put' | 'delete'; readonly ref: FlowRef }[] = [];
  readonly #links = new Map<string, SimLink>();
  #nextIfindex = 1;
  #failures: { readonly errno: number; readonly extack: string; times: number } | null = null;

  constructor({ capacity = 1024, refuse = () => null }: SimFlowsOptions = {}) {
    this.capacity = capacity;
    this.refuse = refuse;
  }

  // ---- the port ----------------------------------------------------------------------------------

  async put(rules: readonly FlowRule[]): Promise<readonly FlowResult[]> {
    return rules.map(rule => {
      this.log.push({ verb: 'put', ref: rule });
      try {
        this.#planned();
        const { inHw, extack } = this.#put(rule);
        return { errno: 0, extack, inHw };
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        return { errno: error.errno, extack: error.extack, inHw: false };
      }
    });
  }

  async delete(refs: readonly FlowRef[]): Promise<readonly OpResult[]> {
    return refs.map(ref => {
      this.log.push({ verb: 'delete', ref });
      try {
        this.#planned();
        this.#delete(ref);
        return { errno: 0, extack: '' };
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        return { errno: error.errno, extack: error.extack };
      }
    });
  }

  async dump(links: readonly string[], { idle = false }: FlowDumpOptions = {}): Promise<FlowDump> {
    return flowDump(this.#entries(links), idle);
  }

  async read(links: readonly string[]): ReturnType<FlowPort['read']> {
    return this.#entries(links).map(({ rule, inHw, ours }) => ({ ...rule, inHw, ours }));
  }

  // ---- the outside, for tests --------------------------------------------------------------------

  addLink(name: string, kind: SimLinkKind): void {
    this.#links.set(name, { kind, ifindex: this.#nextIfindex++, rules: new Map() });
  }

  /** Its rules go with it. */
  removeLink(name: string): void {
    this.#links.delete(name);
  }

  /** null when there is no such link. */
  ifindexOf(name: string): number | null {
    return this.#links.get(name)?.ifindex ?? null;
  }

  /** Somebody else's rule, put past us. */
  addForeign(rule: FlowRule): void {
    const link = this.#link(rule.link);
    link.rules.set(identity(rule), {
      ...{ rule: normalFlow(rule), ifindex: link.ifindex, fingerprint: 0n, ours: false },
      ...{ inHw: this.#offload(link, rule).inHw, ...ZERO_COUNTERS },
    });
  }

  /** The NIC drops the rule from its table by itself: it stays in tc, no longer in_hw. */
  evict(ref: FlowRef): void {
    this.#entry(ref).inHw = false;
  }

  /** Somebody changes what a rule does and leaves our cookie on it. */
  edit(ref: FlowRef, to: FlowRule): void {
    const entry = this.#entry(ref);
    this.#link(ref.link).rules.set(identity(ref), { ...entry, rule: normalFlow(to) });
  }

  /** Adds to the counters of a rule, as its traffic would. */
  count(
    ref: FlowRef,
    by: { readonly hw?: readonly [bigint, bigint]; readonly sw?: readonly [bigint, bigint] },
  ): void {
    const entry = this.#entry(ref);
    entry.hwPackets += by.hw?.[0] ?? 0n;
    entry.hwBytes += by.hw?.[1] ?? 0n;
    entry.swPackets += by.sw?.[0] ?? 0n;
    entry.swBytes += by.sw?.[1] ?? 0n;
    entry.idleMs = 0;
  }

  /** Time passes without traffic. */
  idle(ms: number): void {
    for (const { rules } of this.#links.values()) for (const entry of rules.values()) entry.idleMs += ms;
  }

  /** The next `times` puts or deletes are refused with this. */
  failNext(errno: number, extack: string, times = 1): void {
    this.#failures = { errno, extack, times };
  }

  /** Rules in the NIC's table. */
  get inHardware(): number {
    return this.#entries([...this.#links.keys()]).filter(({ inHw }) => inHw).length;
  }

  // ---- inside ------------------------------------------------------------------------------------

  #planned(): void {
    if (this.#failures === null || this.#failures.times <= 0) return;
    this.#failures.times -= 1;
    throw new Refusal(this.#failures.errno, this.#failures.extack);
  }

  #link(name: string): SimLink {
    const link = this.#links.get(name);
    if (link === undefined) throw new Refusal(ERRNO.ENODEV, `the link ${name} does not exist`);
    return link;
  }

  #entry(ref: FlowRef): FlowEntry {
    const entry = this.#link(ref.link).rules.get(identity(ref));
    if (entry === undefined) throw new Error(`no rule ${ref.link} ${identity(ref)}`);
    return entry;
  }

  #entries(links: readonly string[]): readonly FlowEntry[] {
    return links.flatMap(name => [...(this.#links.get(name)?.rules.values() ?? [])]);
  }

  #put(given: FlowRule): { readonly inHw: boolean; readonly extack: string } {
    const problem = flowProblem(given);
    if (problem !== null) throw new Refusal(ERRNO.EINVAL, problem);
    const rule = normalFlow(given);
    const link = this.#link(rule.link);
    for (const action of rule.actions)
      if (action.kind === 'redirect' || action.kind === 'mirror') this.#link(action.link);
    const key = identity(rule);
    const before = link.rules.get(key);
    if (before !== undefined && !before.ours) throw new Refusal(ERRNO.EEXIST, 'a foreign rule is there');
    for (const [other, { rule: there }] of link.rules) {
      if (there.chain !== rule.chain || there.prio !== rule.prio) continue;
      if (there.protocol !== rule.protocol)
        throw new Refusal(ERRNO.EINVAL, 'the prio has rules of another protocol');
      if (other !== key && matchText(there) === matchText(rule))
        throw new Refusal(ERRNO.EEXIST, 'a rule of this prio has the same match');
    }
    // The old rule leaves the hardware only when the new one is in: for a moment both need room.
    const { inHw, extack } = this.#offload(link, rule);
    const { ifindex } = link;
    const fingerprint = flowFingerprint(rule);
    link.rules.set(key, { rule, ifindex, fingerprint, ours: true, inHw, ...ZERO_COUNTERS });
    return { inHw, extack };
  }

  #delete(ref: FlowRef): void {
    const problem = flowRefProblem(ref);
    if (problem !== null) throw new Refusal(ERRNO.EINVAL, problem);
    const rules = this.#links.get(ref.link)?.rules;
    const entry = rules?.get(identity(ref));
    if (rules === undefined || entry === undefined) return;
    if (!entry.ours) throw new Refusal(ERRNO.EEXIST, 'a foreign rule is there');
    rules.delete(identity(ref));
  }

  /** Offers the rule to the NIC. A refusal is an error for `hw` and a remark for `both`. */
  #offload(link: SimLink, rule: FlowRule): { readonly inHw: boolean; readonly extack: string } {
    if (rule.where === 'sw') return { inHw: false, extack: '' };
    const only = rule.where === 'hw';
    const refused = (errno: number, extack: string): { inHw: false; extack: string } => {
      if (only) throw new Refusal(errno, extack);
      return { inHw: false, extack };
    };
    if (link.kind === 'plain' || (link.kind === 'vxlan' && only)) return refused(ERRNO.EOPNOTSUPP, '');
    const sentence = this.refuse(rule);
    if (sentence !== null) return refused(ERRNO.EOPNOTSUPP, sentence);
    if (this.inHardware >= this.capacity) return refused(ERRNO.ENOSPC, TABLE_FULL);
    return { inHw: true, extack: '' };
  }
}
