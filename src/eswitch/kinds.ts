/** The kinds of eswitch (DESIGN §2): which of them this host has, and why it has no better one. */
import type { EswitchBackend, EswitchKind, HostFacts } from './backend.ts';
import { legacy } from './legacy.ts';
import { software } from './software.ts';
import { switchdev } from './switchdev.ts';

/** Best first: the first one available is what `datapath=auto` takes. */
export const BACKENDS: readonly EswitchBackend[] = [switchdev, legacy, software];

/** The eswitch of this host. */
export interface EswitchChoice {
  readonly kind: EswitchKind;
  readonly mechanism: string;
  /** Why this kind: what the better ones lack, or what is wrong with this one. */
  readonly why: string;
}

/** Picks the best kind; the software eswitch is the answer when nothing better is there. */
export function detectEswitch(facts: HostFacts): EswitchChoice {
  const missing: string[] = [];
  for (const backend of BACKENDS) {
    const { answer, mechanism, why } = backend.availability(facts);
    if (answer === 'yes' && backend.kind !== 'software') return { kind: backend.kind, mechanism, why };
    if (backend.kind === 'software') {
      if (answer !== 'yes') missing.unshift(why);
      return { kind: 'software', mechanism, why: missing.join('; ') };
    }
    if (!missing.includes(why)) missing.push(why);
  }
  throw new RangeError('BACKENDS must end with the software eswitch');
}
