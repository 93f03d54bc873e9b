/** Hardware as a cache, with a NIC that counts, refuses, fills up, forgets and resets: traffic goes on. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scope } from '../lab/scope.ts';
import { OffloadLab } from './offload-lab.ts';

/** Three endpoints: six pairs, IPv4 and IPv6 TCP and UDP of each. */
const ALL = 18;
const LONG_MS = 300_000;

describe('a NIC in switchdev mode', () => {
  const scope = new Scope('vmoffload');
  let lab: OffloadLab;

  beforeAll(async () => {
    lab = await OffloadLab.boot(scope, 4);
    await lab.seed([0, 1, 2]);
    await lab.host.daemonStart();
  }, LONG_MS);
  afterAll(() => scope.dispose());

  const rep = (n: number) => lab.endpoint(n).rep;
  const ip = (n: number) => lab.endpoint(n).ip4;

  it('gets the rules of all pairs, and says so', async () => {
    await lab.inHardware(ALL);
    // Until then the software eswitch hangs on the same hook as the rules, and flushing takes both.
    const status = await lab.until(
      () => lab.status(),
      ({ table }) => table.hookMode === 'tcx',
    );
    expect(status.hardware).toMatchObject([{ nic: 'simnic/simnic0', used: ALL, takesAll: true }]);
  });

  it('forwards by itself: its counters move, the representors’ do not', async () => {
    await lab.ping(0, ip(1), 3);
    const before = await lab.counted(rep(0), rep(1));
    expect(await lab.ping(0, ip(1), 100)).toEqual({ sent: 100, lost: 0 });
    const after = await lab.counted(rep(0), rep(1));
    expect(after.hits - before.hits).toBeGreaterThanOrEqual(200);
    expect(after.misses - before.misses).toBeLessThan(10);
    const body = await lab.until(
      () => lab.explain(ip(0), ip(1)),
      ({ hardware }) => Number(hardware.seen?.packets ?? 0) >= 100,
    );
    expect(body).toMatchObject({ handled: 'hardware', hardware: { code: 'HW_OK' } });
    const { traffic } = await lab.status();
    expect(traffic.share.hardwareRatio).toBeGreaterThan(0.5);
  });

  it('leaves ICMPv6 to software', async () => {
    const before = await lab.counted(rep(0), rep(1));
    expect(await lab.ping(0, lab.endpoint(1).ip6, 20)).toEqual({ sent: 20, lost: 0 });
    const after = await lab.counted(rep(0), rep(1));
    expect(after.misses - before.misses).toBeGreaterThanOrEqual(40);
  });

  it('gets rules back that were flushed by hand, without a packet lost', async () => {
    const flush = `tc filter del dev ${rep(0)} ingress; tc filter del dev ${rep(1)} ingress`;
    const loss = await lab.ping(0, ip(1), 200, flush);
    expect(loss.lost).toBe(0);
    await lab.inHardware(ALL);
    const before = await lab.counted(rep(0), rep(1));
    await lab.ping(0, ip(1), 50);
    const after = await lab.counted(rep(0), rep(1));
    expect(after.hits - before.hits).toBeGreaterThanOrEqual(100);
  });

  it.each([
    ['a key', 'keys', '-ipv4_dst', 'ipv4_dst'],
    ['an action', 'actions', '-mangle_eth', 'mangle_eth'],
  ])(
    'refuses %s: the packets pass in software, and explain has its words',
    async (_what, knob, change, word) => {
      await lab.knob(knob, change);
      const flush = `tc filter del dev ${rep(0)} ingress; tc filter del dev ${rep(1)} ingress; tc filter del dev ${rep(2)} ingress`;
      const loss = await lab.ping(0, ip(1), 200, flush);
      expect(loss.lost).toBe(0);
      const body = await lab.until(
        () => lab.explain(ip(0), ip(1)),
        ({ hardware }) => hardware.state === 'refused',
      );
      expect(body).toMatchObject({ handled: 'software', hardware: { code: 'DRIVER_REJECT' } });
      expect(body.hardware.extack).toContain(word);
      await lab.knob(knob, 'all');
      await lab.host.api('POST', '/v1/reconcile');
      await lab.inHardware(ALL);
    },
  );

  it('fills up: what is in stays, the rest waits, and room that comes is used', async () => {
    await lab.knob('table_size', '5');
    const flush = `tc filter del dev ${rep(0)} ingress; tc filter del dev ${rep(1)} ingress; tc filter del dev ${rep(2)} ingress`;
    expect((await lab.ping(0, ip(1), 200, flush)).lost).toBe(0);
    const flows = await lab.inHardware(5);
    const waiting = flows.filter(({ code }) => code === 'TABLE_FULL');
    expect(waiting.length).toBeGreaterThan(0);
    expect(waiting.some(({ extack }) => extack.includes('table full'))).toBe(true);
    await lab.knob('table_size', '1000');
    await lab.host.api('POST', '/v1/reconcile');
    await lab.inHardware(ALL);
  });

  it('drops rules without a word: noticed by the counters, put again, nothing lost', async () => {
    const startedMs = Number(await lab.simnic.sh('date +%s%3N'));
    const before = await lab.counted(rep(0), rep(1));
    expect((await lab.ping(0, ip(1), 400, 'sn_knob 0 evict 100')).lost).toBe(0);
    const during = await lab.counted(rep(0), rep(1));
    expect(during.misses - before.misses).toBeGreaterThan(0);
    await lab.until(
      () => lab.explain(ip(0), ip(1)),
      ({ hardware }) => (hardware.sinceMs ?? 0) > startedMs && hardware.state === 'in-hardware',
    );
    await lab.inHardware(ALL);
    expect((await lab.ping(0, ip(1), 50)).lost).toBe(0);
    const after = await lab.counted(rep(0), rep(1));
    expect(after.hits - during.hits).toBeGreaterThanOrEqual(100);
  });

  it('resets: traffic is back when its links are, first in software', async () => {
    await lab.knob('reset_ms', '300');
    const loss = await lab.ping(0, ip(1), 500, 'sn_knob 0 reset 1');
    // 300 ms of a dead NIC at 50 packets a second, and what the links take to come up.
    expect(loss.lost).toBeGreaterThan(0);
    expect(loss.lost).toBeLessThan(150);
    await lab.inHardware(ALL);
    const before = await lab.counted(rep(0), rep(1));
    expect((await lab.ping(0, ip(1), 50)).lost).toBe(0);
    const after = await lab.counted(rep(0), rep(1));
    expect(after.hits - before.hits).toBeGreaterThanOrEqual(100);
  });

  it('goes on while the daemon is killed and starts again, which then changes nothing', async () => {
    const before = await lab.inTc();
    await lab.host.daemonKill9();
    expect((await lab.ping(0, ip(1), 50)).lost).toBe(0);
    await lab.host.daemonStart();
    await lab.inHardware(ALL);
    expect(await lab.inTc()).toBe(before);
  });

  it('never delivers to who has a function next: rules go before the port', async () => {
    const gone = lab.endpoint(1);
    await lab.simnic.sh(
      `curl -sS --unix-socket /run/docker/plugins/eswitch.sock -X POST -d '{"NetworkID":"${lab.network}","EndpointID":"${gone.id}"}' http://localhost/NetworkDriver.DeleteEndpoint`,
    );
    expect(await lab.inTc()).not.toContain(gone.rep);
    await lab.inHardware(6);
    await lab.host.daemonStop();
    await lab.seed([0, 101, 2]);
    await lab.host.daemonStart();
    await lab.inHardware(ALL);
    // Nobody answers at the old address; the function has another endpoint, which gets its own packets.
    expect((await lab.ping(0, gone.ip4, 20)).lost).toBe(20);
    expect((await lab.ping(0, ip(101), 20)).lost).toBe(0);
  });

  it('leaves nothing for the kernel to complain about', async () => {
    expect(await lab.simnic.guest.complaints()).toEqual([]);
  });
});
