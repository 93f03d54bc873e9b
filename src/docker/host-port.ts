/** Whether a host port is free: found out by binding it for a moment. */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { PortBinding } from '../model/endpoint.ts';

/** The host has no IPv6, or not this address of it: for a wildcard that is nothing in the way. */
const NO_SUCH_FAMILY: ReadonlySet<string> = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL']);

const WORDS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'a process on this host listens there',
  EADDRNOTAVAIL: 'this host does not have that address',
  EACCES: 'this process may not bind it',
};

/**
 * null when nothing is in the way, else what is. SCTP cannot be tried from Node: always null there.
 */
export async function checkHostPort({ proto, hostIp, hostPort }: PortBinding): Promise<string | null> {
  if (proto === 'sctp') return null;
  const probe = proto === 'tcp' ? tryTcp : tryUdp;
  if (hostIp !== null) {
    const code = await probe(hostIp, hostPort);
    return code === null ? null : (WORDS[code] ?? code);
  }
  for (const wildcard of ['0.0.0.0', '::']) {
    const code = await probe(wildcard, hostPort);
    if (code !== null && !NO_SUCH_FAMILY.has(code)) return WORDS[code] ?? code;
  }
  return null;
}

const codeOf = (error: NodeJS.ErrnoException): string => error.code ?? error.message;

function tryTcp(host: string, port: number): Promise<string | null> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', error => resolve(codeOf(error)));
    server.listen({ host, port, exclusive: true, ipv6Only: host.includes(':') }, () => {
      server.close(() => resolve(null));
    });
  });
}

function tryUdp(address: string, port: number): Promise<string | null> {
  return new Promise(resolve => {
    const isIpv6 = address.includes(':');
    const socket = createSocket(isIpv6 ? { type: 'udp6', ipv6Only: true } : { type: 'udp4' });
    socket.once('error', error => {
      socket.close();
      resolve(codeOf(error));
    });
    socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve(null)));
  });
}
