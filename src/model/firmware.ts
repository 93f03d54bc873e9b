/** A NIC's firmware and settings beside what its profile wants; bodies of the API have the same shape. */
import type { Answer } from './nic-profile.ts';

/** What must happen before a change counts. */
export type Activation =
  | 'fw-activate'
  | 'driver-reload'
  | 'firmware-reset'
  | 'reboot'
  | 'power-cycle'
  | 'unknown';

export interface FirmwareVersions {
  /** Component, as devlink names it. */
  readonly name: string;
  /** null: the driver does not tell. */
  readonly running: string | null;
  readonly stored: string | null;
  /** Another version is stored than runs. */
  readonly pending: boolean;
}

export type ParamState =
  /** As wanted. */
  | 'ok'
  | 'differs'
  /** Differs, and cannot be set as the NIC is now. */
  | 'blocked'
  /** The driver has no such parameter. */
  | 'absent';

export interface FirmwareParam {
  readonly name: string;
  readonly cmode: 'runtime' | 'driverinit' | 'permanent';
  readonly current: string | null;
  readonly wanted: string;
  readonly state: ParamState;
  /** Why it is wanted; for `blocked` also what is in the way. */
  readonly why: string;
}

/** Something that is set or stored and does not count yet. */
export interface PendingReset {
  readonly what: string;
  readonly needs: Activation;
  readonly text: string;
}

/** A setting that only another tool changes. */
export interface VendorCommand {
  readonly want: string;
  readonly why: string;
  readonly command: string;
  /** Looks at what is set, null: no way known. */
  readonly show: string | null;
  readonly needs: Activation | 'now';
  /** Command for that, null: none but the machine's own. */
  readonly resetCommand: string | null;
}

/** A conclusive answer of a NIC that was asked what it takes. */
export interface ProbedAnswer {
  /** `field:ip_ttl`, `action:mirror`, `pedit:eth_dst`, `protocol:0x0800`, `chain`. */
  readonly question: string;
  readonly answer: 'yes' | 'no';
  /** The driver's words. */
  readonly text: string;
}

export interface FirmwareStatus {
  /** devlink handle. */
  readonly nic: string;
  readonly driver: string;
  readonly profile: { readonly id: string; readonly variant: string | null; readonly title: string };
  readonly versions: readonly FirmwareVersions[];
  /** Lowest firmware that the profile asks for, null: not known. */
  readonly minimum: string | null;
  readonly minimumMet: Answer;
  readonly params: readonly FirmwareParam[];
  readonly pending: readonly PendingReset[];
  /** Empty for NICs that need not be asked, or were not yet. */
  readonly probed: readonly ProbedAnswer[];
  /** Functions of the NIC in use by containers or machines, with what uses them. */
  readonly users: readonly string[];
  readonly state: 'ok' | 'differs' | 'pending';
}

export interface FirmwareStep {
  readonly verb: 'param-set' | 'flash' | 'reload';
  readonly text: string;
  /** Ports of the NIC lose their link for a while. */
  readonly interrupts: boolean;
}

export interface FirmwarePlan {
  readonly nic: string;
  readonly steps: readonly FirmwareStep[];
  /** What stays to be done by hand. */
  readonly commands: readonly VendorCommand[];
  /** What will be pending once the steps are done. */
  readonly pending: readonly PendingReset[];
  /** What is wanted and cannot be done as the NIC is now. */
  readonly blocked: readonly string[];
  readonly users: readonly string[];
}

/** What an operator asks for beyond the profile. */
export interface FirmwareWishes {
  /** Name below /lib/firmware, null: flash nothing. */
  readonly file: string | null;
  readonly component: string | null;
  /** For vendor commands that set the number of VFs. */
  readonly vfs: number;
}

export interface FirmwareStepResult extends FirmwareStep {
  readonly result: 'done' | 'failed' | 'skipped';
  /** The kernel's words, "" unless failed. */
  readonly error: string;
}

export interface FirmwareResult {
  readonly nic: string;
  readonly dryRun: boolean;
  readonly steps: readonly FirmwareStepResult[];
  readonly commands: readonly VendorCommand[];
  readonly pending: readonly PendingReset[];
  readonly blocked: readonly string[];
}

export interface FirmwareControl {
  /** One per NIC. */
  status(): Promise<readonly FirmwareStatus[]>;
  /** Throws ESW_ERR_NIC_UNKNOWN; `nic` is a handle, a PCI address or a unique end of one. */
  plan(nic: string, wishes: FirmwareWishes): Promise<FirmwarePlan>;
  /**
   * Does the steps in order and stops at the first failure. Throws ESW_ERR_FIRMWARE_BUSY when a step
   * would interrupt functions in use, unless `force`.
   */
  apply(
    nic: string,
    wishes: FirmwareWishes,
    options: { readonly dryRun: boolean; readonly force: boolean },
  ): Promise<FirmwareResult>;
}
