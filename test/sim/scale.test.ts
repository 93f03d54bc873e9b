/** 10,000 endpoints: a restart does nothing, quickly, and the core stays small. */
import { describe, expect, it } from 'vitest';
import { SimKernel } from '../../src/kernel/sim/kernel.ts';
import type { PortSlot } from '../../src/lib/brand.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { endpoint, network } from './arbitrary.ts';
import { restarted, rig } from './rig.ts';
import { CONTEXT } from './sim-harness.ts';

const COUNT = 10_000;

/** Milliseconds `action` takes: of the clock, or of the processor when others keep it busy. */
async function cost(action: () => Promise<void>): Promise<number> {
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await action();
  const { user, system } = process.cpuUsage(cpu);
  return Math.min(performance.now() - startedAt, (user + system) / 1_000);
}

describe(`${COUNT} endpoints`, () => {
  it('are adopted by a new daemon with 0 operations in under 2 s', async () => {
    const store = createMemoryStore();
    const net = network(1, { gatewaySlot: 16_000 as PortSlot });
    store.commit(tx => {
      tx.putNetwork(net);
      for (let n = 0; n < COUNT; n++) tx.putEndpoint(endpoint(net, n));
    });
    const kernel = new SimKernel(CONTEXT.identity);
    const first = rig({ store, kernel });
    await first.reconciler.start();
    await first.reconciler.stop();
    expect(kernel.state.maps?.fib.size).toBe(3 * COUNT + 3);

    const next = restarted(first);
    const restartMs = await cost(() => next.reconciler.start());
    expect(next.kernel.log).toEqual([]);
    expect(restartMs).toBeLessThan(2_000);

    const costs: number[] = [];
    for (let n = COUNT; n < COUNT + 20; n++) {
      next.kernel.log.length = 0;
      const added = endpoint(net, n);
      const { revision } = store.commit(tx => tx.putEndpoint(added));
      costs.push(
        await cost(() => {
          next.reconciler.notify({ endpoints: [added.id] });
          return next.reconciler.waitFor(revision, added.id, 5_000);
        }),
      );
      expect(next.kernel.log).toHaveLength(6);
    }
    const oneMs = Math.min(...costs);
    expect(oneMs).toBeLessThan(5);
    await next.reconciler.stop();
    const rssMb = process.memoryUsage().rss / 2 ** 20;
    console.log(
      `restart ${restartMs.toFixed(0)} ms, one more endpoint ${oneMs.toFixed(2)} ms, whole test process ${rssMb.toFixed(0)} MiB`,
    );
  }, 60_000);
});
