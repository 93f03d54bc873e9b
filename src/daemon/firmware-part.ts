/** Profiles of this host's NICs, what is known of them, and control of their firmware. */
import { join } from 'node:path';
import type { NicPort } from '../kernel/nic-port.ts';
import { EswError } from '../lib/errors.ts';
import type { FirmwareControl } from '../model/firmware.ts';
import type { Intent } from '../model/intent.ts';
import type { Nic } from '../model/nic.ts';
import type { InventoryKeeper } from '../nic/inventory-keeper.ts';
import { NicFirmware } from '../profile/firmware-control.ts';
import { NicKnowledge } from '../profile/knowledge.ts';
import { loadProfiles } from '../profile/load.ts';
import { PendingResets } from '../profile/pending-resets.ts';
import type { Config } from './config.ts';
import type { Logger } from './logger.ts';

export interface FirmwarePart {
  readonly control: FirmwareControl;
  readonly knowledge: NicKnowledge;
}

export interface FirmwarePartDeps {
  readonly config: Pick<Config, 'profilesDir' | 'runDir'>;
  readonly keeper: InventoryKeeper;
  readonly log: Logger;
  /** null while the kernel part is not up. */
  nics(): NicPort | null;
  intent(): Intent;
}

/** Throws ESW_ERR_PROFILE_INVALID. */
export function createFirmwarePart({ config, keeper, log, nics, intent }: FirmwarePartDeps): FirmwarePart {
  const profiles = loadProfiles(config.profilesDir);
  const knowledge = new NicKnowledge(profiles);
  const port = (): NicPort => {
    const found = nics();
    if (found === null)
      throw keeper.problem ?? new EswError('ESW_ERR_RECONCILE_TIMEOUT', 'the daemon is starting');
    return found;
  };
  const control = new NicFirmware({
    profiles,
    pending: new PendingResets(join(config.runDir, 'firmware-pending.json')),
    nics: {
      inventory: () => keeper.refresh(),
      params: async nic => port().params(nic),
      apply: async ops => port().apply(ops),
    },
    probed: nic => knowledge.answersOf(nic),
    containersOn: nic => endpointsOn(nic, intent()),
    onReload: nic => {
      log.info({ nic: nic.handle }, 'firmware or driver of a NIC started anew');
      // Even the same firmware may answer differently with other parameters.
      knowledge.forget(nic);
      void keeper.refresh().catch(() => undefined);
    },
  });
  return { control, knowledge };
}

/** Endpoints whose container would lose its link: functions of the NIC, and ports over its uplinks. */
function endpointsOn(nic: Nic, { endpoints, networks }: Intent): string[] {
  const parents = new Set(nic.uplinks.map(({ name }) => name));
  return [...endpoints.values()]
    .filter(({ sandbox, vf, networkId }) => {
      if (sandbox === null) return false;
      if (vf !== null) return vf.nic === nic.handle;
      return parents.has(networks.get(networkId)?.vlan?.parent ?? '');
    })
    .map(({ id, networkId }) => `endpoint ${id.slice(0, 12)} of network ${networkId.slice(0, 12)}`);
}
