/** What every store must do about functions of NICs. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EndpointId, Revision } from '../../src/lib/brand.ts';
import { functionKey } from '../../src/model/nic.ts';
import type { Store, StoreWriter } from '../../src/store/port.ts';
import { endpoint, NET, network, vfRef, vfRow } from './store-fixtures.ts';

interface Ledger {
  readonly store: Store;
  put(change: (tx: StoreWriter) => void): Revision;
  codeOf(run: () => unknown): string;
}

type Step = readonly ['take' | 'delete' | 'free' | 'break' | 'fail', number, number];

export function ledgerContract(the: Ledger): void {
  const seed = () => the.put(tx => tx.putNetwork(network(NET, 1, 0)));
  const take = (id: string, slot: number, index: number) =>
    the.codeOf(() =>
      the.put(tx => {
        tx.putEndpoint(endpoint(id, slot, { vf: vfRef(index) }));
        tx.putVf(vfRow(index, id));
      }),
    );
  const stateOf = (index: number) => the.store.vf(functionKey(vfRef(index)))?.state ?? null;

  describe('the ledger of NIC functions', () => {
    it('takes a function together with its endpoint, or not at all', () => {
      seed();
      expect(take('a', 1, 3)).toBe('no error');
      expect(the.store.vfs()).toEqual([vfRow(3, 'a')]);
      expect(take('b', 2, 3)).toBe('ESW_ERR_INTERNAL');
      expect(the.store.endpoint('b' as EndpointId)).toBeNull();
      expect(the.store.vf(functionKey(vfRef(3)))?.endpoint).toBe('a');
    });

    it('refuses a row without its endpoint, and an endpoint with another function', () => {
      seed();
      expect(the.codeOf(() => the.put(tx => tx.putVf(vfRow(0, 'nobody'))))).toBe('ESW_ERR_INTERNAL');
      expect(take('a', 1, 3)).toBe('no error');
      expect(the.codeOf(() => the.put(tx => tx.putVf(vfRow(4, 'a'))))).toBe('ESW_ERR_INTERNAL');
      const other = () => the.put(tx => tx.putEndpoint(endpoint('a', 1, { vf: vfRef(4) })));
      expect(the.codeOf(other)).toBe('ESW_ERR_INTERNAL');
      const used = () => the.put(tx => tx.putVf(vfRow(5, null, { state: 'used' })));
      expect(the.codeOf(used)).toBe('ESW_ERR_INTERNAL');
      expect(the.codeOf(() => the.put(tx => tx.deleteVf(functionKey(vfRef(3)))))).toBe('ESW_ERR_INTERNAL');
    });

    it('cools a function when its endpoint is deleted, in the same commit', () => {
      seed();
      take('a', 1, 3);
      const before = Date.now();
      the.put(tx => tx.deleteEndpoint('a' as EndpointId));
      const row = the.store.vf(functionKey(vfRef(3)));
      expect(row).toEqual(vfRow(3, null, { sinceMs: row?.sinceMs ?? 0 }));
      expect(row?.sinceMs).toBeGreaterThanOrEqual(before);
      the.put(tx => tx.deleteVf(functionKey(vfRef(3))));
      expect(stateOf(3)).toBeNull();
      expect(take('b', 1, 3)).toBe('no error');
    });

    it('lets an endpoint go on without its function', () => {
      seed();
      take('a', 1, 3);
      the.put(tx => {
        tx.putVf(vfRow(3, null, { fault: 'EINVAL' }));
        tx.putEndpoint(endpoint('a', 1, { fallback: 'EINVAL' }));
      });
      expect([stateOf(3), the.store.endpoint('a' as EndpointId)?.vf]).toEqual(['cooling', null]);
    });

    it('has one row per function and one function per endpoint, whatever is tried', () => {
      seed();
      const kinds = ['take', 'delete', 'free', 'break', 'fail'] as const;
      const step: fc.Arbitrary<Step> = fc.tuple(
        fc.constantFrom(...kinds),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 0, max: 3 }),
      );
      fc.assert(
        fc.property(fc.array(step, { maxLength: 30 }), steps => {
          for (const each of steps) the.codeOf(() => run(each));
          const used = [...the.store.intent().endpoints.values()].filter(one => one.vf !== null);
          const rows = the.store.vfs();
          expect(new Set(rows.map(row => functionKey(row.ref))).size).toBe(rows.length);
          const pairs = rows.filter(row => row.endpoint !== null).map(row => [row.endpoint, row.ref]);
          expect(pairs.sort()).toEqual(used.map(one => [one.id, one.vf]).sort());
        }),
        { numRuns: 60 },
      );
    });

    function run([verb, n, index]: Step): void {
      the.put(tx => {
        if (verb === 'delete') tx.deleteEndpoint(`e${n}` as EndpointId);
        else if (verb === 'free') tx.deleteVf(functionKey(vfRef(index)));
        else if (verb === 'break') tx.putVf(vfRow(index, null, { state: 'broken', fault: 'EIO' }));
        else {
          tx.putEndpoint(endpoint(`e${n}`, n, { vf: vfRef(index) }));
          tx.putVf(vfRow(index, `e${n}`));
          if (verb === 'fail') throw new Error('on purpose');
        }
      });
    }
  });
}
