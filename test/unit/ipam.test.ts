import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseDefaultPools } from '../../src/ipam/default-pools.ts';
import { createIpam, type Ipam } from '../../src/ipam/ipam.ts';
import type { Cidr, EndpointId, Ip, Mac, NetworkId } from '../../src/lib/brand.ts';
import { EswError } from '../../src/lib/errors.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import type { Store } from '../../src/store/port.ts';
import { endpoint, NET, network } from '../contract/store-fixtures.ts';

let store: Store;
let ipam: Ipam;
let routes: string[];

const fresh = (over: Store) =>
  createIpam({
    store: over,
    defaultPools: parseDefaultPools(['10.200.0.0/16/24', '10.201.0.0/24', 'fd00:1::/48/64'], 'host'),
    hostRoutes: () => routes as Cidr[],
  });

beforeEach(() => {
  routes = ['0.0.0.0/0', '::/0'];
  store = createMemoryStore();
  ipam = fresh(store);
});

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return error instanceof EswError ? error.code : String(error);
  }
  return 'no error';
};
const pool = (text: string, subPool = '', space = 'local', v6 = text.includes(':')) =>
  ipam.requestPool({ space, pool: text, subPool, v6 }).id;
const anyPool = (v6 = false) => ipam.requestPool({ space: 'local', pool: '', subPool: '', v6 });
const mac = (n: number) =>
  `02:42:00:00:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 255).toString(16).padStart(2, '0')}` as Mac;
const ask = (poolId: string, address = '', forMac: Mac | null = null, isGateway = false): string =>
  ipam.requestAddress({ poolId, address, isGateway, mac: forMac });

const deleteNetwork = () =>
  store.commit(tx => {
    tx.deleteNetwork(NET);
    ipam.networkDeleted(tx, network(NET, 1, 0));
  });

