/**
 * The guest's first file system: busybox and the modules needed to mount the machine's own root, read-only
 * over 9p, below an overlay in memory.
 */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { exec } from '../lab/exec.ts';
import { vmCache } from './cache.ts';
import type { Kernel } from './images.ts';

const BUSYBOX = '/bin/busybox';
const MODULES = ['virtio_pci', 'virtio_console', '9pnet_virtio', '9p', 'overlay'];

/** Mount tag of the shared root in QEMU's command line. */
export const ROOT_TAG = 'hostroot';

const INIT = `#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /lower /memory /root
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in $(cat /modules/order); do insmod "/modules/$module"; done
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=loose,ro ${ROOT_TAG} /lower
mount -t tmpfs -o mode=0755 tmpfs /memory
mkdir /memory/upper /memory/work
mount -t overlay -o lowerdir=/lower,upperdir=/memory/upper,workdir=/memory/work overlay /root
for word in $(cat /proc/cmdline); do
  case $word in guest_init=*) init=\${word#guest_init=} ;; esac
done
exec switch_root /root /bin/sh "$init"
`;

/** The archive's path in the cache; built when the cache has none of this content. Safe to call twice at once. */
export async function ensureInitramfs(kernel: Kernel): Promise<string> {
  const busybox = statSync(BUSYBOX);
  const hash = createHash('sha256')
    .update(`${INIT}${MODULES}${busybox.size} ${busybox.mtimeMs}`)
    .digest('hex');
  const archive = join(vmCache(), `initramfs-${kernel.release}-${hash.slice(0, 16)}`);
  if (existsSync(archive)) return archive;
  const work = mkdtempSync(join(vmCache(), 'work-'));
  try {
    renameSync(await buildInitramfs(work, kernel), archive);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return archive;
}

async function buildInitramfs(dir: string, kernel: Kernel): Promise<string> {
  const root = join(dir, 'root');
  mkdirSync(join(root, 'bin'), { recursive: true });
  mkdirSync(join(root, 'modules'));
  copyFileSync(BUSYBOX, join(root, 'bin/busybox'));
  writeFileSync(join(root, 'init'), INIT, { mode: 0o755 });
  const order: string[] = [];
  for (const file of moduleFiles(kernel)) order.push(await addModule(join(root, 'modules'), kernel, file));
  writeFileSync(join(root, 'modules/order'), `${order.join('\n')}\n`);
  const archive = join(dir, 'initramfs');
  await exec(['sh', '-c', 'find . | cpio --quiet -o -H newc > "$1"', 'sh', archive], { cwd: root });
  return archive;
}

/** Files of MODULES with what each depends on, dependencies first; modules built in have none. */
function moduleFiles(kernel: Kernel): readonly string[] {
  const needs = new Map<string, readonly string[]>();
  for (const line of readFileSync(join(kernel.modules, kernel.release, 'modules.dep'), 'utf8').split('\n')) {
    const [file, ...rest] = line.split(/:? /);
    if (file) needs.set(file.replace(/:$/, ''), rest.filter(Boolean));
  }
  const wanted = new Set<string>();
  const add = (file: string): void => {
    for (const needed of needs.get(file) ?? []) add(needed);
    wanted.add(file);
  };
  for (const name of MODULES) {
    const file = [...needs.keys()].find(path => moduleName(path) === name.replaceAll('-', '_'));
    if (file !== undefined) add(file);
  }
  return [...wanted];
}

const moduleName = (path: string): string =>
  basename(path)
    .replace(/\.ko.*$/, '')
    .replaceAll('-', '_');

/** Copies one module, uncompressed: busybox's insmod reads no xz. Returns its file name. */
async function addModule(folder: string, kernel: Kernel, file: string): Promise<string> {
  const name = `${moduleName(file)}.ko`;
  const target = join(folder, name);
  const source = join(kernel.modules, kernel.release, file);
  if (file.endsWith('.xz')) await exec(['sh', '-c', 'xz -dc "$1" > "$2"', 'sh', source, target]);
  else copyFileSync(source, target);
  return name;
}
