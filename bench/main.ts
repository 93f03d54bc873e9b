/** `npm run bench -- <suite>`: runs one suite, prints its table and writes its JSON. */
import { writeFileSync } from 'node:fs';
import { ARGUMENTS_HELP, parseArguments, type RunArguments } from './lib/arguments.ts';
import { BenchError } from './lib/bench-error.ts';
import { describeEnvironment } from './lib/environment.ts';
import { buildReport, renderReport } from './lib/report.ts';
import type { Suite, SuiteOptions } from './lib/suite.ts';
import { writeDocs } from './lib/write-docs.ts';
import { attachSuite } from './suites/attach/suite.ts';
import { koffiSuite } from './suites/koffi/suite.ts';
import { localSuite } from './suites/local/suite.ts';
import { placementSuite } from './suites/placement/suite.ts';
import { rulesSuite } from './suites/rules/suite.ts';
import { scaleSuite } from './suites/scale/suite.ts';

const SUITES: readonly Suite[] = [
  localSuite,
  scaleSuite,
  rulesSuite,
  attachSuite,
  koffiSuite,
  placementSuite,
];

async function main(argv: readonly string[]): Promise<void> {
  const given = parseArguments(argv);
  if (given.command === 'help') return print(`${ARGUMENTS_HELP}\n\n${listing()}`);
  if (given.command === 'list') return print(listing());
  if (given.command === 'write-docs') return writeDocs(given.files);
  await runSuite(given);
}

async function runSuite(given: RunArguments): Promise<void> {
  const suite = SUITES.find(candidate => candidate.name === given.suite);
  if (suite === undefined) {
    throw new BenchError(`there is no suite "${given.suite}". Suites:\n${listing()}`);
  }
  const startedMs = performance.now();
  const options: SuiteOptions = {
    rounds: given.rounds,
    secondsPerMeasurement: given.seconds,
    quick: given.quick,
    progress: line => process.stderr.write(`[${elapsed(startedMs)}] ${line}\n`),
  };
  options.progress(`${suite.name}: ${suite.summary}`);
  const environment = await describeEnvironment(options);
  const report = buildReport(suite.name, environment, await suite.run(options));
  print(renderReport(report));
  options.progress('done');
  if (given.json !== null) writeFileSync(given.json, `${JSON.stringify(report, null, 2)}\n`);
}

function listing(): string {
  return SUITES.map(suite => `  ${suite.name.padEnd(8)} ${suite.summary}`).join('\n');
}

function elapsed(startedMs: number): string {
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(2)}:${String(seconds % 60).padStart(2, '0')}`;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  const known = error instanceof BenchError;
  process.stderr.write(`bench: ${known ? error.message : ((error as Error).stack ?? String(error))}\n`);
  process.exitCode = 1;
}
