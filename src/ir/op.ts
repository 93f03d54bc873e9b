import type { FibEntry, Resource } from './resource.ts';

/**
 * One step of a plan. Every operation is idempotent: `create` and `update` both mean "be as
 * `resource` says", `delete` of what is absent succeeds. `swap-fib` replaces the whole forwarding
 * table by a new generation: a packet sees the old table or the new one, never a mixture.
 */
export type Op =
  | { readonly verb: 'create' | 'update'; readonly resource: Resource }
  | { readonly verb: 'delete'; readonly resource: Resource }
  | { readonly verb: 'swap-fib'; readonly key: 'swap-fib'; readonly entries: readonly FibEntry[] };
