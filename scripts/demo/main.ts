#!/usr/bin/env node
/** `npm run demo [-- --json FILE]`: the main job, end to end, on this machine. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Scope } from '../../test/lab/scope.ts';
import { DemoFailure } from './screen.ts';
import { type Measured, tell } from './story.ts';
import { median } from './traffic.ts';

const USAGE = 'usage: npm run demo [-- --json FILE]';

function jsonFile(): string | undefined {
  try {
    return parseArgs({ options: { json: { type: 'string' } } }).values.json;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${USAGE}\n`);
    process.exit(2);
  }
}

function summary({ engine, eswitch, pingMs, traffic, survival, spoofedDropped }: Measured): string {
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
    '  Everything the demo made has been removed.',
    '',
  ].join('\n');
}

async function main(): Promise<number> {
  const file = jsonFile();
  const scope = new Scope('demo');
  let measured: Measured;
  try {
    measured = await tell(scope);
  } catch (error) {
    const text = error instanceof DemoFailure ? error.message : ((error as Error).stack ?? String(error));
    process.stderr.write(`\ndemo failed: ${text}\n`);
    await scope.dispose();
    return 1;
  }
  await scope.dispose();
  process.stdout.write(summary(measured));
  if (file !== undefined) writeFileSync(file, `${JSON.stringify(measured, null, 2)}\n`);
  return 0;
}

process.exitCode = await main();
