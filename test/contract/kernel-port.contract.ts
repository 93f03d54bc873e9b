/** Behaviour that every implementation of KernelPort must show: the model and the real kernel. */
import { afterEach, beforeEach, describe } from 'vitest';
import { applyContract } from './kernel-apply.contract.ts';
import { type Bench, creates, succeed } from './kernel-bench.ts';
import { directContract } from './kernel-direct.contract.ts';
import { example, type KernelHarness } from './kernel-harness.ts';
import { outsideContract } from './kernel-outside.contract.ts';

/** Declares the whole suite; `makeHarness` is called before, and its `cleanup` after, every test. */
export function kernelPortContract(name: string, makeHarness: () => Promise<KernelHarness>): void {
  describe(`KernelPort contract: ${name}`, () => {
    const the = {} as Bench;
    beforeEach(async () => {
      const harness = await makeHarness();
      const net = example(harness.context);
      const build = (): Promise<void> => succeed(harness.kernel, creates(net.all.values()));
      Object.assign(the, { harness, kernel: harness.kernel, net, build });
    });
    afterEach(() => the.harness.cleanup());
    applyContract(the);
    outsideContract(the);
    directContract(the);
  });
}
