/**
 * Learns what Docker called each function side inside its sandbox, so that a lost pair can be made
 * again there without Docker. Docker moves and renames the link after Join's answer, so this looks
 * afterwards, when the link has left the host namespace.
 */
import { portNames } from '../ir/names.ts';
import type { Resource } from '../ir/resource.ts';
import type { KernelPort } from '../kernel/port.ts';
import type { EndpointId } from '../lib/brand.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Identity, Intent } from '../model/intent.ts';
import type { Store } from '../store/port.ts';
import type { Clock } from './clock.ts';

/** Delays of the looks after the link left, until it has a name other than ours. */
const LOOK_AFTER_MS = [200, 500, 1_000, 3_000];

/** A container's port, as opposed to a network's. */
export function isEndpointPort(resource: Resource): boolean {
  return resource.kind === 'direct-port' || (resource.kind === 'port' && resource.role === 'endpoint');
}

/**
 * Namespaces in which a direct port is looked for: nothing in the host shows that it is there. Those of
 * endpoints that want one, and those in which one was seen that nobody wants any more.
 */
export function directSandboxes({ networks, endpoints }: Intent, observed: Iterable<Resource>): Set<string> {
  const paths = new Set<string>();
  const direct = new Set([...networks.values()].filter(each => each.type === 'vlan').map(each => each.id));
  if (direct.size > 0) {
    for (const { networkId, sandbox } of endpoints.values()) {
      if (sandbox !== null && direct.has(networkId)) paths.add(sandbox.key);
    }
  }
  for (const seen of observed) {
    if (seen.kind === 'direct-port' && seen.sandbox !== null) paths.add(seen.sandbox.netns);
  }
  return paths;
}

interface Unlearned {
  readonly netns: string;
  readonly rep: string;
  readonly fn: string;
  cancel: () => void;
}

export class Sandboxes {
  readonly #kernel: KernelPort;
  readonly #store: Store;
  readonly #identity: Identity;
  readonly #clock: Clock;
  readonly #onLearned: (id: EndpointId) => void;
  readonly #unlearned = new Map<EndpointId, Unlearned>();

  constructor(
    deps: {
      readonly kernel: KernelPort;
      readonly store: Store;
      readonly identity: Identity;
      readonly clock: Clock;
    },
    onLearned: (id: EndpointId) => void,
  ) {
    this.#kernel = deps.kernel;
    this.#store = deps.store;
    this.#identity = deps.identity;
    this.#clock = deps.clock;
    this.#onLearned = onLearned;
  }

  /** An endpoint as it is now. Looks after a while even if no event tells that the link left. */
  note({ id, sandbox }: Endpoint): void {
    if (sandbox !== null && this.#unlearned.get(id)?.netns === sandbox.key && sandbox.ifname === null) return;
    this.forget(id);
    if (sandbox === null || sandbox.ifname !== null) return;
    const each = { netns: sandbox.key, ...portNames(this.#identity, id), cancel: () => {} };
    this.#unlearned.set(id, each);
    this.#lookLater(id, each, LOOK_AFTER_MS.length - 2);
  }

  forget(id: EndpointId): void {
    this.#unlearned.get(id)?.cancel();
    this.#unlearned.delete(id);
  }

  /** A function side left the host namespace. */
  left(fn: string): void {
    for (const [id, each] of this.#unlearned) if (each.fn === fn) this.#lookLater(id, each, 0);
  }

  /** Looks for all that are away according to a full look at the kernel. */
  lookForAll(homeFunctions: ReadonlySet<string>): void {
    for (const [id, each] of this.#unlearned) if (!homeFunctions.has(each.fn)) this.#lookLater(id, each, 0);
  }

  stop(): void {
    for (const each of this.#unlearned.values()) each.cancel();
    this.#unlearned.clear();
  }

  #lookLater(id: EndpointId, each: Unlearned, attempt: number): void {
    each.cancel();
    const delayMs = LOOK_AFTER_MS[attempt];
    if (delayMs === undefined) return;
    each.cancel = this.#clock.after(delayMs, () => void this.#look(id, each, attempt));
  }

  async #look(id: EndpointId, each: Unlearned, attempt: number): Promise<void> {
    // A sandbox that cannot be entered is like one in which the link is not.
    const ifname = await this.#kernel.sandboxIfname(each.netns, each.rep).catch(() => null);
    if (this.#unlearned.get(id) !== each) return;
    const isLearned = ifname !== null && ifname !== each.fn && this.#learn(id, each.netns, ifname);
    if (!isLearned) this.#lookLater(id, each, attempt + 1);
  }

  /** False when the store could not take it now. */
  #learn(id: EndpointId, netns: string, ifname: string): boolean {
    try {
      this.#store.commit(tx => {
        const endpoint = tx.endpoint(id);
        if (endpoint?.sandbox?.key === netns)
          tx.putEndpoint({ ...endpoint, sandbox: { key: netns, ifname } });
      });
    } catch {
      return false;
    }
    this.forget(id);
    this.#onLearned(id);
    return true;
  }
}
