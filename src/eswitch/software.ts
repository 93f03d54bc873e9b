/** The software eswitch: eBPF programs on every host-side port. Always there, always complete. */
import type { EswitchBackend, HostFacts } from './backend.ts';

/** What is attached; before the first port, what would be: tcx (kernel 6.6 and later), else clsact. */
function mechanism({ probes, hookMode }: HostFacts): string {
  if (hookMode !== 'none') return hookMode;
  const has = (name: string) => probes.some(probe => probe.name === name && probe.answer === 'yes');
  if (has('tcx')) return 'tcx';
  return has('clsact') ? 'clsact' : '';
}

export const software: EswitchBackend = {
  kind: 'software',
  datapath: 'software',
  types: ['bridge', 'vlan'],
  mechanism,
};
