/**
 * Who may import whom (docs/architecture.md draws it). The tables below are the rule; everything not
 * listed is forbidden. Type-only imports count: a layer must not even know the shape of what is above it.
 */
'use strict';

/** Interfaces between the layers: files of types only, so that importing one ties nobody to an implementation. */
const KERNEL_PORT = 'kernel/port\\.ts$';
const STORE_PORT = 'store/port\\.ts$';
const RECONCILE_PORT = 'reconcile/port\\.ts$';
const NIC_PORT = 'kernel/nic-port\\.ts$';
const FLOW_PORT = 'kernel/flow-port\\.ts$';
const OFFLOAD_PORT = 'offload/port\\.ts$';
const PORTS = [KERNEL_PORT, NIC_PORT, FLOW_PORT, STORE_PORT, RECONCILE_PORT, OFFLOAD_PORT];

/** Pure: same input, same output. No node:*, no npm package, no clock, no random, no logging. */
const PURE = ['lib', 'model', 'ir', 'compile', 'place', 'plan'];

/** Folder of src/ → what else of src/ it may import (itself is always allowed). */
const MAY_IMPORT = {
  lib: [],
  model: ['lib/'],
  ir: ['lib/', 'model/'],
  compile: ['lib/', 'model/', 'ir/'],
  place: ['lib/', 'model/', 'ir/'],
  // A plan is a list of a port's operations.
  plan: ['lib/', 'model/', 'ir/', 'place/', KERNEL_PORT, NIC_PORT],
  wire: ['lib/', 'model/'],
  kernel: ['lib/', 'model/', 'ir/'],
  eswitch: ['lib/', 'model/', 'ir/', KERNEL_PORT],
  reconcile: [...PURE.map(dir => `${dir}/`), KERNEL_PORT, STORE_PORT],
  // NICs: what is there, eswitch modes, which function is whose.
  nic: [...PURE.map(dir => `${dir}/`), ...PORTS],
  // Which rules are in hardware, and why the others are not.
  offload: [...PURE.map(dir => `${dir}/`), ...PORTS],
  // firmware-profiles/ read and matched; what a NIC's firmware should be.
  profile: ['lib/', 'model/', 'ir/', 'place/', ...PORTS],
  store: ['lib/', 'model/', 'wire/'],
  cluster: ['lib/', 'model/', 'wire/', STORE_PORT],
  ipam: ['lib/', 'model/', STORE_PORT],
  observe: ['lib/', 'model/', 'ir/', 'wire/', ...PORTS],
  docker: ['lib/', 'model/', 'ir/', 'place/', 'wire/', 'ipam/', STORE_PORT, RECONCILE_PORT],
  api: ['lib/', 'model/', 'ir/', 'wire/', 'observe/', ...PORTS],
  cli: ['lib/', 'model/', 'wire/'],
  // The only composition root: it alone names implementations.
  daemon: ['(?!cli/)'],
};

/** npm packages by folder of src/; a folder not named here uses none. */
const MAY_USE_PACKAGE = {
  'kernel/native': ['koffi'],
  wire: ['typebox', 'protobufjs'],
  profile: ['typebox'],
  docker: ['fastify', 'typebox'],
  api: ['fastify', '@fastify/[^/]+', 'typebox', 'prom-client'],
  observe: ['prom-client', 'pino'],
  daemon: ['fastify', 'typebox', 'pino', 'commander'],
  cli: ['commander', 'typebox'],
};

const layerRules = Object.entries(MAY_IMPORT).map(([dir, allowed]) => ({
  name: `layer-${dir}`,
  comment: `src/${dir} may import only: ${allowed.join(', ') || 'nothing of src/'}`,
  severity: 'error',
  from: { path: `^src/${dir}/` },
  to: { path: '^src/', pathNot: [`^src/${dir}/`, ...allowed.map(path => `^src/${path}`)] },
}));

const packageFolders = Object.keys(MAY_USE_PACKAGE);
const packageRules = packageFolders.map(dir => ({
  name: `packages-${dir.replace('/', '-')}`,
  comment: `src/${dir} may use only: ${MAY_USE_PACKAGE[dir].join(', ')}`,
  severity: 'error',
  from: { path: `^src/${dir}/` },
  to: { path: 'node_modules/', pathNot: MAY_USE_PACKAGE[dir].map(name => `node_modules/${name}/`) },
}));

module.exports = {
  forbidden: [
    ...layerRules,
    ...packageRules,
    {
      name: 'packages-none',
      comment: 'this folder uses no npm package',
      severity: 'error',
      from: { path: '^src/', pathNot: packageFolders.map(dir => `^src/${dir}/`) },
      to: { path: 'node_modules/' },
    },
    {
      name: 'pure-no-node',
      comment: 'pure folders import no node:* module',
      severity: 'error',
      from: { path: PURE.map(dir => `^src/${dir}/`) },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-cycle',
      comment: 'files that import each other cannot be understood one at a time',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'kernel-implementations-apart',
      comment: 'the kernel and its model share the port, never code',
      severity: 'error',
      from: { path: '^src/kernel/(native|sim)/' },
      to: { path: '^src/kernel/(native|sim)/', pathNot: '^src/kernel/$1/' },
    },
    {
      name: 'ports-name-no-implementation',
      severity: 'error',
      from: { path: '^src/(kernel|store|reconcile)/((nic|flow)-)?port\\.ts$' },
      to: { path: '^src/(kernel|store|reconcile)/', pathNot: PORTS.map(path => `^src/${path}`) },
    },
    {
      name: 'koffi-only-native',
      severity: 'error',
      from: { pathNot: ['^src/kernel/native/', '^bench/', '^test/'] },
      to: { path: 'node_modules/koffi/' },
    },
    {
      name: 'sqlite-only-store',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/store/' },
      to: { path: '^(node:)?sqlite$' },
    },
    {
      name: 'src-stands-alone',
      comment: 'the product imports no test, benchmark or script',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|scripts)/' },
    },
    {
      name: 'no-unlisted-package',
      comment: 'every package used is in package.json',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'src-no-dev-package',
      comment: 'what the product runs on is a dependency, not a devDependency',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'] },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|native/build)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.mjs', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
