/** The two shapes of a result: JSON for machines, a table of at most 80 columns for people. */
import { summarize } from './stats.ts';
import type { Environment, Measured, SuiteReport } from './suite.ts';
import { meets, targetText } from './targets.ts';

const COLUMNS = 80;
const ID_WIDTH = 34;

/** Joins a suite's samples with the environment into the report that `--json` writes. */
export function buildReport(suite: string, environment: Environment, measured: Measured): SuiteReport {
  return {
    suite,
    environment: { ...environment, ...measured.environment },
    ratios: Object.fromEntries(
      Object.entries(measured.ratios).map(([id, samples]) => [id, roundSummary(samples)]),
    ),
    figures: Object.fromEntries(
      Object.entries(measured.figures).map(([name, value]) => [name, rounded(value)]),
    ),
  };
}

function roundSummary(samples: readonly number[]) {
  const { median, min, max, rounds } = summarize(samples);
  return { median: rounded(median), min: rounded(min), max: rounded(max), rounds };
}

/** Six significant digits: more would pretend to a precision no run has. */
function rounded(value: number): number {
  return Number(value.toPrecision(6));
}

/** The report as text: environment, ratios, figures; no line is longer than 80 columns. */
export function renderReport(report: SuiteReport): string {
  return [
    `suite ${report.suite}`,
    ...renderEnvironment(report.environment),
    ...renderRatios(report),
    ...renderFigures(report),
  ].join('\n');
}

function renderEnvironment(environment: Environment): readonly string[] {
  const width = Math.max(...Object.keys(environment).map(key => key.length));
  return Object.entries(environment).flatMap(([key, value]) =>
    wrap(String(value), COLUMNS - width - 4).map(
      (line, index) => `  ${(index === 0 ? key : '').padEnd(width)}  ${line}`,
    ),
  );
}

function renderRatios(report: SuiteReport): readonly string[] {
  const entries = Object.entries(report.ratios);
  if (entries.length === 0) return [];
  const head = row(['ratio (> 1: eswitchd is better)', 'median', 'min', 'max', 'target', 'met']);
  const lines = entries.map(([id, { median, min, max }]) =>
    row([id, median.toFixed(3), min.toFixed(3), max.toFixed(3), targetText(id), metText(id, median)]),
  );
  const rounds = entries[0]?.[1].rounds ?? 0;
  return ['', head, ...lines, `${rounds} interleaved rounds; each ratio is taken within a round`];
}

function renderFigures(report: SuiteReport): readonly string[] {
  const entries = Object.entries(report.figures);
  if (entries.length === 0) return [];
  const line = (name: string, value: string, target: string, met: string) =>
    `${name.padEnd(46)} ${value.padStart(14)} ${target.padStart(9)} ${met.padStart(4)}`.trimEnd();
  return [
    '',
    line('figure', 'value', 'target', 'met'),
    ...entries.map(([name, value]) => line(name, number(value), targetText(name), metText(name, value))),
  ];
}

function row(cells: readonly [string, string, string, string, string, string]): string {
  const [id, ...rest] = cells;
  const widths = [8, 8, 8, 9, 4];
  return [id.padEnd(ID_WIDTH), ...rest.map((cell, index) => cell.padStart(widths[index] ?? 0))]
    .join(' ')
    .trimEnd();
}

function metText(id: string, value: number): string {
  const met = meets(id, value);
  if (met === null) return '';
  return met ? 'yes' : 'NO';
}

function number(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.abs(value) < 100 ? 3 : 0 });
}

/** Breaks `text` at blanks into lines of at most `width`; a longer word gets a line of its own. */
function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
