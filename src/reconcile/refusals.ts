/** What a refusal means, decided once by errno. */
import type { Op } from '../ir/op.ts';
import { ERRNO } from '../lib/errno.ts';

export type RefusalClass =
  /** Passes by itself: try again soon, and again. */
  | 'retriable'
  /** Something is there already: look, then try once more. */
  | 'replace'
  /** A delete found nothing to delete. */
  | 'already-done'
  /** This kernel cannot, or has no room: a fact, until the next full look. */
  | 're-place'
  /** What it refers to is gone: look, then try again. */
  | 'identity-lost'
  /** Not permitted, or a defect. */
  | 'fatal';

const { EAGAIN, ENOBUFS, EBUSY, EINTR, ENOMEM, ENFILE, EMFILE, ETIMEDOUT } = ERRNO;
const { EOPNOTSUPP, ENOSPC, EINVAL, E2BIG, ERANGE, ENOSYS } = ERRNO;
const { ENOENT, ENODEV, ESRCH, ENXIO, EADDRNOTAVAIL, EEXIST } = ERRNO;

const RETRIABLE: readonly number[] = [EAGAIN, ENOBUFS, EBUSY, EINTR, ENOMEM, ENFILE, EMFILE, ETIMEDOUT];
const CANNOT: readonly number[] = [EOPNOTSUPP, ENOSPC, EINVAL, E2BIG, ERANGE, ENOSYS];
const GONE: readonly number[] = [ENOENT, ENODEV, ESRCH, ENXIO];

export function classify(verb: Op['verb'], errno: number): RefusalClass {
  if (verb === 'delete' && (GONE.includes(errno) || errno === EADDRNOTAVAIL)) return 'already-done';
  if (RETRIABLE.includes(errno)) return 'retriable';
  if (CANNOT.includes(errno)) return 're-place';
  if (GONE.includes(errno)) return 'identity-lost';
  return errno === EEXIST ? 'replace' : 'fatal';
}

/** Attempts after which a refusal is told to whoever waits; it is tried again all the same. */
export const FINAL_AFTER: Readonly<Record<Exclude<RefusalClass, 'already-done'>, number>> = {
  retriable: Number.POSITIVE_INFINITY,
  replace: 2,
  're-place': 1,
  'identity-lost': 3,
  fatal: 1,
};

/** Classes after which the kernel must be looked at before another attempt makes sense. */
export const NEEDS_LOOK: ReadonlySet<RefusalClass> = new Set(['replace', 'identity-lost']);
