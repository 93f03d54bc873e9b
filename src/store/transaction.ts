/** A commit in progress: checks constraints, changes the tables and keeps what is needed to undo. */
import type { EndpointId, Ip, NetworkId, Revision } from '../lib/brand.ts';
import { EswError } from '../lib/errors.ts';
import { cidrOverlaps } from '../lib/ip.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Network } from '../model/network.ts';
import { type FunctionKey, functionKey } from '../model/nic.ts';
import type { VfLease } from '../model/vf-lease.ts';
import { bindingsInForce } from './host-ports.ts';
import type { Lease, Pool, StoreWriter } from './port.ts';
import { TableReader } from './reader.ts';
import type { SlotPool } from './slot-pool.ts';
import { addressesOf, type Change, type Tables } from './tables.ts';

export class Transaction extends TableReader implements StoreWriter {
  readonly changes: Change[] = [];
  #open = true;

  readonly #nowMs: number;

  /** `nowMs`: milliseconds since 1970, for records that say since when. */
  constructor(tables: Tables, revision: Revision, nowMs: number) {
    super(tables, () => revision);
    this.#nowMs = nowMs;
  }

  putNetwork(network: Network): void {
    const before = this.network(network.id);
    takeable(this.tables.netSlots, network.slot, network.id, 'network slot');
    takeable(this.tables.portSlots, network.gatewaySlot, network.id, 'port slot');
    this.#put({ table: 'network', before, after: network });
  }

  deleteNetwork(id: NetworkId): void {
    const members = this.tables.endpointsOf(id).size;
    if (members > 0) {
      throw new EswError('ESW_ERR_NETWORK_BUSY', `network ${id} still has ${members} endpoint(s)`);
    }
    this.#put({ table: 'network', before: this.network(id), after: null });
  }

  putEndpoint(endpoint: Endpoint): void {
    this.#checkEndpoint(endpoint);
    this.#put({ table: 'endpoint', before: this.endpoint(endpoint.id), after: endpoint });
  }

