/** Legacy SR-IOV: virtual functions without representors. Carries VLAN networks only. */
import type { EswitchBackend } from './backend.ts';

export const legacy: EswitchBackend = {
  kind: 'legacy',
  datapath: 'sriov',
  types: ['vlan'],
  mechanism: () => 'VF',
};
