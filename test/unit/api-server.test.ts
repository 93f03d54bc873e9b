import { afterEach, describe, expect, it } from 'vitest';
import type { ApiApp } from '../../src/api/app.ts';
import { createApiServer } from '../../src/api/server.ts';
import { portNames } from '../../src/ir/names.ts';
import { EswError } from '../../src/lib/errors.ts';
import type { EndpointBody, EndpointList } from '../../src/wire/api/endpoint.ts';
import type { NetworkBody } from '../../src/wire/api/network.ts';
import type { Plan, RuleList } from '../../src/wire/api/rules.ts';
import type { Status } from '../../src/wire/api/status.ts';
import { ALPHA, BETA, DESIRED, fakeSources, IDENTITY, type Twist, WEB, without } from './observe-fixture.ts';

let app: ApiApp | null = null;
afterEach(async () => {
  await app?.close();
  app = null;
});

async function get<T>(url: string, twist: Twist = {}): Promise<{ code: number; body: T }> {
  app = await createApiServer({ sources: fakeSources(twist) });
  const response = await app.inject({ method: 'GET', url });
  return { code: response.statusCode, body: response.json<T>() };
}

interface Failure {
  error: { code: string; message: string; hint: string; cause?: string };
}

describe('/v1/status', () => {
  it('sums what the ports forwarded and dropped', async () => {
    const { code, body } = await get<Status>('/v1/status');
    expect(code).toBe(200);
    expect(body.networks).toBe(2);
    expect(body.endpoints).toEqual({ total: 3, ready: 2, pending: 0, failed: 0, stale: 1 });
    expect(body.traffic.forwarded).toEqual({ packets: 23_000_009, bytes: 15_200_001_879 });
    expect(body.traffic.share).toMatchObject({ hardwareRatio: 0, reason: 'no NIC in switchdev mode' });
    expect(body.traffic.drops.map(drop => [drop.reason, drop.packets])).toEqual([
      ['src_ip', 1200],
      ['multicast', 4],
      ['no_port', 1],
    ]);
  });

  it('answers in a degraded state too, and says what is wrong', async () => {
    const problem = new EswError('ESW_ERR_NATIVE_LIBRARY', 'cannot load libeswitch.so');
    const { code, body } = await get<Status>('/v1/status', {
      viewProblem: problem,
      countersProblem: problem,
      storeProblem: new EswError('ESW_ERR_STORE_IO', 'disk full'),
      state: { state: 'degraded', problem },
    });
    expect(code).toBe(200);
    expect(body.daemon.state).toBe('degraded');
    expect(body.daemon.problem).toMatchObject({ code: 'ESW_ERR_NATIVE_LIBRARY' });
    expect(body.traffic.countersProblem).toBe('cannot load libeswitch.so');
    expect(body.store.origin).toBe('unavailable');
  });

  it("shows the kernel's words of a failure", async () => {
    const key = `hook/${portNames(IDENTITY, ALPHA).rep}/ingress`;
    const failure = { key, verb: 'create' as const, errno: 16, extack: '', attempts: 3 };
    const { body } = await get<Status>('/v1/status', { reconcile: { failures: [failure] } });
    expect(body.reconcile.failures).toEqual([
      { key, verb: 'create', errno: 16, message: 'EBUSY', attempts: 3 },
    ]);
    expect(body.endpoints.failed).toBe(1);
  });
});

