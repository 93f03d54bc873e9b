/** A NIC in switchdev mode: tc-flower rules on representors. */
import type { Availability, EswitchBackend, HostFacts } from './backend.ts';
import { probeNamed } from './probe.ts';

/** The first thing on the way to a NIC in switchdev mode that this host lacks. */
function availability({ probes }: HostFacts): Availability {
  const devlink = probeNamed(probes, 'devlink');
  if (devlink.answer !== 'yes') {
    const why = `no NIC in switchdev mode: this kernel's devlink: ${devlink.reason}`;
    return { answer: devlink.answer, mechanism: '', why };
  }
  const flower = probeNamed(probes, 'flower');
  if (flower.answer !== 'yes') {
    return { answer: flower.answer, mechanism: '', why: `no tc-flower in this kernel: ${flower.reason}` };
  }
  return {
    answer: 'no',
    mechanism: '',
    why: 'this version of eswitchd has no driver for NICs in switchdev mode',
  };
}

export const switchdev: EswitchBackend = { kind: 'switchdev', types: ['bridge'], availability };
