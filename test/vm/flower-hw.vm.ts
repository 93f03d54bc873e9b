/** The flow port on a NIC: what goes in, what is refused and in whose words, what is counted. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ERRNO } from '../../src/lib/errno.ts';
import { Scope } from '../lab/scope.ts';
import { bootWithSimnic, type Lab } from './simnic-lab.ts';

const SETUP = `sn_host 0 2; sn_switchdev 0; sn_up 0 0; sn_up 0 1
ip addr add 192.168.7.1/24 dev up0`;
const TIMEOUT_MS = 120_000;
const PING = 98;

describe('flow rules on the virtual SmartNIC', () => {
  const scope = new Scope('vmflowhw');
  let lab: Lab;
  let report: Readonly<Record<string, readonly unknown[]>>;

  beforeAll(async () => {
    lab = await bootWithSimnic(scope);
    await lab.sh(SETUP);
    const script = join(import.meta.dirname, 'guest/flower-hw.ts');
    report = JSON.parse(await lab.guest.must(`${process.execPath} ${script}`, TIMEOUT_MS));
  });
  afterAll(() => scope.dispose());

  it('go into its table, and say so', () => {
    expect(report['put']).toEqual([
      [0, true, ''],
      [0, true, ''],
      [0, false, ''],
    ]);
    // ours 8, in_hw 1, skip_sw 2, skip_hw 4
    expect(report['flags']).toEqual([
      [1, 11],
      [2, 9],
      [3, 12],
    ]);
  });

  it('are replaced in place', () => {
    expect(report['replaced']).toEqual([[0, true, '']]);
    expect(report['afterReplace']).toBe(2);
  });

  it('are refused with its words, or stay in software with them', () => {
    const words = expect.stringContaining('key eth_dst is not supported');
    expect(report['refused']).toEqual([
      [ERRNO.EOPNOTSUPP, false, words],
      [0, false, words],
    ]);
  });

  it('fill its table', () => {
    const full = expect.stringContaining('table full');
    expect(report['full']).toEqual([
      [0, true, ''],
      [ERRNO.ENOSPC, false, full],
      [0, false, full],
    ]);
    expect(report['fullTable']).toBe(3);
    expect(report['many']).toEqual([expect.stringMatching(/^hw 28 .*table full/), 'sw 0 ']);
  });

  it('go in when there is room again, and out when deleted', () => {
    expect(report['again']).toEqual([
      [0, true, ''],
      [0, true, ''],
    ]);
    expect(report['deleted']).toBe(1);
    expect(report['emptied']).toEqual([0, 0]);
  });

  it('are counted apart from software', () => {
    expect(report['traffic']).toEqual(Array.from({ length: 4 }, () => [0, true, '']));
    expect(report['counted']).toEqual([
      [10, 10 * PING, 0],
      [10, 10 * PING, 0],
    ]);
  });

  it('on a tunnel device are never for hardware alone, and in hardware all the same', () => {
    const [alone, both] = report['tunnel'] as readonly [readonly [number, boolean], readonly unknown[]];
    expect(alone[0]).not.toBe(0);
    expect(both).toEqual([0, true]);
  });

  it('leave nothing for the kernel to complain about', async () => {
    expect(await lab.guest.complaints()).toEqual([]);
  });
});
