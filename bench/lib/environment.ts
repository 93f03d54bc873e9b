/** Facts about the machine that a figure means nothing without. */
import { execFile } from 'node:child_process';
import { availableParallelism, cpus, loadavg, release } from 'node:os';
import { promisify } from 'node:util';
import type { Environment, SuiteOptions } from './suite.ts';

const run = promisify(execFile);

/** Measured on the spot; a tool that is absent is reported as absent, not as an error. */
export async function describeEnvironment(options: SuiteOptions): Promise<Environment> {
  return {
    eswitch: 'software eswitch, no NIC',
    kernel: release(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    node: process.version,
    docker: await dockerVersion(),
    load_before: loadavg()
      .map(value => value.toFixed(2))
      .join(' '),
    mode: options.quick ? 'quick (figures are indicative only)' : 'full',
  };
}

async function dockerVersion(): Promise<string> {
  try {
    const { stdout } = await run('dockerd', ['--version']);
    return stdout.trim();
  } catch {
    return 'not installed';
  }
}