describe('pools', () => {
  it('have an id that says what they are, and count their references', () => {
    expect(pool('10.1.0.0/16')).toBe('local/10.1.0.0/16');
    expect(pool('10.1.0.0/16')).toBe('local/10.1.0.0/16');
    expect(pool('10.2.0.0/16', '10.2.3.0/24')).toBe('local/10.2.0.0/16/10.2.3.0/24');
    expect(pool('10.1.0.0/16', '', 'global')).toBe('global/10.1.0.0/16');
    expect(pool('10.3.0.0/16', '', '')).toBe('local/10.3.0.0/16');
    expect(store.pool('local/10.1.0.0/16')?.references).toBe(2);
    ipam.releasePool('local/10.1.0.0/16');
    expect(store.pool('local/10.1.0.0/16')?.references).toBe(1);
    ipam.releasePool('local/10.1.0.0/16');
    ipam.releasePool('local/10.1.0.0/16');
    expect(store.pool('local/10.1.0.0/16')).toBeNull();
  });

  it.each<[string, () => unknown]>([
    ['ESW_ERR_IPAM_POOL_INVALID', () => pool('', '10.1.0.0/24')],
    ['ESW_ERR_IPAM_POOL_INVALID', () => pool('10.1.0.5/24')],
    ['ESW_ERR_IPAM_POOL_INVALID', () => pool('10.1.0.0')],
    ['ESW_ERR_IPAM_POOL_INVALID', () => pool('10.1.0.0/24', '10.2.0.0/25')],
    ['ESW_ERR_IPAM_POOL_INVALID', () => pool('10.1.0.0/24', '10.1.0.0/16')],
    ['ESW_ERR_IPAM_POOL_INVALID', () => pool('10.1.0.0/24', '', 'local', true)],
    ['ESW_ERR_IPAM_POOL_INVALID', () => pool('fd00::/64', '', 'local', false)],
    ['ESW_ERR_IPAM_POOL_INVALID', () => pool('127.0.0.0/16')],
    ['ESW_ERR_IPAM_POOL_INVALID', () => pool('0.0.0.0/0')],
    ['ESW_ERR_IPAM_POOL_INVALID', () => pool('::/0')],
    ['ESW_ERR_IPAM_POOL_INVALID', () => pool('ff02::/64')],
    ['ESW_ERR_IPAM_ADDRESS_SPACE', () => pool('10.1.0.0/24', '', 'mars')],
  ])('%s', (code, run) => expect(codeOf(run)).toBe(code));

  it('that overlap are refused with both named; the same pool with another sub-pool too', () => {
    pool('10.1.0.0/16');
    expect(() => pool('10.1.4.0/24')).toThrow(/10\.1\.4\.0\/24 overlaps 10\.1\.0\.0\/16/);
    expect(codeOf(() => pool('10.1.0.0/16', '10.1.4.0/24'))).toBe('ESW_ERR_IPAM_POOL_OVERLAP');
  });

  it('by default are the lowest free of pools, networks and host routes', () => {
    routes.push('10.200.1.0/24', '10.200.3.128/25');
    store.commit(tx =>
      tx.putNetwork({ ...network(NET, 1, 0), subnets: [{ pool: '10.200.2.0/24' as Cidr, gateway: null }] }),
    );
    expect([anyPool(), anyPool(), anyPool(true)].map(found => found.pool)).toEqual([
      '10.200.0.0/24',
      '10.200.4.0/24',
      'fd00:1::/64',
    ]);
    expect(anyPool(true).pool).toBe('fd00:1:0:1::/64');
  });

  it('by default never repeat, then use the next block, then run out', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 257; i++) seen.add(anyPool().pool);
    expect(seen.size).toBe(257);
    expect(seen.has('10.201.0.0/24')).toBe(true);
    expect(codeOf(() => anyPool())).toBe('ESW_ERR_IPAM_NO_POOL');
    ipam.releasePool('local/10.200.7.0/24');
    expect(anyPool().pool).toBe('10.200.7.0/24');
  });

  it('asked for again after a restart of Docker count once', () => {
    const id = pool('10.1.0.0/16');
    pool('10.1.0.0/16');
    ipam.beginReplay();
    for (let i = 0; i < 3; i++) pool('10.1.0.0/16');
    expect(store.pool(id)?.references).toBe(3);
  });

  it('of our own networks count once and stay while the network does', () => {
    const id = pool('10.1.0.0/16');
    ask(id, '', null, true);
    store.commit(tx => tx.putNetwork(network(NET, 1, 0)));
    pool('10.1.0.0/16');
    expect(store.pool(id)?.references).toBe(1);
    ipam.releaseAddress(id, '10.1.0.1');
    ipam.releasePool(id);
    expect(store.leases(id).has('10.1.0.1' as Ip)).toBe(true);
    expect(store.pool(id)?.references).toBe(0);
    pool('10.1.0.0/16');
    expect(store.pool(id)?.references).toBe(1);
    deleteNetwork();
    ipam.releaseAddress(id, '10.1.0.1');
    expect(store.leases(id).size).toBe(0);
    ipam.releasePool(id);
    expect(store.pool(id)).toBeNull();
  });

  it('released before their network is deleted go with it', () => {
    const id = pool('10.1.0.0/16');
    ask(id, '', null, true);
    store.commit(tx => tx.putNetwork(network(NET, 1, 0)));
    ipam.releaseAddress(id, '10.1.0.1');
    ipam.releasePool(id);
    ipam.releasePool(id);
    deleteNetwork();
    expect(store.pool(id)).toBeNull();
    expect(ask(pool('10.1.0.0/16'), '', mac(1))).toBe('10.1.0.1/16');
  });
});

