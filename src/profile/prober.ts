/** Asks the NICs whose profile leaves it open, once for each firmware that runs. */
import type { FlowPort } from '../kernel/flow-port.ts';
import { asEswError, type EswError } from '../lib/errors.ts';
import type { Inventory, Nic } from '../model/nic.ts';
import type { NicKnowledge } from './knowledge.ts';
import type { ProbeLinks } from './probe-question.ts';
import { type ProbeAnswers, probeNic } from './probe-run.ts';

export interface ProberDeps {
  readonly flows: FlowPort;
  readonly knowledge: NicKnowledge;
  /** A vxlan device to ask about tunnels with, null: such questions stay open. */
  tunnel?(): string | null;
  onProbed?(nic: Nic, answers: ProbeAnswers): void;
  onError?(nic: Nic, error: EswError): void;
}

export class NicProber {
  readonly #deps: ProberDeps;
  #running: Promise<void> = Promise.resolve();

  constructor(deps: ProberDeps) {
    this.#deps = deps;
  }

  /** Resolves when all NICs that want it have been asked. One after the other; calls queue up. */
  probe({ nics }: Inventory): Promise<void> {
    this.#running = this.#running.then(async () => {
      for (const nic of nics) await this.#probeOne(nic);
    });
    return this.#running;
  }

  async #probeOne(nic: Nic): Promise<void> {
    const { flows, knowledge, tunnel, onProbed, onError } = this.#deps;
    const links = probeLinks(nic, tunnel?.() ?? null);
    if (links === null || !knowledge.wantsProbe(nic)) return;
    try {
      const answers = await probeNic(flows, links);
      knowledge.learn(nic, answers);
      onProbed?.(nic, answers);
    } catch (error) {
      onError?.(nic, asEswError(error));
    }
  }
}

/** A representor to ask on and a port to send to; null while there is none. */
export function probeLinks({ eswitch, functions, uplinks }: Nic, tunnel: string | null): ProbeLinks | null {
  if (eswitch?.mode !== 'switchdev') return null;
  const [on, other] = functions.flatMap(({ representor }) =>
    representor === null ? [] : [representor.name],
  );
  const to = other ?? uplinks[0]?.name;
  return on === undefined || to === undefined ? null : { on, to, tunnel };
}
