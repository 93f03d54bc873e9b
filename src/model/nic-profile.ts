/**
 * What a NIC family can do and wants, as firmware-profiles/*.json says it. Every statement names its
 * source; what nobody found out is `unknown`, never a guess. Names of fields and actions are those of
 * src/ir/flow.ts; the schema in src/profile/ holds the files to them.
 */

export type Answer = 'yes' | 'no' | 'unknown';

export interface Statement {
  readonly answer: Answer;
  /** Keys of `sources`; empty only for `unknown`. */
  readonly source: readonly string[];
  /** What limits it, or why it is not known. */
  readonly note?: string;
  /** The driver takes the rule and leaves this out of it: worse than a refusal, and no probe shows it. */
  readonly silent?: true;
}

export interface FieldSupport extends Statement {
  /** Masks taken: any bits, leading ones only, or all ones only. Absent: any. */
  readonly mask?: 'any' | 'prefix' | 'exact';
  /** Hex, as long as the field: the only bits that may be matched. */
  readonly maskWithin?: string;
}

export interface ActionSupport extends Statement {
  /** Most of this action in one rule. */
  readonly max?: number;
}

/** Where a rule is or sends to. `other`: a link that is no port of this NIC. */
export type LinkKind = 'representor' | 'uplink' | 'tunnel' | 'other';

/** All given members must hold. Unknown link kinds make a condition on them false. */
export interface RuleCondition {
  /** At least one of these fields is matched. */
  readonly field?: readonly string[];
  /** At least one of these actions is there. */
  readonly action?: readonly string[];
  /** At least one of these header fields is rewritten. */
  readonly pedit?: readonly string[];
  /** The rule's protocol is one of these (0x0800). */
  readonly protocol?: readonly string[];
  /** ip_proto is matched exactly and is one of these. */
  readonly ipProto?: readonly number[];
  /** Kind of the link that the rule is on. */
  readonly on?: readonly LinkKind[];
  /** Kind of a link that a redirect or mirror names. */
  readonly to?: readonly LinkKind[];
  /** Family of a tunnel-set's addresses. */
  readonly tunnel?: 'ipv4' | 'ipv6';
  /** More than this many actions; the pedits of a rule count as one. */
  readonly actionsOver?: number;
  /** An action of `first` stands before one of `after`. */
  readonly order?: { readonly first: readonly string[]; readonly after: readonly string[] };
  /** Chain of the rule. */
  readonly chain?: 'zero' | 'other';
  /** Checksums that a csum action repairs: at least one of these. */
  readonly csum?: readonly string[];
  /** vlan-modify changes the priority matched. */
  readonly vlanPrio?: 'changed';
  /** Two outputs to one link. */
  readonly sameOutput?: true;
  readonly not?: RuleCondition;
}

export interface RuleLimit {
  readonly id: string;
  readonly when: RuleCondition;
  /** What must hold then; absent: such rules are refused. */
  readonly need?: RuleCondition;
  /** One sentence for operators: what is refused. */
  readonly text: string;
  readonly source: readonly string[];
}

/** A source of statements: a function of the kernel, or a document. */
export interface ProfileSource {
  /** Path in the kernel tree, or a title. */
  readonly where: string;
  /** Function, table or section. */
  readonly what: string;
  /** Version looked at. */
  readonly version: string;
}

export interface TableLimit {
  /** Rules; null: not published. */
  readonly size: number | null;
  /** devlink resource that tells the size of this very NIC. */
  readonly resource: string | null;
  readonly source: readonly string[];
  readonly note?: string;
}

export interface ParamWish {
  readonly name: string;
  readonly cmode: 'runtime' | 'driverinit' | 'permanent';
  readonly value: string;
  readonly why: string;
  readonly source: readonly string[];
  /** Modes of the eswitch in which the driver takes it; absent: any. */
  readonly mode?: 'legacy' | 'switchdev';
}

/** A setting that devlink does not reach. */
export interface VendorSetting {
  readonly id: string;
  readonly want: string;
  readonly why: string;
  /** Exact command; `{pci}`: 0000:3b:00.0, `{netdev}`: the uplink's name, `{vfs}`: VFs wanted. */
  readonly command: string;
  /** How to look at what is set, same placeholders; null: no way known. */
  readonly show: string | null;
  /** What must happen before it counts. */
  readonly effect: 'now' | 'driver-reload' | 'firmware-reset' | 'reboot' | 'power-cycle';
  /** Command for that reset, null: none but the machine's own. */
  readonly resetCommand: string | null;
  readonly needed: 'always' | 'no-vfs' | 'no-offload';
  readonly source: readonly string[];
}

export interface FirmwareWish {
  /** Name of the version in devlink info that counts. */
  readonly version: string | null;
  /** Lowest version known to do what the profile says; null: not known. */
  readonly minimum: string | null;
  readonly flash: Statement;
  readonly fwActivate: Statement;
  readonly driverReinit: Statement;
  /** What activates new firmware where fw_activate does not. */
  readonly activation: 'reload' | 'reboot' | 'power-cycle' | 'unknown';
  readonly source: readonly string[];
  readonly note?: string;
}

export interface ProfileMatch {
  readonly drivers: readonly string[];
  /** Absent or empty: every device of these drivers. Hex, four digits. */
  readonly pci?: readonly { readonly vendor: string; readonly devices: readonly string[] }[];
  /** Inclusive bounds of a version of devlink info. */
  readonly firmware?: { readonly version: string; readonly min?: string; readonly max?: string };
}

/** One family, or one model of it, with everything filled in. */
export interface NicProfile {
  readonly id: string;
  /** Model within the family, null for the family's own statements. */
  readonly variant: string | null;
  readonly title: string;
  /** Whether its eswitch takes flower rules at all. */
  readonly offload: Statement;
  readonly switchdev: Statement;
  readonly legacy: Statement;
  /** What may change the mode only without VFs (mode-needs-no-vfs) and its like. */
  readonly quirks: readonly {
    readonly id: string;
    readonly text: string;
    readonly source: readonly string[];
  }[];
  readonly fields: Readonly<Record<string, FieldSupport>>;
  readonly actions: Readonly<Record<string, ActionSupport>>;
  readonly pedit: Readonly<Record<string, ActionSupport>>;
  readonly protocols: Readonly<Record<string, Statement>>;
  /** For what the tables above do not list. */
  readonly unlisted: Statement;
  /** Chains other than 0; `max`: the highest, null = no limit known. */
  readonly chains: Statement & { readonly max: number | null };
  /** Whether overlapping rules are ordered by tc's prio. */
  readonly priorities: Statement & { readonly max: number | null };
  readonly limits: readonly RuleLimit[];
  readonly table: TableLimit;
  readonly params: readonly ParamWish[];
  readonly vendor: readonly VendorSetting[];
  readonly firmware: FirmwareWish;
  readonly sources: Readonly<Record<string, ProfileSource>>;
  /** To be asked by probing, because no source answers for this NIC. */
  readonly probe: boolean;
}
