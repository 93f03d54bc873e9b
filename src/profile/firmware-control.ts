/** `eswitchctl firmware`: looks at NICs, plans and applies. */

import type { NicPort } from '../kernel/nic-port.ts';
import type { OpResult } from '../kernel/port.ts';
import { errnoName } from '../lib/errno.ts';
import { EswError } from '../lib/errors.ts';
import type {
  FirmwareControl,
  FirmwarePlan,
  FirmwareResult,
  FirmwareStatus,
  FirmwareStepResult,
  FirmwareWishes,
  ProbedAnswer,
} from '../model/firmware.ts';
import { functionKey, type Nic } from '../model/nic.ts';
import { findNic } from '../model/nic-names.ts';
import {
  type FirmwarePicture,
  firmwarePlan,
  firmwareStatus,
  type OperablePlan,
  type PlannedStep,
  pendingParam,
} from './firmware-plan.ts';
import type { ProfileSet } from './load.ts';
import { matchProfile } from './match.ts';
import type { PendingResets } from './pending-resets.ts';

export interface FirmwareDeps {
  readonly nics: Pick<NicPort, 'inventory' | 'params' | 'apply'>;
  readonly profiles: ProfileSet;
  readonly pending: PendingResets;
  /** Containers with a port on this NIC, each as a short text. */
  containersOn(nic: Nic): readonly string[];
  /** What the NIC told when it was asked. */
  probed?(nic: Nic): readonly ProbedAnswer[];
  /** A NIC's firmware or driver was started anew. */
  onReload?(nic: Nic): void;
}

export class NicFirmware implements FirmwareControl {
  readonly #deps: FirmwareDeps;
  /** One change at a time: a NIC in the middle of a flash takes no other. */
  #running: Promise<unknown> = Promise.resolve();

  constructor(deps: FirmwareDeps) {
    this.#deps = deps;
  }

  async status(): Promise<readonly FirmwareStatus[]> {
    const { nics } = await this.#deps.nics.inventory();
    const pictures = await Promise.all(nics.map(nic => this.#picture(nic)));
    return pictures.map(firmwareStatus);
  }

  async plan(name: string, wishes: FirmwareWishes): Promise<FirmwarePlan> {
    const { plan } = await this.#plan(name, wishes);
    return { ...plan, steps: plan.steps.map(({ verb, text, interrupts }) => ({ verb, text, interrupts })) };
  }

  apply(
    name: string,
    wishes: FirmwareWishes,
    { dryRun, force }: { readonly dryRun: boolean; readonly force: boolean },
  ): Promise<FirmwareResult> {
    const run = async (): Promise<FirmwareResult> => {
      const { nic, plan } = await this.#plan(name, wishes);
      if (!dryRun && !force) refuseUnderUse(plan);
      const steps = dryRun
        ? plan.steps.map(step => result(step, 'skipped'))
        : await this.#run(nic, plan.steps);
      const { commands, pending, blocked } = plan;
      const done = steps.every(step => step.result === 'done');
      const now = dryRun || done ? pending : firmwareStatus(await this.#pictureOf(nic.handle)).pending;
      return { nic: nic.handle, dryRun, steps, commands, pending: now, blocked };
    };
    const next = this.#running.then(run, run);
    this.#running = next;
    return next;
  }

  async #plan(name: string, wishes: FirmwareWishes): Promise<{ nic: Nic; plan: OperablePlan }> {
    const picture = await this.#pictureOf(name);
    return { nic: picture.nic, plan: firmwarePlan(picture, wishes) };
  }

  async #pictureOf(name: string): Promise<FirmwarePicture> {
    const { nics } = await this.#deps.nics.inventory();
    return this.#picture(findNic(nics, name));
  }

  async #picture(nic: Nic): Promise<FirmwarePicture> {
    const { nics, profiles, pending, containersOn, probed } = this.#deps;
    return {
      nic,
      params: nic.devlink ? await nics.params(nic.handle) : [],
      profile: matchProfile(profiles, nic),
      remembered: pending.of(nic.handle),
      probed: probed?.(nic) ?? [],
      users: [...new Set([...containersOn(nic), ...functionsAway(nic)])],
    };
  }

  /** In order; a failure ends it, because what follows builds on it. */
  async #run(nic: Nic, steps: readonly PlannedStep[]): Promise<readonly FirmwareStepResult[]> {
    const results: FirmwareStepResult[] = [];
    for (const step of steps) {
      if (results.some(each => each.result === 'failed')) {
        results.push(result(step, 'skipped'));
        continue;
      }
      const [outcome] = await this.#deps.nics.apply([step.op]);
      const failed = outcome === undefined || outcome.errno !== 0;
      results.push(failed ? result(step, 'failed', errorText(outcome)) : result(step, 'done'));
      if (!failed) this.#remember(nic, step);
    }
    return results;
  }

  #remember(nic: Nic, { op }: PlannedStep): void {
    const { pending, onReload } = this.#deps;
    if (op.verb === 'param-set' && op.cmode !== 'runtime') {
      const needs = op.cmode === 'driverinit' ? 'driver-reload' : 'power-cycle';
      pending.add(nic.handle, pendingParam({ name: op.name, wanted: op.value }, needs));
    }
    if (op.verb !== 'reload') return;
    if (op.action === 'driver_reinit') pending.clear(nic.handle, 'driver-reload');
    onReload?.(nic);
  }
}

function result(
  { verb, text, interrupts }: PlannedStep,
  outcome: FirmwareStepResult['result'],
  error = '',
): FirmwareStepResult {
  return { verb, text, interrupts, result: outcome, error };
}

function errorText(outcome: OpResult | undefined): string {
  if (outcome === undefined) return 'no result';
  return outcome.extack === '' ? errnoName(outcome.errno) : outcome.extack;
}

/** Functions that have a driver and no netdev in the host's namespace: in a sandbox, or given to a machine. */
function functionsAway({ functions }: Nic): string[] {
  return functions
    .filter(({ device, driver, netdev }) => device !== null && driver !== null && netdev === null)
    .map(({ ref, driver }) => `${functionKey(ref)} (${driver}) is away from the host`);
}

function refuseUnderUse({ nic, steps, users }: OperablePlan): void {
  const interrupting = steps.find(({ interrupts }) => interrupts);
  if (interrupting === undefined || users.length === 0) return;
  throw new EswError(
    'ESW_ERR_FIRMWARE_BUSY',
    `${nic} is in use, and this would interrupt it: ${interrupting.text}. In use: ${users.join('; ')}`,
  );
}