  deleteEndpoint(id: EndpointId): void {
    const row = this.tables.vfOf(id);
    if (row !== null) this.putVf({ ...row, endpoint: null, state: 'cooling', sinceMs: this.#nowMs });
    this.#put({ table: 'endpoint', before: this.endpoint(id), after: null });
  }

  putPool(pool: Pool): void {
    const before = this.pool(pool.id);
    if (before?.pool !== pool.pool || before.space !== pool.space) this.#checkPool(pool);
    this.#put({ table: 'pool', before, after: pool });
  }

  deletePool(id: string): void {
    for (const lease of [...this.leases(id).values()]) {
      this.#put({ table: 'lease', before: lease, after: null });
    }
    this.#put({ table: 'pool', before: this.pool(id), after: null });
  }

  putLease(lease: Lease): void {
    if (this.pool(lease.poolId) === null) {
      throw new EswError('ESW_ERR_IPAM_POOL_UNKNOWN', `there is no pool ${lease.poolId}`);
    }
    const before = this.leases(lease.poolId).get(lease.address) ?? null;
    this.#put({ table: 'lease', before, after: lease });
  }

  deleteLease(poolId: string, address: Ip): void {
    this.#put({ table: 'lease', before: this.leases(poolId).get(address) ?? null, after: null });
  }

  putVf(row: VfLease): void {
    const key = functionKey(row.ref);
    if ((row.state === 'used') !== (row.endpoint !== null))
      throw new EswError('ESW_ERR_INTERNAL', `function ${key} is ${row.state} by ${row.endpoint}`);
    const before = this.vf(key);
    if (before?.endpoint != null && row.endpoint !== null && before.endpoint !== row.endpoint)
      throw new EswError('ESW_ERR_INTERNAL', `function ${key} is the port of ${before.endpoint}`);
    const other = row.endpoint && this.tables.vfOf(row.endpoint);
    if (other != null && functionKey(other.ref) !== key)
      throw new EswError(
        'ESW_ERR_INTERNAL',
        `endpoint ${row.endpoint} has ${functionKey(other.ref)} already`,
      );
    this.#put({ table: 'vf', before, after: row });
  }

  deleteVf(key: FunctionKey): void {
    const before = this.vf(key);
    if (before?.state === 'used')
      throw new EswError('ESW_ERR_INTERNAL', `function ${key} is the port of ${before.endpoint}`);
    this.#put({ table: 'vf', before, after: null });
  }

  /** No change after this; the commit is decided. Throws where endpoints and ledger do not agree. */
  seal(): readonly Change[] {
    this.#checkLedger();
    this.#open = false;
    return this.changes;
  }

  rollBack(): void {
    this.#open = false;
    for (const change of this.changes.reverse()) this.tables.undo(change);
    this.changes.length = 0;
  }

  #put(change: Change): void {
    if (!this.#open) throw new EswError('ESW_ERR_INTERNAL', 'a change came after its commit was over');
    if (change.before === change.after) return;
    if (change.after !== null && JSON.stringify(change.before) === JSON.stringify(change.after)) return;
    this.tables.apply(change);
    this.changes.push(change);
  }

  #checkEndpoint(endpoint: Endpoint): void {
    const { id, networkId, mac } = endpoint;
    if (this.network(networkId) === null) {
      throw new EswError('ESW_ERR_NETWORK_UNKNOWN', `there is no network ${networkId}`);
    }
    takeable(this.tables.portSlots, endpoint.slot, id, 'port slot');
    for (const address of addressesOf(endpoint)) {
      const owner = this.endpointByAddress(networkId, address)?.id ?? id;
      if (owner !== id) {
        throw new EswError('ESW_ERR_ENDPOINT_ADDRESS', `${address} belongs to endpoint ${owner}`);
      }
    }
    const sameMac = this.endpointByMac(networkId, mac)?.id ?? id;
    if (sameMac !== id) throw new EswError('ESW_ERR_ENDPOINT_MAC', `${mac} belongs to endpoint ${sameMac}`);
    for (const binding of bindingsInForce(endpoint)) {
      const owner = this.tables.hostPorts.owner(binding, id);
      if (owner !== null) {
        const where = `${binding.proto} port ${binding.hostPort}`;
        throw new EswError('ESW_ERR_PORT_IN_USE', `${where} is published by endpoint ${owner}`);
      }
    }
  }

  /** Functions are chosen by us, never by a user: what does not fit together is a defect. */
  #checkLedger(): void {
    for (const { table, before, after } of this.changes) {
      if (table === 'endpoint') this.#checkHolder((after ?? before)?.id ?? null);
      else if (table === 'vf') {
        this.#checkHolder(before?.endpoint ?? null);
        this.#checkHolder(after?.endpoint ?? null);
      }
    }
  }

  #checkHolder(id: EndpointId | null): void {
    if (id === null) return;
    const vf = this.endpoint(id)?.vf ?? null;
    const held = this.tables.vfOf(id)?.ref ?? null;
    const [has, holds] = [vf && functionKey(vf), held && functionKey(held)];
    if (has !== holds)
      throw new EswError('ESW_ERR_INTERNAL', `endpoint ${id} has function ${has}, the ledger says ${holds}`);
  }

  #checkPool(pool: Pool): void {
    for (const other of this.tables.pools.values()) {
      if (other.id !== pool.id && other.space === pool.space && cidrOverlaps(other.pool, pool.pool)) {
        throw new EswError('ESW_ERR_IPAM_POOL_OVERLAP', `${pool.pool} overlaps ${other.pool} (${other.id})`);
      }
    }
  }
}

/** Slots are chosen by us, never by a user: a clash is a defect. */
function takeable(pool: SlotPool, slot: number, owner: string, what: string): void {
  const other = pool.owner(slot) ?? owner;
  if (!pool.isValid(slot) || other !== owner) {
    throw new EswError('ESW_ERR_INTERNAL', `${what} ${slot} of ${owner} is invalid or held by ${other}`);
  }
}
