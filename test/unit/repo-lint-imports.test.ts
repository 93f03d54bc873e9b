import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from './repo/files.ts';

/** One deliberate violation each: file, what it imports, the rule that must fire. */
const VIOLATIONS: readonly (readonly [file: string, imports: string, rule: string])[] = [
  ['src/lib/a.ts', '../model/x.ts', 'layer-lib'],
  ['src/lib/b.ts', 'node:fs', 'pure-no-node'],
  ['src/ir/a.ts', '../plan/x.ts', 'layer-ir'],
  ['src/ir/b.ts', 'typebox', 'packages-none'],
  ['src/compile/a.ts', '../place/x.ts', 'layer-compile'],
  ['src/plan/a.ts', '../kernel/native/x.ts', 'layer-plan'],
  ['src/reconcile/a.ts', '../store/sqlite.ts', 'layer-reconcile'],
  ['src/reconcile/b.ts', '../kernel/native/x.ts', 'layer-reconcile'],
  ['src/docker/a.ts', '../daemon/x.ts', 'layer-docker'],
  ['src/docker/b.ts', 'koffi', 'koffi-only-native'],
  ['src/kernel/sim/a.ts', '../native/x.ts', 'kernel-implementations-apart'],
  ['src/kernel/port.ts', './native/x.ts', 'ports-name-no-implementation'],
  ['src/cli/a.ts', '../docker/x.ts', 'layer-cli'],
  ['src/cli/b.ts', 'fastify', 'packages-cli'],
  ['src/daemon/a.ts', '../cli/x.ts', 'layer-daemon'],
  ['src/api/a.ts', 'node:sqlite', 'sqlite-only-store'],
  ['src/api/b.ts', '../../test/x.ts', 'src-stands-alone'],
  ['src/store/a.ts', 'vitest', 'src-no-dev-package'],
  ['src/wire/a.ts', './absent.ts', 'no-unresolvable'],
  ['src/model/cycle-back.ts', './cycle.ts', 'no-cycle'],
];

/** Imports that must stay allowed. */
const ALLOWED: readonly (readonly [file: string, imports: string])[] = [
  // A cycle is reported once, on the file above.
  ['src/model/cycle.ts', './cycle-back.ts'],
  ['src/plan/ok.ts', '../place/x.ts'],
  ['src/plan/ok2.ts', '../kernel/port.ts'],
  ['src/reconcile/ok.ts', '../compile/x.ts'],
  ['src/daemon/ok.ts', '../kernel/native/x.ts'],
  ['src/kernel/native/ok.ts', 'koffi'],
  ['src/store/ok.ts', 'node:sqlite'],
];

interface Report {
  readonly summary: { readonly violations: readonly { from: string; to: string; rule: { name: string } }[] };
}

function cruise(folder: string): Report {
  for (const name of ['package.json', 'tsconfig.json', '.dependency-cruiser.cjs']) {
    cpSync(join(root, name), join(folder, name));
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const write = (path: string, text: string): void => {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const targets = ['model', 'plan', 'place', 'compile', 'docker', 'daemon', 'cli', 'kernel/native'];
  for (const target of targets) write(`src/${target}/x.ts`, 'export {};\n');
  write('src/store/sqlite.ts', 'export {};\n');
  write('test/x.ts', 'export {};\n');
  for (const [file, target] of [...VIOLATIONS, ...ALLOWED]) write(file, `import type {} from '${target}';\n`);
  const command = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const args = [command, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'src', 'test'];
  try {
    return JSON.parse(execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' }));
  } catch (error) {
    // Violations make the exit code non-zero; the report is on stdout all the same.
    return JSON.parse((error as { stdout: string }).stdout);
  }
}

describe('import rules', () => {
  const folder = mkdtempSync(join(tmpdir(), 'imports-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const { violations } = cruise(folder).summary;

  it.each(VIOLATIONS)('%s may not import %s (%s)', (file, _imports, rule) => {
    expect(violations.filter(found => found.from === file).map(found => found.rule.name)).toContain(rule);
  });

  it.each(ALLOWED)('%s may import %s', file => {
    expect(violations.filter(found => found.from === file)).toEqual([]);
  });
});
