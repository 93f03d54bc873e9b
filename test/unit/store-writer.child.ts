/**
 * Commits one endpoint after another into the store of the directory given and prints each revision
 * once it is durable, until it is killed. Started by store-sqlite.test.ts.
 */
import { writeSync } from 'node:fs';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { endpoint, NET, network } from '../contract/store-fixtures.ts';

const store = openSqliteStore(process.argv[2] ?? '');
if (store.network(NET) === null) store.commit(tx => tx.putNetwork(network(NET, 1, 0)));
for (;;) {
  const slot = store.freePortSlot(100_000) ?? 0;
  const mac = `02:00:00:00:${(slot >> 8).toString(16).padStart(2, '0')}:${(slot & 255).toString(16).padStart(2, '0')}`;
  const { revision } = store.commit(
    tx => {
      tx.putEndpoint(endpoint(`e${slot}`, slot, { ip4: null, mac: mac as never }));
    },
    slot % 2 === 0 ? 'kill' : 'power-cut',
  );
  writeSync(1, `${revision} ${slot}\n`);
}
