/** A guest under Docker with a SmartNIC in switchdev mode, and what its functions and the ledger look like. */
import { join } from 'node:path';
import type { Scope } from '../lab/scope.ts';
import { bootGuest, type Guest, type GuestOptions } from './guest.ts';
import { type GuestHost, quote, startGuestHost } from './guest-host.ts';
import { buildModule } from './module.ts';

export const NIC = '/sys/bus/simnic/devices/simnic0';
const MODULES =
  'vxlan cls_flower sch_ingress act_mirred act_gact act_tunnel_key act_vlan act_pedit act_csum act_police';
const VFS = 4;
export const LEFT = { ip: '10.72.0.11', ip6: 'fd72::11', args: ['--cap-add', 'NET_ADMIN'] };
export const RIGHT = { ip: '10.72.0.12', ip6: 'fd72::12', args: ['--publish', '8080:80'] };
/** Whether `left` reaches `right`. */
export const PING = 'docker exec left ping -c 1 -W 5 10.72.0.12 >/dev/null && echo reached || echo lost';

interface Row {
  readonly function: string;
  readonly endpoint: string | null;
  readonly state: string;
  readonly fault: string | null;
}

/** Docker and the daemon on a NIC with four functions, and network `net`. */
export async function switchdevHost(scope: Scope, options: GuestOptions = {}): Promise<SwitchdevHost> {
  const guest = await bootGuest(scope, { memoryMib: 2048, ...options });
  await plugIn(guest);
  const lab = new SwitchdevHost(await startGuestHost(scope, guest, { config: { resyncMs: 5000 } }));
  await lab.host.network('net', ...['--ipv6', '--subnet', '10.72.0.0/24', '--subnet', 'fd72::/64']);
  return lab;
}

/** The NIC as a host finds it after boot: its driver loaded, four VFs, switchdev mode, the uplink up. */
export async function plugIn(guest: Guest): Promise<void> {
  const module = await buildModule(join(import.meta.dirname, '../simnic'), 'simnic');
  await guest.must(
    `modprobe -a ${MODULES} && insmod ${module} && echo '0 ${VFS}' >/sys/bus/simnic/new_device
     echo ${VFS} >${NIC}/sriov_numvfs && devlink dev eswitch set simnic/simnic0 mode switchdev
     for link in ${NIC}/net/*; do grep -q p0 $link/phys_port_name && ip link set $(basename $link) up; done; true`,
  );
}

export class SwitchdevHost {
  readonly host: GuestHost;

  constructor(host: GuestHost) {
    this.host = host;
  }

  /** Names, MACs, MTUs and altnames of representors and functions that are in the host's namespace. */
  links(): Promise<string> {
    const print = `
      const text = require('fs').readFileSync(0, 'utf8').replaceAll('][', ',');
      for (const l of JSON.parse(text || '[]'))
        console.log(l.ifname, l.address, l.mtu, (l.altnames ?? []).join());`;
    return this.host.must(
      `for link in ${NIC}/net/* ${NIC}vf*/net/*; do [ -e $link ] && ip -j link show $(basename $link); done |
       tr -d '\\n' | ${quote(process.execPath, '-e', print)} | sort`,
    );
  }

  async ledger(): Promise<readonly Row[]> {
    const base = this.host.guest.hasDisk ? '/disk' : '/run';
    const code = `
      const { DatabaseSync } = require('node:sqlite');
      const db = new DatabaseSync('${base}/eswitchd-state/eswitchd.db', { readOnly: true });
      const rows = db.prepare('SELECT function, endpoint_id AS endpoint, record FROM vf ORDER BY function').all();
      console.log(JSON.stringify(rows.map(({ record, ...row }) => {
        const { state, fault } = JSON.parse(record);
        return { ...row, state, fault };
      })));`;
    return JSON.parse(await this.host.must(quote(process.execPath, '-e', code))) as Row[];
  }

  async states(): Promise<readonly string[]> {
    return (await this.ledger()).map(row => row.state);
  }

  /** Looks until it sees what is wanted; rejects with what it saw and both daemons' logs. */
  async eventually<T>(what: string, look: () => Promise<T>, wanted: T): Promise<void> {
    const deadline = performance.now() + 90_000;
    for (;;) {
      const seen = await look();
      if (JSON.stringify(seen) === JSON.stringify(wanted)) return;
      if (performance.now() > deadline)
        throw new Error(`${what}: ${JSON.stringify(seen, null, 1)}\n${await this.host.logs(30)}`);
      await new Promise(resolve => setTimeout(resolve, 500));
    }
  }
}
