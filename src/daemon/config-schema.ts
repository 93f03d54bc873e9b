/** The configuration: one table of keys, each with its schema, default and description. */
import Type, { type Static } from 'typebox';

const path = (description: string) => Type.String({ pattern: '^/.{0,159}$', description });

/** A unix socket's path: sun_path holds 108 bytes with the NUL. */
const socketPath = (description: string) => Type.String({ pattern: '^/.{0,106}$', description });

export const ConfigSchema = Type.Object(
  {
    instance: Type.String({
      pattern: '^[a-z][a-z0-9-]{0,23}$',
      description: 'Name of this daemon in the kernel: pins, nftables table, link marks.',
    }),
    linkPrefix: Type.String({
      pattern: '^[a-z][a-z0-9]{0,3}$',
      description: 'First one to four characters of every link.',
    }),
    stateDir: path('Directory of the database; survives reboots.'),
    runDir: path('Directory of run-time files; may be a tmpfs.'),
    pluginSocket: socketPath("Docker's side; its file name without .sock is the driver's name."),
    apiSocket: socketPath('The side of eswitchctl.'),
    nativeLibrary: path('libeswitch.so.'),
    bpfObject: path('The compiled eBPF programs.'),
    profilesDir: path('Folder of the NIC profiles.'),
    bpffs: Type.Union([Type.String({ pattern: '^/.{0,159}$' }), Type.Null()], {
      description: 'A mounted bpffs; null = /sys/fs/bpf, else one of our own.',
    }),
    maxPorts: Type.Integer({ minimum: 16, maximum: 65535, description: 'Most ports on this host.' }),
    defaultPools: Type.Array(Type.String({ pattern: '^[0-9a-fA-F:.]+/[0-9]{1,3}(/[0-9]{1,3})?$' }), {
      description: 'base/length/size pools for networks without --subnet; empty = the built-in ones.',
    }),
    logLevel: Type.Unsafe<'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'>({
      type: 'string',
      enum: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      description: 'Least severe line that is logged.',
    }),
    dockerSocket: socketPath("Docker's API: asked only whether a network without endpoints still exists."),
    orphanGraceMs: Type.Integer({
      minimum: 0,
      maximum: 86_400_000,
      description: 'Milliseconds until what Docker made and forgot is removed; 0 = never.',
    }),
    resyncMs: Type.Integer({
      minimum: 1000,
      maximum: 86_400_000,
      description: 'Milliseconds between two full looks at the kernel.',
    }),
  },
  { additionalProperties: false },
);
export type Config = Readonly<Static<typeof ConfigSchema>>;
export type ConfigKey = keyof Config;

export const CONFIG_KEYS = Object.keys(ConfigSchema.properties) as ConfigKey[];

/** Built-in values. `repoRoot` is where native/ was built; the socket follows a changed runDir. */
export function configDefaults(repoRoot: string, runDir = '/run/eswitchd'): Config {
  return {
    instance: 'eswitchd',
    linkPrefix: 'ew',
    stateDir: '/var/lib/eswitchd',
    runDir,
    pluginSocket: '/run/docker/plugins/eswitch.sock',
    apiSocket: `${runDir}/api.sock`,
    nativeLibrary: `${repoRoot}/native/build/libeswitch.so`,
    bpfObject: `${repoRoot}/native/build/eswitch.bpf.o`,
    profilesDir: `${repoRoot}/firmware-profiles`,
    bpffs: null,
    maxPorts: 16384,
    defaultPools: [],
    logLevel: 'info',
    dockerSocket: '/var/run/docker.sock',
    orphanGraceMs: 60_000,
    resyncMs: 30_000,
  };
}
