/** QEMU's command line for a guest. */
import { join } from 'node:path';
import type { Command } from '../lab/exec.ts';
import type { Images, Kernel, Series } from './images.ts';
import { ROOT_TAG } from './initramfs.ts';
import type { WireEnd } from './wire.ts';

/** How QEMU runs the guest's code. */
export type Accelerator = 'kvm' | 'tcg';

export interface Nic {
  /**
   * `igb`: an Intel 82576 with SR-IOV (7 VFs, legacy eswitch only) behind a port of its own and an IOMMU.
   * `virtio`: the quickest there is.
   */
  readonly kind: 'igb' | 'virtio';
  /** Where its cable goes; without one the link is up and nobody is there. */
  readonly wire?: WireEnd;
}

export interface GuestOptions {
  /** Debian kernel. Default 6.12. */
  readonly series?: Series;
  /** Default 1536. Files the guest writes outside `/disk` are in here too. */
  readonly memoryMib?: number;
  /** Default 1: emulating two costs nearly twice the work for the same programs. */
  readonly cpus?: number;
  /** In slot order. Links are `eth0`, `eth1`… in this order when all are of one kind. */
  readonly nics?: readonly Nic[];
  /** Modules loaded at boot. Default: the drivers of `nics`; `[]` leaves them to others. */
  readonly modules?: readonly string[];
  /** Size of an ext4 disk mounted on `/disk`, which outlives `reboot`. Default: none. */
  readonly diskMib?: number;
  /** More words for the kernel's command line. */
  readonly kernelArgs?: string;
}

/** A guest about to be started. */
export interface Machine {
  /** Apart for every guest of a test run. */
  readonly name: string;
  readonly images: Images;
  readonly kernel: Kernel;
  readonly accelerator: Accelerator;
  readonly initramfs: string;
  readonly options: GuestOptions;
  /** One for each of `options.nics`. */
  readonly macs: readonly string[];
  /** Raw image of `/disk`, null without. */
  readonly disk: string | null;
  /** Unix socket of the control port, made by QEMU. */
  readonly control: string;
  /** File for the serial console; `null`: the terminal, with a shell on it. */
  readonly console: string | null;
}

const MEMORY_MIB = 1536;
const DRIVERS: Readonly<Record<Nic['kind'], readonly string[]>> = {
  igb: ['igb', 'igbvf'],
  virtio: ['virtio_net'],
};

export function qemuCommand(machine: Machine): Command {
  const { images, accelerator, options } = machine;
  const nics = options.nics ?? [];
  return [
    // A KVM that cannot run guests makes QEMU abort: no core file of that.
    'prlimit',
    '--core=0',
    join(images.qemu, 'usr/bin/qemu-system-x86_64'),
    ...['-L', join(images.qemu, 'usr/share/qemu'), '-L', join(images.qemu, 'usr/share/seabios')],
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none'],
    ...['-machine', 'q35,kernel-irqchip=split', '-accel', accelerator === 'tcg' ? 'tcg,thread=multi' : 'kvm'],
    ...['-cpu', accelerator === 'tcg' ? 'max' : 'host', '-smp', String(options.cpus ?? 1)],
    ...['-m', String(options.memoryMib ?? MEMORY_MIB)],
    // Before the devices it translates for.
    ...(nics.some(nic => nic.kind === 'igb') ? ['-device', 'intel-iommu,intremap=on'] : []),
    ...['-kernel', machine.kernel.vmlinuz, '-initrd', machine.initramfs, '-append', kernelLine(machine)],
    ...['-fsdev', 'local,id=root,path=/,security_model=none,readonly=on,multidevs=remap'],
    ...['-device', `virtio-9p-pci,fsdev=root,mount_tag=${ROOT_TAG}`],
    ...['-device', 'virtio-serial-pci', '-device', 'virtserialport,chardev=control,name=control'],
    ...['-chardev', `socket,id=control,path=${machine.control},server=on,wait=off`],
    ...['-chardev', consoleBackend(machine.console), '-serial', 'chardev:console'],
    ...(machine.disk === null ? [] : diskArguments(machine.disk)),
    ...nics.flatMap((nic, index) => nicArguments(nic, index, machine.macs[index] ?? '')),
  ];
}

function kernelLine({ kernel, options, disk, console }: Machine): string {
  const nics = options.nics ?? [];
  const modules = options.modules ?? [...new Set(nics.flatMap(nic => DRIVERS[nic.kind]))];
  return [
    'console=ttyS0 loglevel=4 panic=-1 oops=panic mitigations=off nokaslr init_on_alloc=0',
    // A busy machine lets an emulated CPU stand still: neither a lost timer nor a stall of the guest's own.
    'no_timer_check rcupdate.rcu_cpu_stall_timeout=300 watchdog_thresh=60',
    ...(nics.some(nic => nic.kind === 'igb') ? ['intel_iommu=on iommu=pt'] : []),
    `guest_init=${join(import.meta.dirname, 'guest-init.sh')} guest_modules=${kernel.modules}`,
    ...(modules.length === 0 ? [] : [`guest_load=${modules.join(',')}`]),
    ...(disk === null ? [] : ['guest_disk=1']),
    ...(console === null ? ['guest_shell=1'] : []),
    ...(options.kernelArgs === undefined ? [] : [options.kernelArgs]),
  ].join(' ');
}

// Without signals, so that Ctrl-C reaches the shell in the guest.
const consoleBackend = (file: string | null): string =>
  file === null ? 'stdio,id=console,signal=off' : `file,id=console,path=${file},append=on`;

// Unsafe is only how QEMU treats the machine's own disk: what it took survives its end.
const diskArguments = (image: string): readonly string[] => [
  ...['-drive', `if=none,id=disk,file=${image},format=raw,cache=unsafe,discard=unmap`],
  ...['-device', 'virtio-blk-pci,drive=disk,serial=disk'],
];

function nicArguments(nic: Nic, index: number, mac: string): readonly string[] {
  const { wire } = nic;
  const backend = wire
    ? `dgram,id=net${index},local.type=unix,local.path=${wire.local},remote.type=unix,remote.path=${wire.remote}`
    : `hubport,id=net${index},hubid=${index}`;
  // No boot ROM: nothing boots from these.
  const device = `netdev=net${index},mac=${mac},romfile=`;
  if (nic.kind === 'virtio') return ['-netdev', backend, '-device', `virtio-net-pci,${device}`];
  return [
    ...[
      '-netdev',
      backend,
      '-device',
      `pcie-root-port,id=port${index},chassis=${index + 1},slot=${index + 1}`,
    ],
    ...['-device', `igb,bus=port${index},${device}`],
  ];
}
