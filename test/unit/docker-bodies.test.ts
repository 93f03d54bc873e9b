/** Whatever is sent: never a crash, always a success or an error of the table. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ERRORS } from '../../src/lib/errors.ts';
import { createPlugin, EID, NID } from './docker-harness.ts';

const METHODS = [
  ...['GetCapabilities', 'GwAllocCheck', 'AllocateNetwork', 'FreeNetwork', 'CreateNetwork', 'DeleteNetwork'],
  ...['CreateEndpoint', 'DeleteEndpoint', 'EndpointOperInfo', 'Join', 'Leave'],
  ...['ProgramExternalConnectivity', 'RevokeExternalConnectivity', 'DiscoverNew', 'DiscoverDelete'],
]
  .map(method => `NetworkDriver.${method}`)
  .concat(
    [
      'GetCapabilities',
      'GetDefaultAddressSpaces',
      'RequestPool',
      'ReleasePool',
      'RequestAddress',
      'ReleaseAddress',
    ].map(method => `IpamDriver.${method}`),
    'Plugin.Activate',
  );

const WORDS = [
  ...[
    NID,
    EID,
    'x',
    '',
    '10.1.0.0/16',
    '10.1.0.5/16',
    '10.1.0.1',
    'fd00::/64',
    'fd00::5/64',
    '0.0.0.0/0',
    '::ffff:1.2.3.4',
  ],
  ...[
    'local',
    'local/10.1.0.0/16',
    '02:42:ac:11:00:02',
    'AkKsEQAC',
    'ff:ff:ff:ff:ff:ff',
    '/var/run/docker/netns/x',
  ],
  ...[
    'true',
    'false',
    '1500',
    'bridge',
    'software',
    'hw',
    '127.0.0.1',
    '__proto__',
    'constructor',
    '\u0000',
    '🐳',
  ],
];
const KEYS = [
  ...[
    'NetworkID',
    'EndpointID',
    'Options',
    'IPv4Data',
    'IPv6Data',
    'Interface',
    'SandboxKey',
    'AddressSpace',
    'Pool',
  ],
  ...[
    'SubPool',
    'V6',
    'PoolID',
    'Address',
    'AddressIPv6',
    'MacAddress',
    'Gateway',
    'AuxAddresses',
    'Proto',
    'Port',
  ],
  ...[
    'HostIP',
    'HostPort',
    'HostPortEnd',
    'DiscoveryType',
    'DiscoveryData',
    'RequestAddressType',
    'type',
    'mtu',
    'nat',
  ],
  ...['com.docker.network.generic', 'com.docker.network.internal', 'com.docker.network.portmap', '__proto__'],
  ...[
    'com.docker.network.endpoint.macaddress',
    'com.docker.network.endpoint.ifname',
    'com.docker.network.driver.mtu',
  ],
];

const leaf = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...WORDS) },
  fc.string(),
  fc.integer({ min: -2, max: 70_000 }),
  fc.double(),
  fc.constantFrom(0, 6, 17, 132, 80, 8080),
  fc.boolean(),
  fc.constant(null),
);
const { value } = fc.letrec(tie => ({
  value: fc.oneof({ maxDepth: 4, depthSize: 'medium' }, leaf, tie('list'), tie('object')),
  list: fc.array(tie('value'), { maxLength: 3 }),
  object: fc.dictionary(
    fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...KEYS) }, fc.string()),
    tie('value'),
    {
      maxKeys: 6,
    },
  ),
}));

/** Bodies close to right ones, so that validation is passed now and then. */
const ids = {
  NetworkID: fc.constantFrom(NID, 'n2', 'n3'),
  EndpointID: fc.constantFrom(EID, 'e2', 'e3'),
};
const portMap = fc.array(
  fc.record({
    Proto: fc.constantFrom(6, 17, 132, 1),
    Port: fc.constantFrom(80, 81, 0),
    HostIP: fc.constantFrom('', '127.0.0.1', '::', 'x'),
    HostPort: fc.constantFrom(0, 8080, 8081),
    HostPortEnd: fc.constantFrom(0, 8080, 8083),
  }),
  { maxLength: 3 },
);
const close = fc.record(
  {
    ...ids,
    SandboxKey: fc.constant('/n'),
    PoolID: fc.constantFrom('local/10.1.0.0/16', 'x'),
    Pool: fc.constantFrom('10.1.0.0/16', '', 'fd00::/64'),
    Address: fc.constantFrom('', '10.1.0.5', 'fd00::5'),
    V6: fc.boolean(),
    IPv4Data: fc.constantFrom(
      null,
      [{ Pool: '10.1.0.0/16', Gateway: '10.1.0.1/16' }],
      [{ Pool: '10.2.0.0/16' }],
    ),
    Interface: fc.record(
      {
        Address: fc.constantFrom('10.1.0.2/16', '10.1.0.3/16', ''),
        MacAddress: fc.constantFrom('', '02:42:ac:11:00:02'),
      },
      { requiredKeys: [] },
    ),
    Options: fc.record({ 'com.docker.network.portmap': portMap, odd: value }, { requiredKeys: [] }),
  },
  { requiredKeys: ['NetworkID', 'EndpointID'] },
);

const body = fc.oneof(
  { weight: 5, arbitrary: close.map(object => JSON.stringify(object)) },
  {
    weight: 4,
    arbitrary: fc.dictionary(fc.constantFrom(...KEYS), value).map(object => JSON.stringify(object)),
  },
  { weight: 1, arbitrary: value.map(any => JSON.stringify(any) ?? '') },
  { weight: 1, arbitrary: fc.string() },
);

it('10,000 bodies', async () => {
  const plugin = createPlugin({ maxPorts: 8 });
  const documented = new Set(Object.keys(ERRORS));
  const counts = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...METHODS), body, async (method, text) => {
      const { status, body: answer } = await plugin.call(method, text);
      const error = answer['Err'];
      const code = typeof error === 'string' ? (error.split(':')[0] ?? '') : 'success';
      counts.set(code, (counts.get(code) ?? 0) + 1);
      if (code === 'success') {
        expect(status).toBe(200);
        expect(answer).not.toHaveProperty('Error');
      } else {
        expect(documented).toContain(code);
        expect(code).not.toBe('ESW_ERR_INTERNAL');
        expect(answer['Error']).toBe(error);
        expect(status).toBe(code === 'ESW_ERR_REQUEST_BODY' ? 400 : 200);
      }
    }),
    { numRuns: 10_000 },
  );
  // The generator is worth its name only if it gets past validation.
  expect(counts.get('success')).toBeGreaterThan(2000);
  expect(counts.size).toBeGreaterThan(8);
}, 120_000);
