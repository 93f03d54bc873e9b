/** What the kernel's answer to a put means for the rule and for those like it. */

import type { FlowResult } from '../kernel/flow-port.ts';
import type { OpResult } from '../kernel/port.ts';
import { ERRNO, errnoName } from '../lib/errno.ts';
import type { FlowReason } from '../place/flow-state.ts';

export type PutVerdict =
  | { readonly kind: 'done' }
  /** The table has no room: the budget shrinks. */
  | { readonly kind: 'full'; readonly text: string }
  /** The NIC or its driver cannot: holds for every rule of this shape. */
  | { readonly kind: 'refused'; readonly text: string }
  /** This rule alone, for a while. */
  | { readonly kind: 'later'; readonly reason: FlowReason; readonly text: string };

const { EOPNOTSUPP, EINVAL, ENOSPC, ENODEV, ENXIO, EEXIST, ERANGE, E2BIG, ENOENT } = ERRNO;

const words = ({ errno, extack }: OpResult): string => (extack === '' ? errnoName(errno) : extack);

export function putVerdict(result: FlowResult): PutVerdict {
  const { errno, extack, inHw } = result;
  // A rule that asked for hardware only and did not get it: the NIC dropped it at once.
  if (errno === 0) return inHw ? { kind: 'done' } : { kind: 'later', reason: 'EVICTED', text: extack };
  const text = words(result);
  if (errno === ENOSPC) return { kind: 'full', text };
  if (errno === EOPNOTSUPP || errno === ERANGE || errno === E2BIG) return { kind: 'refused', text };
  // Without a sentence EINVAL may be about this rule's values; with one the driver has judged the rule.
  if (errno === EINVAL) return { kind: 'refused', text };
  if (errno === ENODEV || errno === ENXIO || errno === ENOENT)
    return { kind: 'later', reason: 'LINK_MISSING', text };
  if (errno === EEXIST) return { kind: 'later', reason: 'CONFLICT', text };
  return { kind: 'later', reason: 'RETRY', text };
}

/** Whether after this answer the rule is certainly not there. A link that is gone took its rules along. */
export const isGone = ({ errno }: OpResult): boolean =>
  errno === 0 || errno === ENOENT || errno === ENODEV || errno === ENXIO;
