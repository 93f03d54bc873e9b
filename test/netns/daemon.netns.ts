/** The daemon as an operator and an engine meet it, on the real kernel. */
import { randomBytes } from 'node:crypto';
import { existsSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EndpointBody } from '../../src/wire/api/endpoint.ts';
import type { NetworkBody } from '../../src/wire/api/network.ts';
import type { Plan } from '../../src/wire/api/rules.ts';
import type { Health, Status } from '../../src/wire/api/status.ts';
import { Eswitchd, type EswitchdOptions, startEswitchd } from '../lab/eswitchd.ts';
import { type Command, waitUntil } from '../lab/exec.ts';
import { type Host, makeHost } from '../lab/host.ts';
import { Scope } from '../lab/scope.ts';

const repo = join(import.meta.dirname, '../..');
const MAIN = join(repo, 'src/daemon/main.ts');
const NETWORK = `3f2a9c01d4e5${'0'.repeat(52)}`;
const ENDPOINT = `a1b2c3d4e5f6${'0'.repeat(52)}`;

let scope: Scope;
let host: Host;
beforeEach(async () => {
  scope = new Scope('daemon');
  host = await makeHost(scope, 'one');
});
afterEach(() => scope.dispose());

const pluginSocket = () => join(host.dir, 'eswitch.sock');
/** The lab's run directory is inside the host; the plugin's socket must be reachable from outside. */
const start = (options: EswitchdOptions = {}) =>
  startEswitchd(scope, host, { ...options, config: { pluginSocket: pluginSocket(), ...options.config } });

interface DockerReply {
  readonly Err?: string;
  readonly [field: string]: unknown;
}

/** One call as dockerd makes it: no Content-Type. */
function docker(method: string, body: object | null): Promise<DockerReply> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: pluginSocket(), method: 'POST', path: `/${method}` }, response => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString('utf8'))));
    });
    call.on('error', reject);
    call.end(body === null ? undefined : JSON.stringify(body));
  });
}

async function makeNetworkAndEndpoint(): Promise<void> {
  const pool = { AddressSpace: 'local', Pool: '10.50.0.0/24', Gateway: '10.50.0.1/24' };
  const network = { NetworkID: NETWORK, Options: {}, IPv4Data: [pool], IPv6Data: [] };
  expect((await docker('NetworkDriver.CreateNetwork', network)).Err).toBeUndefined();
  const wanted = { Address: '10.50.0.2/24', AddressIPv6: '', MacAddress: '' };
  const endpoint = { NetworkID: NETWORK, EndpointID: ENDPOINT, Interface: wanted, Options: {} };
  expect((await docker('NetworkDriver.CreateEndpoint', endpoint)).Err).toBeUndefined();
}

const outputOf = async (...command: Command) => (await host.exec(command)).stdout;
const linkNames = async () =>
  (await outputOf('ip', '-br', 'link'))
    .trim()
    .split('\n')
    .map(line => line.split(/[ @]/)[0]);

