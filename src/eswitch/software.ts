/** The software eswitch: eBPF programs on every host-side port. Always there, always complete. */
import type { Availability, EswitchBackend, HostFacts } from './backend.ts';
import { probeNamed } from './probe.ts';

/** tcx where the kernel has it (6.6 and later), the clsact qdisc otherwise. */
function availability({ probes, hookMode }: HostFacts): Availability {
  const tcx = probeNamed(probes, 'tcx');
  const clsact = probeNamed(probes, 'clsact');
  if (hookMode !== 'none')
    return { answer: 'yes', mechanism: hookMode, why: `forwards in eBPF (${hookMode})` };
  if (tcx.answer === 'yes') return { answer: 'yes', mechanism: 'tcx', why: 'forwards in eBPF (tcx)' };
  if (clsact.answer === 'yes')
    return { answer: 'yes', mechanism: 'clsact', why: 'forwards in eBPF (clsact)' };
  const refused = [tcx, clsact].find(probe => probe.answer === 'no' && probe.reason !== '') ?? tcx;
  return {
    answer: tcx.answer === 'no' && clsact.answer === 'no' ? 'no' : 'unknown',
    mechanism: '',
    why: `no hook for eBPF programs: ${refused.reason}`,
  };
}

export const software: EswitchBackend = { kind: 'software', types: ['bridge'], availability };
