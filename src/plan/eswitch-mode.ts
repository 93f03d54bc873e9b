/**
 * What it takes to bring a NIC's eswitch into a mode: ordered operations with reasons, or why not. Pure.
 *
 * Order: offload paused and our rules out · VFs to 0 · rate nodes out · encap (while in legacy mode) ·
 * mode · encap (otherwise) · VFs back · hw-tc-offload on. VFs that somebody uses are touched with `force` only.
 */
import type { NicOp } from '../kernel/nic-port.ts';
import type { EswitchMode, FunctionKey, Nic } from '../model/nic.ts';

export interface EswitchWish {
  readonly mode: EswitchMode;
  /** VFs afterwards; null: as many as there are. */
  readonly vfs: number | null;
  /** null: as it is. */
  readonly encap: boolean | null;
}

/** A function in use, and by whom in words. */
export interface FunctionUser {
  readonly key: FunctionKey;
  readonly who: string;
}

export interface EswitchSituation {
  readonly nic: Nic;
  /** Children before their parents. */
  readonly rateNodes: readonly string[];
  /** Rules on the NIC's links, ours and those of others. */
  readonly flows: { readonly ours: number; readonly others: number };
  readonly users: readonly FunctionUser[];
  /** The profile's quirks, id → its words; null: the family is not known. */
  readonly quirks: ReadonlyMap<string, string> | null;
  /** The driver has refused the mode while VFs existed. */
  readonly refusedWithVfs?: boolean;
}

/** Quirks of firmware-profiles/ that matter here. */
export const MODE_QUIRK = {
  needsNoVfs: 'mode-needs-no-vfs',
  byFirmware: 'mode-by-firmware',
  encapNeedsNoFlows: 'encap-mode-needs-no-flows',
} as const;

export type EswitchStep =
  | { readonly kind: 'pause-offload'; readonly why: string }
  | { readonly kind: 'remove-flows'; readonly count: number; readonly why: string }
  | { readonly kind: 'op'; readonly op: NicOp; readonly why: string };

export type EswitchVerdict =
  | { readonly verdict: 'nothing'; readonly why: string }
  | {
      readonly verdict: 'refused';
      /** `cannot`: this NIC never. `in-use`: not without force. */
      readonly reason: 'cannot' | 'in-use';
      readonly why: string;
      readonly users: readonly FunctionUser[];
    }
  | {
      readonly verdict: 'change';
      readonly steps: readonly EswitchStep[];
      /** Whose functions go away or change. */
      readonly disturbed: readonly FunctionUser[];
      /** What may come in the way. */
      readonly notes: readonly string[];
    };

interface Changes {
  readonly mode: boolean;
  readonly encap: boolean;
  readonly vfs: boolean;
  readonly vfsWanted: number;
  /** hw-tc-offload is off and must be on. */
  readonly offload: boolean;
}

export function planEswitch(situation: EswitchSituation, wish: EswitchWish, force: boolean): EswitchVerdict {
  const { nic, users } = situation;
  const changes = changesOf(nic, wish);
  const impossible = whyNot(situation, changes);
  if (impossible !== null) return { verdict: 'refused', reason: 'cannot', why: impossible, users: [] };
  if (!changes.mode && !changes.encap && !changes.vfs && !changes.offload)
    return { verdict: 'nothing', why: `it is so already: ${stateText(nic)}` };
  const disturbed = changes.mode || changes.vfs ? users : [];
  if (disturbed.length > 0 && !force) {
    const who = disturbed.map(user => `${user.key} (${user.who})`).join(', ');
    const why = `in use: ${who}; they would lose their traffic`;
    return { verdict: 'refused', reason: 'in-use', why, users: disturbed };
  }
  return {
    verdict: 'change',
    steps: stepsOf(situation, wish, changes),
    disturbed,
    notes: notesOf(situation, changes),
  };
}

function changesOf(nic: Nic, wish: EswitchWish): Changes {
  const now = nic.eswitch?.mode ?? 'legacy';
  const vfsWanted = wish.vfs ?? nic.vfsEnabled;
  return {
    mode: wish.mode !== now,
    encap: wish.encap !== null && wish.encap !== nic.eswitch?.encap,
    vfs: vfsWanted !== nic.vfsEnabled,
    vfsWanted,
    offload: wish.mode === 'switchdev' && (wish.mode !== now || nic.tcOffload === false),
  };
}

function whyNot({ nic, quirks }: EswitchSituation, changes: Changes): string | null {
  if (changes.mode && nic.eswitch === null) {
    const devlink = nic.devlink ? 'no eswitch mode in devlink' : 'no devlink';
    return `driver ${nic.driver} has ${devlink}: this NIC is in legacy mode for ever`;
  }
  const byFirmware = quirks?.get(MODE_QUIRK.byFirmware);
  if (changes.mode && byFirmware !== undefined) return byFirmware;
  if (changes.encap && (nic.eswitch?.encap ?? null) === null)
    return `driver ${nic.driver} has no encap mode in devlink`;
  if (changes.vfsWanted > nic.vfsTotal) return `it can have ${nic.vfsTotal} VFs at most`;
  if (!Number.isInteger(changes.vfsWanted) || changes.vfsWanted < 0) return 'the number of VFs is no number';
  return null;
}

