/** What each ratio and figure has to reach. IDs are those of docs/benchmarks.md. */

export interface Target {
  /** `>=` for a floor, `<=` for a ceiling. */
  readonly relation: '>=' | '<=';
  readonly value: number;
}

const atLeast = (value: number): Target => ({ relation: '>=', value });
const atMost = (value: number): Target => ({ relation: '<=', value });

export const TARGETS: Readonly<Record<string, Target>> = {
  'local.udp64.docker_bridge': atLeast(1.5),
  'local.tcp_rr.docker_bridge': atLeast(1.2),
  'local.tcp.docker_bridge': atLeast(1.05),
  'local.udp64.veth': atLeast(0.97),
  'local.tcp_rr.veth': atLeast(0.97),
  'local.tcp.veth': atLeast(0.97),
  'local.scale.1000_vs_2': atLeast(0.97),
  'attach.docker_run.docker_bridge': atLeast(1),
  'attach.handlers_p50_ms': atMost(3),
  'attach.handlers_p99_ms': atMost(10),
  'rules.insert.tc_batch': atLeast(2),
  'rules.insert_encap.tc_batch': atLeast(2),
  'rules.delete.tc_batch': atLeast(2),
  'rules.delete_encap.tc_batch': atLeast(2),
  'rules.dump.tc_json': atLeast(3),
  'rules.restart_ops': atMost(0),
  'rules.restart_vs_bare_dump': atMost(1.2),
  'rules.daemon_bytes_per_rule': atMost(500),
  'scale.restart_ops': atMost(0),
  'scale.restart_reconcile_s': atMost(2),
  'scale.restart_s': atMost(2),
  'scale.daemon_rss_mb': atMost(200),
  'placement.share_of_best': atLeast(0.95),
  'placement.settle_after_change_max_s': atMost(10),
};

/** Whether a measured value reaches its target; null when it has none. */
export function meets(id: string, value: number): boolean | null {
  const target = TARGETS[id];
  if (target === undefined) return null;
  return target.relation === '>=' ? value >= target.value : value <= target.value;
}

/** `>= 1.5`, or "" when there is no target. */
export function targetText(id: string): string {
  const target = TARGETS[id];
  return target === undefined ? '' : `${target.relation} ${target.value}`;
}
