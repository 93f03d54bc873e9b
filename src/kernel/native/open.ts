/** The ports to the running kernel over one library: its lanes order the calls of all of them. */
import type { NicPort } from '../nic-port.ts';
import type { KernelPort } from '../port.ts';
import { NativeLibrary } from './library.ts';
import { createNativeKernel, type NativeKernelOptions } from './native-kernel.ts';
import { NativeNics } from './native-nics.ts';

export interface NativePorts {
  /** `close` waits for the calls of the other ports too. */
  readonly kernel: KernelPort;
  readonly nics: NicPort;
}

/** Throws as `createNativeKernel`. */
export function openNative(options: NativeKernelOptions): NativePorts {
  const library = new NativeLibrary(options.library);
  return {
    kernel: createNativeKernel(options, library),
    nics: new NativeNics(library, options.log),
  };
}
