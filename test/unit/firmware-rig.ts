/** A host with the model's NICs, and firmware control over them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DevlinkParam } from '../../src/kernel/nic-port.ts';
import { type SimNicSpec, SimNics } from '../../src/kernel/sim/nics.ts';
import type { FirmwareVersion } from '../../src/model/nic.ts';
import { NicFirmware } from '../../src/profile/firmware-control.ts';
import { loadProfiles } from '../../src/profile/load.ts';
import { PendingResets } from '../../src/profile/pending-resets.ts';

export const PROFILES = loadProfiles(new URL('../../firmware-profiles', import.meta.url).pathname);
export const SIMNIC = 'simnic/nic0';

export const versions = (name: string, running: string, stored: string): FirmwareVersion[] => [
  { name, kind: 'running', value: running },
  { name, kind: 'stored', value: stored },
];

const param = (
  name: string,
  type: DevlinkParam['type'],
  cmode: 'runtime' | 'driverinit' | 'permanent',
  value: string,
): DevlinkParam => ({ name, type, values: [{ cmode, value }] });

/** A simnic as it comes: older than its profile wants, every parameter as the driver sets it. */
export const FRESH: SimNicSpec = {
  handle: SIMNIC,
  driver: 'simnic',
  uplink: 'sim0',
  vfsTotal: 8,
  firmware: [
    { name: 'fw.psid', kind: 'fixed', value: 'SIM0000000001' },
    ...versions('fw', '22.41.1000', '22.41.1000'),
  ],
  params: [
    param('flow_steering_mode', 'string', 'runtime', 'dmfs'),
    param('enable_sriov', 'bool', 'permanent', 'true'),
    param('max_macs', 'u32', 'driverinit', '128'),
  ],
};

export const MLX5: SimNicSpec = {
  handle: 'pci/0000:3b:00.0',
  driver: 'mlx5_core',
  uplink: 'enp59s0f0np0',
  pci: { vendor: '15b3', device: '101d' },
  mode: 'switchdev',
  vfsTotal: 0,
  firmware: versions('fw.version', '22.35.1012', '22.41.1000'),
  params: [param('flow_steering_mode', 'string', 'runtime', 'dmfs')],
};

export const IGB: SimNicSpec = {
  handle: 'pci/0000:01:00.0',
  driver: 'igb',
  uplink: 'eno1',
  devlink: false,
  pci: { vendor: '8086', device: '10c9' },
  vfsTotal: 7,
};

/** Of a family that no profile knows. */
export const NEWNIC: SimNicSpec = {
  handle: 'pci/0000:41:00.0',
  driver: 'newnic',
  uplink: 'ens41',
  mode: 'switchdev',
  pci: { vendor: '1d0f', device: 'ec20' },
  firmware: versions('fw', '1.0', '1.0'),
};

export const NO_WISHES = { file: null, component: null, vfs: 8 } as const;

export class FirmwareRig {
  readonly directory = mkdtempSync(join(tmpdir(), 'eswitch-firmware-'));
  readonly nics: SimNics;
  control: NicFirmware;
  containers: string[] = [];
  reloads = 0;

  constructor(specs: readonly SimNicSpec[]) {
    this.nics = new SimNics(specs);
    this.control = this.restart();
  }

  /** A new daemon of the same boot. */
  restart(): NicFirmware {
    this.control = new NicFirmware({
      nics: this.nics,
      profiles: PROFILES,
      pending: new PendingResets(join(this.directory, 'pending.json')),
      containersOn: () => this.containers,
      probed: nic =>
        nic.driver === 'newnic'
          ? [
              { question: 'field:eth_dst', answer: 'yes', text: '' },
              { question: 'action:mirror', answer: 'no', text: 'newnic: mirroring is not supported' },
            ]
          : [],
      onReload: () => {
        this.reloads++;
      },
    });
    return this.control;
  }

  end(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
