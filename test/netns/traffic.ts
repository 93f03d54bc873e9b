/** Small servers and clients inside namespaces, and what a client got to see. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { ended, start, tryExec } from '../lab/exec.ts';
import type { Netns } from '../lab/netns.ts';
import type { Scope } from '../lab/scope.ts';

/** Answers every TCP connection and UDP datagram with the address it came from. */
const ECHO = `
const net = require('node:net'), dgram = require('node:dgram');
const port = Number(process.argv[1]);
net.createServer(s => { s.on('error', () => {}); s.end(s.remoteAddress.replace('::ffff:', '')); })
  .listen(port, '::', () => {
    const u = dgram.createSocket('udp6');
    u.on('message', (m, from) => u.send(from.address.replace('::ffff:', ''), from.port, from.address));
    u.bind(port, '::', () => process.stdout.write('ready'));
  });
`;

/** Asks once: `proto host port`; prints the answer, or nothing after the time limit. */
const ASK = `
const [proto, host, port] = process.argv.slice(1);
const done = text => { process.stdout.write(text); process.exit(0); };
setTimeout(() => done(''), 1000);
if (proto === 'tcp') {
  const s = require('node:net').connect(Number(port), host);
  s.on('data', d => done(String(d))); s.on('error', () => done(''));
} else {
  const u = require('node:dgram').createSocket(host.includes(':') ? 'udp6' : 'udp4');
  u.on('message', m => done(String(m))); u.on('error', () => done(''));
  u.send('x', Number(port), host);
}
`;

/** A server on `port` in `ns`, TCP and UDP, both families; resolves when it listens. */
export async function startEcho(scope: Scope, ns: Netns, port: number): Promise<void> {
  const child = start(ns.enter([process.execPath, '-e', ECHO, String(port)]), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  scope.defer(async () => {
    child.kill('SIGKILL');
    await ended(child);
  });
  if (child.stdout === null) throw new Error('no output of the echo server');
  await once(child.stdout, 'data');
}

/** The source address that the server saw, null when no answer came within a second. */
export async function ask(
  from: Netns | null,
  proto: 'tcp' | 'udp',
  host: string,
  port: number,
): Promise<string | null> {
  if (from === null) return askHere(proto, host, port);
  const { stdout } = await tryExec(
    from.enter([process.execPath, '-e', ASK, proto, host, String(port)]) as [string, ...string[]],
  );
  return stdout === '' ? null : stdout;
}

function askHere(proto: 'tcp' | 'udp', host: string, port: number): Promise<string | null> {
  return new Promise(resolve => {
    const end = (answer: string | null): void => {
      clearTimeout(timer);
      if ('destroy' in client) client.destroy();
      else client.close();
      resolve(answer);
    };
    const timer = setTimeout(() => end(null), 1000);
    const client = proto === 'tcp' ? connect(port, host) : createSocket(host.includes(':') ? 'udp6' : 'udp4');
    client.on('error', () => end(null));
    client.on(proto === 'tcp' ? 'data' : 'message', (data: Buffer) => end(String(data)));
    if ('send' in client) client.send('x', port, host);
  });
}

export interface PingResult {
  readonly sent: number;
  readonly received: number;
}

/** ICMP echo requests, `everyMs` apart. */
export async function ping(
  from: Netns | null,
  to: string,
  { count = 2, everyMs = 20, args = [] as readonly string[] } = {},
): Promise<PingResult> {
  const command = [
    'ping',
    '-n',
    '-q',
    '-c',
    String(count),
    '-i',
    String(everyMs / 1000),
    '-W',
    '1',
    ...args,
    to,
  ];
  const run = (from === null ? command : from.enter(command as [string, ...string[]])) as [
    string,
    ...string[],
  ];
  const { stdout, stderr } = await tryExec(run, { timeoutMs: 60_000 });
  const counts = /(\d+) packets transmitted, (\d+) (?:packets )?received/.exec(stdout);
  if (counts === null) return { sent: 0, received: 0, ...(stderr === '' ? {} : { stderr }) };
  return { sent: Number(counts[1]), received: Number(counts[2]) };
}

export async function reaches(
  from: Netns | null,
  to: string,
  args: readonly string[] = [],
): Promise<boolean> {
  return (await ping(from, to, { args })).received > 0;
}
