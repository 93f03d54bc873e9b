import { describe, expect, it } from 'vitest';
import type { NetworkId } from '../../src/lib/brand.ts';
import { ERRNO } from '../../src/lib/errno.ts';
import { plan } from '../../src/plan/plan.ts';
import { endpoint, network } from './arbitrary.ts';
import {
  addNetwork,
  deleteEndpoint,
  expectConverged,
  kinds,
  NET,
  putEndpoint,
  rep,
  started,
  stopLater,
} from './driver.ts';
import { rig } from './rig.ts';

describe('intent', () => {
  it('is in the kernel when waitFor resolves', async () => {
    const the = await started();
    await addNetwork(the);
    await putEndpoint(the, endpoint(NET, 1));
    await expectConverged(the);
    expect(the.reconciler.status().failures).toEqual([]);
  });

  it('costs one endpoint only its own keys', async () => {
    const the = await started();
    await addNetwork(the);
    for (let n = 1; n < 20; n++) await putEndpoint(the, endpoint(NET, n));
    the.kernel.log.length = 0;
    await putEndpoint(the, endpoint(NET, 20));
    expect(kinds(the.kernel.log)).toEqual([
      'create port',
      'create hook',
      'create port-entry',
      'create fib-entry',
      'create fib-entry',
      'create fib-entry',
    ]);
  });

  it('is not answered before it is compiled', async () => {
    const the = await started();
    await addNetwork(the);
    const { revision } = the.store.commit(tx => tx.putEndpoint(endpoint(NET, 1)));
    await expect(the.reconciler.waitFor(revision, endpoint(NET, 1).id, 30)).rejects.toThrow(
      /not in place after 30 ms/,
    );
    the.reconciler.notify();
    await the.reconciler.waitFor(revision, endpoint(NET, 1).id, 1000);
  });

  it('removes entries before the answer and the link after it', async () => {
    const the = await started();
    await addNetwork(the);
    await putEndpoint(the, endpoint(NET, 1));
    the.kernel.log.length = 0;
    await deleteEndpoint(the, endpoint(NET, 1).id);
    expect(kinds(the.kernel.log)).toEqual([
      'delete fib-entry',
      'delete fib-entry',
      'delete fib-entry',
      'delete port-entry',
    ]);
    await the.reconciler.resync('request');
    expect(kinds(the.kernel.log).slice(4)).toEqual(['delete port']);
    await expectConverged(the);
  });

  it('deletes links by itself in a pause', async () => {
    const the = await started();
    await addNetwork(the);
    await putEndpoint(the, endpoint(NET, 1));
    await deleteEndpoint(the, endpoint(NET, 1).id);
    await expect.poll(() => the.kernel.state.hostNames.has(rep), { timeout: 5_000 }).toBe(false);
  });

  it('deletes links also beside a caller that never pauses', async () => {
    const the = await started();
    await addNetwork(the);
    for (let n = 1; n <= 700; n++) {
      await putEndpoint(the, endpoint(NET, n));
      await deleteEndpoint(the, endpoint(NET, n).id);
    }
    expect(the.kernel.state.links.size).toBeLessThan(2 * 600);
  });

  it('takes a network away with all it had', async () => {
    const the = await started();
    await addNetwork(the);
    const { revision } = the.store.commit(tx => tx.deleteNetwork(NET.id));
    the.reconciler.notify({ networks: [NET.id] });
    await the.reconciler.waitFor(revision, NET.id, 1000);
    await the.reconciler.resync('request');
    await expectConverged(the);
  });

  it('replaces a network by another with an overlapping pool in one commit', async () => {
    const the = await started();
    await addNetwork(the);
    const other = { ...network(2), subnets: NET.subnets };
    const { revision } = the.store.commit(tx => {
      tx.deleteNetwork(NET.id);
      tx.putNetwork(other);
    });
    the.reconciler.notify({ networks: [other.id, NET.id] });
    await the.reconciler.waitFor(revision, other.id, 1000);
    await the.reconciler.resync('request');
    await expectConverged(the);
  });

  it('resets the counters of a slot that is handed on, not those of a repaired port', async () => {
    const the = await started();
    await addNetwork(the);
    const first = endpoint(NET, 1);
    await putEndpoint(the, first);
    the.kernel.count(first.slot, 7n);
    the.outside.clearMap('ports');
    await the.reconciler.resync('request');
    expect((await the.reconciler.counters()).ports.get(first.slot)?.rxPackets).toBe(7n);
    await deleteEndpoint(the, first.id);
    await putEndpoint(the, { ...endpoint(NET, 2), slot: first.slot });
    expect((await the.reconciler.counters()).ports.get(first.slot)).toBeUndefined();
  });
});

