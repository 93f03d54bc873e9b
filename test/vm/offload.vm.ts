/**
 * Hardware as a cache of the software table: containers on VFs of a NIC that counts, refuses, fills up,
 * forgets and resets. Traffic goes on, rules come back, and `explain` names the cause.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scope } from '../lab/scope.ts';
import { OffloadLab } from './offload-lab.ts';

/** Three containers: six pairs, IPv4 and IPv6 TCP and UDP of each. */
const ALL = 18;
const SETUP_MS = 600_000;

describe('containers on VFs of a NIC in switchdev mode', () => {
  const scope = new Scope('vmoffload');
  let lab: OffloadLab;

  beforeAll(async () => {
    lab = await OffloadLab.boot(scope, 3);
    await lab.run(['alpha', 'beta', 'gamma']);
  }, SETUP_MS);
  afterAll(() => scope.dispose());

  const ip = (name: string) => lab.member(name).ip4;

  /** Hardware forwards `alpha` to `beta` and back: its counters move, the representors' do not. */
  async function expectHardware(): Promise<void> {
    await lab.ping('alpha', ip('beta'), 3);
    const before = await lab.counted('alpha', 'beta');
    expect(await lab.ping('alpha', ip('beta'), 100)).toEqual({ sent: 100, lost: 0 });
    const after = await lab.counted('alpha', 'beta');
    expect(after.hits - before.hits).toBeGreaterThanOrEqual(200);
    expect(after.misses - before.misses).toBeLessThan(10);
  }

  it('have the rules of all pairs in it', async () => {
    await lab.inHardware(ALL);
    // Until then the software eswitch hangs on the hook that the rules are on: flushing takes both.
    const status = await lab.until(
      () => lab.status(),
      ({ table }) => table.hookMode === 'tcx',
    );
    expect(status.hardware).toMatchObject([{ nic: 'simnic/simnic0', used: ALL, takesAll: true }]);
  });

  it('are served by the NIC alone, and the figures say so', async () => {
    await expectHardware();
    const body = await lab.until(
      () => lab.explain('alpha', 'beta'),
      ({ hardware }) => Number(hardware.seen?.packets ?? 0) >= 100,
    );
    expect(body).toMatchObject({ handled: 'hardware', hardware: { code: 'HW_OK' } });
    expect((await lab.status()).traffic.share.hardwareRatio).toBeGreaterThan(0.5);
  });

  it('have ICMPv6 served by software', async () => {
    const before = await lab.counted('alpha', 'beta');
    expect(await lab.ping('alpha', lab.member('beta').ip6, 20)).toEqual({ sent: 20, lost: 0 });
    const after = await lab.counted('alpha', 'beta');
    expect(after.misses - before.misses).toBeGreaterThanOrEqual(40);
  });

  it('lose no packet when somebody flushes the rules, which come back', async () => {
    expect((await lab.ping('alpha', ip('beta'), 200, lab.flush)).lost).toBe(0);
    await lab.inHardware(ALL);
    await expectHardware();
  });

  it.each([
    ['a key', 'keys', '-ipv4_dst', 'ipv4_dst'],
    ['an action', 'actions', '-mangle_eth', 'eth'],
  ])('lose no packet when the NIC refuses %s, and explain has its words', async (_, knob, change, word) => {
    await lab.knob(knob, change);
    expect((await lab.ping('alpha', ip('beta'), 200, lab.flush)).lost).toBe(0);
    const body = await lab.until(
      () => lab.explain('alpha', 'beta'),
      ({ hardware }) => hardware.state === 'refused',
    );
    expect(body).toMatchObject({ handled: 'software', hardware: { code: 'DRIVER_REJECT' } });
    expect(body.hardware.extack).toContain(word);
    await lab.knob(knob, 'all');
    await lab.retry();
    await lab.inHardware(ALL);
  });

  it('lose no packet when the table is full; room that comes is used', async () => {
    await lab.knob('table_size', '5');
    expect((await lab.ping('alpha', ip('beta'), 200, lab.flush)).lost).toBe(0);
    const flows = await lab.inHardware(5);
    expect(flows.some(({ code, extack }) => code === 'TABLE_FULL' && extack.includes('table full'))).toBe(
      true,
    );
    await lab.knob('table_size', '1000');
    await lab.retry();
    await lab.inHardware(ALL);
  });

  it('lose no packet when the NIC forgets rules without a word; the counters tell, and they come back', async () => {
    const startedMs = Number(await lab.simnic.sh('date +%s%3N'));
    const before = await lab.counted('alpha', 'beta');
    expect((await lab.ping('alpha', ip('beta'), 400, 'sn_knob 0 evict 100')).lost).toBe(0);
    expect((await lab.counted('alpha', 'beta')).misses).toBeGreaterThan(before.misses);
    await lab.until(
      () => lab.explain('alpha', 'beta'),
      ({ hardware }) => (hardware.sinceMs ?? 0) > startedMs && hardware.state === 'in-hardware',
    );
    await lab.inHardware(ALL);
    await expectHardware();
  });

  it('are reachable again when the NIC has reset, and then by hardware', async () => {
    await lab.knob('reset_ms', '3000');
    const loss = await lab.ping('alpha', ip('beta'), 600, 'sn_knob 0 reset 1');
    // Three seconds without links at 50 packets a second; the kernel takes up to a second to see each change.
    expect(loss.lost).toBeGreaterThan(0);
    expect(loss.lost).toBeLessThan(300);
    process.stdout.write(`lost while the NIC reset: ${loss.lost} of ${loss.sent}\n`);
    await lab.inHardware(ALL);
    await expectHardware();
  });

  it('go on while the daemon is killed and starts again, which then changes no rule', async () => {
    const before = await lab.inTc();
    await lab.host.daemonKill9();
    expect((await lab.ping('alpha', ip('beta'), 50)).lost).toBe(0);
    await lab.host.daemonStart();
    await lab.inHardware(ALL);
    expect(await lab.inTc()).toBe(before);
  });

  it('leave no rule behind that could deliver to who has their VF next', async () => {
    const gone = lab.member('beta');
    await lab.host.docker('rm', '-f', 'beta');
    await lab.inHardware(6);
    expect(await lab.inTc()).not.toContain(gone.ip4);
    await lab.until(
      () => lab.ports(),
      ports => ports.some(({ state }) => state === 'free'),
    );
    await lab.run(['delta'], 20);
    await lab.inHardware(ALL);
    // Nobody answers at the old address; the VF's new owner gets its own packets.
    expect((await lab.ping('alpha', gone.ip4, 10)).lost).toBe(10);
    expect(await lab.ping('alpha', ip('delta'), 20)).toEqual({ sent: 20, lost: 0 });
  });

  it('leave nothing for the kernel to complain about', async () => {
    expect(await lab.simnic.guest.complaints()).toEqual([]);
  });
});
