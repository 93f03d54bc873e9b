/**
 * Writes docs/errors.md from the table in src/lib/errors.ts; with --check only says whether the page is
 * current (exit code 1 when it is not).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERRORS } from '../src/lib/errors.ts';

const page = join(import.meta.dirname, '../docs/errors.md');

/** Areas in the table's order: `ESW_ERR_<AREA>_<WHAT>`. */
function byArea(): Map<string, string[]> {
  const areas = new Map<string, string[]>();
  for (const code of Object.keys(ERRORS)) {
    const area = code.split('_')[2] ?? '';
    areas.set(area, [...(areas.get(area) ?? []), code]);
  }
  return areas;
}

function render(): string {
  const lines = [
    '# Errors',
    '',
    '<!-- Written by scripts/gen-errors-doc.ts from src/lib/errors.ts; do not edit. -->',
    '',
    "Every failure that reaches a user carries one of these codes, in Docker's message, in the API's answer",
    '(`{"error": {"code", "message", "hint"}}`) and in the output of `eswitchctl`. The message says what is wrong',
    'in this case; the table says what to do next. *Retry* tells whether asking again can help by itself.',
    '',
  ];
  for (const [area, codes] of byArea()) {
    lines.push(`## ${area}`, '', '| code | HTTP | retry | what to do |', '| --- | --- | --- | --- |');
    for (const code of codes) {
      const { status, retry, hint } = ERRORS[code as keyof typeof ERRORS];
      lines.push(`| \`${code}\` | ${status} | ${retry} | ${hint} |`);
    }
    lines.push('');
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

function current(): string {
  try {
    return readFileSync(page, 'utf8');
  } catch {
    return '';
  }
}

if (process.argv.includes('--check')) {
  if (current() !== render()) {
    console.error('docs/errors.md is not current: run `node scripts/gen-errors-doc.ts`');
    process.exitCode = 1;
  }
} else {
  writeFileSync(page, render());
}
