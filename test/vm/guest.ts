/**
 * A guest: a Debian kernel in QEMU whose root is this machine's own, so that it sees our node, node_modules
 * and build output under the same paths without anything being installed. What it writes stays in its memory,
 * except on `/disk`. `node test/vm/shell.ts` boots one by hand; docs/testing.md tells more.
 */
import type { ChildProcess } from 'node:child_process';
import { accessSync, appendFileSync, constants, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ended, exec, hasEnded, start } from '../lab/exec.ts';
import type { Scope } from '../lab/scope.ts';
import { type Control, type GuestResult, openControl } from './control.ts';
import { ensureImages, type Kernel, type Series } from './images.ts';
import { ensureInitramfs } from './initramfs.ts';
import { patience } from './patience.ts';
import { type Accelerator, type GuestOptions, type Machine, qemuCommand } from './qemu.ts';

export type { GuestResult } from './control.ts';
export type { GuestOptions, Nic } from './qemu.ts';

/** KVM boots in two seconds where it works; where it only pretends to, nothing ever comes. */
const BOOT_TIMEOUT_MS: Readonly<Record<Accelerator, number>> = { kvm: 10_000, tcg: 180_000 };
const RUN_TIMEOUT_MS = 60_000;
const SAVE_TIMEOUT_MS = 10_000;
/** Variable that names the folder of the run's logs (scripts/test.ts). */
const LOG_DIR = 'ESW_TEST_LOGS';
const COMPLAINT =
  /\b(WARNING: |BUG:|Oops|Call Trace|general protection|blocked for more than|soft lockup|RCU stall|rcu: INFO)/;
let accelerator: Accelerator | null = null;
let booted = 0;

interface Running {
  readonly qemu: ChildProcess;
  readonly control: Control;
}

export class Guest {
  readonly #machine: Machine;
  readonly #logs = new Set<string>();
  #running: Running;

  constructor(machine: Machine, running: Running) {
    this.#machine = machine;
    this.#running = running;
  }

  get kernel(): Kernel {
    return this.#machine.kernel;
  }

  get accelerator(): Accelerator {
    return this.#machine.accelerator;
  }

  /** Addresses of the options' NICs, in their order. */
  get macs(): readonly string[] {
    return this.#machine.macs;
  }

  /** Whether `/disk` exists. */
  get hasDisk(): boolean {
    return this.#machine.disk !== null;
  }

  /** A file of the guest that tells about a failure: kept with the run's logs when it has one. */
  keepLog(path: string): void {
    this.#logs.add(path);
  }

  /**
   * Runs a shell script in the guest to its end, whatever its exit code (124: the time limit, stretched on a
   * busy machine, ended it). One at a time. Rejects when the guest ends or hangs. What it starts in the background must be detached:
   * `setsid program >log 2>&1 &`.
   */
  async run(script: string, timeoutMs = RUN_TIMEOUT_MS): Promise<GuestResult> {
    try {
      return await this.#running.control.run(script, timeoutMs * patience());
    } catch (error) {
      throw new Error(`guest ${this.kernel.series}: ${message(error)}\n${this.console()}`);
    }
  }

  /** Like `run`; rejects unless the exit code is 0. Returns standard output, trimmed. */
  async must(script: string, timeoutMs = RUN_TIMEOUT_MS): Promise<string> {
    const { code, stdout, stderr } = await this.run(script, timeoutMs);
    if (code !== 0)
      throw new Error(`guest ${this.kernel.series}: ${script}\nexit code ${code}\n${stdout}${stderr}`);
    return stdout.trim();
  }

  /** What the kernel printed on the serial console, of every boot. */
  console(): string {
    const { console } = this.#machine;
    return console === null ? '' : readSafely(console);
  }

  /** Lines of the guest's kernel log that tell of a defect: warnings with a trace, oopses, hung tasks. */
  async complaints(): Promise<readonly string[]> {
    const log = await this.must('dmesg');
    return log.split('\n').filter(line => COMPLAINT.test(line));
  }

  /**
   * Boots again on the same `/disk` and wires. `power-cut`: nobody is told, what was not synced to the disk
   * is lost. `clean`: the disk is unmounted first (its users must have ended).
   */
  async reboot(how: 'power-cut' | 'clean' = 'power-cut'): Promise<void> {
    if (how === 'clean') await this.must('sync; ! mountpoint -q /disk || umount /disk');
    await this.saveLogs();
    await this.#end();
    this.#running = await boot(this.#machine);
  }

