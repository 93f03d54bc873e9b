/** Installs the Debian packages that are missing. Never changes where apt takes packages from. */
import { existsSync } from 'node:fs';
import process from 'node:process';
import { DEBIAN_PACKAGES } from './debian-packages.mjs';
import { problem, run, tail } from './report.mjs';

/** apt waits this long for another package manager, in seconds. */
const LOCK_WAIT_S = 300;
const LOCKED = /could not get lock|unable to lock/i;

export async function ensureDebianPackages(report) {
  if (!existsSync('/usr/bin/dpkg-query')) {
    throw problem('this is not a Debian system', 'Debian 12 is what eswitchd is built and tested on.');
  }
  const missing = await missingPackages();
  if (missing.length === 0) return;
  report(`installing ${missing.join(' ')}`);
  // Package lists may be absent (a fresh container) or older than the mirror: update only then.
  if ((await install(missing)).code === 0) return;
  report('updating the package lists');
  const update = await aptGet(['update']);
  if (update.code !== 0)
    throw problem(`apt-get update failed:\n${tail(update.output)}`, "Check apt's sources.");
  const second = await install(missing);
  if (second.code !== 0) {
    throw problem(
      `apt-get install failed:\n${tail(second.output)}`,
      "Check apt's sources for Debian 12 (main).",
    );
  }
}

async function missingPackages() {
  const names = DEBIAN_PACKAGES.map(([name]) => name);
  const { output } = await run('dpkg-query', ['-W', '-f', '${Package}\t${db:Status-Status}\n', ...names]);
  const installed = new Set();
  for (const line of output.split('\n')) {
    const [name, status] = line.split('\t');
    if (status === 'installed') installed.add(name);
  }
  return names.filter(name => !installed.has(name));
}

const install = packages => aptGet(['install', '-y', '--no-install-recommends', ...packages]);

/** apt-get waits for dpkg's lock by itself, but not for the lock on the package lists. */
async function aptGet(args) {
  const options = ['-q', '-o', `DPkg::Lock::Timeout=${LOCK_WAIT_S}`, '-o', 'Dpkg::Use-Pty=0'];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_MODE: 'l', LC_ALL: 'C' };
  const deadline = Date.now() + LOCK_WAIT_S * 1000;
  for (;;) {
    const result = await run('apt-get', [...options, ...args], { env });
    if (result.code === 0 || !LOCKED.test(result.output) || Date.now() > deadline) return result;
    await new Promise(resume => setTimeout(resume, 2000));
  }
}
