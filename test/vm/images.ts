/** QEMU 10 and Debian's two guest kernels, fetched once into the cache. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exec } from '../lab/exec.ts';
import { BACKPORTS, PrivateApt } from './apt.ts';
import { vmCache } from './cache.ts';

/** Kernel series of Debian 12 (bookworm) and of its backports. */
export const SERIES = ['6.1', '6.12'] as const;
export type Series = (typeof SERIES)[number];

export interface Kernel {
  readonly series: Series;
  /** Release as `uname -r` gives it. */
  readonly release: string;
  readonly vmlinuz: string;
  /** Folder that holds `<release>/` as /lib/modules does. */
  readonly modules: string;
}

export interface Images {
  /** Unpacked root of QEMU's packages. */
  readonly qemu: string;
  readonly kernels: Readonly<Record<Series, Kernel>>;
}

/** Raised when what is unpacked changes shape, so that an old cache is made anew. */
const LAYOUT = '1';
const QEMU = ['qemu-system-x86', 'qemu-system-common', 'qemu-system-data', 'seabios'];

/** Everything the guests need; downloads only when the cache does not hold it. Safe to call twice at once. */
export async function ensureImages(): Promise<Images> {
  const dir = vmCache();
  const complete = join(dir, 'complete');
  if (!isCurrent(complete)) await runFetch('images');
  return describe(dir);
}

/** Runs fetch.ts under the cache's lock: of two test runs that share the cache, the second waits. */
export async function runFetch(part: 'images' | 'headers'): Promise<void> {
  const script = join(import.meta.dirname, 'fetch.ts');
  const command = ['flock', join(vmCache(), 'lock'), process.execPath, script, part] as const;
  await exec(command, { timeoutMs: 900_000 });
}

/** Fills the cache; runs in a process of its own, under the cache's lock. `anew`: even when it is full. */
export async function fetchImages(options: { readonly anew?: boolean } = {}): Promise<Images> {
  const dir = vmCache();
  const complete = join(dir, 'complete');
  if (isCurrent(complete) && !options.anew) return describe(dir);
  for (const entry of readdirSync(dir).filter(name => !name.endsWith('lock'))) {
    rmSync(join(dir, entry), { recursive: true, force: true });
  }
  const apt = new PrivateApt(join(dir, 'apt'));
  await apt.update();
  await apt.unpack([...QEMU.map(name => `${name}/${BACKPORTS}`), 'ipxe-qemu'], join(dir, 'qemu'));
  const images = await apt.versions('linux-image-amd64');
  for (const series of SERIES) {
    const depends = [...images].find(([version]) => version.startsWith(`${series}.`))?.[1] ?? '';
    const name = /^linux-image-[^\s,]+/.exec(depends)?.[0];
    if (!name) throw new Error(`no linux-image ${series} in the Debian 12 suites`);
    const into = join(dir, `linux-${series}`);
    await apt.unpackOnly([name], into);
    await exec(['depmod', '-b', into, describeKernel(dir, series).release], { timeoutMs: 120_000 });
  }
  rmSync(join(dir, 'apt'), { recursive: true, force: true });
  writeFileSync(complete, LAYOUT);
  return describe(dir);
}

const isCurrent = (file: string): boolean => existsSync(file) && readFileSync(file, 'utf8') === LAYOUT;

function describe(dir: string): Images {
  return {
    qemu: join(dir, 'qemu'),
    kernels: { '6.1': describeKernel(dir, '6.1'), '6.12': describeKernel(dir, '6.12') },
  };
}

function describeKernel(dir: string, series: Series): Kernel {
  const base = join(dir, `linux-${series}`);
  const modules = join(base, 'lib/modules');
  const release = readdirSync(modules)[0];
  if (release === undefined) throw new Error(`${modules} holds no kernel`);
  return { series, release, modules, vmlinuz: join(base, `boot/vmlinuz-${release}`) };
}
