/** Legacy SR-IOV: virtual functions without representors, for VLAN networks only. */
import type { Availability, EswitchBackend, HostFacts } from './backend.ts';
import { probeNamed } from './probe.ts';

function availability({ probes }: HostFacts): Availability {
  const sriov = probeNamed(probes, 'sriov');
  if (sriov.answer !== 'yes') {
    return { answer: sriov.answer, mechanism: '', why: `no NIC with SR-IOV: ${sriov.reason}` };
  }
  return { answer: 'no', mechanism: '', why: 'this version of eswitchd hands out no virtual functions' };
}

export const legacy: EswitchBackend = { kind: 'legacy', types: [], availability };
