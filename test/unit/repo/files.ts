/** The repository's own files, as the checks over sources see them. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../../..');

/** Tracked files plus those about to be: what a commit of everything would hold. */
export function repoFiles(): readonly string[] {
  const list = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    cwd: root,
    encoding: 'utf8',
  });
  return list.split('\0').filter(path => path !== '' && existsSync(join(root, path)));
}

export const read = (path: string): string => readFileSync(join(root, path), 'utf8');

export const isTypeScript = (path: string): boolean => /\.(ts|mjs|cjs)$/.test(path);
export const isC = (path: string): boolean => /\.[ch]$/.test(path);
export const isGenerated = (path: string): boolean => path.split('/').includes('generated');
