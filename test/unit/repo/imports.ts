/** Which files of src/ anything reaches from the programs' entry points. */
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import ts from 'typescript';
import { read, root } from './files.ts';

/** Relative imports, exports-from and `new URL('…', import.meta.url)` of a file, as paths from the root. */
export function importsOf(path: string): readonly string[] {
  const text = read(path);
  const names = ts.preProcessFile(text, true, true).importedFiles.map(file => file.fileName);
  for (const match of text.matchAll(/new URL\('([^']+)', import\.meta\.url\)/g)) names.push(match[1] ?? '');
  return names
    .filter(name => name.startsWith('.'))
    .map(name => normalize(join(dirname(path), name)))
    .filter(target => existsSync(join(root, target)));
}

/** Everything reachable from `entries`. */
export function reachable(entries: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const queue = [...entries];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (seen.has(path) || !/\.(ts|mjs|cjs)$/.test(path)) continue;
    seen.add(path);
    queue.push(...importsOf(path));
  }
  return seen;
}
