/**
 * A guest: a Debian kernel in QEMU whose root is this machine's own, so that it sees our node, node_modules
 * and build output without anything being installed. What it writes stays in its memory.
 */
import type { ChildProcess } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { ended, sleep, start, waitUntil } from '../lab/exec.ts';
import type { Scope } from '../lab/scope.ts';
import { ensureImages, type Images, type Kernel, type Series } from './images.ts';
import { buildInitramfs, ROOT_TAG } from './initramfs.ts';

export interface GuestResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

type Accelerator = 'kvm' | 'tcg';

const MEMORY_MIB = 1536;
/** KVM boots in two seconds where it works; where it only pretends to, nothing ever comes. */
const BOOT_TIMEOUT_MS: Readonly<Record<Accelerator, number>> = { kvm: 10_000, tcg: 120_000 };
const RUN_TIMEOUT_MS = 60_000;
let accelerator: Accelerator | null = null;

export class Guest {
  readonly kernel: Kernel;
  readonly accelerator: Accelerator;
  readonly #qemu: ChildProcess;
  readonly #socket: Socket;
  readonly #console: string;
  #buffer = '';
  #next = 1;
  #pending: { readonly id: number; readonly resolve: (result: GuestResult) => void } | null = null;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(kernel: Kernel, how: Accelerator, qemu: ChildProcess, socket: Socket, console: string) {
    this.kernel = kernel;
    this.accelerator = how;
    this.#qemu = qemu;
    this.#socket = socket;
    this.#console = console;
    socket.setEncoding('latin1').on('data', (chunk: string) => this.#receive(chunk));
    // The end of QEMU is noticed by its exit, not here.
    socket.on('error', () => undefined);
  }

  /** Runs a shell script in the guest to its end, whatever its exit code. One at a time. */
  run(script: string, timeoutMs = RUN_TIMEOUT_MS): Promise<GuestResult> {
    const result = this.#queue.then(() => this.#send(script, timeoutMs));
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /** Like `run`; rejects unless the exit code is 0. Returns standard output, trimmed. */
  async must(script: string, timeoutMs = RUN_TIMEOUT_MS): Promise<string> {
    const { code, stdout, stderr } = await this.run(script, timeoutMs);
    if (code !== 0)
      throw new Error(`guest ${this.kernel.series}: ${script}\nexit code ${code}\n${stdout}${stderr}`);
    return stdout.trim();
  }

  #send(script: string, timeoutMs: number): Promise<GuestResult> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      const give = (error: Error): void => {
        clearTimeout(timer);
        this.#qemu.off('exit', gone);
        this.#pending = null;
        reject(error);
      };
      const gone = (): void => give(new Error(`the guest ended during: ${script}\n${this.console()}`));
      const late = (): void =>
        give(new Error(`no answer after ${timeoutMs} ms to: ${script}\n${this.console()}`));
      const timer = setTimeout(late, timeoutMs);
      this.#qemu.once('exit', gone);
      this.#pending = {
        id,
        resolve: result => {
          clearTimeout(timer);
          this.#qemu.off('exit', gone);
          resolve(result);
        },
      };
      this.#socket.write(`${id} ${Buffer.from(script).toString('base64')}\n`);
    });
  }

  #receive(chunk: string): void {
    this.#buffer += chunk;
    for (let end = this.#buffer.indexOf('\n'); end >= 0; end = this.#buffer.indexOf('\n')) {
      const line = this.#buffer.slice(0, end);
      this.#buffer = this.#buffer.slice(end + 1);
      const match = /^(\d+) (\d+) o(\S*) e(\S*)$/.exec(line);
      if (!match || Number(match[1]) !== this.#pending?.id) continue;
      const text = (part: string | undefined): string => Buffer.from(part ?? '', 'base64').toString('utf8');
      const { resolve } = this.#pending;
      this.#pending = null;
      resolve({ code: Number(match[2]), stdout: text(match[3]), stderr: text(match[4]) });
    }
  }

  /** What the kernel printed on the serial console. */
  console(): string {
    return readFileSync(this.#console, 'utf8').trimEnd();
  }

  /** Lines of the guest's kernel log that tell of a defect: warnings with a trace, oopses, hung tasks. */
  async complaints(): Promise<readonly string[]> {
    const log = await this.must('dmesg');
    return log.split('\n').filter(line => COMPLAINT.test(line));
  }

  /** Ends QEMU; the guest has nothing to save. */
  async stop(): Promise<void> {
    this.#socket.destroy();
    this.#qemu.kill('SIGKILL');
    await ended(this.#qemu);
  }
}

const COMPLAINT =
  /\b(WARNING: |BUG:|Oops|Call Trace|general protection|blocked for more than|soft lockup|RCU stall|rcu: INFO)/;

/** Boots a guest and waits until it takes commands; it ends with the scope. */
export async function bootGuest(scope: Scope, series: Series): Promise<Guest> {
  const images = await ensureImages();
  const kernel = images.kernels[series];
  const initramfs = await buildInitramfs(scope, kernel);
  for (const how of accelerators()) {
    const dir = scope.tempDir(`guest-${series}`);
    const guest = await tryBoot(images, kernel, initramfs, dir, how).catch((error: unknown) => {
      if (how === 'kvm') return null;
      throw error;
    });
    if (!guest) continue;
    accelerator = how;
    scope.defer(() => guest.stop());
    return guest;
  }
  throw new Error('no accelerator left to try');
}

/** KVM first where the device can be opened, until one boot has shown what works here. */
function accelerators(): readonly Accelerator[] {
  if (accelerator) return [accelerator];
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return ['kvm', 'tcg'];
  } catch {
    return ['tcg'];
  }
}

