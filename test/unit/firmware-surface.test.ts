/** `eswitchctl firmware` as an operator meets it: API, screens, exit codes. */
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { ApiApp } from '../../src/api/app.ts';
import { createApiServer } from '../../src/api/server.ts';
import { CliError, EXIT } from '../../src/cli/client.ts';
import { createProgram } from '../../src/cli/program.ts';
import { ERRNO } from '../../src/lib/errno.ts';
import { FirmwareRig, FRESH, IGB, MLX5, NEWNIC, NO_WISHES, SIMNIC } from './firmware-rig.ts';
import { fakeSources, NOW_MS } from './observe-fixture.ts';

let rig: FirmwareRig | null = null;
let app: ApiApp | null = null;
afterEach(async () => {
  await app?.close();
  rig?.end();
  app = null;
  rig = null;
});

async function serve(): Promise<{ rig: FirmwareRig; app: ApiApp }> {
  const made = new FirmwareRig([FRESH, MLX5, IGB, NEWNIC]);
  rig = made;
  app = await createApiServer({ sources: fakeSources(), firmware: made.control });
  return { rig: made, app };
}

async function run(...args: readonly string[]) {
  const socket = join(rig?.directory ?? '', 'api.sock');
  if (app?.server.listening !== true) await app?.listen({ path: socket });
  let out = '';
  const program = createProgram({
    out: text => {
      out += text;
    },
    err: () => {},
    ...{ width: 80, colour: false, socket, version: '0.1.0', now: () => NOW_MS },
  });
  try {
    const code = await program.run(['node', 'eswitchctl', 'firmware', ...args]);
    return { out, code, error: null };
  } catch (error) {
    return { out, code: error instanceof CliError ? error.exitCode : -1, error };
  }
}

function fitted(text: string): string {
  for (const line of text.split('\n')) {
    // Commands are there to be copied, so they are not wrapped.
    if (!/^ {2}(#|mst|sim)/.test(line)) expect([...line].length, line).toBeLessThanOrEqual(80);
    expect(line, 'no trailing space').toBe(line.trimEnd());
  }
  return `\n${text}`;
}

describe('/v1/firmware', () => {
  it('answers with everything that the control knows', async () => {
    const { rig: made, app: server } = await serve();
    const list = await server.inject({ method: 'GET', url: '/v1/firmware' });
    expect(list.json()).toEqual({ nics: await made.control.status() });
    const url = `/v1/firmware/${encodeURIComponent(SIMNIC)}`;
    const plan = await server.inject({ method: 'GET', url: `${url}/plan?file=sim/fw.bin&vfs=4` });
    expect(plan.json()).toEqual(
      await made.control.plan(SIMNIC, { ...NO_WISHES, file: 'sim/fw.bin', vfs: 4 }),
    );
    const applied = await server.inject({ method: 'POST', url: `${url}/apply`, payload: { dryRun: true } });
    expect(applied.json()).toEqual(
      await made.control.apply(SIMNIC, NO_WISHES, { dryRun: true, force: false }),
    );
  });

  it('refuses paths that lead out of the firmware folder, and unknown members', async () => {
    const { app: server } = await serve();
    for (const payload of [
      { file: '/etc/passwd' },
      { file: '../x' },
      { file: 'a/../../x' },
      { sure: true },
    ]) {
      const response = await server.inject({ method: 'POST', url: '/v1/firmware/nic0/apply', payload });
      expect(response.statusCode).toBe(400);
    }
  });

  it('has no NICs where there are none', async () => {
    const server = await createApiServer({ sources: fakeSources() });
    app = server;
    expect((await server.inject({ method: 'GET', url: '/v1/firmware' })).json()).toEqual({ nics: [] });
    const plan = await server.inject({ method: 'GET', url: '/v1/firmware/eth0/plan' });
    expect(plan.statusCode).toBe(404);
  });
});

describe('eswitchctl firmware', () => {
  it('status', async () => {
    await serve();
    const { out, code } = await run('status');
    expect(code).toBe(EXIT.ok);
    expect(fitted(out)).toMatchSnapshot();
    expect((await run()).out).toBe(out);
  });

  it('plan', async () => {
    const { rig: made } = await serve();
    made.containers = ['container web (3f2b0c9d1a77)'];
    const plan = await run('plan', SIMNIC, '--file', 'sim/fw-22.42.bin', '--exit-code');
    expect(plan.code).toBe(EXIT.differences);
    expect(fitted(plan.out)).toMatchSnapshot();
    expect(fitted((await run('plan', '3b:00.0', '--vfs', '16')).out)).toMatchSnapshot();
    expect(fitted((await run('plan', 'eno1', '--exit-code')).out)).toMatchSnapshot();
  });

  it('apply', async () => {
    const { rig: made } = await serve();
    expect(fitted((await run('apply', SIMNIC, '--dry-run')).out)).toMatchSnapshot();
    made.nics.failNext('flash', ERRNO.EINVAL, 'the image does not begin with a version');
    const failed = await run('apply', SIMNIC, '--file', 'bad.bin');
    expect(failed.code).toBe(EXIT.failed);
    expect(fitted(failed.out)).toMatchSnapshot();
    const done = await run('apply', SIMNIC, '--file', '22.42.1000');
    expect(done.code).toBe(EXIT.ok);
    expect(fitted(done.out)).toMatchSnapshot();
  });

  it('apply is refused under containers, unless forced', async () => {
    const { rig: made } = await serve();
    made.containers = ['container web (3f2b0c9d1a77)'];
    const { error, code } = await run('apply', SIMNIC);
    expect(code).toBe(EXIT.failed);
    expect(error).toMatchObject({
      detail: { code: 'ESW_ERR_FIRMWARE_BUSY', message: expect.stringContaining('container web') },
    });
    expect((await run('apply', SIMNIC, '--force')).code).toBe(EXIT.ok);
  });

  it('prints what the API answers with --json', async () => {
    const { rig: made } = await serve();
    const { out } = await run('status', '--json');
    expect(JSON.parse(out)).toEqual({ nics: await made.control.status() });
  });
});
