/** Which profile a NIC has. Pure. */
import { compareVersions } from '../lib/version.ts';
import type { FirmwareVersion, Nic } from '../model/nic.ts';
import type { NicProfile, ProfileMatch } from '../model/nic-profile.ts';
import type { ProfileSet } from './load.ts';

export type MatchableNic = Pick<Nic, 'driver' | 'pci' | 'firmware'>;

/** The closest profile: by device, then by driver alone, else the generic one. */
export function matchProfile({ known, generic }: ProfileSet, nic: MatchableNic): NicProfile {
  const fitting = known.filter(({ match }) => matches(match, nic));
  const closest = fitting.find(({ match }) => (match.pci?.length ?? 0) > 0) ?? fitting[0];
  return (closest ?? generic).profile;
}

/** Version of that name: the running one, else the fixed, else the stored. */
export function versionOf(versions: readonly FirmwareVersion[], name: string): string | null {
  for (const kind of ['running', 'fixed', 'stored']) {
    const found = versions.find(version => version.name === name && version.kind === kind);
    if (found !== undefined) return found.value;
  }
  return null;
}

function matches({ drivers, pci = [], firmware }: ProfileMatch, nic: MatchableNic): boolean {
  if (!drivers.includes(nic.driver)) return false;
  const device = nic.pci;
  if (pci.length > 0) {
    if (device === null) return false;
    const known = pci.some(
      ({ vendor, devices }) => vendor === device.vendor && devices.includes(device.device),
    );
    if (!known) return false;
  }
  if (firmware === undefined) return true;
  const version = versionOf(nic.firmware, firmware.version);
  if (version === null) return false;
  if (firmware.min !== undefined && compareVersions(version, firmware.min) < 0) return false;
  return firmware.max === undefined || compareVersions(version, firmware.max) <= 0;
}
