/** Processes of a lab host as this pid namespace numbers them. */
import { readdirSync, readlinkSync } from 'node:fs';
import type { Netns } from './netns.ts';

/** A process, as we number it, in the network namespace of the process that `host` numbers `pid`. */
export async function processIn(host: Netns, pid: number): Promise<number> {
  const namespace = await host.output(['readlink', `/proc/${pid}/ns/net`]);
  const found = readdirSync('/proc').find(name => /^\d+$/.test(name) && netnsOf(name) === namespace);
  if (found === undefined) throw new Error(`no process in ${namespace}`);
  return Number(found);
}

function netnsOf(pid: string): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return null;
  }
}
