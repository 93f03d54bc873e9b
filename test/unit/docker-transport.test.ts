import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listenOnSocket } from '../../src/docker/listen.ts';
import { createPlugin, networkBody } from './docker-harness.ts';

describe('capability calls', () => {
  const answers: [string, object][] = [
    ['Plugin.Activate', { Implements: ['NetworkDriver', 'IpamDriver'] }],
    ['NetworkDriver.GetCapabilities', { Scope: 'local', ConnectivityScope: 'local', GwAllocChecker: true }],
    ['IpamDriver.GetCapabilities', { RequiresMACAddress: true, RequiresRequestReplay: true }],
    [
      'IpamDriver.GetDefaultAddressSpaces',
      { LocalDefaultAddressSpace: 'local', GlobalDefaultAddressSpace: 'global' },
    ],
  ];

  it.each(answers)('%s answers, with and without a body', async (method, expected) => {
    const plugin = createPlugin();
    expect(await plugin.ok(method)).toEqual(expected);
    expect(await plugin.ok(method, {})).toEqual(expected);
    expect(await plugin.ok(method, ' \n')).toEqual(expected);
  });

  it.each(answers)('%s answers when everything behind is broken', async (method, expected) => {
    const broken = () => {
      throw new Error('broken');
    };
    const plugin = createPlugin({
      store: new Proxy({} as never, { get: broken }),
      capabilities: broken,
      uplinkMtu: broken,
      ipam: new Proxy({} as never, { get: broken }),
    });
    expect(await plugin.ok(method)).toEqual(expected);
  });
});

describe('bodies', () => {
  const withArguments = [
    'NetworkDriver.CreateNetwork',
    'NetworkDriver.DeleteNetwork',
    'NetworkDriver.AllocateNetwork',
    'NetworkDriver.FreeNetwork',
    'NetworkDriver.GwAllocCheck',
    'NetworkDriver.CreateEndpoint',
    'NetworkDriver.DeleteEndpoint',
    'NetworkDriver.EndpointOperInfo',
    'NetworkDriver.Join',
    'NetworkDriver.Leave',
    'NetworkDriver.ProgramExternalConnectivity',
    'NetworkDriver.RevokeExternalConnectivity',
    'NetworkDriver.DiscoverNew',
    'NetworkDriver.DiscoverDelete',
    'IpamDriver.RequestPool',
    'IpamDriver.ReleasePool',
    'IpamDriver.RequestAddress',
    'IpamDriver.ReleaseAddress',
  ];

  it.each(withArguments)('%s refuses an empty body with both error keys', async method => {
    const { status, body } = await createPlugin().call(method);
    expect(status).toBe(400);
    expect(body['Err']).toMatch(/^ESW_ERR_REQUEST_BODY: .*empty.* Send one JSON object/);
    expect(body['Error']).toBe(body['Err']);
  });

  it.each(['nonsense', '[]', 'null', '5', '"x"', '{"a":', '\u0000'])('%j is refused', async text => {
    const { status, body } = await createPlugin().call('NetworkDriver.CreateNetwork', text);
    expect(status).toBe(400);
    expect(body['Err']).toMatch(/^ESW_ERR_REQUEST_BODY/);
  });

  it('are JSON whatever Content-Type says, or without one', async () => {
    const { app } = createPlugin();
    for (const type of [
      undefined,
      'application/json',
      'text/plain',
      'application/x-www-form-urlencoded',
      'x',
    ]) {
      const reply = await app.inject({
        method: 'POST',
        url: '/NetworkDriver.DeleteNetwork',
        payload: '{"NetworkID":"n1"}',
        headers: type === undefined ? {} : { 'content-type': type },
      });
      expect(reply.statusCode).toBe(200);
      expect(reply.json()).toEqual({});
      expect(reply.headers['content-type']).toContain('application/vnd.docker.plugins.v1.2+json');
      expect(reply.headers['connection']).toBe('close');
    }
  });

  it('too large are refused in the same form', async () => {
    const { status, body } = await createPlugin().call(
      'NetworkDriver.CreateNetwork',
      ' '.repeat(17 * 1024 * 1024),
    );
    expect(status).toBe(400);
    expect(body['Err']).toMatch(/^ESW_ERR_REQUEST_BODY/);
  });
});

