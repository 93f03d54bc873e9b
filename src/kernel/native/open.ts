/** The ports to the running kernel over one library: its lanes order the calls of all of them. */
import type { FlowPort } from '../flow-port.ts';
import type { NicPort } from '../nic-port.ts';
import type { KernelPort } from '../port.ts';
import { createNativeFlows } from './flower.ts';
import { NativeLibrary } from './library.ts';
import { createNativeKernel, type NativeKernelOptions } from './native-kernel.ts';
import { NativeNics } from './native-nics.ts';
import { chooseBpffs, Pins } from './pins.ts';

export interface NativePorts {
  /** `close` waits for the calls of the other ports too. */
  readonly kernel: KernelPort;
  readonly nics: NicPort;
  readonly flows: FlowPort;
}

/** Throws as `createNativeKernel`. */
export function openNative(options: NativeKernelOptions): NativePorts {
  const library = new NativeLibrary(options.library);
  const { instance } = options.identity;
  const bpffs = chooseBpffs(library, options.bpffs, options.runDir);
  const nics = new NativeNics(library, options.log);
  const flows = createNativeFlows({ library, instance, dir: new Pins(bpffs, instance).dir });
  return { kernel: createNativeKernel({ nics, flows, ...options }, library), nics, flows };
}