describe('/v1/networks and /v1/endpoints', () => {
  it('finds a network by a unique head of its id', async () => {
    const { body } = await get<NetworkBody>('/v1/networks/3f2a');
    expect(body).toMatchObject({ id: WEB, endpoints: 2, state: 'ready', datapath: { used: 'software' } });
    expect(body.traffic.toHost).toEqual({ packets: 9, bytes: 900 });
  });

  it('names the candidates when a head is not unique', async () => {
    const { code, body } = await get<Failure>('/v1/networks/3f2');
    expect(code).toBe(400);
    expect(body.error.message).toBe('3f2 is the start of 2 network ids: 3f2a9c01d4e5, 3f2b77aa0011');
  });

  it('answers 404 for an id nobody has', async () => {
    const { code, body } = await get<Failure>('/v1/endpoints/ffff');
    expect(code).toBe(404);
    expect(body.error.code).toBe('ESW_ERR_ENDPOINT_UNKNOWN');
  });

  it('filters endpoints by network and refuses an unknown filter', async () => {
    const { body } = await get<EndpointList>('/v1/endpoints?network=3f2a');
    expect(body.endpoints.map(endpoint => endpoint.id)).toEqual([ALPHA, BETA]);
    const refused = await get<Failure>('/v1/endpoints?netwrok=3f2a');
    expect(refused.code).toBe(400);
    expect(refused.body.error.message).toBe('query netwrok is not known');
  });

  it('tells stale from pending from ready', async () => {
    const { rep } = portNames(IDENTITY, ALPHA);
    const observed = without(resource => resource.kind === 'hook' && resource.link === rep);
    const { body } = await get<EndpointList>('/v1/endpoints', { observed });
    expect(body.endpoints.map(({ state, why }) => [state, why])).toEqual([
      ['pending', `hook ${rep} ingress esw_port`],
      ['stale', 'its sandbox /run/docker/netns/gone is gone'],
      ['ready', ''],
    ]);
  });

  it('keeps counters above 2^53-1 exact', async () => {
    const { toCount } = await import('../../src/observe/count.ts');
    expect(toCount(9_007_199_254_740_991n)).toBe(9_007_199_254_740_991);
    expect(toCount(9_007_199_254_740_992n)).toBe('9007199254740992');
  });

  it('shows addresses, representor and published ports', async () => {
    const { body } = await get<EndpointBody>(`/v1/endpoints/${ALPHA}`);
    expect(body).toMatchObject({
      ip4: '10.50.0.2/24',
      representor: portNames(IDENTITY, ALPHA).rep,
      published: { inForce: true, ports: [{ proto: 'tcp', hostPort: 8080, hostIp: null }] },
      traffic: { rx: { packets: 12_345_678, bytes: 15_200_000_000 } },
    });
  });
});

describe('without a store', () => {
  it('refuses lists instead of showing empty ones', async () => {
    const storeProblem = new EswError('ESW_ERR_STORE_IO', 'disk full');
    for (const path of ['/v1/networks', '/v1/endpoints', '/v1/networks/3f2a']) {
      const { code, body } = await get<Failure>(path, { storeProblem });
      expect([code, body.error.code]).toEqual([503, 'ESW_ERR_STORE_IO']);
    }
  });
});

