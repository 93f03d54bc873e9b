/** Whether the keys of one owner are in place, and if not, why: in the kernel's words. */

import type { Snapshot } from '../kernel/port.ts';
import { errnoName } from '../lib/errno.ts';
import { EswError } from '../lib/errors.ts';
import { HOST_OWNER, type Tracker } from '../plan/tracker.ts';
import type { Failures } from './failures.ts';
import type { Failure } from './port.ts';
import type { ScopeState } from './waiters.ts';

export class Scopes {
  /** As seen in the last full look. */
  foreign: Snapshot['foreign'] = [];
  readonly #tracker: Tracker;
  readonly #failures: Failures;

  constructor(tracker: Tracker, failures: Failures) {
    this.#tracker = tracker;
    this.#failures = failures;
  }

  /** A scope is done when no key of its own is pending, whatever links are still to be deleted. */
  stateOf(scope: string): ScopeState {
    if (this.#tracker.pendingOf(scope).length === 0) return 'done';
    // What every port stands on says more about the cause than the port's own refusal.
    for (const key of [...this.#tracker.parkedOf(HOST_OWNER), ...this.#tracker.parkedOf(scope)]) {
      const failure = this.#failures.final(key);
      if (failure !== null) return this.#refusal(failure);
    }
    return 'pending';
  }

  /** The last refusal that concerns `scope`, "" when there was none. */
  lastWords(scope: string): string {
    for (const key of [...this.#tracker.parkedOf(HOST_OWNER), ...this.#tracker.pendingOf(scope)]) {
      const failure = this.#failures.last(key);
      if (failure !== null) return words(failure);
    }
    return '';
  }

  #refusal(failure: Failure): EswError {
    const foreign = this.foreign.find(each => each.key === failure.key);
    if (foreign !== undefined)
      return new EswError('ESW_ERR_KERNEL_FOREIGN', `${failure.key}: ${foreign.what}`);
    return new EswError('ESW_ERR_KERNEL_REFUSED', words(failure));
  }
}

function words({ verb, key, errno, extack }: Failure): string {
  return `${verb} ${key}: ${errnoName(errno)}${extack === '' ? '' : ` (${extack})`}`;
}
