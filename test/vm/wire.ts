/**
 * A cable between NICs of guests: Ethernet frames as datagrams over two unix sockets. Either side may
 * come late, or go and return (a guest's reboot): frames sent meanwhile are lost, as on a real cable.
 */
import { join } from 'node:path';
import type { Scope } from '../lab/scope.ts';

export interface WireEnd {
  /** Socket of this end, made by its guest. */
  readonly local: string;
  readonly remote: string;
}

export interface Wire {
  readonly a: WireEnd;
  readonly b: WireEnd;
}

/** A wire to plug one NIC into at each end; it goes with the scope. */
export function makeWire(scope: Scope): Wire {
  const dir = scope.tempDir('wire');
  const [a, b] = [join(dir, 'a'), join(dir, 'b')];
  return { a: { local: a, remote: b }, b: { local: b, remote: a } };
}
