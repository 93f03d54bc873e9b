/** The contract suite's harness over the model of the kernel. */
import { SimKernel } from '../../src/kernel/sim/kernel.ts';
import { Outside } from '../../src/kernel/sim/outside.ts';
import { HOST } from '../../src/kernel/sim/state.ts';
import type { KernelHarness } from '../contract/kernel-harness.ts';

export const CONTEXT = {
  identity: { instance: 'eswitchd', linkPrefix: 'ew' },
  programsDigest: 'd1'.repeat(32),
  nftDigest: 'n1',
} as const;

export async function simHarness(): Promise<KernelHarness> {
  const kernel = new SimKernel(CONTEXT.identity);
  const { state } = kernel;
  const outside = new Outside(state);
  let sandboxes = 0;
  return {
    kernel,
    context: CONTEXT,
    reopen: async () => new SimKernel(CONTEXT.identity, { state }),
    deleteLink: async name => outside.deleteLink(name),
    setLink: async (name, change) => outside.setLink(name, change),
    addForeignLink: async name => void outside.addForeignLink(name),
    linkExists: async name => state.find(HOST, name) !== undefined,
    makeSandbox: async () => {
      const path = `/run/docker/netns/sim${++sandboxes}`;
      outside.makeSandbox(path);
      return path;
    },
    destroySandbox: async path => outside.destroySandbox(path),
    moveToSandbox: async (fn, path, ifname) => outside.moveToSandbox(fn, path, ifname),
    returnFromSandbox: async (path, ifname, fn) => outside.returnFromSandbox(path, ifname, fn),
    deleteTable: async () => outside.deleteTable(),
    flushElements: async set => outside.flushElements(set),
    removePins: async () => outside.removePins(),
    removeAddress: async (link, cidr) => outside.removeAddress(link, cidr),
    setSysctl: async (path, value) => outside.setSysctl(path, value),
    detachHook: async link => outside.detachHook(link),
    removeForwardRules: async () => outside.removeForwardRules(),
    cleanup: async () => kernel.close(),
  };
}
