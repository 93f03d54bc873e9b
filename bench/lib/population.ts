/** Many endpoints on one daemon, made as dockerd makes them, without containers. */

import { makeNetns, type Netns } from '../../test/lab/netns.ts';
import type { Scope } from '../../test/lab/scope.ts';
import { BenchError } from './bench-error.ts';
import { ipBatch } from './namespace.ts';
import type { PluginClient, PluginEndpoint, PluginNetwork } from './plugin-client.ts';

/** Function sides that one namespace holds: a namespace each is more than a small machine can take. */
const ENDPOINTS_PER_NAMESPACE = 100;
/** Requests under way at a time; dockerd starts containers in parallel too. */
const PARALLEL = 8;
const MOVES_PER_BATCH = 250;
const PROGRESS_EVERY = 500;

export interface Attached {
  readonly endpoint: PluginEndpoint;
  readonly sandbox: Netns;
  /** The function side's name in the host's namespace: Docker's SrcName. */
  readonly link: string;
  /** Its name inside the sandbox. */
  readonly ifname: string;
}

export interface PopulationOptions {
  readonly client: PluginClient;
  readonly network: PluginNetwork;
  /** Namespace of the daemon, where function sides appear. */
  readonly host: Netns;
  readonly count: number;
  /** Makes the ids of this population differ from those of another. */
  readonly label: string;
  readonly scope: Scope;
  readonly progress: (line: string) => void;
}

/**
 * Creates, joins and moves `count` endpoints. Function sides are moved into shared namespaces under
 * names of their own and stay down: the daemon and the tables see what they would see with containers.
 */
export async function populate(options: PopulationOptions): Promise<readonly Attached[]> {
  const sandboxes = await openSandboxes(options);
  const attached: Attached[] = [];
  const pending = Array.from({ length: options.count }, (_, index) => index);
  const startedMs = performance.now();
  const worker = async () => {
    for (let index = pending.shift(); index !== undefined; index = pending.shift()) {
      const sandbox = sandboxes[Math.floor(index / ENDPOINTS_PER_NAMESPACE)];
      if (sandbox === undefined) throw new BenchError(`no sandbox for endpoint ${index}`);
      attached.push(await attach(options, index, sandbox));
      if (attached.length % PROGRESS_EVERY === 0) {
        const seconds = (performance.now() - startedMs) / 1000;
        options.progress(`${attached.length} of ${options.count} endpoints after ${seconds.toFixed(1)} s`);
      }
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  await moveAll(options.host, attached);
  return attached;
}

async function openSandboxes(options: PopulationOptions): Promise<readonly Netns[]> {
  const sandboxes: Netns[] = [];
  for (let index = 0; index < options.count; index += ENDPOINTS_PER_NAMESPACE) {
    sandboxes.push(await makeNetns(options.scope, `${options.label}-${index}`));
  }
  return sandboxes;
}

async function attach(options: PopulationOptions, index: number, sandbox: Netns): Promise<Attached> {
  const { client, network, label } = options;
  const { value: endpoint } = await client.requestAddress(network, `${label}/${index}`);
  await client.createEndpoint(endpoint);
  const { value: link } = await client.join(endpoint, sandbox.path);
  return { endpoint, sandbox, link, ifname: `eth${index % ENDPOINTS_PER_NAMESPACE}` };
}

async function moveAll(host: Netns, attached: readonly Attached[]): Promise<void> {
  for (let from = 0; from < attached.length; from += MOVES_PER_BATCH) {
    const batch = attached.slice(from, from + MOVES_PER_BATCH);
    await ipBatch(
      host,
      batch.map(({ link, ifname, sandbox }) => `link set ${link} netns ${sandbox.pid} name ${ifname}`),
    );
  }
}

/** As dockerd does after Join: function side into the sandbox, with its address, up. */
export async function plug(host: Netns, { endpoint, sandbox, link, ifname }: Attached): Promise<void> {
  await ipBatch(host, [`link set ${link} netns ${sandbox.pid} name ${ifname}`]);
  await ipBatch(sandbox, [`addr add ${endpoint.address} dev ${ifname}`, `link set ${ifname} up`]);
}

/** As dockerd does before Leave: function side back to the host's namespace. */
export async function unplug(host: Netns, { sandbox, link, ifname }: Attached): Promise<void> {
  await ipBatch(sandbox, [`link set ${ifname} down`, `link set ${ifname} netns ${host.pid} name ${link}`]);
}