describe('refusals', () => {
  const port = `port/${rep}`;

  it("reach the caller in the kernel's words", async () => {
    const the = await started();
    await addNetwork(the);
    the.kernel.failNext(port, ERRNO.EPERM, 'not today', 99);
    await expect(putEndpoint(the, endpoint(NET, 1))).rejects.toMatchObject({
      code: 'ESW_ERR_KERNEL_REFUSED',
      message: `create ${port}: EPERM (not today)`,
    });
    expect(the.reconciler.status().failures).toEqual([
      { key: port, verb: 'create', errno: ERRNO.EPERM, extack: 'not today', attempts: 1 },
    ]);
  });

  it('that pass are not told to anybody', async () => {
    const the = await started();
    await addNetwork(the);
    the.kernel.failNext(port, ERRNO.EBUSY, '', 3);
    await putEndpoint(the, endpoint(NET, 1));
    await expectConverged(the);
    expect(the.reconciler.status().failures).toEqual([]);
  });

  it('that do not pass in time end in a timeout with the last words', async () => {
    const the = await started();
    await addNetwork(the);
    the.kernel.failNext(port, ERRNO.EBUSY, 'busy', 1000);
    const { revision } = the.store.commit(tx => tx.putEndpoint(endpoint(NET, 1)));
    the.reconciler.notify({ endpoints: [endpoint(NET, 1).id] });
    await expect(the.reconciler.waitFor(revision, endpoint(NET, 1).id, 60)).rejects.toMatchObject({
      code: 'ESW_ERR_RECONCILE_TIMEOUT',
      message: expect.stringContaining('EBUSY (busy)'),
    });
  });

  it('are tried again at the next full look', async () => {
    const the = await started();
    await addNetwork(the);
    the.kernel.failNext(port, ERRNO.ENOSPC, 'full', 1);
    await expect(putEndpoint(the, endpoint(NET, 1))).rejects.toThrow(/ENOSPC/);
    await the.reconciler.resync('request');
    await expectConverged(the);
    expect(the.reconciler.status().failures).toEqual([]);
  });

  it('name what everything stands on', async () => {
    const the = rig();
    stopLater(the);
    the.kernel.failNext('programs', ERRNO.EINVAL, 'verifier: R1 invalid', 99);
    await the.reconciler.start();
    the.store.commit(tx => tx.putNetwork(NET));
    await expect(addNetwork(the)).rejects.toThrow('create programs: EINVAL (verifier: R1 invalid)');
  });

  it('of a name that is taken say by what, and leave it alone', async () => {
    const the = await started();
    await addNetwork(the);
    the.outside.addForeignLink(rep);
    await expect(putEndpoint(the, endpoint(NET, 1))).rejects.toMatchObject({
      code: 'ESW_ERR_KERNEL_FOREIGN',
      message: expect.stringContaining(rep),
    });
    expect(the.reconciler.status().foreign).toHaveLength(1);
    expect(the.kernel.state.hostNames.has(rep)).toBe(true);
  });

  it('of one endpoint do not hold up another', async () => {
    const the = await started();
    await addNetwork(the);
    the.kernel.failNext(port, ERRNO.EBUSY, '', 1000);
    const stuck = putEndpoint(the, endpoint(NET, 1)).catch(() => 'stuck');
    await putEndpoint(the, endpoint(NET, 2));
    await deleteEndpoint(the, endpoint(NET, 1).id);
    the.kernel.failNext(port, 0, '', 0);
    await stuck;
    await the.reconciler.resync('request');
    await expectConverged(the);
  });
});

describe('life', () => {
  it('gives one consistent picture, and changes nothing for it', async () => {
    const the = await started();
    await addNetwork(the);
    the.outside.clearMap('nets');
    the.kernel.log.length = 0;
    const view = await the.reconciler.view();
    expect(view.plan).toEqual(plan(view.desired, view.observed));
    expect(kinds(view.plan)).toEqual(['create net-entry']);
    expect(the.kernel.log).toEqual([]);
  });

  it('applies at most 512 operations at a time', async () => {
    const the = await started();
    await addNetwork(the);
    const apply = the.kernel.apply.bind(the.kernel);
    const sizes: number[] = [];
    the.kernel.apply = ops => {
      sizes.push(ops.length);
      return apply(ops);
    };
    const { revision } = the.store.commit(tx => {
      for (let n = 1; n <= 500; n++) tx.putEndpoint(endpoint(NET, n));
    });
    the.reconciler.notify();
    await the.reconciler.waitFor(revision, endpoint(NET, 500).id, 5000);
    await the.reconciler.resync('request');
    expect(Math.max(...sizes)).toBeLessThanOrEqual(512);
    expect(sizes.length).toBeGreaterThan(2);
    expect(kinds(the.kernel.log)).toContain('swap-fib');
    await expectConverged(the);
  });

  it('outlives a kernel port that breaks', async () => {
    const errors: string[] = [];
    const the = await started({ onError: error => errors.push(error.message) });
    const { dump } = the.kernel;
    the.kernel.dump = () => Promise.reject(new Error('library is gone'));
    await expect(the.reconciler.resync('request')).rejects.toThrow('library is gone');
    expect(errors).toEqual(['library is gone']);
    the.kernel.dump = dump;
    await addNetwork(the).catch(() => {});
    await the.reconciler.resync('request');
    await expectConverged(the);
  });

  it('answers nobody after stop', async () => {
    const the = await started();
    const waiting = the.reconciler.waitFor(999 as never, NET.id as NetworkId, 5000);
    await the.reconciler.stop();
    await expect(waiting).rejects.toThrow(/stopping/);
    await expect(the.reconciler.resync('request')).rejects.toThrow(/stopping/);
    await expect(the.reconciler.view()).rejects.toThrow(/stopping/);
  });

  it('reports what it did', async () => {
    const reports: string[] = [];
    const the = await started({ onReport: report => reports.push(report.cause) });
    await addNetwork(the);
    expect(reports[0]).toBe('start');
    await expect.poll(() => reports).toContain('commit');
    expect(the.reconciler.status().lastRound).toMatchObject({ failed: 0 });
    expect(the.reconciler.probes().length).toBeGreaterThan(3);
  });
});
