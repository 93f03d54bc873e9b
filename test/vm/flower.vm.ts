/** Flow rules on kernels with cls_flower: the library's own tests and the port's contract, in guests. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scope } from '../lab/scope.ts';
import { bootGuest, type Guest } from './guest.ts';

const root = join(import.meta.dirname, '../..');
const TIMEOUT_MS = 180_000;

describe.each(['6.1', '6.12'] as const)('Debian kernel %s', series => {
  const scope = new Scope(`vmflow${series}`);
  let guest: Guest;

  beforeAll(async () => {
    guest = await bootGuest(scope, series);
  });
  afterAll(() => scope.dispose());

  it('says and reads every field and every action', async () => {
    const { code, stdout, stderr } = await guest.run(
      join(root, 'native/build/test/flower_kernel_test'),
      TIMEOUT_MS,
    );
    expect(code, `${stdout}\n${stderr}`.slice(-4000)).toBe(0);
  });

  it('keeps the contract of the flow port', async () => {
    const vitest = join(root, 'node_modules/vitest/vitest.mjs');
    const command = `cd ${root} && ${process.execPath} ${vitest} run --project guest flower.guest`;
    const { code, stdout, stderr } = await guest.run(command, TIMEOUT_MS);
    expect(code, `${stdout}\n${stderr}`.slice(-6000)).toBe(0);
  });

  it('leaves nothing for the kernel to complain about', async () => {
    expect(await guest.complaints()).toEqual([]);
  });
});
