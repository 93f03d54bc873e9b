/** A NIC in switchdev mode: tc-flower rules on representors. */
import type { EswitchBackend } from './backend.ts';

export const switchdev: EswitchBackend = {
  kind: 'switchdev',
  datapath: 'switchdev',
  types: ['bridge'],
  mechanism: () => 'flower',
};
