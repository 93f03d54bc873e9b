/** Where QEMU and the guest kernels are kept: the same cache that the set-up uses. */
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** `$ESWITCHD_CACHE`, else `$XDG_CACHE_HOME/eswitchd`, else `~/.cache/eswitchd`; below it, `vm`. */
export function vmCache(): string {
  const { ESWITCHD_CACHE, XDG_CACHE_HOME } = process.env;
  const base = ESWITCHD_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'eswitchd');
  const dir = join(base, 'vm');
  mkdirSync(dir, { recursive: true });
  return dir;
}
