import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sleep, waitUntil } from '../lab/exec.ts';
import { HTTPD } from '../lab/image.ts';
import { page, probe, Stage } from './stage.ts';

describe('what happens when something dies or is taken away', () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await Stage.open('restart', { liveRestore: true });
    await stage.network('net', '--ipv6', '--subnet', '10.81.0.0/24', '--subnet', 'fd81::/64');
    await stage.run('one', 'net', '--ip', '10.81.0.11', '--ip6', 'fd81::11');
    await stage.run('two', 'net', '--ip', '10.81.0.12', '--ip6', 'fd81::12');
    const web = ['--name', 'web', '--network', 'net', '-p', '8080:80', stage.image, ...HTTPD];
    await stage.docker.cli('run', '-d', ...web);
  });
  beforeEach(async () => {
    if (!stage.daemon.running) await stage.daemon.start();
    await stage.settled();
  });
  afterAll(() => stage?.close());

  const repaired = async (what: string): Promise<void> => {
    await waitUntil(
      `a reported repair of ${what}`,
      async () => {
        const { repairs } = (await stage.status()).reconcile;
        return repairs.some(({ key }) => key.startsWith(what));
      },
      { timeoutMs: 20_000 },
    );
    await stage.settled();
  };

  /** Damage is not always an event; a resync finds it at the latest. */
  const resync = async (): Promise<void> => {
    await stage.daemon.api('POST', '/v1/reconcile');
  };

  it.each(['10.81.0.12', 'fd81::12'])(
    'kill -9 of the daemon loses no packet to %s, nor does its return',
    async address => {
      const running = await probe(await stage.netns('one'), await stage.netns('two'), address, 4);
      await sleep(800);
      await stage.daemon.kill();
      await sleep(800);
      await stage.daemon.start();
      const result = await running.finish();
      expect(result.sent).toBeGreaterThan(3_000);
      expect(result).toMatchObject({ lost: 0 });
      expect(await stage.plan()).toEqual([]);
    },
  );

  it('kill -9 at any moment of docker run and rm: it converges, nothing is lost or leaked', async () => {
    for (let round = 0; round < 6; round += 1) {
      const name = `victim-${round}`;
      const running = stage.docker.tryCli([
        'run',
        '-d',
        '--name',
        name,
        '--network',
        'net',
        stage.image,
        ...HTTPD,
      ]);
      await sleep(60 + 70 * round);
      await stage.daemon.kill();
      await stage.daemon.start();
      await running;
      const removing = stage.docker.tryCli(['rm', '-f', name]);
      await sleep(20 * round);
      await stage.daemon.kill();
      await stage.daemon.start();
      await removing;
      await stage.docker.tryCli(['rm', '-f', name]);
    }
    await stage.settled();
    // An endpoint whose making Docker never heard of is removed after the grace.
    await waitUntil('three endpoints', async () => (await stage.endpoints()).length === 3);
    // Three endpoints' representors and the gateway pair.
    await waitUntil('no left-over link', async () => (await stage.links()).length === 5);
    expect(await stage.pings('one', '10.81.0.12')).toBe(true);
  });

  it('a deleted representor: the pair is rebuilt into the sandbox, and traffic goes on', async () => {
    const { representor } = await stage.endpoint('one', 'net');
    await stage.host.ip('link', 'del', representor ?? '');
    await repaired('port/');
    await waitUntil('a ping', () => stage.pings('one', '10.81.0.12'));
    expect(await stage.pings('one', 'fd81::12')).toBe(true);
    expect(await stage.pings('one', '10.81.0.1')).toBe(true);
    const { MacAddress } = await stage.docker.client.endpoint('one', 'net');
    expect(await (await stage.netns('one')).ip('link', 'show', 'eth0')).toContain(MacAddress);
  });

  it('a deleted gateway is rebuilt with its addresses', async () => {
    const gateway = (await stage.links()).find(name => name.startsWith('ewg')) ?? '';
    await stage.host.ip('link', 'del', gateway);
    await repaired('port/');
    await waitUntil('the gateway', () => stage.pings('one', '10.81.0.1'));
    expect(await stage.pings('one', 'fd81::1')).toBe(true);
    expect(await page(stage.host, 'http://127.0.0.1:8080/')).toBe('eswitchd lab');
  });

  it('a flushed nftables table comes back, and is reported', async () => {
    await stage.host.exec(['nft', 'flush', 'ruleset']);
    await resync();
    await repaired('nft-table');
    expect(await page(stage.host, 'http://127.0.0.1:8080/')).toBe('eswitchd lab');
  });

  it('emptied eBPF tables are filled again, and it is reported', async () => {
    const ns = stage.host;
    const maps = '/sys/fs/bpf/eswitchd/v1/maps';
    const keys = JSON.parse(await ns.output(['bpftool', '-j', 'map', 'dump', 'pinned', `${maps}/ports`])) as {
      key: string[];
    }[];
    for (const { key } of keys) {
      await ns.exec([
        'bpftool',
        'map',
        'delete',
        'pinned',
        `${maps}/ports`,
        'key',
        'hex',
        ...key.map(byte => byte.slice(2)),
      ]);
    }
    expect(await stage.pings('one', '10.81.0.12')).toBe(false);
    await resync();
    await repaired('port-entry');
    expect(await stage.pings('one', '10.81.0.12')).toBe(true);
  });

  it('removed pins: everything is loaded, attached and pinned again', async () => {
    await stage.host.exec(['rm', '-r', '/sys/fs/bpf/eswitchd']);
    await resync();
    await stage.settled();
    await waitUntil('a ping', () => stage.pings('one', '10.81.0.12'));
    expect(await stage.host.output(['ls', '/sys/fs/bpf/eswitchd/v1/maps'])).toContain('ports');
    await stage.daemon.restart();
    expect(await stage.plan()).toEqual([]);
  });

  it('dockerd restarts under running containers (live-restore): no packet lost, addresses replayed', async () => {
    const running = await probe(await stage.netns('one'), await stage.netns('two'), '10.81.0.12', 6);
    await sleep(500);
    await stage.docker.kill();
    await stage.docker.start();
    expect(await running.finish()).toMatchObject({ lost: 0 });
    expect((await stage.docker.client.endpoint('one', 'net')).IPAddress).toBe('10.81.0.11');
    await stage.run('after', 'net');
    expect(await stage.pings('after', '10.81.0.11')).toBe(true);
    const { IPAddress } = await stage.docker.client.endpoint('after', 'net');
    expect(['10.81.0.11', '10.81.0.12']).not.toContain(IPAddress);
    await stage.docker.cli('rm', '-f', 'after');
  });

  it('dockerd starts without the daemon, and finds it when it comes', async () => {
    await stage.daemon.kill();
    await stage.docker.restart();
    await stage.daemon.start();
    expect(await stage.pings('one', '10.81.0.12')).toBe(true);
    await stage.run('late', 'net');
    expect(await stage.pings('late', '10.81.0.12')).toBe(true);
    await stage.docker.cli('rm', '-f', 'late');
  });

  it('a second daemon on the same state is refused with the pid of the first', async () => {
    const main = new URL('../../src/daemon/main.ts', import.meta.url).pathname;
    const second = await stage.host.tryExec([process.execPath, main, '--config', stage.daemon.configFile]);
    expect(second.code).not.toBe(0);
    expect(second.stderr).toMatch(/in use by process \d+ \(ESW_ERR_STORE_LOCKED\)/);
  });
});
