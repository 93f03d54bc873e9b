/** The NicPort contract's laboratory over two virtual SmartNICs of test/simnic, in a guest. */
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NativeLibrary } from '../../../src/kernel/native/library.ts';
import { NativeNics } from '../../../src/kernel/native/native-nics.ts';
import type { NicPort } from '../../../src/kernel/nic-port.ts';
import type { DevlinkHandle } from '../../../src/model/nic.ts';
import { find, type NicLab } from '../../contract/nic-bench.ts';
import { exec, tryExec } from '../../lab/exec.ts';

const NIC = 'simnic/simnic0' as DevlinkHandle;
const OTHER = 'simnic/simnic1' as DevlinkHandle;
const BUS = '/sys/bus/simnic';
const KNOBS = `${BUS}/devices/simnic0/simnic`;
const FIRMWARE = 'simnic-2.0.bin';

export function openNics(): NicPort {
  const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined };
  const library = join(import.meta.dirname, '../../../native/build/libeswitch.so');
  return new NativeNics(new NativeLibrary(library), quiet);
}

/** Both NICs anew. */
async function plug(): Promise<void> {
  for (const id of [0, 1]) {
    if (existsSync(`${BUS}/devices/simnic${id}`)) appendFileSync(`${BUS}/del_device`, String(id));
    appendFileSync(`${BUS}/new_device`, `${id} 8`);
  }
}

let sandboxes = 0;

export async function guestNicLab(port: NicPort): Promise<NicLab> {
  await plug();
  writeFileSync(`/lib/firmware/${FIRMWARE}`, '2.0.0\n');
  const lab: NicLab = {
    ...{ port, nic: NIC, other: OTHER },
    param: { name: 'enable_sriov', cmode: 'permanent', value: 'false' },
    firmware: { file: FIRMWARE, version: '2.0.0' },
    setQuirks: async ({ switchdevNeedsNoVfs, encapNeedsNoFlows }) => {
      const names = [
        ...(switchdevNeedsNoVfs ? ['switchdev_needs_no_vfs'] : []),
        ...(encapNeedsNoFlows ? ['encap_mode_needs_no_flows'] : []),
      ];
      writeFileSync(join(KNOBS, 'quirks'), names.join(' '));
    },
    makeSandbox: async () => {
      const name = `nic${++sandboxes}`;
      await exec(['ip', 'netns', 'add', name]);
      return `/run/netns/${name}`;
    },
    moveToSandbox: async (device, netns, ifname) => {
      const nic = await find(lab);
      const link = nic.functions.find(each => each.device === device)?.netdev?.name ?? '';
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
      await exec(['devlink', 'port', 'function', 'rate', 'add', `${NIC}/${name}`]);
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
