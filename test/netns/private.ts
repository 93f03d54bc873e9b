/**
 * The native library acts on the namespaces of the calling process, so its tests must themselves run
 * in a network and a mount namespace of their own:
 *
 *     ESW_NETNS=private unshare --net --mount node_modules/.bin/vitest run --project netns
 *
 * Started without, each of these files runs itself again inside, as one test.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { output, tryExec } from '../lab/exec.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Set by whoever made the namespaces. */
const MARK = 'ESW_NETNS';
const TIMEOUT_MS = 8 * 60_000;

/** Whether this process was started in namespaces of its own; a route out of here says that it was not. */
function isPrivate(): boolean {
  if (process.env[MARK] !== 'private') return false;
  const routes = spawnSync('ip', ['route', 'show', 'default'], { encoding: 'utf8' }).stdout;
  if (routes.trim() !== '') throw new Error(`${MARK} is set, but this namespace has a default route`);
  return true;
}

/** Defines the tests of a file here if this is a private namespace, else a test that runs them in one. */
export function inPrivateNamespaces(file: string, define: () => void): void {
  if (isPrivate()) {
    // A bpffs, xtables' lock and ip-netns' names: nothing of it may reach the host.
    spawnSync('mount', ['--make-rprivate', '/']);
    spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', '/run']);
    mkdirSync('/run/netns', { recursive: true });
    spawnSync('ip', ['link', 'set', 'lo', 'up']);
    define();
    return;
  }
  describe('in namespaces of its own', () => {
    it('passes', { timeout: TIMEOUT_MS }, async () => {
      const vitest = join(root, 'node_modules/vitest/vitest.mjs');
      const { code, stdout, stderr } = await tryExec(
        [
          ...(['unshare', '--net', '--mount', '--'] as const),
          ...[process.execPath, vitest, 'run', '--project', 'netns', fileURLToPath(file)],
        ],
        { timeoutMs: TIMEOUT_MS, env: { ...process.env, [MARK]: 'private', NO_COLOR: '1' } },
      );
      expect(code, `${stdout}\n${stderr}`).toBe(0);
      console.log(summary(stdout));
    });
  });
}

/** The lines that say how many tests passed, and the figures that tests print. */
function summary(text: string): string {
  return text
    .split('\n')
    .filter(line => /^\s*(Tests|\[figure\])/.test(line))
    .join('\n');
}

/** `ip …` in the namespace of this process. */
export function ip(...args: string[]): Promise<string> {
  return output(['ip', ...args]);
}