describe('addresses', () => {
  it('come with the prefix length, the gateway first', () => {
    const id = pool('10.1.0.0/24');
    expect(ask(id, '', null, true)).toBe('10.1.0.1/24');
    expect(ask(id, '', mac(1))).toBe('10.1.0.2/24');
    expect(ask(id, '10.1.0.9', mac(2))).toBe('10.1.0.9/24');
    expect(ask(id, '10.1.0.10/24', mac(3))).toBe('10.1.0.10/24');
    const id6 = pool('fd00::/64');
    expect(ask(id6, '', null, true)).toBe('fd00::1/64');
    expect(ask(id6, 'fd00::beef', mac(1))).toBe('fd00::beef/64');
    expect(ask(id6, '', mac(2))).toBe('fd00::2/64');
  });

  it.each<[string, string, string]>([
    ['10.1.0.0/24', '10.1.0.0', 'ESW_ERR_IPAM_ADDRESS_OUTSIDE'],
    ['10.1.0.0/24', '10.1.0.255', 'ESW_ERR_IPAM_ADDRESS_OUTSIDE'],
    ['10.1.0.0/24', '10.1.1.1', 'ESW_ERR_IPAM_ADDRESS_OUTSIDE'],
    ['10.1.0.0/24', 'fd00::1', 'ESW_ERR_IPAM_ADDRESS_OUTSIDE'],
    ['10.1.0.0/24', 'ten', 'ESW_ERR_IPAM_ADDRESS_OUTSIDE'],
    ['fd00::/64', 'fd00::', 'ESW_ERR_IPAM_ADDRESS_OUTSIDE'],
    ['fd00::/64', 'fd00::ffff:ffff:ffff:ffff', 'no error'],
    ['10.1.0.0/31', '10.1.0.0', 'no error'],
    ['10.1.0.0/32', '10.1.0.0', 'no error'],
  ])('in %s, %s: %s', (range, address, code) => {
    const id = pool(range);
    expect(codeOf(() => ask(id, address, mac(1)))).toBe(code);
  });

  it('of an unknown pool are refused; releasing what is unknown is fine', () => {
    expect(codeOf(() => ask('local/10.0.0.0/8'))).toBe('ESW_ERR_IPAM_POOL_UNKNOWN');
    ipam.releaseAddress('local/10.0.0.0/8', '10.0.0.1');
    const id = pool('10.1.0.0/24');
    ipam.releaseAddress(id, '10.1.0.77');
    ipam.releaseAddress(id, 'nonsense');
  });

  it('are the same for the same MAC, gateway or auxiliary asked again', () => {
    const id = pool('10.1.0.0/24');
    const gateway = ask(id, '', null, true);
    expect(ask(id, '', null, true)).toBe(gateway);
    expect(ask(id, '10.1.0.1', null, true)).toBe(gateway);
    const first = ask(id, '', mac(1));
    expect(ask(id, '', mac(1))).toBe(first);
    expect(ask(id, first.split('/')[0], mac(1))).toBe(first);
    expect(ask(id, first.split('/')[0])).toBe(first);
    expect(ask(id, '10.1.0.50')).toBe('10.1.0.50/24');
    expect(ask(id, '10.1.0.50')).toBe('10.1.0.50/24');
  });

  it('that somebody else has are refused with the owner', () => {
    const id = pool('10.1.0.0/24');
    ask(id, '', null, true);
    ask(id, '10.1.0.9', mac(1));
    ask(id, '10.1.0.50');
    expect(() => ask(id, '10.1.0.9', mac(2))).toThrow(/02:42:00:00:00:01/);
    expect(codeOf(() => ask(id, '10.1.0.1', mac(2)))).toBe('ESW_ERR_IPAM_ADDRESS_TAKEN');
    expect(codeOf(() => ask(id, '10.1.0.1'))).toBe('ESW_ERR_IPAM_ADDRESS_TAKEN');
    expect(codeOf(() => ask(id, '10.1.0.9', null, true))).toBe('ESW_ERR_IPAM_ADDRESS_TAKEN');
    expect(codeOf(() => ask(id, '10.1.0.50', mac(2)))).toBe('ESW_ERR_IPAM_ADDRESS_TAKEN');
  });

  it('of a running endpoint survive a second one with its MAC', () => {
    const id = pool('10.1.0.0/16');
    const subnets = [{ pool: '10.1.0.0/16' as Cidr, gateway: null }];
    store.commit(tx => tx.putNetwork({ ...network(NET, 1, 0), subnets }));
    expect(ask(id, '', mac(1))).toBe('10.1.0.1/16');
    store.commit(tx => tx.putEndpoint(endpoint('a', 1, { ip4: '10.1.0.1/16' as Cidr, mac: mac(1) })));
    expect(ask(id, '', mac(1))).toBe('10.1.0.2/16');
    ipam.releaseAddress(id, '10.1.0.2');
    ipam.releaseAddress(id, '10.1.0.1');
    expect([...store.leases(id).keys()]).toEqual(['10.1.0.1']);
    store.commit(tx => tx.deleteEndpoint('a' as EndpointId));
    ipam.releaseAddress(id, '10.1.0.1');
    expect(store.leases(id).size).toBe(0);
  });

  it('freed are used last', () => {
    const id = pool('10.1.0.0/29');
    const given = [1, 2, 3].map(n => ask(id, '', mac(n)));
    ipam.releaseAddress(id, '10.1.0.1');
    given.push(...[4, 5, 6].map(n => ask(id, '', mac(n))), ask(id, '', mac(7)));
    expect(given.map(address => address.split('/')[0])).toEqual(
      [1, 2, 3, 4, 5, 6, 1].map(n => `10.1.0.${n}`),
    );
    expect(codeOf(() => ask(id, '', mac(8)))).toBe('ESW_ERR_IPAM_EXHAUSTED');
  });

  it.each([
    ['10.1.0.0/28', '', 14],
    ['10.1.0.0/31', '', 2],
    ['10.1.0.9/32', '', 1],
    ['10.1.0.0/24', '10.1.0.0/29', 7],
    ['10.1.0.0/24', '10.1.0.64/29', 8],
    ['fd00::/124', '', 15],
    ['fd00::/127', '', 2],
    ['fd00::/48', 'fd00::40/125', 8],
  ])('%s (%s) are exhausted exactly after %i', (range, subPool, capacity) => {
    const id = pool(range, subPool);
    const seen = new Set<string>();
    for (let n = 0; n < capacity; n++) seen.add(ask(id, '', mac(n)));
    expect(seen.size).toBe(capacity);
    expect(codeOf(() => ask(id, '', mac(999)))).toBe('ESW_ERR_IPAM_EXHAUSTED');
  });

  it('of endpoints that never came to be are reclaimed at start, others are kept', () => {
    const id = pool('10.1.0.0/16');
    const other = pool('10.5.0.0/16');
    ask(id, '10.1.0.1', null, true);
    ask(id, '10.1.0.200');
    ask(id, '10.1.0.5', mac(5));
    ask(id, '10.1.0.6', mac(6));
    ask(other, '10.5.0.7', mac(7));
    store.commit(tx => {
      tx.putNetwork(network(NET, 1, 0));
      tx.putEndpoint(endpoint('a', 1, { ip4: '10.1.0.5/16' as Cidr }));
    });
    expect(fresh(store).reclaim()).toBe(1);
    expect([...store.leases(id).keys()]).toEqual(['10.1.0.1', '10.1.0.200', '10.1.0.5']);
    expect(store.leases(other).size).toBe(1);
  });

  it('are adopted in the commit of an endpoint, once', () => {
    const id = pool('10.1.0.0/16');
    store.commit(tx => tx.putNetwork(network(NET, 1, 0)));
    for (let i = 0; i < 2; i++) {
      store.commit(tx => ipam.adopt(tx, '10.1.0.0/16' as Cidr, '10.1.0.1' as Ip, mac(1)));
    }
    store.commit(tx => ipam.adopt(tx, '10.99.0.0/16' as Cidr, '10.99.0.1' as Ip, mac(1)));
    expect(store.leases(id).get('10.1.0.1' as Ip)).toMatchObject({ purpose: 'endpoint', mac: mac(1) });
    expect(ask(id, '', mac(2))).toBe('10.1.0.2/16');
    expect(store.intent().networks.has(NET as NetworkId)).toBe(true);
  });
});