/** Why VFs go away in between; null when they stay. */
function whyNoVfs(
  { nic, rateNodes, quirks, refusedWithVfs }: EswitchSituation,
  changes: Changes,
): string | null {
  if (nic.vfsEnabled === 0) return null;
  if (changes.vfs) {
    return changes.vfsWanted === 0
      ? 'none are wanted'
      : `the kernel makes another number of VFs (${changes.vfsWanted} for ${nic.vfsEnabled}) from none only`;
  }
  if (!changes.mode) return null;
  if (refusedWithVfs) return 'the driver refused the mode while VFs exist';
  if (quirks === null) return 'nothing is known about this family, and some refuse the mode while VFs exist';
  const text = quirks.get(MODE_QUIRK.needsNoVfs);
  if (text !== undefined) return text;
  return rateNodes.length > 0 ? 'rate nodes cannot be deleted while VFs hang on them' : null;
}

function stepsOf(situation: EswitchSituation, wish: EswitchWish, changes: Changes): EswitchStep[] {
  const { nic, rateNodes, flows } = situation;
  const { handle } = nic;
  const steps: EswitchStep[] = [];
  const op = (what: NicOp, why: string): void => void steps.push({ kind: 'op', op: what, why });
  const noVfs = whyNoVfs(situation, changes);
  const isOffloading = nic.eswitch?.mode === 'switchdev';
  if (isOffloading) steps.push({ kind: 'pause-offload', why: 'no rule must be put while this goes on' });
  if (flows.ours > 0 && (changes.mode || changes.encap || noVfs !== null))
    steps.push({ kind: 'remove-flows', count: flows.ours, why: whyNoFlows(changes, noVfs) });
  if (noVfs !== null) op({ verb: 'num-vfs', nic: handle, count: 0 }, noVfs);
  if (changes.mode) {
    for (const node of rateNodes)
      op(
        { verb: 'rate-node-delete', nic: handle, node },
        'devlink refuses a mode change while rate nodes exist',
      );
  }
  const encap = (): void => {
    if (!changes.encap || wish.encap === null) return;
    op(
      { verb: 'eswitch-encap', nic: handle, encap: wish.encap },
      `encap ${wish.encap ? 'on' : 'off'} is wanted`,
    );
  };
  const isLegacyNow = !isOffloading;
  if (isLegacyNow) encap();
  if (changes.mode) op({ verb: 'eswitch-mode', nic: handle, mode: wish.mode }, `${wish.mode} mode is wanted`);
  if (!isLegacyNow) encap();
  const vfsAfter = changes.vfsWanted;
  if (vfsAfter > 0 && (noVfs !== null || nic.vfsEnabled === 0)) {
    const why = changes.vfs ? `${vfsAfter} VFs are wanted` : 'the VFs that were there';
    op({ verb: 'num-vfs', nic: handle, count: vfsAfter }, why);
  }
  if (changes.offload)
    op({ verb: 'tc-offload', nic: handle, on: true }, 'without hw-tc-offload a driver takes no rules');
  return steps;
}

function whyNoFlows(changes: Changes, noVfs: string | null): string {
  if (changes.mode) return 'the mode change gives the NIC an empty table';
  if (noVfs !== null) return 'their representors go away';
  return 'drivers refuse another encap mode while rules are in the NIC';
}

function notesOf({ flows, nic, quirks }: EswitchSituation, changes: Changes): string[] {
  const notes: string[] = [];
  if (flows.others > 0 && (changes.encap || changes.mode)) {
    notes.push(
      `${flows.others} rules of others are on its links: they are left alone, and the driver may refuse`,
    );
  }
  if (changes.mode && quirks !== null) {
    for (const [id, text] of quirks) {
      if (id.startsWith('mode-needs-no-') && id !== MODE_QUIRK.needsNoVfs) notes.push(text);
    }
  }
  if (changes.mode && nic.problems.length > 0) notes.push(...nic.problems);
  return notes;
}

/** `switchdev mode, encap on, 4 VFs`. */
export function stateText(nic: Nic): string {
  const mode = `${nic.eswitch?.mode ?? 'legacy'} mode`;
  const encap = nic.eswitch?.encap ?? null;
  return [mode, ...(encap === null ? [] : [`encap ${encap ? 'on' : 'off'}`]), `${nic.vfsEnabled} VFs`].join(
    ', ',
  );
}

/** An operation as operators would type it. */
export function nicOpText(op: NicOp): string {
  switch (op.verb) {
    case 'eswitch-mode':
      return `eswitch mode ${op.mode}`;
    case 'eswitch-encap':
      return `eswitch encap ${op.encap ? 'on' : 'off'}`;
    case 'tc-offload':
      return `hw-tc-offload ${op.on ? 'on' : 'off'}`;
    case 'num-vfs':
      return `sriov_numvfs ${op.count}`;
    case 'rate-node-delete':
      return `delete rate node ${op.node}`;
    default:
      return op.verb;
  }
}

export function stepText(step: EswitchStep): string {
  if (step.kind === 'pause-offload') return 'pause offload';
  if (step.kind === 'remove-flows') return `remove ${step.count} flow rule${step.count === 1 ? '' : 's'}`;
  return nicOpText(step.op);
}
