/** The offload of a host where there is none, or none yet. */
import type { FlowPlace, Offload } from './port.ts';
import { NO_TOTALS } from './totals.ts';

const NOWHERE: FlowPlace = {
  nic: null,
  state: 'not-eligible',
  reason: 'NO_SWITCHDEV',
  text: 'no NIC of this host is in switchdev mode',
  extack: '',
  sinceMs: null,
};

export const NO_OFFLOAD: Offload = {
  tables: () => [],
  rows: () => [],
  totals: () => NO_TOTALS,
  placeOf: () => NOWHERE,
  ruleOf: () => null,
  seen: async () => null,
  errors: () => [],
};
