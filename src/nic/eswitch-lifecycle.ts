/** Brings a NIC's eswitch into another mode: looks, plans, runs the plan, looks again. One change at a time per NIC. */

import type { FlowRef } from '../ir/flow.ts';
import { FLOW_FLAG, type FlowPort } from '../kernel/flow-port.ts';
import type { NicPort } from '../kernel/nic-port.ts';
import { errnoName } from '../lib/errno.ts';
import { EswError } from '../lib/errors.ts';
import type { DevlinkHandle, Nic } from '../model/nic.ts';
import {
  type EswitchSituation,
  type EswitchStep,
  type EswitchVerdict,
  type EswitchWish,
  type FunctionUser,
  planEswitch,
  stepText,
} from '../plan/eswitch-mode.ts';
import type { InventoryKeeper } from './inventory-keeper.ts';

/** Representors and netdevs come after the call that makes them, some drivers take seconds. */
const APPEAR_MS = 10_000;
const LOOK_AGAIN_MS = 250;

export interface LifecycleDeps {
  readonly nics: NicPort;
  readonly keeper: InventoryKeeper;
  /** null: nobody has put rules here. */
  readonly flows: FlowPort | null;
  /** Who has functions of this NIC now. */
  users(nic: Nic): readonly FunctionUser[];
  /** Quirks of the NIC's family, id → words; null: not known. */
  quirks(nic: Nic): ReadonlyMap<string, string> | null;
  /** Rules must not be put on this NIC until the function returned is called; with `clear` those there go. */
  onModeChange?(nic: Nic, clear: boolean): Promise<() => void>;
  readonly appearMs?: number;
}

export interface StepOutcome {
  readonly step: EswitchStep;
  readonly state: 'planned' | 'done' | 'failed';
  /** The kernel's words when it failed. */
  readonly error: string;
}

export interface EswitchOutcome {
  readonly verdict: Exclude<EswitchVerdict, { verdict: 'refused' }>;
  readonly steps: readonly StepOutcome[];
  /** As it is now. */
  readonly nic: Nic;
}

export interface ChangeOptions {
  readonly dryRun: boolean;
  /** Also under running containers. */
  readonly force: boolean;
}

export class EswitchLifecycle {
  readonly #deps: LifecycleDeps;
  readonly #busy = new Set<DevlinkHandle>();

  constructor(deps: LifecycleDeps) {
    this.#deps = deps;
  }

