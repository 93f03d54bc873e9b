import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scope } from '../lab/scope.ts';
import { bootGuest, type Guest } from './guest.ts';

/** What test/vm/guest/forwarding.ts prints. */
interface Report {
  readonly hookMode: string;
  readonly probes: Readonly<Record<string, string>>;
  readonly refused: readonly string[];
  readonly traffic: Readonly<Record<string, boolean>>;
  readonly again: readonly string[];
  readonly drops: readonly string[];
  readonly packets: number;
  readonly removalRefused: readonly unknown[];
  readonly left: readonly string[];
}

const TRAFFIC = {
  ...{ peer4: true, peer6: true, back4: true, gateway4: true, gateway6: true },
  ...{ published: true, spoofed: false },
};
const SCRIPT_TIMEOUT_MS = 90_000;

async function forwarding(guest: Guest, hookMode: string): Promise<Report> {
  const script = join(import.meta.dirname, 'guest/forwarding.ts');
  const text = await guest.must(`${process.execPath} ${script} ${hookMode}`, SCRIPT_TIMEOUT_MS);
  // The guest is used again: its namespaces go, so that the next run starts from nothing.
  await guest.must('ip -all netns delete');
  return JSON.parse(text) as Report;
}

function expectForwarding(report: Report): void {
  expect(report.refused, report.refused.join('\n')).toEqual([]);
  expect(report.traffic).toEqual(TRAFFIC);
  expect(report.drops).toContain('src_ip');
  expect(report.again).toEqual([]);
  expect(report.packets).toBeGreaterThan(0);
  expect(report.removalRefused).toEqual([]);
  expect(report.left).toEqual([]);
}

describe.each([
  { series: '6.1', first: 'clsact', tcx: 'no', modes: ['auto'] },
  { series: '6.12', first: 'tcx', tcx: 'yes', modes: ['auto', 'clsact'] },
] as const)('Debian kernel $series', ({ series, first, tcx, modes }) => {
  const scope = new Scope(`vm${series}`);
  let guest: Guest;

  beforeAll(async () => {
    // Two, so that per-CPU maps and counters have more than one part.
    guest = await bootGuest(scope, { series, cpus: 2 });
  });
  afterAll(() => scope.dispose());

  it('boots that kernel', async () => {
    expect(await guest.must('uname -r')).toMatch(new RegExp(`^${series.replace('.', '\\.')}\\.`));
  });

  it.each(modes)('loads the programs, attaches (%s) and forwards, publishes and checks', async mode => {
    const report = await forwarding(guest, mode);
    expectForwarding(report);
    expect(report.hookMode).toBe(mode === 'auto' ? first : mode);
    expect(report.probes).toMatchObject({ tcx, clsact: 'yes', redirect_peer: 'yes', nf_tables: 'yes' });
  });

  it('finds nothing to complain about in the kernel log', async () => {
    expect(await guest.complaints()).toEqual([]);
  });
});
