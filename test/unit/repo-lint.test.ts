import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERRORS } from '../../src/lib/errors.ts';
import { isC, isGenerated, isTypeScript, read, repoFiles, root } from './repo/files.ts';
import { cFunctions, typescriptFunctions } from './repo/functions.ts';
import { reachable } from './repo/imports.ts';

const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 70;

const files = repoFiles();
const sources = files.filter(path => (isTypeScript(path) || isC(path)) && !isGenerated(path));
const product = files.filter(path => path.startsWith('src/') && path.endsWith('.ts') && !isGenerated(path));
const pure = product.filter(path => /^src\/(lib|model|ir|compile|place|plan)\//.test(path));
const texts = files.filter(path => path !== 'package-lock.json' && path !== 'LICENSE');

/** Lines of `paths` that match, as `path:line: text`. */
function grep(paths: readonly string[], pattern: RegExp): readonly string[] {
  return paths.flatMap(path =>
    read(path)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  );
}

/** A TypeScript file without its comments and strings, line by line. */
function code(path: string): string {
  return read(path)
    .replace(/\/\*[\s\S]*?\*\//g, comment => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|[^:])\/\/.*$/gm, '$1')
    .replace(/'(?:[^'\\\n]|\\.)*'/g, "''");
}

/** Says what was found, so that a report without a diff is enough. */
function expectNone(found: readonly unknown[]): void {
  const text = found.map(item => (typeof item === 'string' ? item : JSON.stringify(item)));
  expect(found, text.join('\n')).toEqual([]);
}

describe('sizes', () => {
  it(`no source file is longer than ${FILE_LINES_MAX} lines`, () => {
    const long = sources
      .map(path => ({ path, lines: read(path).trimEnd().split('\n').length }))
      .filter(file => file.lines > FILE_LINES_MAX);
    expectNone(long);
  });

  it(`no function is longer than ${FUNCTION_LINES_MAX} lines`, () => {
    const long = sources.flatMap(path => {
      const functions = isC(path) ? cFunctions(read(path)) : typescriptFunctions(path, read(path));
      return functions.filter(found => found.lines > FUNCTION_LINES_MAX).map(found => ({ path, ...found }));
    });
    expectNone(long);
  });
});

describe('sources', () => {
  it('leave no note of unfinished work', () => {
    const notes = new RegExp(`\\b(TO${'DO'}|FIX${'ME'})\\b`);
    expectNone(grep(sources, notes));
  });

  it('have kebab-case names', () => {
    const odd = product.filter(
      path => !/^([a-z0-9]+(-[a-z0-9]+)*)(\.d)?\.ts$/.test(path.split('/').at(-1) ?? ''),
    );
    expectNone(odd);
  });

  it('are all imported from the daemon, the command or a test', () => {
    const live = reachable([
      ...product.filter(path => /^src\/(daemon|cli)\/main\.ts$/.test(path)),
      ...files.filter(path => /^(test|bench|scripts)\/.*\.ts$/.test(path)),
    ]);
    expectNone(product.filter(path => !live.has(path)));
  });

  it('keep the pure folders free of clock, random and output', () => {
    const impure =
      /\b(Date\.now|new Date\b|performance\.|Math\.random|console\.|process\.|set(Timeout|Interval|Immediate)|fetch\()/;
    const found = pure.flatMap(path =>
      code(path)
        .split('\n')
        .flatMap((line, index) => (impure.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
    );
    expectNone(found);
  });
});

describe('error codes', () => {
  const table = 'src/lib/errors.ts';
  const users = files.filter(path => isTypeScript(path) && path.startsWith('src/') && path !== table);
  const used = new Set(users.flatMap(path => read(path).match(/\bESW_ERR_[A-Z0-9_]*[A-Z0-9]\b/g) ?? []));

  it('are each used by the product', () => {
    const own = read(table).split('export const ERRORS')[1]?.split('as const')[1] ?? '';
    expectNone(Object.keys(ERRORS).filter(name => !used.has(name) && !own.includes(name)));
  });

  it('used anywhere are in the table', () => {
    expectNone([...used].filter(name => !Object.hasOwn(ERRORS, name)));
  });

  it('are each documented', () => {
    const page = read('docs/errors.md');
    expectNone(Object.keys(ERRORS).filter(name => !page.includes(`\`${name}\``)));
  });
});

describe('the repository', () => {
  it('names no machine path and no registry host', () => {
    const pattern = new RegExp(
      [
        '/(work|home|root|Users)/[a-z]',
        'registry\\.(npmjs|yarnpkg)',
        '(deb|ftp|security)\\.debian\\.org',
        'npmmirror',
      ].join('|'),
    );
    expectNone(
      grep(
        texts.filter(path => path !== 'test/unit/repo-lint.test.ts'),
        pattern,
      ),
    );
  });

  it('has a lock file that names no registry', () => {
    expect(read('package-lock.json')).not.toMatch(/"resolved"/);
  });

  it('has only links that lead somewhere', () => {
    const broken = files
      .filter(path => path.endsWith('.md'))
      .flatMap(path => relativeLinks(path).filter(link => !existsSync(join(root, link.target))))
      .map(link => `${link.from} → ${link.target}`);
    expectNone(broken);
  });
});

function relativeLinks(path: string): readonly { from: string; target: string }[] {
  const prose = read(path)
    .replace(/```[\s\S]*?```/g, '')
    .replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(match => (match[1] ?? '').split('#')[0] ?? '')
    .filter(target => target !== '' && !/^[a-z]+:/.test(target))
    .map(target => ({ from: path, target: normalize(join(dirname(path), target)) }));
}
