/** What every store must do. `open` with the same directory again finds what was committed. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Cidr, EndpointId, Ip, Mac, NetworkId, PortSlot } from '../../src/lib/brand.ts';
import { EswError } from '../../src/lib/errors.ts';
import type { Endpoint } from '../../src/model/endpoint.ts';
import { functionKey } from '../../src/model/nic.ts';
import type { Store, StoreWriter } from '../../src/store/port.ts';
import { endpoint, lease, NET, network, pool, vfRef, vfRow, web } from './store-fixtures.ts';
import { ledgerContract } from './store-ledger.contract.ts';

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return error instanceof EswError ? error.code : String(error);
  }
  return 'no error';
};

export interface StoreLane {
  open(): Store;
  /** Closes and opens again; null when this kind of store keeps nothing. */
  reopen: ((store: Store) => Store) | null;
  cleanUp(): void;
}

export function storeContract(makeLane: () => StoreLane): void {
  let lane: StoreLane;
  let store: Store;
  const put = (change: (tx: StoreWriter) => void) => store.commit(change).revision;

  beforeEach(() => {
    lane = makeLane();
    store = lane.open();
  });
  afterEach(() => {
    store.close();
    lane.cleanUp();
  });

  const seed = () => put(tx => tx.putNetwork(network(NET, 1, 0)));

  describe('commits', () => {
    it('starts fresh and empty at revision 0', () => {
      expect(store.origin).toBe('fresh');
      expect(store.revision).toBe(0);
      expect(store.intent().networks.size).toBe(0);
      expect(store.intent().endpoints.size).toBe(0);
      expect(store.pools()).toEqual([]);
    });

    it('returns the value and moves the revision by one', () => {
      const first = store.commit(tx => {
        tx.putNetwork(network(NET, 1, 0));
        tx.putEndpoint(endpoint('a', 1));
        return 'done';
      });
      expect(first).toEqual({ value: 'done', revision: 1 });
      expect(put(tx => tx.deleteEndpoint('a' as EndpointId))).toBe(2);
      expect(store.revision).toBe(2);
    });

    it('keeps the revision when nothing changed', () => {
      seed();
      expect(put(() => undefined)).toBe(1);
      expect(put(tx => tx.putNetwork(network(NET, 1, 0)))).toBe(1);
      expect(put(tx => tx.deleteEndpoint('nobody' as EndpointId))).toBe(1);
      expect(put(tx => tx.deleteLease('local/none', '10.0.0.1' as Ip))).toBe(1);
    });

    it('shows a commit its own changes', () => {
      store.commit(tx => {
        tx.putNetwork(network(NET, 1, 0));
        tx.putEndpoint(endpoint('a', 1));
        expect(tx.network(NET)?.slot).toBe(1);
        expect(tx.endpoint('a' as EndpointId)?.slot).toBe(1);
        expect(tx.intent().endpoints.get('a')?.slot).toBe(1);
        expect(tx.freePortSlot(100)).toBe(2);
      });
    });

    it('changes nothing when the change throws, and throws the same', () => {
      seed();
      put(tx => {
        tx.putEndpoint(endpoint('a', 1));
        tx.putPool(pool('10.9.0.0/24'));
        tx.putLease(lease('local/10.9.0.0/24', '10.9.0.5'));
      });
      const before = [...store.intent().endpoints.values()];
      const thrown = new Error('stop');
      expect(() =>
        store.commit(tx => {
          tx.putEndpoint(endpoint('a', 1, { published: true, bindings: [web(null)] }));
          tx.putEndpoint(endpoint('b', 2));
          tx.deletePool('local/10.9.0.0/24');
          tx.putNetwork(network('net2', 2, 3));
          throw thrown;
        }),
      ).toThrow(thrown);
      expect([...store.intent().endpoints.values()]).toEqual(before);
      expect(store.network('net2' as NetworkId)).toBeNull();
      expect(store.leases('local/10.9.0.0/24').size).toBe(1);
      expect(store.hostPortOwner(web(null))).toBeNull();
      expect(store.freePortSlot(100)).toBe(2);
      expect(store.freeNetSlot()).toBe(2);
      expect(store.revision).toBe(2);
    });

    it('refuses a commit inside a commit and a change after one', () => {
      let leaked: StoreWriter | null = null;
      store.commit(tx => {
        leaked = tx;
        expect(codeOf(() => store.commit(() => 0))).toBe('ESW_ERR_INTERNAL');
      });
      expect(codeOf(() => leaked?.putNetwork(network(NET, 1, 0)))).toBe('ESW_ERR_INTERNAL');
      expect(store.network(NET)).toBeNull();
    });
  });

  describe('intent', () => {
    it('is a snapshot that later commits do not change', () => {
      seed();
      put(tx => tx.putEndpoint(endpoint('a', 1)));
      const old = store.intent();
      put(tx => {
        tx.putEndpoint(endpoint('b', 2));
        tx.putEndpoint(endpoint('a', 1, { ifnamePrefix: 'net' }));
      });
      put(tx => tx.deleteEndpoint('a' as EndpointId));
      expect([...old.endpoints.keys()]).toEqual(['a']);
      expect(old.endpoints.get('a')?.ifnamePrefix).toBe('eth');
      expect(old.endpoints.size).toBe(1);
      expect([...store.intent().endpoints.keys()]).toEqual(['b']);
    });

    it('is the same object while nothing changes, and a whole map', () => {
      seed();
      for (let i = 1; i <= 50; i++) put(tx => tx.putEndpoint(endpoint(`e${i}`, i)));
      const { endpoints } = store.intent();
      expect(store.intent().endpoints).toBe(endpoints);
      const seen: string[] = [];
      endpoints.forEach((value, key, map) => {
        expect(map.get(key)).toBe(value);
        seen.push(key);
      });
      expect(new Set(seen)).toEqual(new Set([...endpoints.keys()]));
      expect([...endpoints].length).toBe(endpoints.size);
      expect([...endpoints.values()].length).toBe(50);
      expect(endpoints.has('e50') && !endpoints.has('e51')).toBe(true);
    });
  });

  describe('constraints', () => {
    beforeEach(() => {
      seed();
      put(tx => tx.putEndpoint(endpoint('a', 1)));
    });

    it.each<[string, string, (tx: StoreWriter) => void]>([
      [
        'an unknown network',
        'ESW_ERR_NETWORK_UNKNOWN',
        tx => tx.putEndpoint(endpoint('b', 2, { networkId: 'net9' as NetworkId })),
      ],
      ['a taken port slot', 'ESW_ERR_INTERNAL', tx => tx.putEndpoint(endpoint('b', 1))],
      ["a gateway's slot", 'ESW_ERR_INTERNAL', tx => tx.putEndpoint(endpoint('b', 0))],
      ['a taken network slot', 'ESW_ERR_INTERNAL', tx => tx.putNetwork(network('net2', 1, 7))],
      ['network slot 0', 'ESW_ERR_INTERNAL', tx => tx.putNetwork(network('net2', 0, 7))],
      [
        'a taken address',
        'ESW_ERR_ENDPOINT_ADDRESS',
        tx => tx.putEndpoint(endpoint('b', 2, { ip4: '10.1.0.2/16' as Cidr })),
      ],
      [
        'a taken MAC',
        'ESW_ERR_ENDPOINT_MAC',
        tx => tx.putEndpoint(endpoint('b', 2, { mac: endpoint('a', 1).mac })),
      ],
      ['endpoints left', 'ESW_ERR_NETWORK_BUSY', tx => tx.deleteNetwork(NET)],
      [
        'a lease without pool',
        'ESW_ERR_IPAM_POOL_UNKNOWN',
        tx => tx.putLease(lease('local/10.0.0.0/8', '10.0.0.1')),
      ],
    ])('refuses %s', (_, code, change) => {
      expect(codeOf(() => store.commit(change))).toBe(code);
      expect(store.revision).toBe(2);
    });

    it('lets two networks have the same addresses and MACs', () => {
      put(tx => {
        tx.putNetwork(network('net2', 2, 5));
        tx.putEndpoint(
          endpoint('b', 2, {
            ...endpoint('a', 1),
            id: 'b' as EndpointId,
            slot: 2 as PortSlot,
            networkId: 'net2' as NetworkId,
          }),
        );
      });
      expect(store.endpointByAddress('net2' as NetworkId, '10.1.0.2' as Ip)?.id).toBe('b');
      expect(store.endpointByAddress(NET, '10.1.0.2' as Ip)?.id).toBe('a');
      expect(store.endpointByMac(NET, endpoint('a', 1).mac)?.id).toBe('a');
      expect(store.endpointByMac(NET, '02:00:00:00:00:99' as Mac)).toBeNull();
    });

    it('frees an address, a MAC and a slot within one commit', () => {
      put(tx => {
        tx.deleteEndpoint('a' as EndpointId);
        tx.putEndpoint(endpoint('b', 1));
      });
      expect(store.endpointByAddress(NET, '10.1.0.2' as Ip)?.id).toBe('b');
    });

    it('refuses pools of one space that overlap, also partly', () => {
      put(tx => tx.putPool(pool('10.1.0.0/16')));
      expect(codeOf(() => put(tx => tx.putPool(pool('10.1.4.0/24'))))).toBe('ESW_ERR_IPAM_POOL_OVERLAP');
      expect(codeOf(() => put(tx => tx.putPool(pool('10.0.0.0/8'))))).toBe('ESW_ERR_IPAM_POOL_OVERLAP');
      put(tx => tx.putPool({ ...pool('10.1.0.0/16'), id: 'global/10.1.0.0/16', space: 'global' }));
      put(tx => tx.putPool(pool('10.1.0.0/16', 2)));
      expect(store.pool('local/10.1.0.0/16')?.references).toBe(2);
      expect(store.pools().length).toBe(2);
    });

    it('deletes the leases of a deleted pool', () => {
      put(tx => {
        tx.putPool(pool('10.9.0.0/24'));
        tx.putLease(lease('local/10.9.0.0/24', '10.9.0.5'));
      });
      put(tx => tx.deletePool('local/10.9.0.0/24'));
      put(tx => tx.putPool(pool('10.9.0.0/24')));
      expect(store.leases('local/10.9.0.0/24').size).toBe(0);
    });
  });

  describe('host ports', () => {
    const publish = (id: string, slot: number, hostIp: string | null, published = true) =>
      codeOf(() => put(tx => tx.putEndpoint(endpoint(id, slot, { bindings: [web(hostIp)], published }))));

    it.each<[string | null, string | null, boolean]>([
      [null, '10.0.0.1', true],
      ['10.0.0.1', null, true],
      ['10.0.0.1', '10.0.0.1', true],
      ['10.0.0.1', '10.0.0.2', false],
      ['0.0.0.0', '10.0.0.2', true],
      ['10.0.0.2', '0.0.0.0', true],
      ['0.0.0.0', '::', false],
      ['::', 'fd00::1', true],
      ['0.0.0.0', 'fd00::1', false],
      [null, '::1', true],
    ])('%s and then %s: taken = %s', (first, second, taken) => {
      seed();
      expect(publish('a', 1, first)).toBe('no error');
      expect(publish('b', 2, second)).toBe(taken ? 'ESW_ERR_PORT_IN_USE' : 'no error');
      expect(store.hostPortOwner(web(first))).toBe('a');
    });

    it('counts only what is published, and frees what is withdrawn', () => {
      seed();
      expect(publish('a', 1, null, false)).toBe('no error');
      expect(publish('b', 2, null)).toBe('no error');
      expect(store.hostPortOwner(web('127.0.0.1'))).toBe('b');
      expect(store.hostPortOwner({ ...web(null), proto: 'udp' })).toBeNull();
      expect(publish('b', 2, null, false)).toBe('no error');
      expect(publish('a', 1, '127.0.0.1')).toBe('no error');
      put(tx => tx.deleteEndpoint('a' as EndpointId));
      expect(store.hostPortOwner(web(null))).toBeNull();
    });
  });

  describe('slots', () => {
    it('hands out the lowest unused one, and a freed one last', () => {
      seed();
      for (const slot of [1, 2, 3]) {
        expect(store.freePortSlot(6)).toBe(slot);
        put(tx => tx.putEndpoint(endpoint(`e${slot}`, slot)));
      }
      put(tx => tx.deleteEndpoint('e1' as EndpointId));
      put(tx => tx.deleteEndpoint('e3' as EndpointId));
      const order: (number | null)[] = [];
      for (let i = 0; i < 5; i++) {
        const slot = store.freePortSlot(6);
        order.push(slot);
        if (slot !== null) put(tx => tx.putEndpoint(endpoint(`n${i}`, slot)));
      }
      expect(order).toEqual([4, 5, 1, 3, null]);
      expect(store.freePortSlot(7)).toBe(6);
    });

    it('starts networks at 1 and ends at 65535', () => {
      expect(store.freeNetSlot()).toBe(1);
      put(tx => tx.putNetwork(network('last', 65_535, 0)));
      expect(store.freeNetSlot()).toBe(1);
      put(tx => tx.putNetwork(network('first', 1, 1)));
      expect(store.freeNetSlot()).toBe(2);
    });

    it('does not lose a slot to a commit that failed', () => {
      seed();
      expect(
        codeOf(() =>
          put(tx => {
            tx.putEndpoint(endpoint('a', 1));
            tx.putEndpoint(endpoint('b', 2, { networkId: 'none' as NetworkId }));
          }),
        ),
      ).toBe('ESW_ERR_NETWORK_UNKNOWN');
      expect(store.freePortSlot(6)).toBe(1);
    });
  });

  ledgerContract({
    put: change => put(change),
    codeOf,
    get store() {
      return store;
    },
  });

  it('finds everything again after it was closed', () => {
    if (lane.reopen === null) return;
    put(tx => {
      tx.putNetwork(network(NET, 1, 0));
      tx.putEndpoint(endpoint('a', 1, { bindings: [web('10.0.0.1')], published: true }));
      tx.putEndpoint(endpoint('b', 4, { ip6: 'fd00::4/64' as Cidr, sandbox: { key: '/n', ifname: null } }));
      tx.putPool(pool('10.9.0.0/24'));
      tx.putLease(lease('local/10.9.0.0/24', '10.9.0.5'));
      tx.putEndpoint(endpoint('v', 9, { vf: vfRef(3) }));
      tx.putVf(vfRow(3, 'v'));
      tx.putVf(vfRow(4, null, { state: 'broken', fault: 'EIO' }));
    });
    put(tx => tx.deleteEndpoint('nobody' as EndpointId));
    const sorted = (all: Iterable<Endpoint>) => [...all].sort((x, y) => x.slot - y.slot);
    const before = {
      networks: [...store.intent().networks.values()],
      endpoints: sorted(store.intent().endpoints.values()),
      pools: store.pools(),
      leases: [...store.leases('local/10.9.0.0/24')],
      vfs: store.vfs(),
    };
    store = lane.reopen(store);
    expect(store.origin).toBe('opened');
    expect(store.revision).toBe(1);
    expect([...store.intent().networks.values()]).toEqual(before.networks);
    expect(sorted(store.intent().endpoints.values())).toEqual(before.endpoints);
    expect(store.pools()).toEqual(before.pools);
    expect([...store.leases('local/10.9.0.0/24')]).toEqual(before.leases);
    expect(store.vfs()).toEqual(before.vfs);
    put(tx => tx.deleteEndpoint('v' as EndpointId));
    expect(store.vf(functionKey(vfRef(3)))?.state).toBe('cooling');
    expect(store.freePortSlot(100)).toBe(2);
    expect(store.hostPortOwner(web(null))).toBe('a');
    expect(codeOf(() => put(tx => tx.putEndpoint(endpoint('c', 4))))).toBe('ESW_ERR_INTERNAL');
  });
}
