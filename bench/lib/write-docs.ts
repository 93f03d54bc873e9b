/** Puts measured results between the markers of docs/benchmarks.md; nothing there is typed by hand. */
import { readFileSync, writeFileSync } from 'node:fs';
import { BenchError } from './bench-error.ts';
import { renderReport } from './report.ts';
import type { SuiteReport } from './suite.ts';

const PAGE = new URL('../../docs/benchmarks.md', import.meta.url);
const BEGIN = '<!-- results: begin (npm run bench -- --write-docs FILE...) -->';
const END = '<!-- results: end -->';

/** Replaces the page's results by those of `files` (JSON as `--json` writes it). */
export function writeDocs(files: readonly string[]): void {
  const reports = files.map(readReport);
  writeFileSync(PAGE, replaceResults(readFileSync(PAGE, 'utf8'), reports));
}

/** The page with everything between its markers replaced; throws if it has no markers. */
export function replaceResults(page: string, reports: readonly SuiteReport[]): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new BenchError('docs/benchmarks.md has lost its result markers');
  const body = reports.map(report => `### ${report.suite}\n\n\`\`\`text\n${renderReport(report)}\n\`\`\`\n`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n${body.join('\n')}\n${page.slice(end)}`;
}

function readReport(file: string): SuiteReport {
  const report: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!isReport(report)) throw new BenchError(`${file} is not the JSON of a benchmark run`);
  return report;
}

function isReport(value: unknown): value is SuiteReport {
  if (typeof value !== 'object' || value === null) return false;
  const { suite, environment, ratios, figures } = value as Record<string, unknown>;
  return typeof suite === 'string' && [environment, ratios, figures].every(part => part instanceof Object);
}
