/** The checks that read sources and run nothing of the product: `npm run lint` and the lint lane. */
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..');
const bin = (name: string): string => join(root, 'node_modules/.bin', name);

export interface Check {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
}

export const TYPECHECK: Check = {
  name: 'typecheck',
  command: [bin('tsc'), '-p', join(root, 'tsconfig.json')],
};

export const CHECKS: readonly Check[] = [
  { name: 'biome', command: [bin('biome'), 'ci', '--colors=off', '--error-on-warnings'] },
  TYPECHECK,
  {
    name: 'imports',
    command: [
      bin('depcruise'),
      '--config',
      join(root, '.dependency-cruiser.cjs'),
      ...['src', 'test', 'bench', 'scripts', 'vitest.config.ts'],
    ],
  },
  { name: 'errors-doc', command: [process.execPath, join(root, 'scripts/gen-errors-doc.ts'), '--check'] },
];
