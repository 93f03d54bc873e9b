/** What the API may ask of the NICs and do to them. */
import type { FunctionUse } from './function-use.ts';
import type { EswitchMode, FunctionKey, Inventory } from './nic.ts';

export interface NicChangeWish {
  readonly mode: EswitchMode;
  /** VFs afterwards; null: as many as there are. */
  readonly vfs: number | null;
  /** null: as it is. */
  readonly encap: boolean | null;
}

export interface NicChangeStep {
  readonly text: string;
  readonly why: string;
  readonly state: 'planned' | 'done' | 'failed';
  /** The kernel's words, "" unless failed. */
  readonly error: string;
}

export interface NicChange {
  /** devlink handle. */
  readonly nic: string;
  readonly result: 'nothing' | 'planned' | 'done';
  /** As it is now, in words. */
  readonly now: string;
  readonly steps: readonly NicChangeStep[];
  /** Whose functions go away or change. */
  readonly disturbed: readonly string[];
  /** What may come in the way. */
  readonly notes: readonly string[];
}

export interface NicControl {
  /** A fresh look. Throws what keeps the NICs from being read. */
  inventory(): Promise<Inventory>;
  /** Who has each of their functions. */
  uses(inventory: Inventory): ReadonlyMap<FunctionKey, FunctionUse>;
  /** Title of the profile that is believed of a NIC, and why it offloads nothing (null: it does). */
  facts(handle: string): { readonly profile: string; readonly offloadProblem: string | null };
  /**
   * Brings an eswitch into a mode. Throws ESW_ERR_NIC_UNKNOWN (`nic`: handle, device name, a unique end of
   * one, or the uplink), ESW_ERR_NIC_MODE when it cannot, ESW_ERR_NIC_BUSY under functions in use without
   * `force`, ESW_ERR_KERNEL_REFUSED.
   */
  change(
    nic: string,
    wish: NicChangeWish,
    options: { readonly dryRun: boolean; readonly force: boolean },
  ): Promise<NicChange>;
}