async function tryBoot(
  images: Images,
  kernel: Kernel,
  initramfs: string,
  dir: string,
  how: Accelerator,
): Promise<Guest> {
  const consoleFile = join(dir, 'console.log');
  const control = join(dir, 'control.sock');
  const libraries = ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu'].map(path => join(images.qemu, path));
  const qemu = start(
    [
      // A KVM that cannot run guests makes QEMU abort: no core file of that.
      ...(['prlimit', '--core=0'] as const),
      join(images.qemu, 'usr/bin/qemu-system-x86_64'),
      ...qemuArguments(images, kernel, how),
      ...['-initrd', initramfs, '-serial', `file:${consoleFile}`],
      ...['-chardev', `socket,id=control,path=${control},server=on,wait=off`],
      ...['-device', 'virtserialport,chardev=control,name=control'],
    ],
    { env: { ...process.env, LD_LIBRARY_PATH: libraries.join(':') }, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let complaint = '';
  qemu.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const described = (): string =>
    `guest ${kernel.series} (${how}) did not boot: ${complaint}\n${readSafely(consoleFile)}`;
  try {
    const socket = await waitUntil('the control socket', () => {
      if (hasEnded(qemu)) throw new Error(described());
      return tryConnect(control);
    });
    await firstLine(socket, qemu, BOOT_TIMEOUT_MS[how], described);
    return new Guest(kernel, how, qemu, socket, consoleFile);
  } catch (error) {
    qemu.kill('SIGKILL');
    await ended(qemu);
    throw error;
  }
}

function qemuArguments(images: Images, kernel: Kernel, how: Accelerator): readonly string[] {
  const append = [
    'console=ttyS0 loglevel=4 panic=-1 oops=panic mitigations=off nokaslr init_on_alloc=0',
    `guest_init=${join(import.meta.dirname, 'guest-init.sh')} guest_modules=${kernel.modules}`,
  ].join(' ');
  return [
    ...['-L', join(images.qemu, 'usr/share/qemu'), '-L', join(images.qemu, 'usr/share/seabios')],
    ...[
      '-machine',
      'q35',
      '-accel',
      how === 'tcg' ? 'tcg,thread=multi' : 'kvm',
      '-cpu',
      how === 'tcg' ? 'max' : 'host',
    ],
    ...[
      '-smp',
      '2',
      '-m',
      String(MEMORY_MIB),
      '-nodefaults',
      '-no-user-config',
      '-display',
      'none',
      '-no-reboot',
    ],
    ...['-kernel', kernel.vmlinuz, '-append', append, '-device', 'virtio-serial-pci'],
    ...['-fsdev', 'local,id=root,path=/,security_model=none,readonly=on,multidevs=remap'],
    ...['-device', `virtio-9p-pci,fsdev=root,mount_tag=${ROOT_TAG}`],
  ];
}

function tryConnect(path: string): Promise<Socket | null> {
  return new Promise(resolve => {
    const socket = connect(path);
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(null));
  });
}

/** Waits for the guest's `ready`. */
async function firstLine(
  socket: Socket,
  qemu: ChildProcess,
  timeoutMs: number,
  described: () => string,
): Promise<void> {
  let text = '';
  const take = (chunk: Buffer): void => {
    text += chunk.toString('latin1');
  };
  socket.on('data', take);
  const deadline = performance.now() + timeoutMs;
  while (!text.includes('ready\n')) {
    if (hasEnded(qemu) || performance.now() > deadline) throw new Error(described());
    await sleep(20);
  }
  socket.off('data', take);
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

function readSafely(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
