/** The laboratory of NIC functions as ports on a guest's kernel, with a virtual SmartNIC of test/simnic. */
import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { KIND_ORDER } from '../../../src/ir/resource.ts';
import { RULESET_DIGEST } from '../../../src/kernel/native/nft-ruleset.ts';
import { openNative } from '../../../src/kernel/native/open.ts';
import { objectDigest } from '../../../src/kernel/native/pins.ts';
import type { KernelPort } from '../../../src/kernel/port.ts';
import type { DevlinkHandle } from '../../../src/model/nic.ts';
import { eventually, functionOf, type VfLab } from '../../contract/vf-bench.ts';
import { exec } from '../../lab/exec.ts';

const NIC = 'simnic/simnic0' as DevlinkHandle;
const BUS = '/sys/bus/simnic';
const IDENTITY = { instance: 'tvf', linkPrefix: 'ew' };
const build = join(import.meta.dirname, '../../../native/build');
const bpfObject = join(build, 'eswitch.bpf.o');
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined };

const open = () =>
  openNative({
    ...{ identity: IDENTITY, library: join(build, 'libeswitch.so'), bpfObject },
    ...{ bpffs: null, runDir: '/run/tvf', maxPorts: 64, log: quiet },
  });

/** A NIC plugged anew, in switchdev mode with four VFs. */
async function plug(): Promise<void> {
  if (existsSync(`${BUS}/devices/simnic0`)) appendFileSync(`${BUS}/del_device`, '0');
  appendFileSync(`${BUS}/new_device`, '0 4');
  appendFileSync(`${BUS}/devices/simnic0/sriov_numvfs`, '4');
  await exec(['devlink', 'dev', 'eswitch', 'set', NIC, 'mode', 'switchdev']);
}

/** Everything of the instance, so that the next law finds nothing. */
async function clear(kernel: KernelPort): Promise<void> {
  const { resources } = await kernel.dump();
  const left = [...resources.values()].filter(({ kind }) => kind !== 'sysctl');
  left.sort((a, b) => KIND_ORDER[b.kind] - KIND_ORDER[a.kind]);
  await kernel.apply(left.map(resource => ({ verb: 'delete', resource })));
}

let count = 0;
const nameOf = (netns: string): string => netns.slice('/run/netns/'.length);

export async function guestVfLab(): Promise<{ readonly lab: VfLab; cleanUp(): Promise<void> }> {
  await plug();
  const { kernel, nics } = open();
  const ref = (index: number) => ({ nic: NIC, controller: 0, pf: 0, kind: 'vf', index }) as const;
  const links: string[] = [];
  const lab: VfLab = {
    ...{ kernel, nics, refs: [ref(0), ref(2)] },
    context: { identity: IDENTITY, programsDigest: objectDigest(bpfObject), nftDigest: RULESET_DIGEST },
    reopen: async () => open().kernel,
    makeSandbox: async () => {
      const name = `vf${++count}`;
      await exec(['ip', 'netns', 'add', name]);
      return `/run/netns/${name}`;
    },
    moveToSandbox: async (fn, netns, ifname) => {
      await exec(['ip', 'link', 'set', fn, 'netns', nameOf(netns), 'name', ifname]);
      await exec(['ip', '-n', nameOf(netns), 'link', 'set', ifname, 'up']);
    },
    returnFromSandbox: async (netns, ifname, fn) => {
      await exec(['ip', '-n', nameOf(netns), 'link', 'set', ifname, 'down']);
      await exec(['ip', '-n', nameOf(netns), 'link', 'set', ifname, 'netns', '1', 'name', fn]);
    },
    endSandbox: async netns => {
      await exec(['ip', 'netns', 'del', nameOf(netns)]);
    },
    inSandbox: async (netns, of) =>
      nics.functionIn(netns, (await functionOf(lab, of)).device ?? ('' as never)),
    renameLink: async (from, to) => {
      await exec(['ip', 'link', 'set', from, 'down']);
      await exec(['ip', 'link', 'set', from, 'name', to]);
    },
    addForeignLink: async name => {
      links.push(name);
      await exec(['ip', 'link', 'add', name, 'type', 'dummy']);
    },
  };
  await eventually('functions', async () => {
    const all = await Promise.all(lab.refs.map(each => functionOf(lab, each)));
    return all.every(each => each.netdev !== null && each.representor !== null);
  });
  return {
    lab,
    async cleanUp() {
      for (const name of links) await exec(['ip', 'link', 'del', name]);
      await clear(kernel);
      await kernel.close();
    },
  };
}