  /** Resolves when the guest has ended by itself. */
  async ended(): Promise<void> {
    await ended(this.#running.qemu);
  }

  /** Ends QEMU; the guest has nothing to save. */
  async stop(): Promise<void> {
    await this.saveLogs();
    await this.#end();
  }

  /**
   * Copies the console, the kernel log and what `keepLog` named to the folder of the run's logs, which the
   * runner keeps when a test has failed. Without such a folder nothing is done.
   */
  async saveLogs(): Promise<void> {
    const folder = process.env[LOG_DIR];
    const { name } = this.#machine;
    if (!folder) return;
    const save = (what: string, text: string): void =>
      appendFileSync(join(folder, `${name}-${what}.log`), text);
    writeFileSync(join(folder, `${name}-console.log`), this.console());
    if (hasEnded(this.#running.qemu)) return;
    const read = ['dmesg', ...[...this.#logs].map(path => `cat ${path}`)];
    for (const command of read) {
      const result = await this.#running.control
        .run(`${command} 2>/dev/null`, SAVE_TIMEOUT_MS, 0)
        .catch(() => null);
      // A guest that hangs gives no more than its console.
      if (!result) return;
      save(
        command
          .split('/')
          .at(-1)
          ?.replace(/\.log$/, '') ?? command,
        result.stdout,
      );
    }
  }

  async #end(): Promise<void> {
    const { qemu, control } = this.#running;
    control.close();
    qemu.kill('SIGKILL');
    await ended(qemu);
  }
}

/**
 * Boots a guest and waits until it takes commands; it ends with the scope. With `shell`, its console is the
 * terminal and runs a shell.
 */
export async function bootGuest(
  scope: Scope,
  what: Series | GuestOptions = {},
  extra: { readonly shell?: boolean } = {},
): Promise<Guest> {
  const options = typeof what === 'string' ? { series: what } : what;
  const number = ++booted;
  const images = await ensureImages();
  const kernel = images.kernels[options.series ?? '6.12'];
  const initramfs = await ensureInitramfs(kernel);
  const dir = scope.tempDir(`guest${number}`);
  const common = {
    ...{ images, kernel, initramfs, options, name: `${scope.prefix}-guest${number}` },
    macs: (options.nics ?? []).map((_nic, index) => macOf(number, index)),
    disk: options.diskMib === undefined ? null : await makeDisk(dir, options.diskMib),
    control: join(dir, 'control.sock'),
    console: extra.shell ? null : join(dir, 'console.log'),
  };
  for (const how of accelerators()) {
    const machine = { ...common, accelerator: how };
    const running = await boot(machine).catch((error: unknown) => {
      if (how === 'kvm') return null;
      throw error;
    });
    if (!running) continue;
    accelerator = how;
    const guest = new Guest(machine, running);
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

/** Apart for every NIC of every guest of this process: they may meet on a wire. */
function macOf(guest: number, nic: number): string {
  const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
  return `52:54:00:${hex((guest >> 8) & 0xff)}:${hex(guest & 0xff)}:${hex(nic)}`;
}

async function makeDisk(dir: string, sizeMib: number): Promise<string> {
  const image = join(dir, 'disk.img');
  writeFileSync(image, '');
  // Sparse: what the guest never writes takes no room.
  await exec(['truncate', '-s', `${sizeMib}M`, image]);
  await exec(['mkfs.ext4', '-q', '-F', image]);
  return image;
}

async function boot(machine: Machine): Promise<Running> {
  const { images, kernel, accelerator: how } = machine;
  const libraries = ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu'].map(path => join(images.qemu, path));
  const terminal = machine.console === null ? 'inherit' : 'ignore';
  const qemu = start(qemuCommand(machine), {
    env: { ...process.env, LD_LIBRARY_PATH: libraries.join(':') },
    stdio: [terminal, terminal, 'pipe'],
  });
  let complaint = '';
  qemu.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const described = (): string =>
    `guest ${kernel.series} (${how}) did not boot: ${complaint}\n${readSafely(machine.console)}`;
  try {
    return {
      qemu,
      control: await openControl(qemu, machine.control, BOOT_TIMEOUT_MS[how] * patience(), described),
    };
  } catch (error) {
    qemu.kill('SIGKILL');
    await ended(qemu);
    throw error;
  }
}

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function readSafely(file: string | null): string {
  try {
    return file === null ? '' : readFileSync(file, 'utf8').trimEnd();
  } catch {
    return '';
  }
}
