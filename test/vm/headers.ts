/** What out-of-tree modules are built with: headers and kbuild of a guest kernel, unpacked into the cache. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BACKPORTS, PrivateApt } from './apt.ts';
import { vmCache } from './cache.ts';
import { ensureImages, fetchImages, type Images, runFetch, type Series } from './images.ts';

/** The kernel that modules are built for. */
export const MODULE_SERIES: Series = '6.12';

export interface Headers {
  /** Release as `uname -r` gives it in the guest. */
  readonly release: string;
  /** Folder for `make -C`: Makefile, .config, Module.symvers. */
  readonly dir: string;
}

/** Raised when what is unpacked changes shape. Apart from the images' own: neither makes the other old. */
const LAYOUT = '1';
const folder = (): string => join(vmCache(), `headers-${MODULE_SERIES}`);
const marker = (): string => join(folder(), 'complete');

/** Headers of the guest kernel that `ensureImages` gives; downloads only when the cache has none. */
export async function ensureHeaders(): Promise<Headers> {
  const { release } = (await ensureImages()).kernels[MODULE_SERIES];
  if (isCurrent(release)) return describe(release);
  await runFetch('headers');
  // Where the mirror has gone on to a newer kernel, the fetch took that one.
  return describe((await ensureImages()).kernels[MODULE_SERIES].release);
}

/** Fills the cache; runs in a process of its own, under the cache's lock. */
export async function fetchHeaders(): Promise<void> {
  let images = await fetchImages();
  if (isCurrent(releaseOf(images))) return;
  const apt = new PrivateApt(join(vmCache(), 'apt'));
  await apt.update();
  const known = await apt.versions(`linux-headers-${releaseOf(images)}`).catch(() => new Map());
  if (known.size === 0) images = await fetchImages({ anew: true });
  const release = releaseOf(images);
  const base = release.replace(/-amd64$/, '');
  rmSync(folder(), { recursive: true, force: true });
  await apt.update();
  const names = [`linux-headers-${release}`, `linux-headers-${base}-common`, `linux-kbuild-${base}`];
  await apt.unpackOnly(
    names.map(name => `${name}/${BACKPORTS}`),
    folder(),
  );
  // The package's only absolute path; every other reference is a relative link.
  writeFileSync(
    join(describe(release).dir, 'Makefile'),
    `include $(dir $(lastword $(MAKEFILE_LIST)))../linux-headers-${base}-common/Makefile\n`,
  );
  rmSync(join(vmCache(), 'apt'), { recursive: true, force: true });
  writeFileSync(marker(), `${LAYOUT} ${release}`);
}

const releaseOf = (images: Images): string => images.kernels[MODULE_SERIES].release;

const isCurrent = (release: string): boolean =>
  existsSync(marker()) && readFileSync(marker(), 'utf8') === `${LAYOUT} ${release}`;

const describe = (release: string): Headers => ({
  release,
  dir: join(folder(), `usr/src/linux-headers-${release}`),
});
