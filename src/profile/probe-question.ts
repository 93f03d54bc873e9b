/** What a question to a NIC is. */
import type { FlowField, FlowRule } from '../ir/flow.ts';

/** Where to ask. */
export interface ProbeLinks {
  /** A representor. */
  readonly on: string;
  /** Another port of the same NIC; a rule may send there. */
  readonly to: string;
  /** A vxlan device, null: questions about tunnels stay open. */
  readonly tunnel: string | null;
}

export interface ProbeQuestion {
  /** As `questionOf` names it. */
  readonly question: string;
  /** Questions that must have been answered with yes: else a refusal would say nothing about this one. */
  readonly needs: readonly string[];
  /** null: cannot be asked here, see `why`. */
  readonly rule: FlowRule | null;
  readonly why?: string;
  /** Drivers refuse such rules for want of a route too, so a refusal says nothing about the NIC. */
  readonly dependsOnRoutes?: boolean;
}

/** A rule that the NIC took; the questions are variations of it. */
export interface ProbeBase {
  readonly match: FlowField;
  readonly action: 'drop' | 'redirect' | 'trap';
}
