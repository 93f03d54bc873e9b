import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ApiApp } from '../../src/api/app.ts';
import { createApiServer } from '../../src/api/server.ts';
import { CliError, EXIT } from '../../src/cli/client.ts';
import { createProgram } from '../../src/cli/program.ts';
import { DESIRED, fakeSources, NOW_MS, type Twist, WEB, without } from './observe-fixture.ts';

let directory = '';
let socket = '';
let app: ApiApp | null = null;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'eswitchctl-'));
  socket = join(directory, 'api.sock');
});
afterEach(async () => {
  await app?.close();
  app = null;
  rmSync(directory, { recursive: true });
});

async function serve(twist: Twist = {}): Promise<void> {
  app = await createApiServer({ sources: fakeSources(twist) });
  await app.listen({ path: socket });
}

interface Outcome {
  readonly out: string;
  readonly err: string;
  readonly code: number;
  readonly error: unknown;
}

async function run(...args: readonly string[]): Promise<Outcome> {
  const said = { out: '', err: '' };
  const program = createProgram({
    out: text => {
      said.out += text;
    },
    err: text => {
      said.err += text;
    },
    width: 80,
    colour: false,
    socket,
    version: '0.1.0',
    now: () => NOW_MS,
  });
  try {
    const code = await program.run(['node', 'eswitchctl', ...args]);
    return { ...said, code, error: null };
  } catch (error) {
    const code = error instanceof CliError ? error.exitCode : -1;
    return { ...said, code, error };
  }
}

describe('eswitchctl', () => {
  it('asks the daemon and prints a screen', async () => {
    await serve();
    const { out, code } = await run('status');
    expect(out).toMatch(
      /^eswitchd 0\.1\.0 on lab-1, kernel 6\.18\.0, pid 4711, up 3 h 12 min\n\nState {6}ready\n/,
    );
    expect(code).toBe(EXIT.ok);
  });

  it('lists when network or endpoint stand alone', async () => {
    await serve();
    expect((await run('network')).out).toBe((await run('network', 'ls')).out);
    expect((await run('endpoint')).out).toBe((await run('endpoint', 'list')).out);
    expect((await run('endpoint', 'ls', '--network', '3f2b')).out.trim().split('\n')).toHaveLength(2);
  });

  it('prints the answer as it is with --json, before or after the command', async () => {
    await serve();
    const { out } = await run('--json', 'network', 'inspect', '3f2a');
    expect(JSON.parse(out)).toMatchObject({ id: WEB });
    expect((await run('network', 'inspect', '3f2a', '--json')).out).toBe(out);
  });

  it('filters rules', async () => {
    await serve();
    const { out } = await run('rules', '--kind', 'hook', '--network', '3f2b', '--view', 'observed');
    expect(out).toMatch(/^hook \(2\)\n/);
    expect((await run('rules', '--not-in-hw')).out).toContain(
      'rules not in hardware: no NIC in switchdev mode',
    );
  });

  it('has an exit code for differences, when asked for it', async () => {
    const [resource] = DESIRED.values();
    if (resource === undefined) throw new Error('the fixture has resources');
    await serve({ observed: without(each => each === resource), plan: [{ verb: 'create', resource }] });
    expect((await run('plan')).code).toBe(EXIT.ok);
    const { out, code } = await run('plan', '--exit-code');
    expect(code).toBe(EXIT.differences);
    expect(out).toMatch(/^1 operation: 1 to create, 0 to update, 0 to delete\n\+ programs /);
  });

  it('reconciles', async () => {
    await serve();
    expect((await run('reconcile')).out).toBe('Reconciled in 8.1 ms: 0 created, 0 updated, 0 deleted\n');
  });

  it("passes the daemon's refusal on", async () => {
    await serve();
    const { error, code } = await run('network', 'inspect', 'ffff');
    expect(code).toBe(EXIT.failed);
    expect(error).toMatchObject({ detail: { code: 'ESW_ERR_NETWORK_UNKNOWN' } });
  });

  it('says that nobody listens', async () => {
    const { error, code } = await run('status');
    expect(code).toBe(EXIT.unreachable);
    expect(error).toMatchObject({
      detail: {
        code: 'ESW_ERR_DAEMON_UNREACHABLE',
        message: `cannot reach the daemon at ${socket}: no such socket`,
        hint: 'Start eswitchd, or name its socket with --socket.',
      },
    });
  });

  it('says that somebody else listens', async () => {
    const other = createServer((_request, response) => response.end('hello'));
    await new Promise<void>(resolve => other.listen(socket, resolve));
    const { error, code } = await run('status');
    other.close();
    expect(code).toBe(EXIT.failed);
    expect(error).toMatchObject({ detail: { message: 'the answer (HTTP 200) is no JSON' } });
  });

  it.each([
    [['statsu'], "error: unknown command 'statsu'\n(Did you mean status?)\n"],
    [
      ['rules', '--view', 'x'],
      "error: option '--view <view>' argument 'x' is invalid. Allowed choices are desired, observed, diff.\n",
    ],
    [['network', 'inspect'], "error: missing required argument 'id'\n"],
  ])('explains wrong usage: %j', async (args, text) => {
    const { error, err } = await run(...args);
    expect(error).toBeInstanceOf(CommanderError);
    expect(err).toBe(text);
  });
});
