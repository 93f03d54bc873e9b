/** Who has a NIC's functions: endpoints, the ledger, or somebody who is not us. Pure. */
import type { EndpointId } from '../lib/brand.ts';
import type { Endpoint } from './endpoint.ts';
import { type FunctionKey, type FunctionRef, functionKey, type Nic, type NicFunction } from './nic.ts';

/**
 * `free`: can be handed out. `used`: an endpoint's port. `cooling`: given back, not yet restored.
 * `broken`: not handed out. `foreign`: another program or a virtual machine has it.
 */
export type UseState = 'free' | 'used' | 'cooling' | 'broken' | 'foreign';

export interface FunctionUse {
  readonly state: UseState;
  /** `used` only. */
  readonly endpoint: EndpointId | null;
  /** In words; "" when free. */
  readonly why: string;
}

/** What the ledger of functions knows beyond the endpoints; structurally a lease. */
export interface LedgerRow {
  readonly ref: FunctionRef;
  readonly state: 'used' | 'cooling' | 'broken';
  readonly endpoint: EndpointId | null;
  /** What went wrong last; null = nothing. */
  readonly fault: string | null;
}

export interface UseSources {
  readonly endpoints: Iterable<Pick<Endpoint, 'id' | 'vf'>>;
  readonly ledger: Iterable<LedgerRow>;
}

const FREE: FunctionUse = { state: 'free', endpoint: null, why: '' };

/** Uses of every function of the NICs, by key. */
export function functionUses(
  nics: readonly Nic[],
  { endpoints, ledger }: UseSources,
): ReadonlyMap<FunctionKey, FunctionUse> {
  const known = new Map<FunctionKey, FunctionUse>();
  for (const row of ledger) known.set(functionKey(row.ref), ofLedger(row));
  for (const { id, vf } of endpoints) {
    if (vf !== null) known.set(functionKey(vf), { state: 'used', endpoint: id, why: '' });
  }
  return new Map(
    nics.flatMap(nic =>
      nic.functions.map(each => {
        const key = functionKey(each.ref);
        return [key, known.get(key) ?? unleased(nic, each)] as const;
      }),
    ),
  );
}

function ofLedger({ state, endpoint, fault }: LedgerRow): FunctionUse {
  if (state === 'used') return { state, endpoint, why: fault ?? '' };
  const why = state === 'cooling' ? 'given back, being restored' : 'could not be restored';
  return { state, endpoint: null, why: fault === null ? why : `${why}: ${fault}` };
}

/** Drivers that give a function to user space. */
const PASS_THROUGH = /^(vfio|uio|igb_uio|vhost|simnic_stub)/;

function unleased(nic: Nic, each: NicFunction): FunctionUse {
  const { driver, netdev, device, representor, ref } = each;
  if (ref.controller !== 0 || device === null)
    return { state: 'foreign', endpoint: null, why: 'it belongs to another host or is not active' };
  if (driver !== null && PASS_THROUGH.test(driver))
    return { state: 'foreign', endpoint: null, why: `driver ${driver} has it` };
  if (driver !== null && netdev === null)
    return { state: 'foreign', endpoint: null, why: 'its netdev is in another network namespace' };
  if (nic.eswitch?.mode === 'switchdev' && representor === null)
    return { state: 'broken', endpoint: null, why: 'it has no representor' };
  return FREE;
}
