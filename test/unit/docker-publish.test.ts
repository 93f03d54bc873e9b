import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { beforeEach, describe, expect, it } from 'vitest';
import { checkHostPort } from '../../src/docker/host-port.ts';
import type { EndpointId, Ip } from '../../src/lib/brand.ts';
import {
  createPlugin,
  EID,
  endpointBody,
  NID,
  networkBody,
  type Plugin,
  type PortArguments,
  portBinding,
  programBody,
  ref,
} from './docker-harness.ts';

const PROGRAM = 'NetworkDriver.ProgramExternalConnectivity';
const REVOKE = 'NetworkDriver.RevokeExternalConnectivity';
const OTHER = 'd'.repeat(64);
let plugin: Plugin;

const bindings = (id = EID) => plugin.store.endpoint(id as EndpointId)?.bindings;
const isPublished = (id = EID) => plugin.store.endpoint(id as EndpointId)?.published;
const program = (ports: readonly PortArguments[], id = EID) =>
  plugin.ok(PROGRAM, programBody(ports.map(portBinding), NID, id));
const refused = (ports: readonly PortArguments[], id = EID) =>
  plugin.err(PROGRAM, programBody(ports.map(portBinding), NID, id));

beforeEach(async () => {
  plugin = createPlugin();
  await plugin.ok('NetworkDriver.CreateNetwork', networkBody({ pool6: 'fd00:1::/64' }));
  await plugin.ok('NetworkDriver.CreateEndpoint', endpointBody({ address6: 'fd00:1::2/64' }));
  await plugin.ok(
    'NetworkDriver.CreateEndpoint',
    endpointBody({ id: OTHER, address: '10.1.0.3/16', mac: '02:00:00:00:00:03' }),
  );
  plugin.waits.length = 0;
});

