import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dockerd, startDockerd } from '../lab/dockerd.ts';
import { type Host, makeHost } from '../lab/host.ts';
import { HTTPD, IDLE, importLabImage } from '../lab/image.ts';
import { Scope } from '../lab/scope.ts';

describe('the lab: a private Docker engine', () => {
  const scope = new Scope('lab');
  let host: Host;
  let docker: Dockerd;
  let image: string;

  beforeAll(async () => {
    host = await makeHost(scope, 'a');
    docker = await startDockerd(scope, host, { liveRestore: true });
    image = await importLabImage(scope, docker.client);
  });
  afterAll(() => scope.dispose());

  it('lets containers of the default bridge reach each other and the host', async () => {
    const { client } = docker;
    await client.run({ image, name: 'one', command: IDLE });
    await client.run({ image, name: 'two', command: IDLE });
    const { IPAddress, Gateway } = await client.endpoint('two', 'bridge');
    const ping = await client.exec('one', ['ping', '-c', '2', '-W', '2', IPAddress]);
    expect(ping).toMatchObject({ code: 0, stderr: '' });
    expect(ping.stdout).toContain('2 packets received');
    expect((await client.exec('one', ['ping', '-c', '1', '-W', '2', Gateway])).code).toBe(0);
  });

  it('gives exact exit codes and keeps the two outputs apart', async () => {
    const outcome = await docker.client.exec('one', ['sh', '-c', 'echo out; echo err >&2; exit 7']);
    expect(outcome).toEqual({ code: 7, stdout: 'out\n', stderr: 'err\n' });
  });

  it('speaks IPv6 on a user-defined network', async () => {
    const { client } = docker;
    await client.createNetwork({
      Name: 'six',
      Driver: 'bridge',
      EnableIPv6: true,
      IPAM: { Driver: 'default', Config: [{ Subnet: 'fd00:6::/64' }] },
    });
    await client.run({ image, name: 'six-a', command: IDLE, network: 'six' });
    await client.run({ image, name: 'six-b', command: IDLE, network: 'six' });
    const { GlobalIPv6Address } = await client.endpoint('six-b', 'six');
    const ping = await client.exec('six-a', ['ping', '-6', '-c', '1', '-W', '3', GlobalIPv6Address]);
    expect(ping.stdout).toContain('1 packets received');
    await client.remove('six-a');
    await client.remove('six-b');
    await client.removeNetwork('six');
  });

  it('publishes a port to the lab host', async () => {
    const { client } = docker;
    await client.run({ image, name: 'web', command: HTTPD, publish: { '80/tcp': [{ HostPort: '8080' }] } });
    expect(await host.output(['busybox', 'wget', '-q', '-O', '-', 'http://127.0.0.1:8080/'])).toBe(
      'eswitchd lab',
    );
  });

  it('keeps containers over SIGKILL and restart of dockerd', async () => {
    const before = (await docker.client.inspect('one')).State.Pid;
    await docker.kill();
    await docker.start();
    const { State } = await docker.client.inspect('one');
    expect(State).toMatchObject({ Running: true, Pid: before });
  });

  it('hides itself from the machine it runs on', async () => {
    expect(await host.output(['sh', '-c', 'ls /sys/class/net'])).toContain('docker0');
    expect(await host.output(['stat', '-f', '-c', '%T', '/sys/fs/bpf'])).toBe('bpf_fs');
    expect(await docker.cli('ps', '--format', '{{.Names}}')).toContain('one');
  });
});
