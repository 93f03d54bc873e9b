/**
 * Fetches Debian packages without touching the machine's package manager: apt with lists, archives and
 * sources of its own, from the mirror the machine uses. Packages are unpacked, never installed.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exec, output } from '../lab/exec.ts';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const SUITE = 'bookworm';
/** How a machine's own sources may name it. */
const SUITE_NAMES = [SUITE, 'stable', 'oldstable'];
export const BACKPORTS = `${SUITE}-backports`;
const DOWNLOAD_TIMEOUT_MS = 600_000;

export class PrivateApt {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Writes the sources and reads the package lists. */
  async update(): Promise<void> {
    const mirror = await machineMirror();
    for (const folder of ['lists/partial', 'archives/partial']) {
      mkdirSync(join(this.#dir, folder), { recursive: true });
    }
    const signed = existsSync(KEYRING) ? `[signed-by=${KEYRING}] ` : '';
    const sources = [SUITE, BACKPORTS].map(suite => `deb ${signed}${mirror} ${suite} main\n`);
    writeFileSync(join(this.#dir, 'sources.list'), sources.join(''));
    await exec(['apt-get', ...this.#options(), 'update'], { timeoutMs: DOWNLOAD_TIMEOUT_MS });
  }

  #options(): readonly string[] {
    const settings: Readonly<Record<string, string>> = {
      'Dir::Etc::sourcelist': join(this.#dir, 'sources.list'),
      'Dir::Etc::sourceparts': '/dev/null',
      'Dir::Etc::preferences': '/dev/null',
      'Dir::Etc::preferencesparts': '/dev/null',
      'Dir::State::lists': join(this.#dir, 'lists'),
      'Dir::Cache::archives': join(this.#dir, 'archives'),
      'Dir::Cache::pkgcache': '',
      'Dir::Cache::srcpkgcache': '',
      // The cache belongs to root; apt's unprivileged downloader could not write there.
      'APT::Sandbox::User': 'root',
      // Nothing is installed, so dpkg's lock is not needed.
      'Debug::NoLocking': '1',
    };
    return ['-q', ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])];
  }

  /** Every version of a package that the two suites hold: version → its dependencies. */
  async versions(name: string): Promise<ReadonlyMap<string, string>> {
    const text = await output(['apt-cache', ...this.#options().slice(1), 'show', name]);
    const found = new Map<string, string>();
    for (const paragraph of text.split('\n\n')) {
      const field = (key: string): string => new RegExp(`^${key}: (.*)$`, 'm').exec(paragraph)?.[1] ?? '';
      if (field('Version') !== '') found.set(field('Version'), field('Depends'));
    }
    return found;
  }

  /** Downloads `packages` (name or name/suite) with what they need beyond what is installed; unpacks all. */
  async unpack(packages: readonly string[], into: string): Promise<void> {
    rmSync(join(this.#dir, 'archives'), { recursive: true, force: true });
    mkdirSync(join(this.#dir, 'archives/partial'), { recursive: true });
    const flags = ['install', '-y', '--download-only', '--no-install-recommends', '--reinstall'];
    await exec(['apt-get', ...this.#options(), ...flags, ...packages], { timeoutMs: DOWNLOAD_TIMEOUT_MS });
    await this.#unpackArchives(into);
  }

  /** Downloads exactly these packages and unpacks them. */
  async unpackOnly(packages: readonly string[], into: string): Promise<void> {
    const archives = join(this.#dir, 'archives');
    rmSync(archives, { recursive: true, force: true });
    mkdirSync(archives, { recursive: true });
    const options = { cwd: archives, timeoutMs: DOWNLOAD_TIMEOUT_MS };
    await exec(['apt-get', ...this.#options(), 'download', ...packages], options);
    await this.#unpackArchives(into);
  }

  async #unpackArchives(into: string): Promise<void> {
    const archives = join(this.#dir, 'archives');
    mkdirSync(into, { recursive: true });
    for (const file of readdirSync(archives).filter(name => name.endsWith('.deb'))) {
      await exec(['dpkg', '-x', join(archives, file), into], { timeoutMs: 120_000 });
      rmSync(join(archives, file));
    }
  }
}

/** The mirror that serves Debian 12 to this machine, from apt's own view of its configuration. */
async function machineMirror(): Promise<string> {
  const text = await output([
    ...(['apt-get', 'indextargets', '--format', '$(REPO_URI) $(RELEASE)', 'Created-By: Packages'] as const),
  ]);
  const line = text.split('\n').find(entry => SUITE_NAMES.includes(entry.split(' ')[1] ?? ''));
  if (!line) throw new Error(`apt knows no source for ${SUITE}: the vm lane needs a Debian 12 mirror`);
  return line.split(' ')[0] ?? '';
}
