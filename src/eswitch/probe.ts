import type { Probe } from '../kernel/port.ts';

/** The probe of that name; one that was not run counts as unknown. */
export function probeNamed(probes: readonly Probe[], name: string): Probe {
  return probes.find(probe => probe.name === name) ?? { name, answer: 'unknown', reason: 'not probed' };
}
