#!/usr/bin/env node
/** `npm run demo [-- --json FILE] [--no-hardware]`: the main job, end to end, on this machine and in a guest. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Scope } from '../../test/lab/scope.ts';
import { type HardwareMeasured, showHardware } from './hardware.ts';
import { DemoFailure } from './screen.ts';
import { type Measured, tell } from './story.ts';
import { median } from './traffic.ts';

const USAGE = 'usage: npm run demo [-- --json FILE] [--no-hardware]';

function options(): { readonly json?: string; readonly 'no-hardware'?: boolean } {
  try {
    return parseArgs({ options: { json: { type: 'string' }, 'no-hardware': { type: 'boolean' } } }).values;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${USAGE}\n`);
    process.exit(2);
  }
}

/** Of the guest's part; "" when it was left out. */
function hardwareSummary(measured: HardwareMeasured | null): string[] {
  if (measured === null) return [];
  const { kernel, shareInHardware, lostDuringEviction } = measured;
  const { lost, sent } = lostDuringEviction;
  return [
    `  virtual NIC   ${(shareInHardware * 100).toFixed(1)} % of bytes in hardware (guest kernel ${kernel}, emulated)`,
    `  eviction      ${lost} of ${sent} packets lost while the NIC forgot its rules`,
  ];
}

function summary(measured: Measured, hardware: HardwareMeasured | null): string {
  const { engine, eswitch, pingMs, traffic, survival, spoofedDropped } = measured;
  const ratio = (kind: keyof typeof traffic): string => `${median(traffic[kind].ratios).toFixed(2)}x`;
  return [
    '',
    'Summary (measured in this run)',
    `  engine        Docker ${engine.version} (${engine.kind})`,
    `  eswitch       ${eswitch}`,
    `  ping          ${pingMs.ip4.toFixed(3)} ms over IPv4, ${pingMs.ip6.toFixed(3)} ms over IPv6`,
    `  against Docker's bridge: UDP-64 ${ratio('udp64')}, TCP ping-pong ${ratio('tcp_rr')}, TCP ${ratio('tcp')}`,
    `  kill -9       ${survival.lost} of ${survival.sent} packets lost, longest gap ${survival.longestGapMs.toFixed(1)} ms`,
    `  spoofing      ${spoofedDropped} packets refused`,
    ...hardwareSummary(hardware),
    '  Everything the demo made has been removed.',
    '',
  ].join('\n');
}

async function main(): Promise<number> {
  const { json: file, 'no-hardware': isWithout } = options();
  const scope = new Scope('demo');
  let measured: Measured;
  let hardware: HardwareMeasured | null;
  try {
    measured = await tell(scope);
    hardware = isWithout === true ? null : await showHardware(scope);
  } catch (error) {
    const text = error instanceof DemoFailure ? error.message : ((error as Error).stack ?? String(error));
    process.stderr.write(`\ndemo failed: ${text}\n`);
    await scope.dispose();
    return 1;
  }
  await scope.dispose();
  process.stdout.write(summary(measured, hardware));
  if (file !== undefined) writeFileSync(file, `${JSON.stringify({ ...measured, hardware }, null, 2)}\n`);
  return 0;
}

process.exitCode = await main();
