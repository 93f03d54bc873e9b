import { describe, expect, it } from 'vitest';
import { endpoint } from './arbitrary.ts';
import { addNetwork, expectConverged, fn, NET, putEndpoint, rep, started, stopLater } from './driver.ts';
import { type Rig, restarted } from './rig.ts';

describe('damage', () => {
  it('to a link is repaired at once, and told', async () => {
    const the = await started();
    await addNetwork(the);
    await putEndpoint(the, endpoint(NET, 1));
    the.outside.deleteLink(rep);
    await expect.poll(() => the.kernel.state.hostNames.has(rep)).toBe(true);
    await the.reconciler.resync('request');
    await expectConverged(the);
    const { repairs } = the.reconciler.status();
    expect(repairs.map(repair => repair.what)).toEqual(
      expect.arrayContaining(['missing', 'changed', 'left-over']),
    );
  });

  it('is told apart from intent', async () => {
    const the = await started();
    await addNetwork(the);
    await putEndpoint(the, endpoint(NET, 1));
    const calm = await the.reconciler.resync('request');
    expect(calm).toMatchObject({ created: 0, updated: 0, deleted: 0, repaired: 0 });
    expect(the.reconciler.status().repairs).toEqual([]);
    the.outside.deleteTable();
    const report = await the.reconciler.resync('request');
    expect(report.repaired).toBe(report.created);
    expect(report.repaired).toBeGreaterThan(3);
    await expectConverged(the);
  });

  it('seen only by a periodic look is repaired by it', async () => {
    const the = await started({ resyncMs: 40 });
    await addNetwork(the);
    the.outside.removePins();
    await expect.poll(() => the.kernel.state.maps?.nets.size).toBe(1);
    await the.reconciler.resync('request');
    await expectConverged(the);
  });

  it('is looked for when events were lost', async () => {
    const the = await started();
    await addNetwork(the);
    the.outside.clearMap('nets');
    the.outside.loseEvents();
    await expect.poll(() => the.kernel.state.maps?.nets.size).toBe(1);
  });

  it('left by an earlier daemon is removed', async () => {
    const the = await started();
    await addNetwork(the);
    await putEndpoint(the, endpoint(NET, 1));
    await the.reconciler.stop();
    the.store.commit(tx => tx.deleteEndpoint(endpoint(NET, 1).id));
    const next = restarted(the);
    stopLater(next);
    await next.reconciler.start();
    await next.reconciler.resync('request');
    await expectConverged(next);
  });

  it('keeps the list of repairs short', async () => {
    const the = await started();
    await addNetwork(the);
    for (let n = 1; n <= 60; n++) await putEndpoint(the, endpoint(NET, n));
    for (let i = 0; i < 6; i++) {
      the.outside.clearMap('ports');
      await the.reconciler.resync('request');
    }
    expect(the.reconciler.status().repairs).toHaveLength(256);
  });
});

describe('sandboxes', () => {
  const path = '/run/docker/netns/one';
  const joined = { ...endpoint(NET, 1), sandbox: { key: path, ifname: null } };

  async function join(the: Rig): Promise<void> {
    await addNetwork(the);
    await putEndpoint(the, endpoint(NET, 1));
    the.outside.makeSandbox(path);
    await putEndpoint(the, joined);
    the.outside.moveToSandbox(fn, path, 'eth0');
  }

  it('teach the name Docker gave, which is kept', async () => {
    const the = await started();
    await join(the);
    await expect.poll(() => the.store.endpoint(joined.id)?.sandbox?.ifname).toBe('eth0');
    await expectConverged(the);
  });

  it('get their lost pair back under that name', async () => {
    const the = await started();
    await join(the);
    await expect.poll(() => the.store.endpoint(joined.id)?.sandbox?.ifname).toBe('eth0');
    the.outside.deleteLink(rep);
    await expect.poll(() => the.kernel.sandboxIfname(path, rep)).toBe('eth0');
  });

  it('that are gone are not given a port again', async () => {
    const the = await started();
    await join(the);
    the.outside.destroySandbox(path);
    await the.reconciler.resync('request');
    expect(the.kernel.state.hostNames.has(rep)).toBe(false);
    expect(the.reconciler.status().detached).toEqual([joined.id]);
    expect(the.kernel.state.maps?.ports.size).toBe(1);
    await putEndpoint(the, endpoint(NET, 1));
    expect(the.reconciler.status().detached).toEqual([]);
    await expectConverged(the);
  });
});

describe('a kernel in use', () => {
  it('repairs what one damage took from many, in order', async () => {
    const the = await started();
    await addNetwork(the);
    for (let n = 1; n <= 30; n++) await putEndpoint(the, endpoint(NET, n));
    the.outside.removePins();
    the.outside.deleteTable();
    const report = await the.reconciler.resync('request');
    expect(report).toMatchObject({ failed: 0, cause: 'request' });
    await expectConverged(the);
  });

  it('has the counters of new ports reset only where there are counters', async () => {
    const the = await started();
    await addNetwork(the);
    the.kernel.resetCounters = () => Promise.reject(new Error('no map "stats"'));
    await putEndpoint(the, endpoint(NET, 1));
    await expectConverged(the);
  });
});
