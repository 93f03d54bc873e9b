/** The offload put together: engine, view and the facts about NICs that they go by. */
import type { FlowPort } from '../kernel/flow-port.ts';
import type { KernelPort } from '../kernel/port.ts';
import { ERRNO } from '../lib/errno.ts';
import type { Identity } from '../model/intent.ts';
import { functionKey, type Inventory } from '../model/nic.ts';
import { OffloadEngine, type PollReport } from '../offload/engine.ts';
import type { CacheFacts } from '../offload/nic-cache.ts';
import { OffloadView } from '../offload/view.ts';
import type { Refusal } from '../place/profile-check.ts';
import type { NicKnowledge } from '../profile/knowledge.ts';
import { systemClock } from '../reconcile/clock.ts';
import type { Store } from '../store/port.ts';
import type { Logger } from './logger.ts';

export interface OffloadPartDeps {
  readonly identity: Identity;
  readonly store: Store;
  readonly kernel: KernelPort;
  readonly flows: FlowPort;
  readonly knowledge: Pick<NicKnowledge, 'refusal' | 'tableSize'>;
  inventory(): Inventory;
  readonly log: Logger;
}

export interface OffloadPart {
  readonly engine: OffloadEngine;
  readonly view: OffloadView;
}

const FIELD_CODES: ReadonlySet<Refusal['code']> = new Set(['NO_FIELD', 'MASK', 'NO_PROTOCOL']);

const reasonOf = ({ code }: Refusal): 'NO_FIELD' | 'NO_ACTION' | 'DRIVER_REJECT' => {
  if (FIELD_CODES.has(code)) return 'NO_FIELD';
  return code === 'NO_OFFLOAD' ? 'DRIVER_REJECT' : 'NO_ACTION';
};

function factsFrom(knowledge: OffloadPartDeps['knowledge']): CacheFacts {
  return {
    tableSize: nic => knowledge.tableSize(nic),
    refusal: (nic, rule) => {
      const refusal = knowledge.refusal(nic, rule);
      return refusal && { reason: reasonOf(refusal), text: refusal.text };
    },
  };
}

/** Polls that found the kernel as it should be and changed nothing are not worth a line. */
function logPoll(log: Logger, report: PollReport): void {
  const { put, refused, deleted, missing, changed, evicted, stuck, leftOver, adopted } = report;
  if (missing + changed + evicted + stuck > 0) log.warn({ report }, 'rules in hardware were not as put');
  else if (refused > 0) log.info({ report }, 'rules refused by the NIC: software forwards instead');
  else if (put + deleted + leftOver + adopted > 0) log.debug({ report }, 'rules in hardware changed');
}

export function createOffloadPart(deps: OffloadPartDeps): OffloadPart {
  const { identity, store, kernel, flows, knowledge, inventory, log } = deps;
  const engine = new OffloadEngine({
    identity,
    store,
    flows,
    facts: factsFrom(knowledge),
    clock: systemClock,
    inventory,
    pairs: () => kernel.pairCounters(),
    onPoll: report => logPoll(log, report),
    onError: error => log.error({ err: error }, 'the rules of NICs cannot be read or written'),
  });
  return { engine, view: new OffloadView(engine, flows) };
}

/**
 * Gives functions back only when no rule delivers to them any more, whatever became of their port: a
 * port that fell back to a veth pair keeps its name, and one that would not go is given up in the end.
 */
export function retiringFirst(
  kernel: Pick<KernelPort, 'giveBack'>,
  engine: Pick<OffloadEngine, 'retire'>,
  inventory: () => Inventory,
): Pick<KernelPort, 'giveBack'> {
  return {
    giveBack: async (ref, before) => {
      const key = functionKey(ref);
      const all = inventory().nics.flatMap(nic => nic.functions);
      const rep = all.find(each => functionKey(each.ref) === key)?.representor?.name;
      const [held] = rep === undefined ? [] : await engine.retire([rep]);
      if (held !== undefined) return { errno: ERRNO.EBUSY, extack: held.text };
      return kernel.giveBack(ref, before);
    },
  };
}
