/** `npm run lint`: every check over the sources, all of them even when one fails. */
import { CHECKS } from './checks.ts';
import { run } from './process.ts';

let failed = 0;
for (const check of CHECKS) {
  const { code, output, durationMs } = await run(check.command);
  const verdict = code === 0 ? 'ok' : 'FAILED';
  console.log(`${check.name.padEnd(12)} ${verdict} (${(durationMs / 1000).toFixed(1)} s)`);
  if (code === 0) continue;
  failed += 1;
  console.log(output.trimEnd());
}
process.exitCode = failed === 0 ? 0 : 1;