  /**
   * Throws ESW_ERR_NIC_UNKNOWN; ESW_ERR_NIC_MODE when this NIC cannot; ESW_ERR_NIC_BUSY when functions are
   * in use (without force) or another change is under way; ESW_ERR_KERNEL_REFUSED naming the step, with
   * VFs back where they had been removed.
   */
  async change(handle: DevlinkHandle, wish: EswitchWish, options: ChangeOptions): Promise<EswitchOutcome> {
    if (this.#busy.has(handle))
      throw new EswError('ESW_ERR_NIC_BUSY', `${handle}: another change of its eswitch is under way`);
    this.#busy.add(handle);
    try {
      return await this.#change(handle, wish, options);
    } finally {
      this.#busy.delete(handle);
    }
  }

  async #change(handle: DevlinkHandle, wish: EswitchWish, options: ChangeOptions): Promise<EswitchOutcome> {
    const situation = await this.#look(handle);
    const verdict = planned(situation, wish, options.force);
    if (verdict.verdict === 'nothing' || options.dryRun) {
      const steps = verdict.verdict === 'nothing' ? [] : verdict.steps;
      const state = 'planned' as const;
      return { verdict, steps: steps.map(step => ({ step, state, error: '' })), nic: situation.nic };
    }
    const clear = verdict.steps.some(step => step.kind === 'remove-flows');
    const resume = (await this.#deps.onModeChange?.(situation.nic, clear)) ?? (() => undefined);
    try {
      const steps = await this.#run(situation, wish, options, verdict.steps);
      return { verdict, steps, nic: await this.#settled(handle) };
    } finally {
      resume();
    }
  }

  async #look(handle: DevlinkHandle): Promise<EswitchSituation> {
    const { keeper, nics, users, quirks } = this.#deps;
    const { nics: seen } = await keeper.refresh();
    const nic = seen.find(each => each.handle === handle);
    if (nic === undefined) {
      const known = seen.map(each => each.handle).join(', ');
      throw new EswError(
        'ESW_ERR_NIC_UNKNOWN',
        `no NIC ${handle}${known === '' ? ': this host has none' : `; there are ${known}`}`,
      );
    }
    const [rateNodes, refs] = await Promise.all([
      nic.devlink ? nics.rateNodes(handle) : [],
      this.#rules(nic),
    ]);
    const flows = { ours: refs.ours.length, others: refs.others };
    return { nic, rateNodes, flows, users: users(nic), quirks: quirks(nic) };
  }

  /** Runs the steps; a driver that wants VFs gone is believed and the rest is planned anew, once. */
  async #run(
    situation: EswitchSituation,
    wish: EswitchWish,
    options: ChangeOptions,
    steps: readonly EswitchStep[],
  ): Promise<StepOutcome[]> {
    const done: StepOutcome[] = [];
    for (const [at, step] of steps.entries()) {
      const error = await this.#step(situation.nic, step);
      if (error === '') {
        done.push({ step, state: 'done', error });
        continue;
      }
      const failed: StepOutcome = { step, state: 'failed', error };
      if (isMode(step) && vfsStand(situation, done) && situation.refusedWithVfs !== true) {
        const again = { ...(await this.#look(situation.nic.handle)), refusedWithVfs: true };
        const rest = planned(again, wish, options.force);
        const more = rest.verdict === 'change' ? rest.steps : [];
        return [...done, failed, ...(await this.#run(again, wish, options, more))];
      }
      const left = steps.slice(at + 1);
      await this.#putBack(situation.nic, done);
      throw refusal(situation.nic, done, failed, left.length);
    }
    return done;
  }

  /** "" or what went wrong. */
  async #step(nic: Nic, step: EswitchStep): Promise<string> {
    switch (step.kind) {
      // It is paused for the whole change; the step tells that it is.
      case 'pause-offload':
        return '';
      case 'remove-flows': {
        const { ours } = await this.#rules(nic);
        const results = (await this.#deps.flows?.delete(ours)) ?? [];
        const bad = results.find(each => each.errno !== 0);
        return bad === undefined ? '' : words(bad);
      }
      case 'op': {
        const [result] = await this.#deps.nics.apply([step.op]);
        if (result === undefined || result.errno === 0) return '';
        return words(result);
      }
    }
  }

  /** VFs that this change has taken away and cannot give back in the mode wanted. */
  async #putBack({ handle, vfsEnabled }: Nic, done: readonly StepOutcome[]): Promise<void> {
    const counts = done.flatMap(({ step }) =>
      step.kind === 'op' && step.op.verb === 'num-vfs' ? [step.op.count] : [],
    );
    if (counts.at(-1) !== 0 || vfsEnabled === 0) return;
    await this.#deps.nics.apply([{ verb: 'num-vfs', nic: handle, count: vfsEnabled }]);
    await this.#deps.keeper.refresh().catch(() => undefined);
  }

  async #rules(nic: Nic): Promise<{ readonly ours: readonly FlowRef[]; readonly others: number }> {
    const { flows } = this.#deps;
    if (flows === null) return { ours: [], others: 0 };
    const links = [...nic.uplinks, ...nic.functions.flatMap(each => each.representor ?? [])];
    if (links.length === 0) return { ours: [], others: 0 };
    const names = new Map<number, string>(links.map(link => [link.ifindex, link.name]));
    const dump = await flows.dump([...names.values()]);
    const ours: FlowRef[] = [];
    let others = 0;
    for (let row = 0; row < dump.count; row++) {
      const link = names.get(dump.ifindex[row] ?? 0);
      if (link === undefined) continue;
      if (((dump.flags[row] ?? 0) & FLOW_FLAG.ours) === 0) {
        others++;
        continue;
      }
      ours.push({
        link,
        chain: dump.chain[row] ?? 0,
        prio: dump.prio[row] ?? 0,
        protocol: dump.protocol[row] ?? 0,
        handle: dump.handle[row] ?? 0,
      });
    }
    return { ours, others };
  }

  /** The NIC once every function has what the mode gives it, or what there is after a while. */
  async #settled(handle: DevlinkHandle): Promise<Nic> {
    const deadlineMs = performance.now() + (this.#deps.appearMs ?? APPEAR_MS);
    for (;;) {
      const nic = (await this.#deps.keeper.refresh()).nics.find(each => each.handle === handle);
      if (nic === undefined)
        throw new EswError('ESW_ERR_NIC_UNKNOWN', `${handle} has gone away during the change`);
      if (isComplete(nic) || performance.now() >= deadlineMs) return nic;
      await new Promise(resolve => setTimeout(resolve, LOOK_AGAIN_MS));
    }
  }
}

function planned(
  situation: EswitchSituation,
  wish: EswitchWish,
  force: boolean,
): Exclude<EswitchVerdict, { verdict: 'refused' }> {
  const verdict = planEswitch(situation, wish, force);
  if (verdict.verdict !== 'refused') return verdict;
  const { handle } = situation.nic;
  const code = verdict.reason === 'in-use' ? 'ESW_ERR_NIC_BUSY' : 'ESW_ERR_NIC_MODE';
  throw new EswError(code, `${handle}: ${verdict.why}`);
}

const words = ({ errno, extack }: { readonly errno: number; readonly extack: string }): string =>
  extack === '' ? errnoName(errno) : `${extack} (${errnoName(errno)})`;

const isMode = (step: EswitchStep): boolean => step.kind === 'op' && step.op.verb === 'eswitch-mode';

const vfsStand = ({ nic }: EswitchSituation, done: readonly StepOutcome[]): boolean =>
  nic.vfsEnabled > 0 && !done.some(({ step }) => step.kind === 'op' && step.op.verb === 'num-vfs');

const isComplete = (nic: Nic): boolean =>
  nic.functions.length >= nic.vfsEnabled &&
  (nic.eswitch?.mode !== 'switchdev' || nic.functions.every(each => each.representor !== null));

function refusal(nic: Nic, done: readonly StepOutcome[], failed: StepOutcome, left: number): EswError {
  const before = done.map(({ step }) => stepText(step)).join(', ');
  return new EswError(
    'ESW_ERR_KERNEL_REFUSED',
    [
      `${nic.handle}: ${stepText(failed.step)}: ${failed.error}`,
      ...(before === '' ? [] : [`done before: ${before}`]),
      ...(left === 0 ? [] : [`${left} step${left === 1 ? '' : 's'} left out`]),
    ].join('; '),
  );
}
