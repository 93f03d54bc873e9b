/** The data path's own tests (native/test/bpf_*) on other kernels: their verifiers and their hooks. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scope } from '../lab/scope.ts';
import { bootGuest, type Guest } from './guest.ts';

const TESTS = ['bpf_forward_test', 'bpf_neighbour_test', 'bpf_traffic_test'];
const directory = join(import.meta.dirname, '../../native/build/test');
const TIMEOUT_MS = 120_000;

describe.each(['6.1', '6.12'] as const)('Debian kernel %s', series => {
  const scope = new Scope(`vmbpf${series}`);
  let guest: Guest;

  beforeAll(async () => {
    // Two, so that per-CPU maps and counters have more than one part.
    guest = await bootGuest(scope, { series, cpus: 2 });
  });
  afterAll(() => scope.dispose());

  it.each(TESTS)('%s', async name => {
    const { code, stdout, stderr } = await guest.run(join(directory, name), TIMEOUT_MS);
    // A refused program comes with a verifier log of thousands of lines; its end says why.
    expect(code, `${stdout}\n${stderr}`.slice(-2000)).toBe(0);
  });
});
