/** Rows of the database to and from records. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { Revision } from '../lib/brand.ts';
import { cidrAddress } from '../lib/ip.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Network } from '../model/network.ts';
import { functionKey } from '../model/nic.ts';
import type { VfLease } from '../model/vf-lease.ts';
import { bindingsInForce, hostKey } from './host-ports.ts';
import type { Durability, Lease, Pool } from './port.ts';
import { type Change, Tables } from './tables.ts';

/** Everything in the database, with its indexes. Throws SyntaxError for a record that is no JSON. */
export function loadTables(database: DatabaseSync): { readonly tables: Tables; readonly revision: Revision } {
  const tables = new Tables();
  for (const after of records<Network>(database, 'network ORDER BY gateway_slot')) {
    tables.apply({ table: 'network', before: null, after });
  }
  for (const after of records<Endpoint>(database, 'endpoint ORDER BY slot')) {
    tables.apply({ table: 'endpoint', before: null, after });
  }
  for (const after of records<Pool>(database, 'pool')) tables.apply({ table: 'pool', before: null, after });
  for (const after of records<Lease>(database, 'lease'))
    tables.apply({ table: 'lease', before: null, after });
  for (const after of records<VfLease>(database, 'vf')) tables.apply({ table: 'vf', before: null, after });
  const revision = Number(database.prepare('SELECT revision FROM position').get()?.['revision']);
  return { tables, revision: revision as Revision };
}

function* records<T>(database: DatabaseSync, from: string): Generator<T> {
  for (const row of database.prepare(`SELECT record FROM ${from}`).iterate()) {
    yield JSON.parse(String(row['record'])) as T;
  }
}

/** Prepared statements, one for each kind of change. */
export class RowWriter {
  readonly #statements = new Map<string, StatementSync>();
  readonly #database: DatabaseSync;
  /** As the file was opened: synchronous=FULL. */
  #survives: Durability = 'power-cut';

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  begin(survives: Durability): void {
    if (survives !== this.#survives) {
      this.#database.exec(`PRAGMA synchronous = ${survives === 'kill' ? 'NORMAL' : 'FULL'}`);
      this.#survives = survives;
    }
    this.#run('BEGIN IMMEDIATE');
  }

  /** Undoes what a failed commit left open, if anything. */
  abandon(): void {
    if (this.#database.isTransaction) this.#run('ROLLBACK');
  }

  finish(revision: Revision): void {
    this.#run('UPDATE position SET revision = ?', revision);
    this.#run('COMMIT');
  }

  write(change: Change): void {
    if (change.after === null) this.#remove(change);
    else if (change.table === 'network') this.#putNetwork(change.after);
    else if (change.table === 'endpoint') this.#putEndpoint(change.before, change.after);
    else if (change.table === 'pool') this.#putPool(change.after);
    else if (change.table === 'lease') this.#putLease(change.after);
    else this.#putVf(change.after);
  }

  #run(sql: string, ...values: SQLInputValue[]): void {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    statement.run(...values);
  }

  #remove(change: Change): void {
    if (change.before === null) return;
    if (change.table === 'lease') {
      const { poolId, address } = change.before;
      this.#run('DELETE FROM lease WHERE pool_id = ? AND address = ?', poolId, address);
    } else if (change.table === 'vf') {
      this.#run('DELETE FROM vf WHERE function = ?', functionKey(change.before.ref));
    } else this.#run(`DELETE FROM ${change.table} WHERE id = ?`, change.before.id);
  }

  #putNetwork(after: Network): void {
    this.#run(
      `INSERT INTO network (id, slot, gateway_slot, record) VALUES (?1, ?2, ?3, ?4)
       ON CONFLICT (id) DO UPDATE SET slot = ?2, gateway_slot = ?3, record = ?4`,
      after.id,
      after.slot,
      after.gatewaySlot,
      JSON.stringify(after),
    );
  }

  #putEndpoint(before: Endpoint | null, after: Endpoint): void {
    this.#run(
      `INSERT INTO endpoint (id, network_id, slot, mac, ip4, ip6, record) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
       ON CONFLICT (id) DO UPDATE SET
         network_id = ?2, slot = ?3, mac = ?4, ip4 = ?5, ip6 = ?6, record = ?7`,
      after.id,
      after.networkId,
      after.slot,
      after.mac,
      after.ip4 && cidrAddress(after.ip4),
      after.ip6 && cidrAddress(after.ip6),
      JSON.stringify(after),
    );
    if (bindingsInForce(before).length > 0)
      this.#run('DELETE FROM host_port WHERE endpoint_id = ?', after.id);
    for (const { hostIp, proto, hostPort } of bindingsInForce(after)) {
      this.#run('INSERT INTO host_port VALUES (?, ?, ?, ?)', hostKey(hostIp), proto, hostPort, after.id);
    }
  }

  #putPool(after: Pool): void {
    this.#run(
      `INSERT INTO pool (id, space, range, record) VALUES (?1, ?2, ?3, ?4)
       ON CONFLICT (id) DO UPDATE SET space = ?2, range = ?3, record = ?4`,
      after.id,
      after.space,
      after.pool,
      JSON.stringify(after),
    );
  }

  #putVf(after: VfLease): void {
    this.#run(
      `INSERT INTO vf (function, endpoint_id, record) VALUES (?1, ?2, ?3)
       ON CONFLICT (function) DO UPDATE SET endpoint_id = ?2, record = ?3`,
      functionKey(after.ref),
      after.endpoint,
      JSON.stringify(after),
    );
  }

  #putLease(after: Lease): void {
    this.#run(
      `INSERT INTO lease (pool_id, address, record) VALUES (?1, ?2, ?3)
       ON CONFLICT (pool_id, address) DO UPDATE SET record = ?3`,
      after.poolId,
      after.address,
      JSON.stringify(after),
    );
  }
}
