import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HTTPD } from '../lab/image.ts';
import { makeNetns, type Netns, wire } from '../lab/netns.ts';
import { page, Stage } from './stage.ts';

const PAGE = 'eswitchd lab';

/** Prints the first datagram and who it seems to come from. */
const UDP_WITNESS = `const socket = require('node:dgram').createSocket('udp4');
  socket.on('message', (text, from) => { console.log(text + ' from ' + from.address); socket.close(); });
  socket.bind(9000); setTimeout(() => process.exit(1), 5000).unref();`;
/** Says hello until told to stop: the witness may still be starting. */
const UDP_HELLO = `const socket = require('node:dgram').createSocket('udp4');
  const timer = setInterval(() => socket.send('hello', 9000, process.argv[1]), 100);
  setTimeout(() => { clearInterval(timer); socket.close(); }, 1500);`;

describe('published ports on a real engine', () => {
  let stage: Stage;
  let outside: Netns;

  const web = (name: string, network: string, ...publish: readonly string[]): Promise<string> =>
    stage.docker.cli('run', '-d', '--name', name, '--network', network, ...publish, stage.image, ...HTTPD);

  beforeAll(async () => {
    stage = await Stage.open('published');
    outside = await makeNetns(stage.scope, 'outside');
    await wire(
      {
        ns: stage.host,
        link: 'uplink',
        addresses: ['198.51.100.1/24', '198.51.100.9/24', '2001:db8:51::1/64'],
      },
      { ns: outside, link: 'uplink', addresses: ['198.51.100.2/24', '2001:db8:51::2/64'] },
    );
    await stage.network('front', '--ipv6', '--subnet', '10.71.0.0/24', '--subnet', 'fd71::/64');
    await stage.network('back', '--ipv6', '--subnet', '10.72.0.0/24', '--subnet', 'fd72::/64');
    await web('site', 'front', '-p', '8080:80');
    await stage.run('sibling', 'front');
    await stage.run('stranger', 'back');
  });
  afterAll(() => stage?.close());

  it('answer from outside, in both families', async () => {
    expect(await page(outside, 'http://198.51.100.1:8080/')).toBe(PAGE);
    expect(await page(outside, 'http://[2001:db8:51::1]:8080/')).toBe(PAGE);
  });

  it('answer on localhost, in both families', async () => {
    expect(await page(stage.host, 'http://127.0.0.1:8080/')).toBe(PAGE);
    expect(await page(stage.host, 'http://[::1]:8080/')).toBe(PAGE);
  });

  it('answer a sibling, the container itself and a container of another network', async () => {
    for (const name of ['sibling', 'site', 'stranger']) {
      const ns = await stage.netns(name);
      expect(await page(ns, 'http://198.51.100.1:8080/'), name).toBe(PAGE);
      expect(await page(ns, 'http://[2001:db8:51::1]:8080/'), name).toBe(PAGE);
    }
  });

  it('keep the source address of outsiders', async () => {
    await stage.run('witness', 'front', '-p', '9000:9000/udp');
    const ns = await stage.netns('witness');
    const listening = ns.output([process.execPath, '-e', UDP_WITNESS]);
    await outside.exec([process.execPath, '-e', UDP_HELLO, '198.51.100.1']);
    expect(await listening).toBe('hello from 198.51.100.2');
  });

  it('answer on the host address they were bound to, and no other', async () => {
    await web('bound', 'front', '-p', '198.51.100.9:8081:80');
    expect(await page(outside, 'http://198.51.100.9:8081/')).toBe(PAGE);
    expect(await page(outside, 'http://198.51.100.1:8081/')).toBeNull();
    expect(await page(stage.host, 'http://127.0.0.1:8081/')).toBeNull();
  });

  it('take ranges, UDP and SCTP', async () => {
    await stage.run('ranges', 'front', '-p', '8090-8092:80-82', '-p', '5353:53/udp', '-p', '3868:3868/sctp');
    const { published } = await stage.endpoint('ranges', 'front');
    expect(published.inForce).toBe(true);
    expect(
      published.ports.map(({ proto, hostPort, containerPort }) => `${proto} ${hostPort} ${containerPort}`),
    ).toEqual(
      expect.arrayContaining(['tcp 8090 80', 'tcp 8091 81', 'tcp 8092 82', 'udp 5353 53', 'sctp 3868 3868']),
    );
    const table = await stage.host.output(['nft', 'list', 'map', 'inet', 'eswitchd', 'pub4any']);
    for (const element of ['tcp . 8091', 'udp . 5353', 'sctp . 3868']) expect(table).toContain(element);
  });

  it('are refused when another container or process has the port', async () => {
    expect(
      await stage.refusal('run', '-d', '--network', 'front', '-p', '8080:80', stage.image, ...HTTPD),
    ).toContain('ESW_ERR_PORT_IN_USE');
    const listener = stage.host.start(['busybox', 'nc', '-l', '-p', '8099']);
    await new Promise(resume => setTimeout(resume, 300));
    const refused = await stage.refusal(
      'run',
      '-d',
      '--network',
      'front',
      '-p',
      '8099:80',
      stage.image,
      ...HTTPD,
    );
    listener.kill();
    expect(refused).toContain('ESW_ERR_PORT_IN_USE');
  });

  it('survive the daemon, and end with the container', async () => {
    await stage.daemon.kill();
    expect(await page(outside, 'http://198.51.100.1:8080/')).toBe(PAGE);
    await stage.daemon.start();
    expect(await stage.plan()).toEqual([]);
    await stage.docker.cli('rm', '-f', 'site');
    await stage.settled();
    expect(await page(outside, 'http://198.51.100.1:8080/')).toBeNull();
  });
});