describe('/v1/rules and /v1/plan', () => {
  it('lists every resource, filtered by kind and endpoint', async () => {
    const all = await get<RuleList>('/v1/rules');
    expect(all.body.total).toBe(DESIRED.size);
    expect(all.body.rules).toHaveLength(DESIRED.size);
    const some = await get<RuleList>('/v1/rules?kind=fib-entry&endpoint=a1b2');
    expect(some.body.rules.map(rule => rule.text.split(' ')[3])).toEqual(
      expect.arrayContaining(['10.50.0.2', 'fd50::2']),
    );
    expect(some.body.rules.every(rule => rule.where === 'software')).toBe(true);
  });

  it('gives published ports and gateway addresses to their owners', async () => {
    const { body } = await get<RuleList>('/v1/rules?network=3f2a');
    const kinds = new Set(body.rules.map(rule => rule.kind));
    expect(kinds).toEqual(
      new Set([
        'port',
        'hook',
        'address',
        'sysctl',
        'net-entry',
        'subnet-entry',
        'port-entry',
        'fib-entry',
        'nft-element',
      ]),
    );
  });

  it('shows what is missing, changed and left over in view diff', async () => {
    const [first] = [...DESIRED.values()].filter(resource => resource.kind === 'fib-entry');
    if (first?.kind !== 'fib-entry') throw new Error('the fixture has entries');
    const changed = { ...first, slot: 999 as typeof first.slot };
    const leftOver = { ...first, key: 'fib-entry/7/10.9.9.9' };
    const observed = new Map([...DESIRED, [first.key, changed], [leftOver.key, leftOver]]);
    const { body } = await get<RuleList>('/v1/rules?view=diff', { observed });
    expect(body.rules.map(rule => [rule.change, rule.key, rule.before !== null])).toEqual([
      ['update', first.key, true],
      ['delete', 'fib-entry/7/10.9.9.9', false],
    ]);
  });

  it('names the values a filter takes', async () => {
    const { code, body } = await get<Failure>('/v1/rules?view=diffs');
    expect(code).toBe(400);
    expect(body.error.message).toBe('query view must be one of desired, observed, diff');
  });

  it('counts the operations of a plan', async () => {
    const [resource] = DESIRED.values();
    if (resource === undefined) throw new Error('the fixture has resources');
    const plan = [
      { verb: 'create' as const, resource },
      { verb: 'swap-fib' as const, key: 'swap-fib' as const, entries: [] },
    ];
    const { body } = await get<Plan>('/v1/plan', { plan });
    expect(body).toMatchObject({ create: 1, update: 1, delete: 0 });
    expect(body.operations[1]).toEqual({
      verb: 'swap-fib',
      key: 'swap-fib',
      text: 'swap-fib 0 entries',
      entries: 0,
    });
  });

  it('says why there is no plan when the kernel cannot be read', async () => {
    const viewProblem = new EswError('ESW_ERR_NATIVE_LIBRARY', 'cannot load libeswitch.so');
    const { code, body } = await get<Failure>('/v1/plan', { viewProblem });
    expect(code).toBe(500);
    expect(body.error).toMatchObject({
      code: 'ESW_ERR_NATIVE_LIBRARY',
      hint: 'Build libeswitch.so with `npm run build`.',
    });
  });
});

describe('the rest of the surface', () => {
  it('reconciles on request', async () => {
    app = await createApiServer({ sources: fakeSources() });
    const response = await app.inject({ method: 'POST', url: '/v1/reconcile' });
    expect(response.json()).toMatchObject({ round: { cause: 'request', operations: 0 } });
  });

  it('answers /healthz with 503 while degraded', async () => {
    const problem = new EswError('ESW_ERR_NATIVE_LIBRARY', 'cannot load');
    expect((await get('/healthz')).code).toBe(200);
    expect((await get('/healthz', { state: { state: 'degraded', problem } })).code).toBe(503);
  });

  it('suggests a path', async () => {
    const { code, body } = await get<Failure>('/v1/network');
    expect(code).toBe(404);
    expect(body.error).toMatchObject({
      code: 'ESW_ERR_REQUEST_PATH',
      message: 'no GET /v1/network; did you mean /v1/networks?',
    });
  });

  it('describes itself', async () => {
    const { body } = await get<{ openapi: string; paths: Record<string, unknown> }>('/openapi.json');
    expect(body.openapi).toBe('3.1.0');
    expect(Object.keys(body.paths)).toEqual(
      expect.arrayContaining([
        '/v1/status',
        '/v1/networks/{id}',
        '/v1/endpoints/{id}',
        '/v1/rules',
        '/v1/plan',
        '/v1/reconcile',
      ]),
    );
  });

  it('shares one look at the kernel between requests that wait for it', async () => {
    let looks = 0;
    const sources = fakeSources();
    const view = sources.reconciler.view.bind(sources.reconciler);
    const counted = {
      ...sources.reconciler,
      view: () => {
        looks++;
        return view();
      },
    };
    const server = await createApiServer({ sources: { ...sources, reconciler: counted } });
    app = server;
    const codes = await Promise.all(
      Array.from({ length: 10 }, () => server.inject({ method: 'GET', url: '/v1/plan' })),
    );
    expect(codes.every(response => response.statusCode === 200)).toBe(true);
    expect(looks).toBeLessThanOrEqual(3);
  });
});