describe('ProgramExternalConnectivity', () => {
  it('puts the ports in force and waits until they answer', async () => {
    await program([
      {},
      { proto: 17, port: 53, hostPort: 5353, hostIp: '127.0.0.1' },
      { proto: 132, hostPort: 9 },
    ]);
    expect(bindings()).toEqual([
      { proto: 'tcp', containerPort: 80, hostIp: null, hostPort: 8080 },
      { proto: 'udp', containerPort: 53, hostIp: '127.0.0.1', hostPort: 5353 },
      { proto: 'sctp', containerPort: 80, hostIp: null, hostPort: 9 },
    ]);
    expect(isPublished()).toBe(true);
    expect(plugin.waits).toEqual([{ revision: plugin.store.revision, scope: EID }]);
    const { Value } = await plugin.ok('NetworkDriver.EndpointOperInfo', ref());
    expect(Value).toMatchObject({ published: ['*:8080->80/tcp', '127.0.0.1:5353->53/udp', '*:9->80/sctp'] });
  });

  it('without ports only marks the endpoint, and waits for nothing', async () => {
    await program([]);
    expect(isPublished()).toBe(true);
    expect(plugin.waits).toEqual([]);
    await plugin.ok(PROGRAM, { ...ref(NID, OTHER), Options: null });
    expect(isPublished(OTHER)).toBe(true);
  });

  it('uses the ports of CreateEndpoint when the request does not speak of any', async () => {
    const id = 'a'.repeat(64);
    const options = { 'com.docker.network.portmap': [portBinding({ hostPort: 8443, port: 443 })] };
    await plugin.ok(
      'NetworkDriver.CreateEndpoint',
      endpointBody({ id, address: '10.1.0.9/16', mac: '', options }),
    );
    expect(plugin.store.hostPortOwner({ proto: 'tcp', hostIp: null, hostPort: 8443 })).toBeNull();
    await plugin.ok(PROGRAM, programBody(null, NID, id));
    expect(bindings(id)).toMatchObject([{ hostPort: 8443, containerPort: 443 }]);
    await plugin.ok(PROGRAM, programBody([], NID, id));
    expect(bindings(id)).toEqual([]);
  });

  it('again keeps what is in force, a chosen port too', async () => {
    await program([{ hostPort: 0 }, { port: 81, hostPort: 7000, end: 7010 }]);
    const first = bindings();
    expect(first?.[0]?.hostPort).toBe(49_153);
    await program([{ hostPort: 0 }, { port: 81, hostPort: 7000, end: 7010 }]);
    expect(bindings()).toEqual(first);
  });

  it('chooses from a range the first port that nobody has', async () => {
    plugin.busy.add('tcp/7000');
    await program([{ hostPort: 7001 }], OTHER);
    await program([
      { hostPort: 7000, end: 7005 },
      { port: 81, hostPort: 7000, end: 7005 },
    ]);
    expect(bindings()?.map(binding => binding.hostPort)).toEqual([7002, 7003]);
    expect(await refused([{ port: 82, hostPort: 7000, end: 7001 }])).toMatch(
      /^ESW_ERR_PORT_IN_USE: no tcp port of 7000-7001 is free; the last one: published by endpoint dddd/,
    );
  });

  it('chooses free ports for 0, each another one, and not the last again at once', async () => {
    await program([{ hostPort: 0 }, { port: 81, hostPort: 0 }, { proto: 17, hostPort: 0 }]);
    expect(bindings()?.map(binding => binding.hostPort)).toEqual([49_153, 49_154, 49_155]);
    await plugin.ok(REVOKE, ref());
    await program([{ hostPort: 0 }]);
    expect(bindings()?.[0]?.hostPort).toBe(49_156);
  });

  it('binds to the address of the network when none is given', async () => {
    const options = { 'com.docker.network.bridge.host_binding_ipv4': '127.0.0.1' };
    await plugin.ok(
      'NetworkDriver.CreateNetwork',
      networkBody({ id: 'n2', pool: '10.2.0.0/16', gateway: null, options }),
    );
    const id = 'a'.repeat(64);
    await plugin.ok(
      'NetworkDriver.CreateEndpoint',
      endpointBody({ network: 'n2', id, address: '10.2.0.2/16' }),
    );
    await plugin.ok(
      PROGRAM,
      programBody([portBinding(), portBinding({ port: 81, hostIp: '0.0.0.0', hostPort: 81 })], 'n2', id),
    );
    expect(bindings(id)?.map(binding => binding.hostIp)).toEqual(['127.0.0.1', '0.0.0.0']);
  });

  it('takes both wildcards of one port as two bindings, and one entry given twice as one', async () => {
    await program([{ hostIp: '0.0.0.0' }, { hostIp: '::' }, { hostIp: '::' }]);
    expect(bindings()?.map(binding => binding.hostIp)).toEqual(['0.0.0.0', '::']);
  });

  it('is empty in an internal network', async () => {
    await plugin.ok(
      'NetworkDriver.CreateNetwork',
      networkBody({ id: 'n2', pool: '10.2.0.0/16', internal: true, gateway: null }),
    );
    const id = 'a'.repeat(64);
    await plugin.ok(
      'NetworkDriver.CreateEndpoint',
      endpointBody({ network: 'n2', id, address: '10.2.0.2/16' }),
    );
    await plugin.ok(PROGRAM, programBody([portBinding()], 'n2', id));
    expect(bindings(id)).toEqual([]);
  });

  it.each<[string, PortArguments, RegExp]>([
    [
      'an unknown protocol',
      { proto: 1 },
      /portmap\[0\]\.Proto: 1 is none of 6 \(TCP\), 17 \(UDP\), 132 \(SCTP\)/,
    ],
    ['container port 0', { port: 0 }, /portmap\[0\]\.Port: expected a whole number from 1 to 65535, got 0/],
    ['a port too high', { hostPort: 65_536 }, /HostPort: expected a whole number from 0 to 65535/],
    ['half a port', { hostPort: 80.5 }, /HostPort: expected a whole number/],
    ['a range backwards', { hostPort: 90, end: 80 }, /HostPortEnd: 90-80 is not a range/],
    ['a range from 0', { hostPort: 0, end: 80 }, /HostPortEnd: 0-80 is not a range/],
    ['a name for an address', { hostIp: 'localhost' }, /HostIP: "localhost" is not a host address/],
    ['a multicast address', { hostIp: '224.0.0.1' }, /HostIP: "224\.0\.0\.1" is not a host address/],
  ])('refuses %s', async (_, port, expected) => {
    expect(await refused([port])).toMatch(expected);
    expect(isPublished()).toBe(false);
    const options = { 'com.docker.network.portmap': [portBinding(port)] };
    expect(await plugin.err('NetworkDriver.CreateEndpoint', endpointBody({ id: 'x', options }))).toMatch(
      expected,
    );
  });

  it('names who has the port', async () => {
    await program([{}], OTHER);
    expect(await refused([{}])).toMatch(/^ESW_ERR_PORT_IN_USE: tcp port 8080: published by endpoint dddd/);
    expect(await refused([{ hostIp: '127.0.0.1' }])).toMatch(
      /^ESW_ERR_PORT_IN_USE: tcp port 8080 of 127\.0\.0\.1: published/,
    );
    plugin.busy.add('udp/53');
    expect(await refused([{ proto: 17, hostPort: 53 }])).toMatch(
      /udp port 53: a process on this host listens there/,
    );
    expect(await refused([{ hostPort: 9000 }, { port: 81, hostPort: 9000 }])).toMatch(/publishes it twice/);
    expect(isPublished()).toBe(false);
  });

  it('refuses an address of a family the endpoint lacks', async () => {
    expect(await refused([{ hostIp: '::1' }], OTHER)).toMatch(
      /^ESW_ERR_ENDPOINT_ADDRESS: tcp port 80 cannot be published on ::1: the endpoint has no IPv6 address/,
    );
  });

  it('publishes nothing when the kernel refuses', async () => {
    plugin.refuse.set(EID, 'nft: No such file or directory');
    expect(await refused([{}])).toMatch(/^ESW_ERR_KERNEL_REFUSED: nft: No such file/);
    expect(plugin.store.endpoint(EID as EndpointId)).toMatchObject({ published: false, bindings: [] });
  });

  it('searches again when another call takes the port meanwhile', async () => {
    let isFirst = true;
    const racing = createPlugin({
      checkHostPort: async ({ hostPort }) => {
        if (hostPort === 7000 && isFirst) {
          isFirst = false;
          await racing.ok(PROGRAM, programBody([portBinding({ hostPort: 7000 })], NID, OTHER));
        }
        return null;
      },
    });
    await racing.ok('NetworkDriver.CreateNetwork', networkBody());
    await racing.ok('NetworkDriver.CreateEndpoint', endpointBody());
    const second = endpointBody({ id: OTHER, address: '10.1.0.3/16', mac: '' });
    await racing.ok('NetworkDriver.CreateEndpoint', second);
    await racing.ok(PROGRAM, programBody([portBinding({ hostPort: 7000, end: 7001 })]));
    expect(racing.store.endpoint(EID as EndpointId)?.bindings[0]?.hostPort).toBe(7001);
    expect(racing.store.endpoint(OTHER as EndpointId)?.bindings[0]?.hostPort).toBe(7000);
  });

  it('refuses unknown endpoints', async () => {
    expect(await plugin.err(PROGRAM, programBody([], NID, 'nobody'))).toMatch(/^ESW_ERR_ENDPOINT_UNKNOWN/);
  });
});

