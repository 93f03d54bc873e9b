/** What the virtual SmartNIC's tests share: a guest that has the module loaded, and rules as tc shows them. */
import { join } from 'node:path';
import type { Scope } from '../lab/scope.ts';
import { bootGuest, type Guest, type GuestOptions } from './guest.ts';
import { buildModule } from './module.ts';

const directory = join(import.meta.dirname, '../simnic');
const MODULES =
  'vxlan cls_flower sch_ingress act_mirred act_gact act_tunnel_key act_vlan act_pedit act_csum act_police';

/** A rule of tc's dump: where it is and what hardware counted. */
export interface Rule {
  readonly prio: number;
  readonly inHardware: boolean;
  /** Of the last action: frames and bytes that hardware, or the kernel's software, passed. */
  readonly hwPackets: number;
  readonly hwBytes: number;
  readonly swPackets: number;
  /** Whether hardware still reports on the rule. */
  readonly reported: boolean;
}

/** Boots a guest with the module loaded; `arguments_` are the module's. */
export async function bootWithSimnic(
  scope: Scope,
  options: GuestOptions = {},
  arguments_ = '',
): Promise<Lab> {
  const module = await buildModule(directory, 'simnic');
  const guest = await bootGuest(scope, { ...options, modules: [] });
  await guest.must(`modprobe -a ${MODULES} && insmod ${module} ${arguments_}`);
  return new Lab(guest);
}

export class Lab {
  readonly guest: Guest;

  constructor(guest: Guest) {
    this.guest = guest;
  }

  /** Runs a script with the functions of test/simnic/lab.sh; rejects unless it ends with 0. */
  sh(script: string): Promise<string> {
    return this.guest.must(`. ${join(directory, 'lab.sh')}\nset -e\n${script}`);
  }

  /** The error text of a command that must fail. */
  async refusal(command: string): Promise<string> {
    const { code, stdout, stderr } = await this.guest.run(`. ${join(directory, 'lab.sh')}\n${command}`);
    if (code === 0) throw new Error(`not refused: ${command}\n${stdout}`);
    return stderr;
  }

  async rules(device: string): Promise<readonly Rule[]> {
    const text = await this.sh(`tc -s -j filter show dev ${device} ingress`);
    const filters = JSON.parse(text) as readonly TcFilter[];
    return filters.filter(filter => filter.options?.handle !== undefined).map(toRule);
  }

  /** The only rule of a priority. */
  async rule(device: string, prio: number): Promise<Rule> {
    const found = (await this.rules(device)).filter(rule => rule.prio === prio);
    const [first] = found;
    if (!first || found.length > 1) throw new Error(`${found.length} rules of prio ${prio} on ${device}`);
    return first;
  }

  async stat(nic: number, name: string): Promise<number> {
    return Number(await this.sh(`sn_stat ${nic} ${name}`));
  }

  /** Frames that a netdev has received. */
  async received(device: string): Promise<number> {
    return Number(await this.sh(`cat /sys/class/net/${device}/statistics/rx_packets`));
  }
}

interface TcFilter {
  readonly pref: number;
  readonly options?: {
    readonly handle?: number;
    readonly in_hw?: boolean;
    readonly actions?: readonly {
      readonly stats?: { readonly packets: number; readonly hw_packets?: number; readonly hw_bytes?: number };
      readonly used_hw_stats?: readonly string[];
    }[];
  };
}

function toRule({ pref, options }: TcFilter): Rule {
  const action = options?.actions?.at(-1);
  const hwPackets = action?.stats?.hw_packets ?? 0;
  return {
    prio: pref,
    inHardware: options?.in_hw === true,
    hwPackets,
    hwBytes: action?.stats?.hw_bytes ?? 0,
    swPackets: (action?.stats?.packets ?? 0) - hwPackets,
    reported: action?.used_hw_stats !== undefined,
  };
}
