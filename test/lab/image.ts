/**
 * The test image, made without a registry: busybox-static under its applets' names (with httpd, nc, ping,
 * arping, udhcpc…), our traffic tool when it is built, and iperf3 with the libraries it is linked to.
 */
import { copyFileSync, existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DockerClient } from './docker-client.ts';
import { output, tryExec } from './exec.ts';
import type { Scope } from './scope.ts';

export const IMAGE = 'esw-lab:latest';
const BUSYBOX = '/bin/busybox';
const repo = join(import.meta.dirname, '../..');

/** Tools beside busybox; each is left out where it is not installed or built. */
const TOOLS = [join(repo, 'native/build/esw_traffic'), '/usr/bin/iperf3'];

/** The root file system as a tar archive. */
export async function imageArchive(scope: Scope): Promise<Buffer> {
  const dir = scope.tempDir('image');
  await fillRootfs(dir);
  const archive = join(dirname(dir), `${dir.split('/').at(-1)}.tar`);
  const { readFileSync, rmSync } = await import('node:fs');
  scope.defer(() => rmSync(archive, { force: true }));
  await output(['tar', '-C', dir, '--owner=0', '--group=0', '-cf', archive, '.']);
  return readFileSync(archive);
}

async function fillRootfs(dir: string): Promise<void> {
  for (const folder of ['bin', 'etc', 'lib', 'lib64', 'tmp', 'var', 'www', 'proc', 'sys', 'dev', 'root']) {
    mkdirSync(join(dir, folder), { recursive: true });
  }
  copyFileSync(BUSYBOX, join(dir, 'bin/busybox'));
  for (const applet of (await output([BUSYBOX, '--list'])).split('\n')) {
    if (applet !== 'busybox') symlinkSync('busybox', join(dir, 'bin', applet));
  }
  writeFileSync(join(dir, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  writeFileSync(join(dir, 'etc/group'), 'root:x:0:\n');
  writeFileSync(join(dir, 'www/index.html'), 'eswitchd lab\n');
  for (const tool of TOOLS.filter(path => existsSync(path))) await addTool(dir, tool);
}

/** Copies a program and every shared library the loader would map for it, at their own paths. */
async function addTool(dir: string, tool: string): Promise<void> {
  copyFileSync(tool, join(dir, 'bin', tool.split('/').at(-1) ?? ''));
  const { stdout } = await tryExec(['ldd', tool]);
  for (const match of stdout.matchAll(/(?:=> )?(\/[^\s]+) \(0x/g)) {
    const library = match[1] ?? '';
    const target = join(dir, library);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(realpathSync(library), target);
  }
}

/** Imports the image into an engine under `IMAGE`. */
export async function importLabImage(scope: Scope, client: DockerClient): Promise<string> {
  await client.importImage(IMAGE, await imageArchive(scope));
  return IMAGE;
}

/** A container that only waits, and ends at once when told to (process 1 ignores signals otherwise). */
export const IDLE = ['sh', '-c', 'trap exit TERM; sleep 2147483 & wait'] as const;
/** An HTTP server on port 80 that serves /www. */
export const HTTPD = ['httpd', '-f', '-p', '80', '-h', '/www'] as const;