describe('any sequence of requests and releases', () => {
  const step = fc.record({
    verb: fc.constantFrom('dynamic', 'fixed', 'release', 'gateway', 'restart'),
    n: fc.nat(20),
  });

  it.each(['10.1.0.0/28', 'fd00::/124'])('in %s never leases one address twice', range => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), steps => {
        store = createMemoryStore();
        ipam = fresh(store);
        const id = pool(range);
        const at = (n: number) => (range.includes(':') ? `fd00::${n.toString(16)}` : `10.1.0.${n}`);
        const model = new Map<string, string>();
        const capacity = range.includes(':') ? 15 : 14;
        steps.forEach(({ verb, n }, i) => {
          if (verb === 'restart') ipam = fresh(store);
          else if (verb === 'release') {
            ipam.releaseAddress(id, at(n));
            model.delete(at(n));
          } else {
            const address = verb === 'fixed' ? at(n) : '';
            const asker = verb === 'gateway' ? 'gateway' : mac(1000 + i);
            const code = codeOf(() => {
              const got =
                ask(id, address, verb === 'gateway' ? null : mac(1000 + i), verb === 'gateway').split(
                  '/',
                )[0] ?? '';
              if (model.get(got) !== 'gateway' || asker !== 'gateway') expect(model.has(got)).toBe(false);
              model.set(got, asker);
            });
            if (code === 'ESW_ERR_IPAM_EXHAUSTED') expect(model.size).toBe(capacity);
            else if (code === 'ESW_ERR_IPAM_ADDRESS_TAKEN') expect(model.has(address)).toBe(true);
            else expect(['no error', 'ESW_ERR_IPAM_ADDRESS_OUTSIDE']).toContain(code);
          }
          expect(new Set(store.leases(id).keys())).toEqual(new Set(model.keys()));
        });
      }),
      { numRuns: 400 },
    );
  });
});

it('takes a request in well under a millisecond with 10,000 leases, also when the pool is full of holes', () => {
  const id = pool('10.64.0.0/18');
  for (let n = 0; n < 16_000; n++) ask(id, '', mac(n));
  for (let n = 0; n < 16_000; n += 2) ipam.releaseAddress(id, `10.64.${(n + 1) >> 8}.${(n + 1) & 255}`);
  const started = performance.now();
  for (let n = 0; n < 500; n++) ask(id, '', mac(20_000 + n));
  expect((performance.now() - started) / 500).toBeLessThan(2);
});
