/** The tables of the database. A migration is never edited after a release; a new one is appended. */

/** Marks a database file as ours ("ESWD"). */
export const APPLICATION_ID = 0x45535744;

/**
 * Records are JSON; the columns beside them are what constraints need. `host_port.ip` is `*` for
 * every address; overlapping wildcards and pools are checked in code (transaction.ts).
 */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE position (
     only INTEGER PRIMARY KEY CHECK (only = 1),
     revision INTEGER NOT NULL
   ) STRICT;
   INSERT INTO position VALUES (1, 0);

   CREATE TABLE network (
     id TEXT PRIMARY KEY,
     slot INTEGER NOT NULL UNIQUE,
     gateway_slot INTEGER NOT NULL UNIQUE,
     record TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;

   CREATE TABLE endpoint (
     id TEXT PRIMARY KEY,
     network_id TEXT NOT NULL REFERENCES network (id) ON DELETE RESTRICT,
     slot INTEGER NOT NULL UNIQUE,
     mac TEXT NOT NULL,
     ip4 TEXT,
     ip6 TEXT,
     record TEXT NOT NULL,
     UNIQUE (network_id, mac),
     UNIQUE (network_id, ip4),
     UNIQUE (network_id, ip6)
   ) STRICT, WITHOUT ROWID;

   CREATE TABLE host_port (
     ip TEXT NOT NULL,
     proto TEXT NOT NULL,
     port INTEGER NOT NULL,
     endpoint_id TEXT NOT NULL REFERENCES endpoint (id) ON DELETE CASCADE,
     PRIMARY KEY (ip, proto, port)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX host_port_by_endpoint ON host_port (endpoint_id);

   CREATE TABLE pool (
     id TEXT PRIMARY KEY,
     space TEXT NOT NULL,
     range TEXT NOT NULL,
     record TEXT NOT NULL,
     UNIQUE (space, range)
   ) STRICT, WITHOUT ROWID;

   CREATE TABLE lease (
     pool_id TEXT NOT NULL REFERENCES pool (id) ON DELETE CASCADE,
     address TEXT NOT NULL,
     record TEXT NOT NULL,
     PRIMARY KEY (pool_id, address)
   ) STRICT, WITHOUT ROWID;`,

  // Endpoints of before NICs had veth pairs, and no NIC to fall back from.
  `UPDATE endpoint
     SET record = json_set(record, '$.vf', json('null'), '$.fallback', json('null'))
     WHERE json_type(record, '$.vf') IS NULL;`,

  `CREATE TABLE vf (
     function TEXT PRIMARY KEY,
     endpoint_id TEXT UNIQUE REFERENCES endpoint (id) ON DELETE RESTRICT,
     record TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;`,
];
