/** Where downloads that outlive a clone are kept. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

/** `$ESWITCHD_CACHE`, else `$XDG_CACHE_HOME/eswitchd`, else `~/.cache/eswitchd`. */
export function cacheDir() {
  if (process.env.ESWITCHD_CACHE) return process.env.ESWITCHD_CACHE;
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'eswitchd');
}
