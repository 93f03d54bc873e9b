/** `npm run typecheck`. */
import { TYPECHECK } from './checks.ts';
import { run } from './process.ts';

const { code, output } = await run(TYPECHECK.command);
process.stdout.write(output);
process.exitCode = code;
