import { describe, expect, it } from 'vitest';
import { hostRoutes, isNamespace, parseRoutes4, parseRoutes6, uplinkMtu } from '../../src/daemon/host.ts';
import { LateReconciler } from '../../src/daemon/late-reconciler.ts';
import { createLateStore } from '../../src/daemon/late-store.ts';
import { createPlacement } from '../../src/daemon/placement.ts';
import { retry } from '../../src/daemon/retry.ts';
import { daemonState } from '../../src/daemon/state.ts';
import type { Revision } from '../../src/lib/brand.ts';
import { EswError } from '../../src/lib/errors.ts';
import type { Reconciler } from '../../src/reconcile/port.ts';
import type { Store } from '../../src/store/port.ts';
import { CALM, COUNTERS, DESIRED, INTENT, PROBES, WEB } from './observe-fixture.ts';

function fakeReconciler(waitFor: Reconciler['waitFor'] = async () => {}): Reconciler {
  return {
    start: async () => {},
    notify: () => {},
    waitFor,
    resync: async () => {
      throw new Error('not asked');
    },
    view: async () => ({ desired: DESIRED, observed: DESIRED, plan: [] }),
    status: () => CALM,
    counters: async () => COUNTERS,
    probes: () => PROBES,
    stop: async () => {},
  };
}

describe('LateReconciler', () => {
  const REVISION = 1 as Revision;

  it('lets callers wait while the daemon starts', async () => {
    const late = new LateReconciler();
    const waiting = late.waitFor(REVISION, WEB, 1000);
    late.arrive(fakeReconciler());
    await expect(waiting).resolves.toBeUndefined();
    expect(late.status()).toBe(CALM);
    expect(late.problem).toBeNull();
  });

  it('tells who waits why there is no kernel part, and who comes later at once', async () => {
    const late = new LateReconciler();
    const waiting = late.waitFor(REVISION, WEB, 1000);
    const problem = new EswError('ESW_ERR_NATIVE_LIBRARY', 'cannot load');
    late.fail(problem);
    await expect(waiting).rejects.toBe(problem);
    await expect(late.waitFor(REVISION, WEB, 1000)).rejects.toBe(problem);
    await expect(late.view()).rejects.toBe(problem);
    expect(late.status().generation).toBe(0);
  });

  it('gives up at the deadline', async () => {
    await expect(new LateReconciler().waitFor(REVISION, WEB, 5)).rejects.toMatchObject({
      code: 'ESW_ERR_RECONCILE_TIMEOUT',
    });
  });

  it('counts the wait for the start against the deadline', async () => {
    const late = new LateReconciler();
    let left = 0;
    const waiting = late.waitFor(REVISION, WEB, 1000);
    const inner = fakeReconciler(async (_revision, _scope, timeoutMs) => {
      left = timeoutMs;
    });
    setTimeout(() => late.arrive(inner), 30);
    await waiting;
    expect(left).toBeLessThan(990);
  });
});

describe('late store', () => {
  it('throws its problem until it is open', () => {
    const late = createLateStore();
    expect(() => late.store.intent()).toThrow('the daemon is starting');
    late.fail(new EswError('ESW_ERR_STORE_IO', 'disk full'));
    expect(() => late.store.revision).toThrow('disk full');
    late.arrive({ intent: () => INTENT, revision: 3 } as unknown as Store);
    expect(late.store.intent()).toBe(INTENT);
    expect(late.store.revision).toBe(3);
  });
});

describe('retry', () => {
  it('tries until it works', async () => {
    let tries = 0;
    const delays: number[] = [];
    const value = await retry(
      async () => {
        if (++tries < 4) throw new Error('not yet');
        return tries;
      },
      {
        delaysMs: [1, 2],
        signal: new AbortController().signal,
        onFailure: (_error, delayMs) => {
          delays.push(delayMs);
          return true;
        },
      },
    );
    expect(value).toBe(4);
    expect(delays).toEqual([1, 2, 2]);
  });

  it('stops at once when aborted, and when told to', async () => {
    const controller = new AbortController();
    const failing = async () => {
      throw new Error('never');
    };
    const aborted = retry(failing, { delaysMs: [60_000], signal: controller.signal, onFailure: () => true });
    setTimeout(() => controller.abort(), 5);
    await expect(aborted).resolves.toBeNull();
    const signal = new AbortController().signal;
    await expect(retry(failing, { delaysMs: [60_000], signal, onFailure: () => false })).resolves.toBeNull();
  });
});

describe('daemon state', () => {
  const failure = {
    key: 'programs',
    verb: 'create' as const,
    errno: 22,
    extack: 'R1 invalid mem access',
    attempts: 1,
  };

  it.each([
    [{ problem: null, isStarting: true, failures: [] }, 'starting', undefined],
    [{ problem: null, isStarting: false, failures: [] }, 'ready', undefined],
    [
      { problem: null, isStarting: false, failures: [{ ...failure, key: 'hook/x/ingress' }] },
      'ready',
      undefined,
    ],
    [
      { problem: null, isStarting: false, failures: [failure] },
      'degraded',
      'the kernel refused programs: R1 invalid mem access',
    ],
    [
      { problem: new EswError('ESW_ERR_STORE_IO', 'full'), isStarting: false, failures: [] },
      'degraded',
      'full',
    ],
  ])('%# is %s', (inputs, state, message) => {
    const found = daemonState(inputs);
    expect([found.state, found.problem?.message]).toEqual([state, message]);
  });
});

describe('host', () => {
  it('reads routes', () => {
    const v4 = [
      'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
      'eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
      'eth1\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
    ].join('\n');
    const zero = '0'.repeat(32);
    const v6 = [
      `${zero} 00 ${zero} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth2`,
      `fd50${'0'.repeat(28)} 40 ${zero} 00 ${zero} 00000100 00000001 00000000 00000001     eth0`,
      `${zero} 00 ${zero} 00 ${zero} ffffffff 00000001 00000000 00200200       lo`,
    ].join('\n');
    expect(parseRoutes4(v4)).toEqual([
      { link: 'eth0', destination: '0.0.0.0/0' },
      { link: 'eth1', destination: '192.168.0.0/24' },
    ]);
    expect(parseRoutes6(v6)).toEqual([
      { link: 'eth2', destination: '::/0' },
      { link: 'eth0', destination: 'fd50::/64' },
    ]);
    expect(hostRoutes().every(route => !route.endsWith('/0'))).toBe(true);
    expect(uplinkMtu()).toBeGreaterThanOrEqual(68);
  });

  it('tells namespaces from files', () => {
    expect(isNamespace('/proc/self/ns/net')).toBe(true);
    expect(isNamespace('/proc/self/stat')).toBe(false);
    expect(isNamespace('/nowhere')).toBe(false);
  });
});

describe('placement', () => {
  const placement = createPlacement({
    probes: () => PROBES,
    networks: () => INTENT.networks.values(),
    inventory: () => ({ nics: [] }),
  });

  it('names the eswitch of this host and why', () => {
    expect(placement.eswitch(PROBES, 'none')).toMatchObject({ kind: 'software', mechanism: 'tcx' });
    expect(placement.eswitch(PROBES, 'clsact').mechanism).toBe('clsact');
    expect(placement.eswitch(PROBES, 'none').why).toContain('switchdev');
  });

  it('says where each forwarding entry lives', () => {
    const placeOf = placement.rules(DESIRED.values());
    const kinds = new Set(
      [...DESIRED.values()].filter(each => placeOf(each)?.where === 'software').map(({ kind }) => kind),
    );
    expect(kinds).toEqual(new Set(['fib-entry']));
  });
});
