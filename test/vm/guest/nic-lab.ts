/** The NicPort contract's laboratory over two virtual SmartNICs of test/simnic, in a guest. */
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FlowPort } from '../../../src/kernel/flow-port.ts';
import { createNativeFlows } from '../../../src/kernel/native/flower.ts';
import { NativeLibrary } from '../../../src/kernel/native/library.ts';
import { NativeNics } from '../../../src/kernel/native/native-nics.ts';
import type { NicPort } from '../../../src/kernel/nic-port.ts';
import type { DevlinkHandle } from '../../../src/model/nic.ts';
import { find, type NicLab } from '../../contract/nic-bench.ts';
import { exec, tryExec } from '../../lab/exec.ts';

/** The two front ends of the module: a bus of its own, and PCI functions of QEMU's igb. */
export type FrontEnd = 'simnic' | 'pci';

const NAMES: Readonly<Record<FrontEnd, readonly [string, string]>> = {
  simnic: ['simnic0', 'simnic1'],
  pci: ['0000:01:00.0', '0000:02:00.0'],
};
const DRIVERS: Readonly<Record<FrontEnd, string>> = { simnic: 'simnic', pci: 'simnic_pci' };
const FIRMWARE = 'simnic-2.0.bin';

const library = new NativeLibrary(join(import.meta.dirname, '../../../native/build/libeswitch.so'));

export function openNics(): NicPort {
  const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined };
  return new NativeNics(library, quiet);
}

export function openFlows(): FlowPort {
  return createNativeFlows({ library, instance: 'tnic', dir: '' });
}

/** Both NICs anew, as their driver leaves them. */
function plug(end: FrontEnd): void {
  const bus = `/sys/bus/${end}`;
  for (const [id, name] of NAMES[end].entries()) {
    if (end === 'simnic') {
      if (existsSync(`${bus}/devices/${name}`)) appendFileSync(`${bus}/del_device`, String(id));
      appendFileSync(`${bus}/new_device`, `${id} 8`);
    } else {
      for (const what of ['unbind', 'bind']) appendFileSync(`${bus}/drivers/${DRIVERS[end]}/${what}`, name);
    }
  }
}

let sandboxes = 0;

export async function guestNicLab(port: NicPort, end: FrontEnd): Promise<NicLab> {
  plug(end);
  const [nic, other] = NAMES[end].map(name => `${end}/${name}` as DevlinkHandle);
  if (nic === undefined || other === undefined) throw new Error('two NICs are needed');
  writeFileSync(`/lib/firmware/${FIRMWARE}`, '2.0.0\n');
  const lab: NicLab = {
    ...{ port, nic, other },
    param: { name: 'enable_sriov', cmode: 'permanent', value: 'false' },
    firmware: { file: FIRMWARE, version: '2.0.0' },
    setQuirks: async ({ switchdevNeedsNoVfs, encapNeedsNoFlows }) => {
      const names = [
        ...(switchdevNeedsNoVfs ? ['switchdev_needs_no_vfs'] : []),
        ...(encapNeedsNoFlows ? ['encap_mode_needs_no_flows'] : []),
      ];
      writeFileSync(`/sys/bus/${end}/devices/${NAMES[end][0]}/simnic/quirks`, names.join(' '));
    },
    makeSandbox: async () => {
      const name = `nic${++sandboxes}`;
      await exec(['ip', 'netns', 'add', name]);
      return `/run/netns/${name}`;
    },
    moveToSandbox: async (device, netns, ifname) => {
      const { functions } = await find(lab);
      const link = functions.find(each => each.device === device)?.netdev?.name ?? '';
      const name = netns.slice('/run/netns/'.length);
      await exec(['ip', 'link', 'set', link, 'netns', name, 'name', ifname]);
      await exec(['ip', '-n', name, 'link', 'set', ifname, 'up']);
    },
    endSandbox: async netns => {
      await exec(['ip', 'netns', 'del', netns.slice('/run/netns/'.length)]);
    },
    renameLink: async (from, to) => {
      await exec(['ip', 'link', 'set', from, 'down']);
      await exec(['ip', 'link', 'set', from, 'name', to]);
    },
    addRateNode: async name => {
      await exec(['devlink', 'port', 'function', 'rate', 'add', `${nic}/${name}`]);
    },
    addFlow: async () => {
      const [uplink] = (await find(lab)).uplinks;
      const dev = uplink?.name ?? '';
      await tryExec(['tc', 'qdisc', 'add', 'dev', dev, 'clsact']);
      const rule = ['protocol', 'ip', 'prio', '1', 'flower', 'skip_sw', 'dst_ip', '192.0.2.1'] as const;
      await exec(['tc', 'filter', 'add', 'dev', dev, 'ingress', ...rule, 'action', 'drop']);
    },
    removeFlows: async () => {
      const [uplink] = (await find(lab)).uplinks;
      await exec(['tc', 'qdisc', 'del', 'dev', uplink?.name ?? '', 'clsact']);
    },
  };
  return lab;
}