describe('paths', () => {
  it.each([
    ['POST', '/NetworkDriver.Nothing'],
    ['POST', '/'],
    ['GET', '/NetworkDriver.GetCapabilities'],
    ['GET', '/Plugin.Activate'],
    ['PUT', '/NetworkDriver.CreateNetwork'],
    ['POST', '/NetworkDriver.CreateNetwork/x'],
    ['POST', '/%'],
  ] as const)('%s %s is 404, in the same form', async (method, url) => {
    const reply = await createPlugin().app.inject({
      method,
      url,
      payload: method === 'GET' ? undefined : '{}',
    } as never);
    expect(reply.statusCode).toBe(404);
    expect(reply.json()['Err']).toMatch(/^ESW_ERR_REQUEST_PATH/);
  });
});

describe('errors', () => {
  it('of a handler are 200, so that no call looks unimplemented', async () => {
    const plugin = createPlugin();
    const { status, body } = await plugin.call('NetworkDriver.ProgramExternalConnectivity', {
      NetworkID: 'n',
      EndpointID: 'e',
    });
    expect(status).toBe(200);
    expect(body['Err']).toMatch(/^ESW_ERR_NETWORK_UNKNOWN: .*\. List networks with/);
    expect(body['Error']).toBe(body['Err']);
  });

  it('that nobody foresaw are ESW_ERR_INTERNAL', async () => {
    const plugin = createPlugin({
      uplinkMtu: () => {
        throw new Error('no uplink');
      },
    });
    expect(await plugin.err('NetworkDriver.CreateNetwork', networkBody())).toMatch(
      /^ESW_ERR_INTERNAL: no uplink\. This is a defect/,
    );
    expect(plugin.logged.some(line => line.includes('no uplink'))).toBe(true);
  });
});

describe('the socket', () => {
  let directory: string;
  let path: string;
  const plugin = () => createPlugin().app;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'esw-plugin-'));
    path = join(directory, 'plugins', 'eswitch.sock');
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const activate = () =>
    new Promise<string>((resolve, reject) => {
      const call = request({ socketPath: path, path: '/Plugin.Activate', method: 'POST' }, reply => {
        let text = '';
        reply.on('data', chunk => {
          text += chunk;
        });
        reply.on('end', () => resolve(text));
      });
      call.on('error', reject);
      call.end();
    });

  it('is made with its directory, for its owner only, and answers as Docker asks', async () => {
    const app = plugin();
    await listenOnSocket(app, path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await activate())).toEqual({ Implements: ['NetworkDriver', 'IpamDriver'] });
    await app.close();
    await expect(activate()).rejects.toThrow();
  });

  it('is not taken from a live process', async () => {
    const first = plugin();
    await listenOnSocket(first, path);
    await expect(listenOnSocket(plugin(), path)).rejects.toMatchObject({ code: 'ESW_ERR_KERNEL_FOREIGN' });
    expect(await activate()).toContain('NetworkDriver');
    await first.close();
  });

  it('replaces that of a killed process', async () => {
    const code = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
    const dead = join(directory, 'dead.sock');
    expect(spawnSync(process.execPath, ['-e', code, dead]).signal).toBe('SIGKILL');
    expect(statSync(dead).isSocket()).toBe(true);
    const app = plugin();
    await listenOnSocket(app, dead);
    path = dead;
    expect(await activate()).toContain('IpamDriver');
    await app.close();
  });

  it('replaces nothing that is no socket', async () => {
    const file = join(directory, 'file.sock');
    writeFileSync(file, 'mine');
    await expect(listenOnSocket(plugin(), file)).rejects.toMatchObject({ code: 'ESW_ERR_KERNEL_FOREIGN' });
    expect(statSync(file).size).toBe(4);
  });
});