describe('RevokeExternalConnectivity', () => {
  it('withdraws, twice too, and for unknown endpoints', async () => {
    await program([{}]);
    expect(await plugin.ok(REVOKE, ref())).toEqual({});
    expect(plugin.store.endpoint(EID as EndpointId)).toMatchObject({ published: false, bindings: [] });
    expect(plugin.notified.at(-1)).toEqual({ endpoints: [EID] });
    await plugin.ok(REVOKE, ref());
    await plugin.ok(REVOKE, ref('nowhere', 'nobody'));
    await program([{}], OTHER);
  });
});

describe('checkHostPort', () => {
  const ask = (proto: 'tcp' | 'udp' | 'sctp', hostPort: number, hostIp: string | null) =>
    checkHostPort({ proto, hostPort, hostIp: hostIp as Ip | null, containerPort: 1 });

  it('sees TCP listeners and lets go of what it tried', async () => {
    const server = createServer();
    const port = await new Promise<number>(resolve => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
    });
    expect(await ask('tcp', port, '127.0.0.1')).toBe('a process on this host listens there');
    expect(await ask('tcp', port, null)).toBe('a process on this host listens there');
    expect(await ask('udp', port, null)).toBeNull();
    await new Promise(resolve => server.close(resolve));
    for (let i = 0; i < 3; i++) expect(await ask('tcp', port, null)).toBeNull();
  });

  it('sees UDP sockets', async () => {
    const socket = createSocket('udp4');
    const port = await new Promise<number>(resolve => {
      socket.bind(0, '127.0.0.1', () => resolve(socket.address().port));
    });
    expect(await ask('udp', port, null)).toBe('a process on this host listens there');
    expect(await ask('udp', port, '127.0.0.1')).toBe('a process on this host listens there');
    await new Promise<void>(resolve => socket.close(resolve));
    expect(await ask('udp', port, null)).toBeNull();
  });

  it('names an address this host does not have, and lets SCTP pass', async () => {
    expect(await ask('tcp', 40_000, '192.0.2.77')).toBe('this host does not have that address');
    expect(await ask('udp', 40_000, '192.0.2.77')).toBe('this host does not have that address');
    expect(await ask('sctp', 40_000, null)).toBeNull();
  });
});
