/** The contract suite's harness over the real kernel, in the namespaces of this process. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { linkRole } from '../../src/ir/names.ts';
import { createNativeKernel, type NativeKernelOptions } from '../../src/kernel/native/native-kernel.ts';
import { RULESET_DIGEST } from '../../src/kernel/native/nft-ruleset.ts';
import { objectDigest } from '../../src/kernel/native/pins.ts';
import type { KernelPort } from '../../src/kernel/port.ts';
import type { Cidr, Mac } from '../../src/lib/brand.ts';
import type { Identity } from '../../src/model/intent.ts';
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

/** Sandboxes as Docker makes them: namespaces that links are moved into and taken back from. */
class Sandboxes {
  readonly #parent: Scope;
  readonly #identity: Identity;
  readonly #open = new Map<string, { ns: Netns; scope: Scope; reps: Set<string> }>();

  constructor(parent: Scope, identity: Identity) {
    this.#parent = parent;
    this.#identity = identity;
  }

  async make(): Promise<string> {
    const scope = this.#parent.use(new Scope(`sandbox${this.#open.size}`));
    const ns = await makeNetns(scope, 'sandbox');
    this.#open.set(ns.path, { ns, scope, reps: new Set() });
    return ns.path;
  }

  get(path: string): { ns: Netns; scope: Scope; reps: Set<string> } {
    const found = this.#open.get(path);
    if (found === undefined) throw new Error(`no sandbox ${path}`);
    return found;
  }

  /** The kernel takes a namespace's links away a moment after its last process. */
  async destroy(path: string): Promise<void> {
    const { scope, reps } = this.get(path);
    await scope.dispose();
    for (const rep of reps)
      await waitUntil(`end of ${rep}`, async () => !(await linkExists(rep)), { everyMs: 5 });
  }

  async moveIn(fn: string, path: string, ifname: string): Promise<void> {
    const { ns, reps } = this.get(path);
    reps.add(this.#repOf(fn));
    await ip('link', 'set', fn, 'netns', String(ns.pid), 'name', ifname);
    await ns.ip('link', 'set', ifname, 'up');
  }

  async moveBack(path: string, ifname: string, fn: string): Promise<void> {
    const { ns, reps } = this.get(path);
    reps.delete(this.#repOf(fn));
    await ns.ip('link', 'set', ifname, 'down');
    await ns.ip('link', 'set', ifname, 'netns', String(process.pid), 'name', fn);
  }

  #repOf(fn: string): string {
    const rep = linkRole(this.#identity, fn)?.twin;
    if (rep === undefined) throw new Error(`${fn} is no function side`);
    return rep;
  }
}

/** A kernel adapter of its own instance, with a bpffs below a temporary directory. */
export async function kernelLab(change: Partial<NativeKernelOptions> = {}): Promise<KernelLab> {
  const scope = new Scope('kernel');
  const runDir = scope.tempDir('run');
  const bpffs = join(runDir, 'bpf');
  const identity = change.identity ?? { instance: `tk${process.pid}`, linkPrefix: 'ew' };
  const options = {
    ...{ identity, library: LIBRARY, bpfObject: BPF_OBJECT, bpffs, runDir },
    ...{ maxPorts: 16_384, log: quiet, ...change },
  };
  scope.defer(async () => void (await tryExec(['umount', bpffs])));
  scope.defer(() => cleanUp(identity.instance));
  const open = (): KernelPort => createNativeKernel(options);
  try {
    let kernel = open();
    scope.defer(() => kernel.close());
    return {
      ...outside(identity, join(bpffs, identity.instance)),
      ...sandboxed(new Sandboxes(scope, identity)),
      scope,
      kernel,
      context: { identity, programsDigest: objectDigest(options.bpfObject), nftDigest: RULESET_DIGEST },
      async reopen() {
        await kernel.close();
        kernel = open();
        return kernel;
      },
      cleanup: () => scope.dispose(),
    };
  } catch (error) {
    await scope.dispose();
    throw error;
  }
}

/** Names the far ends of links of others. */
let foreignLinks = 0;

async function linkExists(name: string): Promise<boolean> {
  return (await tryExec(['ip', 'link', 'show', 'dev', name])).code === 0;
}

function sandboxed(sandboxes: Sandboxes) {
  return {
    makeSandbox: () => sandboxes.make(),
    sandbox: (path: string) => sandboxes.get(path).ns,
    destroySandbox: (path: string) => sandboxes.destroy(path),
    moveToSandbox: (fn: string, path: string, ifname: string) => sandboxes.moveIn(fn, path, ifname),
    returnFromSandbox: (path: string, ifname: string, fn: string) => sandboxes.moveBack(path, ifname, fn),
  };
}

/** What others do to our objects, by the ordinary tools. `pins`: directory of the instance. */
function outside({ instance }: Identity, pins: string) {
  const pinDir = join(pins, 'v1');
  return {
    pinDir,
    linkExists,
    deleteLink: async (name: string) => void (await ip('link', 'del', name)),
    async setLink(name: string, { mtu, mac, up }: { mtu?: number; mac?: Mac; up?: boolean }) {
      if (mtu !== undefined) await ip('link', 'set', name, 'mtu', String(mtu));
      if (mac !== undefined) await ip('link', 'set', name, 'address', mac);
      if (up !== undefined) await ip('link', 'set', name, up ? 'up' : 'down');
    },
    addForeignLink: async (name: string) =>
      void (await ip('link', 'add', name, 'type', 'veth', 'peer', 'name', `zz${foreignLinks++}`)),
    deleteTable: async () => void (await exec(['nft', 'delete', 'table', 'inet', instance])),
    flushElements: async (set: string) => void (await exec(['nft', 'flush', 'set', 'inet', instance, set])),
    removePins: async () => void (await exec(['rm', '-rf', pins])),
    removeAddress: async (link: string, cidr: Cidr) => void (await ip('addr', 'del', cidr, 'dev', link)),
    setSysctl: async (path: string, value: string) => writeFileSync(`/proc/sys/${path}`, value),
    async detachHook(link: string) {
      await exec(['rm', '-f', join(pinDir, 'links', `${link}_ingress`)]);
      await tryExec(['tc', 'qdisc', 'del', 'dev', link, 'clsact']);
    },
    async removeForwardRules() {
      for (const tables of ['iptables', 'ip6tables'] as const) await exec([tables, '-F', 'FORWARD']);
    },
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