describe('eswitchd', () => {
  it('serves both sockets, to root only, and stops without touching the kernel', async () => {
    const daemon = await start();
    for (const path of [daemon.apiSocket, pluginSocket()]) expect(statSync(path).mode & 0o777).toBe(0o600);
    await makeNetworkAndEndpoint();
    const { body } = await daemon.api<Status>('GET', '/v1/status');
    expect(body).toMatchObject({
      networks: 1,
      endpoints: { total: 1, ready: 1 },
      eswitch: { kind: 'software' },
    });
    const before = await linkNames();
    expect(before.filter(name => name?.startsWith('ew'))).toHaveLength(4);
    await daemon.stop();
    expect(await linkNames()).toEqual(before);
    expect(existsSync(daemon.apiSocket)).toBe(false);
  });

  it('has nothing to do after SIGKILL and start', async () => {
    const daemon = await start();
    await makeNetworkAndEndpoint();
    const before = await daemon.api<{ endpoints: EndpointBody[] }>('GET', '/v1/endpoints');
    await daemon.kill();
    await daemon.start();
    expect((await daemon.api<Plan>('GET', '/v1/plan')).body.operations).toEqual([]);
    const { body } = await daemon.api<Status>('GET', '/v1/status');
    expect(body.reconcile).toMatchObject({ failures: [], repairs: [], foreign: [] });
    const after = await daemon.api<{ endpoints: EndpointBody[] }>('GET', '/v1/endpoints');
    expect(after.body.endpoints.map(({ traffic: _, ...rest }) => rest)).toEqual(
      before.body.endpoints.map(({ traffic: _, ...rest }) => rest),
    );
  });

  it('shows what somebody removed, repairs it on request and remembers', async () => {
    const daemon = await start({ config: { resyncMs: 3_600_000 } });
    await makeNetworkAndEndpoint();
    // A full look now, so that none that was due finds the damage before the operator does.
    await daemon.ctl('reconcile');
    await outputOf('nft', 'flush', 'set', 'inet', 'eswitchd', 'gateways');
    const plan = await daemon.ctl('plan', '--exit-code');
    expect(plan.code).toBe(4);
    expect(plan.stdout).toMatch(
      /^1 operation: 1 to create.*\n\+ nft-element gateways \{ "ewg[0-9a-f]{10}" \}\n$/,
    );
    expect((await daemon.ctl('reconcile')).stdout).toMatch(/1 created, 0 updated, 0 deleted, 1 repair/);
    expect((await daemon.ctl('plan', '--exit-code')).code).toBe(0);
    const { body } = await daemon.api<Status>('GET', '/v1/status');
    expect(body.reconcile.repairs).toEqual([
      expect.objectContaining({ what: 'missing', key: expect.stringMatching(/^nft-element\/gateways\//) }),
    ]);
  });

  it('answers Docker while the library is missing, says so, and recovers by itself', async () => {
    const nativeLibrary = join(host.dir, 'libeswitch.so');
    const daemon = new Eswitchd(host, { config: { pluginSocket: pluginSocket(), nativeLibrary } });
    scope.defer(() => daemon.kill());
    await daemon.start({ wait: false });
    await waitUntil('the API', () => existsSync(daemon.apiSocket));
    expect(await docker('Plugin.Activate', null)).toEqual({ Implements: ['NetworkDriver', 'IpamDriver'] });
    expect(await docker('NetworkDriver.GetCapabilities', null)).toMatchObject({ Scope: 'local' });
    await waitUntil('the verdict', async () => {
      return (await daemon.api<Health>('GET', '/healthz')).body.status === 'degraded';
    });
    const { stdout } = await daemon.ctl('status');
    expect(stdout).toContain('State      degraded');
    expect(stdout).toContain('ESW_ERR_NATIVE_LIBRARY');
    const refused = await docker('NetworkDriver.CreateNetwork', {
      NetworkID: NETWORK,
      Options: {},
      IPv4Data: [{ AddressSpace: 'local', Pool: '10.50.0.0/24', Gateway: '10.50.0.1/24' }],
      IPv6Data: [],
    });
    expect(refused.Err).toContain('ESW_ERR_NATIVE_LIBRARY');
    symlinkSync(join(repo, 'native/build/libeswitch.so'), nativeLibrary);
    await waitUntil('recovery', async () => (await daemon.api('GET', '/healthz')).status === 200);
    await makeNetworkAndEndpoint();
    const { body } = await daemon.api<{ networks: NetworkBody[] }>('GET', '/v1/networks');
    expect(body.networks.map(({ id, state }) => [id, state])).toEqual([[NETWORK, 'ready']]);
  });

  it('refuses a second daemon on its state directory, and purge while it runs', async () => {
    const daemon = await start();
    for (const command of ['run', 'purge']) {
      const second = await host.tryExec([process.execPath, MAIN, command, '--config', daemon.configFile]);
      expect(second.code).toBe(1);
      expect(second.stderr).toMatch(/is in use by process [0-9]+ \(ESW_ERR_STORE_LOCKED\)/);
    }
    expect((await daemon.api('GET', '/healthz')).status).toBe(200);
  });

  it('leaves nothing after purge', async () => {
    // A bpffs of its own, which purge must unmount.
    await outputOf('umount', '/sys/fs/bpf');
    const daemon = await start();
    await makeNetworkAndEndpoint();
    await daemon.stop();
    const { stdout } = await host.exec([process.execPath, MAIN, 'purge', '--config', daemon.configFile]);
    expect(stdout).toMatch(/^removed [0-9]+ kernel objects of instance eswitchd\n$/);
    expect(await linkNames()).toEqual(['lo']);
    expect(await outputOf('nft', 'list', 'tables')).not.toContain('eswitchd');
    expect(await outputOf('cat', '/proc/mounts')).not.toContain('bpf ');
  });

  it('keeps a damaged database aside and says so', async () => {
    const daemon = await start();
    await daemon.stop();
    for (const suffix of ['', '-wal', '-shm'])
      rmSync(join(daemon.stateDir, `eswitchd.db${suffix}`), { force: true });
    writeFileSync(join(daemon.stateDir, 'eswitchd.db'), randomBytes(8192));
    await daemon.start();
    const { body } = await daemon.api<Status>('GET', '/v1/status');
    expect(body.store.origin).toBe('recovered');
  });
});
