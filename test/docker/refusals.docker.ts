import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HTTPD, IDLE } from '../lab/image.ts';
import { Stage } from './stage.ts';

describe('bad input through a real engine', () => {
  let stage: Stage;

  const create = (...args: readonly string[]): Promise<string> =>
    stage.refusal('network', 'create', '-d', 'eswitch', '--ipam-driver', 'eswitch', ...args);

  beforeAll(async () => {
    stage = await Stage.open('refusals');
    await stage.network('net', '--subnet', '10.91.0.0/24');
    await stage.run('holder', 'net', '--ip', '10.91.0.10');
  });
  afterAll(() => stage?.close());

  it('names an overlapping subnet', async () => {
    expect(await create('--subnet', '10.91.0.128/25', 'overlap')).toMatch(
      /ESW_ERR_IPAM_POOL_OVERLAP.*10\.91\.0\.0\/24/s,
    );
  });

  it('names the option nearest to a mistyped one', async () => {
    expect(await create('-o', 'mut=1400', 'typo')).toMatch(/ESW_ERR_OPTION_UNKNOWN.*mtu/s);
    expect(await create('-o', 'mtu=many', 'typo')).toContain('ESW_ERR_OPTION_VALUE');
    expect(await create('-o', 'type=vxlan', 'typo')).toMatch(/ESW_ERR_OPTION_VALUE.*bridge/s);
  });

  it('refuses hardware this host does not have, and says what is missing', async () => {
    expect(await create('-o', 'datapath=switchdev', 'hw')).toMatch(
      /ESW_ERR_DATAPATH_UNAVAILABLE.*switchdev/s,
    );
    expect(await create('-o', 'require=hw', 'hw')).toContain('ESW_ERR_DATAPATH_UNAVAILABLE');
  });

  it('refuses an address in use, one outside the pool and a gateway outside its subnet', async () => {
    const run = ['run', '-d', '--network', 'net'];
    expect(await stage.refusal(...run, '--ip', '10.91.0.10', stage.image, ...IDLE)).toContain(
      'ESW_ERR_IPAM_ADDRESS_TAKEN',
    );
    expect(await stage.refusal(...run, '--ip', '10.99.0.10', stage.image, ...IDLE)).toMatch(
      /10\.99\.0\.10|ESW_ERR_IPAM/,
    );
    expect(await create('--subnet', '10.92.0.0/24', '--gateway', '10.93.0.1', 'gw')).toMatch(
      /gateway|ESW_ERR/i,
    );
  });

  it('tells when a pool is full, and gives freed addresses again', async () => {
    await stage.network('tiny', '--subnet', '10.94.0.0/30');
    await stage.run('tiny-a', 'tiny');
    expect(await stage.refusal('run', '-d', '--network', 'tiny', stage.image, ...IDLE)).toContain(
      'ESW_ERR_IPAM_EXHAUSTED',
    );
    await stage.docker.cli('rm', '-f', 'tiny-a');
    await stage.run('tiny-b', 'tiny');
    expect((await stage.docker.client.endpoint('tiny-b', 'tiny')).IPAddress).toBe('10.94.0.2');
    await stage.docker.cli('rm', '-f', 'tiny-b');
  });

  it('refuses a multicast MAC', async () => {
    const run = stage.docker.client.run({
      image: stage.image,
      name: 'multicast',
      command: IDLE,
      network: 'net',
      mac: '01:00:5e:00:00:01',
    });
    await expect(run).rejects.toThrow('ESW_ERR_ENDPOINT_MAC');
  });

  it('keeps aux addresses and an ip-range out of what it hands out', async () => {
    const range = [
      '--subnet',
      '10.95.0.0/24',
      '--ip-range',
      '10.95.0.64/30',
      '--gateway',
      '10.95.0.1',
      '--aux-address',
      'router=10.95.0.64',
    ];
    await stage.network('ranged', ...range);
    const seen: string[] = [];
    for (const name of ['r1', 'r2', 'r3']) {
      await stage.run(name, 'ranged');
      seen.push((await stage.docker.client.endpoint(name, 'ranged')).IPAddress);
    }
    for (const address of seen) expect(address).toMatch(/^10\.95\.0\.6[5-7]$/);
    expect(new Set(seen).size).toBe(3);
    expect(seen).not.toContain('10.95.0.64');
    for (const name of ['r1', 'r2', 'r3']) await stage.docker.cli('rm', '-f', name);
    await stage.docker.cli('network', 'rm', 'ranged');
  });

  it('gives subnets from its default pools, none twice', async () => {
    for (const name of ['auto-1', 'auto-2']) await stage.network(name);
    const subnets = await Promise.all(
      ['auto-1', 'auto-2'].map(async name => {
        const { IPAM } = await stage.docker.client.inspectNetwork<{ IPAM: { Config: { Subnet: string }[] } }>(
          name,
        );
        return IPAM.Config[0]?.Subnet;
      }),
    );
    expect(new Set(subnets).size).toBe(2);
    for (const name of ['auto-1', 'auto-2']) await stage.docker.cli('network', 'rm', name);
  });

  it('leaves nothing of what it refused', async () => {
    await stage.docker.tryCli(['container', 'prune', '-f']);
    await stage.settled();
    expect(await stage.endpoints()).toHaveLength(1);
    const failed = await stage.docker.tryCli([
      'run',
      '-d',
      '--network',
      'net',
      '-p',
      '70000:80',
      stage.image,
      ...HTTPD,
    ]);
    expect(failed.code).not.toBe(0);
    expect((await stage.status()).reconcile.failures).toEqual([]);
  });
});
