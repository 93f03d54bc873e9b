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
  const move = moverFrom(options.host);
  const pending = Array.from({ length: options.count }, (_, index) => index);
  const startedMs = performance.now();
  const worker = async () => {
    for (let index = pending.shift(); index !== undefined; index = pending.shift()) {
      const sandbox = sandboxes[Math.floor(index / ENDPOINTS_PER_NAMESPACE)];
      if (sandbox === undefined) throw new BenchError(`no sandbox for endpoint ${index}`);
      const made = await attach(options, index, sandbox);
      await move(made);
      attached.push(made);
      if (attached.length % PROGRESS_EVERY === 0) {
        const seconds = (performance.now() - startedMs) / 1000;
        options.progress(`${attached.length} of ${options.count} endpoints after ${seconds.toFixed(1)} s`);
      }
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
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

/**
 * Moves function sides into their sandboxes as soon after Join as dockerd does: those that come while
 * ip(8) runs go together in its next run.
 */
function moverFrom(host: Netns): (attached: Attached) => Promise<void> {
  let waiting: Attached[] = [];
  let next: Promise<void> | null = null;
  let running: Promise<void> = Promise.resolve();
  return attached => {
    waiting.push(attached);
    next ??= running.then(() => {
      const batch = waiting;
      waiting = [];
      next = null;
      running = ipBatch(host, batch.map(moveCommand));
      return running;
    });
    return next;
  };
}

function moveCommand({ link, ifname, sandbox }: Attached): string {
  return `link set ${link} netns ${sandbox.pid} name ${ifname}`;
}

/** As dockerd does after Join: function side into the sandbox, with its address, up. */
export async function plug(host: Netns, attached: Attached): Promise<void> {
  const { endpoint, sandbox, ifname } = attached;
  await ipBatch(host, [moveCommand(attached)]);
  await ipBatch(sandbox, [`addr add ${endpoint.address} dev ${ifname}`, `link set ${ifname} up`]);
}

/** As dockerd does before Leave: function side back to the host's namespace. */
export async function unplug(host: Netns, { sandbox, link, ifname }: Attached): Promise<void> {
  await ipBatch(sandbox, [`link set ${ifname} down`, `link set ${ifname} netns ${host.pid} name ${link}`]);
}
