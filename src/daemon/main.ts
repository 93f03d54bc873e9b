#!/usr/bin/env node
/** eswitchd, the daemon. */
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';

// Before anything else is loaded: compiled code from the cache halves the start and saves 25 MB.
enableCompileCache(`${homedir()}/.cache/eswitchd/compile`);
const { runCommand } = await import('./command.ts');
await runCommand(process.argv.slice(2));
