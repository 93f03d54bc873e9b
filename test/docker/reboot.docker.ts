import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sleep, waitUntil } from '../lab/exec.ts';
import { IDLE } from '../lab/image.ts';
import { Stage } from './stage.ts';

/** Without live-restore an engine's restart ends every container: what Docker held is stale afterwards. */
describe('an engine that takes its containers down with it', () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await Stage.open('reboot');
    await stage.network('net', '--ipv6', '--subnet', '10.85.0.0/24', '--subnet', 'fd85::/64');
    for (const name of ['one', 'two']) {
      await stage.docker.cli(
        'run',
        '-d',
        '--name',
        name,
        '--network',
        'net',
        '--restart',
        'always',
        stage.image,
        ...IDLE,
      );
    }
  });
  afterAll(() => stage?.close());

  const reachEachOther = async (): Promise<void> => {
    await waitUntil(
      'both containers',
      async () => {
        const states = await Promise.all(['one', 'two'].map(name => stage.docker.client.inspect(name)));
        return states.every(({ State }) => State.Running);
      },
      { timeoutMs: 30_000 },
    );
    const { IPAddress, GlobalIPv6Address } = await stage.docker.client.endpoint('two', 'net');
    await waitUntil('a ping', () => stage.pings('one', IPAddress));
    expect(await stage.pings('one', GlobalIPv6Address)).toBe(true);
  };

  /** Two endpoints' representors and the gateway pair; function sides are in the containers. */
  const nothingLeftOver = async (): Promise<void> => {
    await waitUntil('two endpoints', async () => (await stage.endpoints()).length === 2);
    await stage.settled();
    await waitUntil('no left-over link', async () => (await stage.links()).length === 4);
  };

  it('stopped and started: the containers come back, nothing stale stays', async () => {
    await stage.docker.restart();
    await reachEachOther();
    await nothingLeftOver();
  });

  it('both daemons stopped, ours started last', async () => {
    await stage.daemon.stop();
    await stage.docker.stop();
    const starting = stage.docker.start();
    await sleep(2_000);
    await stage.daemon.start();
    await starting;
    for (const name of ['one', 'two']) {
      if (!(await stage.docker.client.inspect(name)).State.Running) await stage.docker.client.start(name);
    }
    await reachEachOther();
    await nothingLeftOver();
  });

  it('removed while our daemon is away: Docker forgets, and so do we', async () => {
    await stage.daemon.kill();
    await stage.docker.tryCli(['rm', '-f', 'one'], 90_000);
    await stage.daemon.start();
    await stage.docker.tryCli(['rm', '-f', 'one', 'two'], 90_000);
    await waitUntil('no endpoint', async () => (await stage.endpoints()).length === 0, { timeoutMs: 30_000 });
    await stage.settled();
    await waitUntil('the gateway pair alone', async () => (await stage.links()).length === 2, {
      timeoutMs: 30_000,
    });
  });
});
