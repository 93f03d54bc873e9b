/** The contract suite's harness over the real kernel, in the namespaces of this process. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { linkRole } from '../../src/ir/names.ts';
import { createNativeKernel, type NativeKernelOptions } from '../../src/kernel/native/native-kernel.ts';
import { RULESET_DIGEST } from '../../src/kernel/native/nft-ruleset.ts';
import { objectDigest } from '../../src/kernel/native/pins.ts';
import type { KernelPort } from '../../src/kernel/port.ts';
import type { KernelHarness } from '../contract/kernel-harness.ts';
import { exec, tryExec, waitUntil } from '../lab/exec.ts';
import { makeNetns, type Netns } from '../lab/netns.ts';
import { Scope } from '../lab/scope.ts';
import { ip } from './private.ts';

/** Where the native parts were built; another one for builds with sanitizers. */
const buildDir = process.env['ESWITCHD_BUILD_DIR'];
const build = (name: string): string =>
  buildDir !== undefined
    ? join(buildDir, name)
    : fileURLToPath(new URL(`../../native/build/${name}`, import.meta.url));
export const LIBRARY = build('libeswitch.so');
export const BPF_OBJECT = build('eswitch.bpf.o');

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined };

export interface KernelLab extends KernelHarness {
  readonly scope: Scope;
  /** `<bpffs>/<instance>/v1` */
  readonly pinDir: string;
  /** The sandbox at a path that `makeSandbox` gave. */
  sandbox(path: string): Netns;
}

/** A kernel adapter of its own instance, with a bpffs below a temporary directory. */
export async function kernelLab(change: Partial<NativeKernelOptions> = {}): Promise<KernelLab> {
  const scope = new Scope('kernel');
  const runDir = scope.tempDir('run');
  const identity = change.identity ?? { instance: `tk${process.pid}`, linkPrefix: 'ew' };
  const options: NativeKernelOptions = {
    identity,
    library: LIBRARY,
    bpfObject: BPF_OBJECT,
    bpffs: join(runDir, 'bpf'),
    runDir,
    maxPorts: 16_384,
    log: quiet,
    ...change,
  };
  scope.defer(async () => void (await tryExec(['umount', join(runDir, 'bpf')])));
  const sandboxes = new Map<string, { ns: Netns; scope: Scope; reps: Set<string> }>();
  const open = (): KernelPort => createNativeKernel(options);
  let kernel = open();
  scope.defer(() => cleanUp(identity.instance));
  scope.defer(() => kernel.close());
  const pinDir = join(runDir, 'bpf', identity.instance, 'v1');
  const linkExists = async (name: string): Promise<boolean> =>
    (await tryExec(['ip', 'link', 'show', 'dev', name])).code === 0;
  const destroySandbox = async (path: string): Promise<void> => {
    const sandbox = sandboxes.get(path);
    await sandbox?.scope.dispose();
    // The kernel takes a namespace's links away a moment after its last process.
    for (const rep of sandbox?.reps ?? [])
      await waitUntil(`end of ${rep}`, async () => !(await linkExists(rep)), { everyMs: 5 });
  };
  return {
    scope,
    pinDir,
    kernel,
    context: { identity, programsDigest: objectDigest(options.bpfObject), nftDigest: RULESET_DIGEST },
    async reopen() {
      await kernel.close();
      kernel = open();
      return kernel;
    },
    deleteLink: async name => void (await ip('link', 'del', name)),
    async setLink(name, { mtu, mac, up }) {
      if (mtu !== undefined) await ip('link', 'set', name, 'mtu', String(mtu));
      if (mac !== undefined) await ip('link', 'set', name, 'address', mac);
      if (up !== undefined) await ip('link', 'set', name, up ? 'up' : 'down');
    },
    addForeignLink: async name => void (await ip('link', 'add', name, 'type', 'veth', 'peer', 'name', 'zz0')),
    linkExists,
    async makeSandbox() {
      const own = new Scope(`sandbox${sandboxes.size}`);
      scope.use(own);
      const ns = await makeNetns(own, 'sandbox');
      sandboxes.set(ns.path, { ns, scope: own, reps: new Set() });
      return ns.path;
    },
    sandbox(path) {
      const found = sandboxes.get(path);
      if (found === undefined) throw new Error(`no sandbox ${path}`);
      return found.ns;
    },
    destroySandbox,
    async moveToSandbox(fn, path, ifname) {
      const sandbox = sandboxes.get(path);
      const rep = linkRole(identity, fn)?.twin;
      if (sandbox === undefined || rep === undefined) throw new Error(`no sandbox ${path}`);
      sandbox.reps.add(rep);
      await ip('link', 'set', fn, 'netns', String(sandbox.ns.pid), 'name', ifname);
      await sandbox.ns.ip('link', 'set', ifname, 'up');
    },
    async returnFromSandbox(path, ifname, fn) {
      const sandbox = sandboxes.get(path);
      const rep = linkRole(identity, fn)?.twin;
      if (sandbox === undefined || rep === undefined) throw new Error(`no sandbox ${path}`);
      sandbox.reps.delete(rep);
      await sandbox.ns.ip('link', 'set', ifname, 'down');
      await sandbox.ns.ip('link', 'set', ifname, 'netns', String(process.pid), 'name', fn);
    },
    deleteTable: async () => void (await exec(['nft', 'delete', 'table', 'inet', identity.instance])),
    flushElements: async set => void (await exec(['nft', 'flush', 'set', 'inet', identity.instance, set])),
    removePins: async () => void (await exec(['rm', '-rf', join(runDir, 'bpf', identity.instance)])),
    removeAddress: async (link, cidr) => void (await ip('addr', 'del', cidr, 'dev', link)),
    setSysctl: async (path, value) => writeFileSync(`/proc/sys/${path}`, value),
    async detachHook(link) {
      await exec(['rm', '-f', join(pinDir, 'links', `${link}_ingress`)]);
      await tryExec(['tc', 'qdisc', 'del', 'dev', link, 'clsact']);
    },
    async removeForwardRules() {
      for (const tables of ['iptables', 'ip6tables'] as const) await exec([tables, '-F', 'FORWARD']);
    },
    cleanup: () => scope.dispose(),
  };
}

/** Back to an empty namespace: the next test must find nothing of this one. */
async function cleanUp(instance: string): Promise<void> {
  await tryExec(['nft', 'delete', 'table', 'inet', instance]);
  for (const tables of ['iptables', 'ip6tables'] as const) {
    await tryExec([tables, '-P', 'FORWARD', 'ACCEPT']);
    await tryExec([tables, '-F']);
    await tryExec([tables, '-X']);
  }
  const links = JSON.parse(await ip('-json', 'link', 'show', 'type', 'veth')) as { ifname: string }[];
  for (const { ifname } of links) await tryExec(['ip', 'link', 'del', ifname]);
}
