/** Whether what a network or an endpoint needs is in the kernel, and if not, why. */
import { printResource } from '../ir/print.ts';
import { errnoName } from '../lib/errno.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Network } from '../model/network.ts';
import type { Failure } from '../reconcile/port.ts';
import type { EndpointBody } from '../wire/api/endpoint.ts';
import type { FailureBody } from '../wire/api/status.ts';
import type { Owner } from './owners.ts';
import { type Picture, resourceOf } from './picture.ts';

export interface Health<S extends string> {
  readonly state: S;
  readonly why: string;
}

/** The kernel's sentence, else the errno's name. */
export const failureText = (failure: Failure): string =>
  failure.extack === '' ? errnoName(failure.errno) : failure.extack;

export const failureBody = (failure: Failure): FailureBody => ({
  key: failure.key,
  verb: failure.verb,
  errno: failure.errno,
  message: failureText(failure),
  attempts: failure.attempts,
});

/** What is wrong, by owner: built once per picture, so that a list of 10,000 stays linear. */
export class Troubles {
  readonly #failed = new Map<string, string>();
  readonly #pending = new Map<string, string[]>();
  readonly #unseen: string | null;

  constructor(picture: Picture) {
    this.#unseen = picture.view.ok ? null : `the kernel could not be read: ${picture.view.problem.message}`;
    for (const failure of picture.reconcile.failures) {
      const resource = resourceOf(picture, failure.key);
      if (resource === undefined) continue;
      const id = ownerKey(picture.owners.of(resource));
      const text = `${failure.verb} ${failure.key}: ${failureText(failure)}`;
      if (id !== null && !this.#failed.has(id)) this.#failed.set(id, text);
    }
    for (const { resource } of picture.differences) {
      const id = ownerKey(picture.owners.of(resource));
      if (id === null) continue;
      const list = this.#pending.get(id);
      if (list === undefined) this.#pending.set(id, [printResource(resource)]);
      else list.push(printResource(resource));
    }
  }

  network(network: Network): Health<'ready' | 'pending' | 'failed'> {
    return this.#health(network.id);
  }

  /** A sandbox that is gone explains whatever else is missing, so it comes first. */
  endpoint(endpoint: Endpoint, sandboxExists: (path: string) => boolean): Health<EndpointBody['state']> {
    const { sandbox } = endpoint;
    if (sandbox !== null && !sandboxExists(sandbox.key)) {
      return { state: 'stale', why: `its sandbox ${sandbox.key} is gone` };
    }
    return this.#health(endpoint.id);
  }

  #health(id: string): Health<'ready' | 'pending' | 'failed'> {
    const failed = this.#failed.get(id);
    if (failed !== undefined) return { state: 'failed', why: failed };
    if (this.#unseen !== null) return { state: 'pending', why: this.#unseen };
    const [first, ...rest] = this.#pending.get(id) ?? [];
    if (first === undefined) return { state: 'ready', why: '' };
    return { state: 'pending', why: rest.length === 0 ? first : `${first} and ${rest.length} more` };
  }
}

const ownerKey = ({ network, endpoint }: Owner): string | null => endpoint ?? network;
