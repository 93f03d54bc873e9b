/** What the API may ask of the NICs, put together: inventory, uses, profiles, the eswitch lifecycle. */
import type { FlowPort } from '../kernel/flow-port.ts';
import type { NicPort } from '../kernel/nic-port.ts';
import { EswError } from '../lib/errors.ts';
import { functionUses, type LedgerRow } from '../model/function-use.ts';
import type { Intent } from '../model/intent.ts';
import { type DevlinkHandle, functionKey, type Nic } from '../model/nic.ts';
import type { NicChange, NicControl } from '../model/nic-control.ts';
import { findNic } from '../model/nic-names.ts';
import { EswitchLifecycle, type EswitchOutcome } from '../nic/eswitch-lifecycle.ts';
import type { InventoryKeeper } from '../nic/inventory-keeper.ts';
import type { OffloadEngine } from '../offload/engine.ts';
import { switchdevProblem } from '../place/capabilities.ts';
import { type FunctionUser, stateText, stepText } from '../plan/eswitch-mode.ts';
import type { NicKnowledge } from '../profile/knowledge.ts';
import { GENERIC } from '../profile/load.ts';

/** What is there only while the kernel part is up. */
export interface NicKernel {
  readonly nics: NicPort;
  readonly flows: FlowPort;
  readonly engine: Pick<OffloadEngine, 'pause' | 'resume'>;
}

export interface NicPartDeps {
  readonly keeper: InventoryKeeper;
  readonly knowledge: Pick<NicKnowledge, 'profileOf'>;
  intent(): Intent;
  ledger(): Iterable<LedgerRow>;
  /** null while the kernel part is not up. */
  kernel(): NicKernel | null;
}

export function createNicControl(deps: NicPartDeps): NicControl {
  const { keeper, knowledge } = deps;
  let lifecycle: { readonly kernel: NicKernel; readonly eswitch: EswitchLifecycle } | null = null;
  const eswitch = (): EswitchLifecycle => {
    const kernel = deps.kernel();
    if (kernel === null)
      throw keeper.problem ?? new EswError('ESW_ERR_RECONCILE_TIMEOUT', 'the daemon is starting');
    // One for each kernel part, so that two changes of a NIC know of each other.
    if (lifecycle?.kernel.nics !== kernel.nics)
      lifecycle = { kernel, eswitch: createLifecycle(deps, kernel) };
    return lifecycle.eswitch;
  };
  return {
    inventory: () => keeper.refresh(),
    uses: ({ nics }) =>
      functionUses(nics, { endpoints: deps.intent().endpoints.values(), ledger: deps.ledger() }),
    facts: handle => {
      const nic = keeper.nic(handle as DevlinkHandle);
      if (nic === undefined) return { profile: '', offloadProblem: 'it has gone away' };
      return { profile: knowledge.profileOf(nic).title, offloadProblem: switchdevProblem(nic) };
    },
    change: async (name, wish, options) => {
      const { handle } = findNic((await keeper.refresh()).nics, name);
      const outcome = await eswitch().change(handle, wish, options);
      return changeBody(outcome, options.dryRun);
    },
  };
}

function createLifecycle(
  { keeper, knowledge, intent, ledger }: NicPartDeps,
  kernel: NicKernel,
): EswitchLifecycle {
  return new EswitchLifecycle({
    nics: kernel.nics,
    flows: kernel.flows,
    keeper,
    users: nic => usersOf(nic, intent(), ledger()),
    quirks: nic => {
      const { id, quirks } = knowledge.profileOf(nic);
      return id === GENERIC ? null : new Map(quirks.map(quirk => [quirk.id, quirk.text]));
    },
    onModeChange: async (nic, clear) => {
      await kernel.engine.pause(nic.handle, 'its eswitch is being changed', clear);
      return () => kernel.engine.resume(nic.handle);
    },
  });
}

/** Functions that must not go away unasked: those of containers, and those that others have. */
function usersOf(nic: Nic, { endpoints }: Intent, ledger: Iterable<LedgerRow>): FunctionUser[] {
  const uses = functionUses([nic], { endpoints: endpoints.values(), ledger });
  return nic.functions.flatMap(({ ref }) => {
    const key = functionKey(ref);
    const use = uses.get(key);
    if (use?.state === 'foreign') return [{ key, who: use.why }];
    if (use?.state !== 'used') return [];
    const network = use.endpoint === null ? undefined : endpoints.get(use.endpoint)?.networkId;
    const id = (text: string): string => text.slice(0, 12);
    const where = network === undefined ? '' : ` of network ${id(network)}`;
    return [{ key, who: `endpoint ${id(use.endpoint ?? '?')}${where}` }];
  });
}

function changeBody({ verdict, steps, nic }: EswitchOutcome, dryRun: boolean): NicChange {
  const isNothing = verdict.verdict === 'nothing';
  return {
    nic: nic.handle,
    result: isNothing ? 'nothing' : dryRun ? 'planned' : 'done',
    now: stateText(nic),
    steps: steps.map(({ step, state, error }) => ({ text: stepText(step), why: step.why, state, error })),
    disturbed: isNothing ? [] : verdict.disturbed.map(({ key, who }) => `${key} (${who})`),
    notes: isNothing ? [] : [...verdict.notes],
  };
}
