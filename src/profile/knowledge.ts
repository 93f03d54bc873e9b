/**
 * What is known of the NICs of this host: their profiles, and what probes of them told. Answers hold
 * for one running firmware; another makes them void, and the NIC is asked again.
 */
import type { FlowRule } from '../ir/flow.ts';
import type { ProbedAnswer } from '../model/firmware.ts';
import type { FirmwareVersion, Nic } from '../model/nic.ts';
import type { LinkKind, NicProfile } from '../model/nic-profile.ts';
import {
  type ProbedFact,
  type ProfileFacts,
  type Refusal,
  refusalOf,
  tableSizeOf,
} from '../place/profile-check.ts';
import type { ProfileSet } from './load.ts';
import { matchProfile } from './match.ts';
import type { ProbeAnswers } from './probe-run.ts';

interface Known {
  readonly firmware: string;
  readonly answers: ReadonlyMap<string, ProbedFact>;
}

export class NicKnowledge {
  readonly #profiles: ProfileSet;
  readonly #known = new Map<string, Known>();

  constructor(profiles: ProfileSet) {
    this.#profiles = profiles;
  }

  profileOf(nic: Nic): NicProfile {
    return matchProfile(this.#profiles, nic);
  }

  /** Whether the NIC should be asked: its profile says so, and this firmware was not asked yet. */
  wantsProbe(nic: Nic): boolean {
    return this.profileOf(nic).probe && this.#current(nic) === null;
  }

  /**
   * Keeps what is conclusive: an open answer may be another one next time. A NIC that told nothing
   * (busy, in reset) counts as not asked.
   */
  learn(nic: Nic, answers: ProbeAnswers): void {
    const conclusive = [...answers].filter(([, { answer }]) => answer !== 'unknown');
    if (conclusive.length === 0) return;
    this.#known.set(nic.handle, { firmware: runningFirmware(nic.firmware), answers: new Map(conclusive) });
  }

  /** It may answer differently now, e.g. after a reload. */
  forget(nic: Pick<Nic, 'handle'>): void {
    this.#known.delete(nic.handle);
  }

  /** What this firmware told when it was asked. */
  answersOf(nic: Nic): readonly ProbedAnswer[] {
    return [...(this.#current(nic)?.answers ?? [])].flatMap(([question, { answer, text }]) =>
      answer === 'unknown' ? [] : [{ question, answer, text }],
    );
  }

  factsOf(nic: Nic): ProfileFacts {
    const answers = this.#current(nic)?.answers;
    const facts = { linkKind: (link: string): LinkKind | null => linkKindOf(nic, link) };
    return answers === undefined ? facts : { ...facts, probed: answers };
  }

  refusal(nic: Nic, rule: FlowRule): Refusal | null {
    return refusalOf(this.profileOf(nic), rule, this.factsOf(nic));
  }

  /** null: not known, found out by ENOSPC. */
  tableSize(nic: Nic): number | null {
    return tableSizeOf(this.profileOf(nic), nic);
  }

  #current(nic: Nic): Known | null {
    const known = this.#known.get(nic.handle);
    return known !== undefined && known.firmware === runningFirmware(nic.firmware) ? known : null;
  }
}

function linkKindOf({ uplinks, functions }: Nic, link: string): LinkKind | null {
  if (uplinks.some(({ name }) => name === link)) return 'uplink';
  return functions.some(({ representor }) => representor?.name === link) ? 'representor' : null;
}

/** Versions that run, by name: what answers of a NIC hold for. */
function runningFirmware(versions: readonly FirmwareVersion[]): string {
  return versions
    .filter(({ kind }) => kind === 'running')
    .map(({ name, value }) => `${name} ${value}`)
    .sort()
    .join(', ');
}
