/**
 * Puts a network and endpoints on VFs of simnic0 into the store of a daemon that does not run:
 * `seed-endpoints.ts STATE_DIR 0,1,2` (numbers of VFs, each endpoint's own). Their sandboxes are
 * namespaces c<number>, which must exist. Prints each endpoint's id and representor.
 */
import { portNames } from '../../../src/ir/names.ts';
import type { DevlinkHandle } from '../../../src/model/nic.ts';
import { openSqliteStore } from '../../../src/store/sqlite.ts';
import { endpoint, network } from '../../sim/arbitrary.ts';

const [, , stateDir = '', numbers = ''] = process.argv;
const NET = network(1, { mtu: 1500 });
const nic = 'simnic/simnic0' as DevlinkHandle;
const endpoints = numbers
  .split(',')
  .filter(text => text !== '')
  .map(Number)
  .map(n =>
    endpoint(NET, n, {
      vf: { nic, controller: 0, pf: 0, kind: 'vf', index: n % 100 },
      sandbox: { key: `/run/netns/c${n}`, ifname: 'eth0' },
    }),
  );
const store = openSqliteStore(stateDir);
store.commit(tx => {
  for (const old of [...tx.intent().endpoints.values()]) tx.deleteEndpoint(old.id);
  tx.putNetwork(NET);
  for (const each of endpoints) tx.putEndpoint(each);
});
store.close();
const identity = { instance: 'eswitchd', linkPrefix: 'ew' };
process.stdout.write(
  JSON.stringify({
    network: NET.id,
    endpoints: endpoints.map(({ id, slot, mac, ip4, ip6 }) => ({
      ...{ id, slot, mac, rep: portNames(identity, id).rep },
      ip4: ip4?.split('/')[0],
      ip6: ip6?.split('/')[0],
    })),
  }),
);
