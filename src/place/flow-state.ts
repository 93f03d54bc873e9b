/** Where a pair's rule is, and why. One row per code; docs/offload.md lists the same ones. */

export const FLOW_STATES = ['in-hardware', 'refused', 'waiting', 'evicted', 'not-eligible'] as const;
export type FlowState = (typeof FLOW_STATES)[number];

/** Reason → the state it belongs to and what it means. The order is the code in the rule table. */
export const FLOW_REASONS = {
  HW_OK: { state: 'in-hardware', text: 'the NIC forwards these packets' },
  COLD: {
    state: 'waiting',
    text: 'hotter pairs fill the share of the table that is ours, or no traffic yet',
  },
  TABLE_FULL: { state: 'waiting', text: "the NIC's flow table has no room left" },
  QUEUED: { state: 'waiting', text: 'chosen for hardware; the rule is on its way' },
  LINK_MISSING: { state: 'waiting', text: 'a representor of the pair is not there yet' },
  NIC_RESET: { state: 'waiting', text: 'the NIC lost its rules; they are being put again' },
  REMOVED: { state: 'waiting', text: 'somebody removed the rule; it is put again' },
  PAUSED: { state: 'waiting', text: "the NIC's eswitch is being changed" },
  RETRY: { state: 'waiting', text: 'the kernel could not do it for the moment; tried again' },
  EVICTED: { state: 'evicted', text: 'the NIC dropped the rule from its table; it is put again' },
  STUCK: {
    state: 'evicted',
    text: 'the rule counts nothing although packets still miss it; it is put again',
  },
  NO_FIELD: { state: 'refused', text: 'the NIC cannot match a field of the rule' },
  NO_ACTION: { state: 'refused', text: 'the NIC cannot do an action of the rule' },
  DRIVER_REJECT: { state: 'refused', text: 'the driver refused the rule' },
  CONFLICT: { state: 'refused', text: "somebody else's rule has its place" },
  POLICY: { state: 'not-eligible', text: 'the network asks for datapath=software' },
  PEER_NOT_ON_NIC: { state: 'not-eligible', text: 'the other end is not on this NIC' },
  SOFTWARE_PORT: { state: 'not-eligible', text: 'the endpoint has a veth port, no VF' },
  HOST_ADDRESS: { state: 'not-eligible', text: "the host's own address: its packets go through the host" },
  OTHER_NETWORK: { state: 'not-eligible', text: 'the two are in different networks' },
  NO_ADDRESS: { state: 'not-eligible', text: 'an end has no address of this family' },
  NO_RULE: { state: 'not-eligible', text: 'packets of this kind are answered or dropped by software' },
  NO_SWITCHDEV: { state: 'not-eligible', text: 'the NIC is not in switchdev mode' },
} as const satisfies Record<string, { readonly state: FlowState; readonly text: string }>;

export type FlowReason = keyof typeof FLOW_REASONS;

const CODES = Object.keys(FLOW_REASONS) as FlowReason[];

export const reasonCode = (reason: FlowReason): number => CODES.indexOf(reason);

/** Throws RangeError for a number that is no code. */
export function reasonOf(code: number): FlowReason {
  const reason = CODES[code];
  if (reason === undefined) throw new RangeError(`no reason has code ${code}`);
  return reason;
}

export const stateOf = (reason: FlowReason): FlowState => FLOW_REASONS[reason].state;
