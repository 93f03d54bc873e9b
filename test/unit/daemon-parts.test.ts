import { createSocket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  checkHostPort,
  defaultLinks4,
  defaultLinks6,
  isNamespace,
  uplinkMtu,
} from '../../src/daemon/host.ts';
import { LateReconciler } from '../../src/daemon/late-reconciler.ts';
import { createLateStore } from '../../src/daemon/late-store.ts';
import { createPlacement, datapathRefusal } from '../../src/daemon/placement.ts';
import { retry } from '../../src/daemon/retry.ts';
import { daemonState } from '../../src/daemon/state.ts';
import type { Ip, Revision } from '../../src/lib/brand.ts';
import { EswError } from '../../src/lib/errors.ts';
import type { Reconciler } from '../../src/reconcile/port.ts';
import type { Store } from '../../src/store/port.ts';
import { CALM, COUNTERS, DESIRED, INTENT, PROBES, WEB } from './observe-fixture.ts';

const LOCALHOST = '127.0.0.1' as Ip;
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

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
  it('finds links with a default route', () => {
    const v4 = [
      'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
      'eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
      'eth1\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
    ].join('\n');
    const zero = '0'.repeat(32);
    const v6 = [
      `${zero} 00 ${zero} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth2`,
      `${zero} 00 ${zero} 00 ${zero} ffffffff 00000001 00000000 00200200       lo`,
    ].join('\n');
    expect(defaultLinks4(v4)).toEqual(['eth0']);
    expect(defaultLinks6(v6)).toEqual(['eth2']);
    expect(uplinkMtu()).toBeGreaterThanOrEqual(68);
  });

  it('tells namespaces from files', () => {
    expect(isNamespace('/proc/self/ns/net')).toBe(true);
    expect(isNamespace('/proc/self/stat')).toBe(false);
    expect(isNamespace('/nowhere')).toBe(false);
  });

  it('finds a TCP port that is taken, on its address and on all', async () => {
    const server: Server = createServer();
    await new Promise<void>(resolve => server.listen(0, LOCALHOST, resolve));
    cleanups.push(() => server.close());
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const taken = { proto: 'tcp' as const, hostPort: address.port };
    await expect(checkHostPort({ ...taken, hostIp: LOCALHOST })).rejects.toMatchObject({
      code: 'ESW_ERR_PORT_IN_USE',
    });
    await expect(checkHostPort({ ...taken, hostIp: null })).rejects.toThrow(/is in use$/);
    await expect(checkHostPort({ ...taken, proto: 'udp', hostIp: LOCALHOST })).resolves.toBeUndefined();
    await expect(checkHostPort({ ...taken, proto: 'sctp', hostIp: LOCALHOST })).resolves.toBeUndefined();
  });

  it('finds a UDP port that is taken, and an address that is not here', async () => {
    const socket = createSocket('udp4');
    await new Promise<void>(resolve => socket.bind(0, LOCALHOST, resolve));
    cleanups.push(() => socket.close());
    const { port } = socket.address();
    const binding = { proto: 'udp' as const, hostIp: LOCALHOST, hostPort: port };
    await expect(checkHostPort(binding)).rejects.toMatchObject({ code: 'ESW_ERR_PORT_IN_USE' });
    await expect(checkHostPort({ ...binding, hostIp: '192.0.2.1' as Ip })).rejects.toThrow(
      'cannot be used (EADDRNOTAVAIL)',
    );
  });
});

describe('placement', () => {
  const placement = createPlacement({ probes: () => PROBES, networks: () => INTENT.networks.values() });

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

  it('refuses what needs a NIC', () => {
    expect(datapathRefusal({ datapath: 'auto', require: 'any' }, PROBES)).toBeNull();
    expect(datapathRefusal({ datapath: 'switchdev', require: 'any' }, PROBES)).toContain('switchdev');
    expect(datapathRefusal({ datapath: 'auto', require: 'hw' }, PROBES)).not.toBeNull();
  });
});
