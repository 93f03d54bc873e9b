/** What this host's eswitches can take, as `place` needs to know it. */
import type { Inventory, Nic, NicFunction } from '../model/nic.ts';

/** One kind of eswitch, and why it is or is not there. */
export interface Capability {
  readonly available: boolean;
  /** What is there, or what is missing. */
  readonly why: string;
}

export interface Capabilities {
  readonly software: Capability;
  /** A NIC whose eswitch is in switchdev mode and takes flower rules. */
  readonly switchdev: Capability;
  /** A NIC with VFs in legacy mode. */
  readonly sriov: Capability;
  /** Forwarding entries that the hardware table takes; 0 without one. */
  readonly hardwareEntries: number;
}

/** A probe's outcome; structurally the kernel port's. */
export interface ProbeAnswer {
  readonly name: string;
  readonly answer: 'yes' | 'no' | 'unknown';
  readonly reason: string;
}

/** Without these the software eswitch cannot forward at all. */
const SOFTWARE_NEEDS = ['bpf_syscall', 'sched_cls', 'redirect_peer', 'map_in_map', 'veth'];

/** Entries of a table whose size a NIC does not tell; a full table is found out by its refusals. */
const ASSUMED_ENTRIES = 65_536;

const NOTHING: Inventory = { nics: [] };

/**
 * From the probes of the kernel and the NICs that are there. Which VFs are free is the business of
 * whoever hands them out.
 */
export function capabilitiesOf(probes: readonly ProbeAnswer[], inventory: Inventory = NOTHING): Capabilities {
  const missing = SOFTWARE_NEEDS.flatMap(name => {
    const probe = probes.find(each => each.name === name);
    return probe?.answer === 'no' ? [probe.reason === '' ? name : `${name} (${probe.reason})`] : [];
  });
  const software: Capability =
    missing.length === 0
      ? { available: true, why: 'eBPF programs forward every packet' }
      : { available: false, why: `the kernel lacks ${missing.join(', ')}` };
  const offloading = inventory.nics.filter(nic => switchdevProblem(nic) === null);
  return {
    software,
    switchdev: switchdevOf(probes, inventory, offloading),
    sriov: sriovOf(probes, inventory),
    hardwareEntries: offloading.reduce((sum, nic) => sum + tableSize(nic), 0),
  };
}

/** Why this NIC offloads no flows of containers; null when it does. */
export function switchdevProblem(nic: Nic): string | null {
  if (nic.eswitch?.mode !== 'switchdev') return 'it is in legacy mode';
  if (nic.uplinks.length === 0) return 'its uplink is not in the host namespace';
  if (nic.tcOffload === false) return 'hw-tc-offload is off';
  if (nic.vfsEnabled === 0 && nic.functions.length === 0) return 'it has no VFs';
  return nic.functions.some(usable) ? null : 'none of its VFs has a representor';
}

/** Why this NIC has no VFs for containers that go to the physical network directly; null when it has. */
export function sriovProblem(nic: Nic): string | null {
  if (nic.eswitch?.mode === 'switchdev') return 'it is in switchdev mode';
  if (nic.uplinks.length === 0) return 'its uplink is not in the host namespace';
  if (nic.vfsTotal === 0) return 'it has no SR-IOV';
  return nic.vfsEnabled === 0 ? `none of its ${nic.vfsTotal} VFs is enabled (sriov_numvfs)` : null;
}

function switchdevOf(
  probes: readonly ProbeAnswer[],
  { nics }: Inventory,
  offloading: readonly Nic[],
): Capability {
  if (offloading.length > 0) return { available: true, why: offloading.map(described).join(', ') };
  const near = nics.filter(nic => nic.eswitch?.mode === 'switchdev');
  if (near.length > 0) {
    const why = near.map(nic => `${nic.handle} is in switchdev mode, but ${switchdevProblem(nic)}`);
    return { available: false, why: why.join('; ') };
  }
  const could = nics.filter(nic => nic.eswitch !== null);
  if (could.length > 0) {
    const names = could.map(nic => nic.handle).join(', ');
    return { available: false, why: `no NIC is in switchdev mode; in legacy mode: ${names}` };
  }
  return absent('this host has no NIC in switchdev mode', ['devlink', 'flower'], probes);
}

function sriovOf(probes: readonly ProbeAnswer[], { nics }: Inventory): Capability {
  const legacy = nics.filter(nic => sriovProblem(nic) === null);
  if (legacy.length > 0) return { available: true, why: legacy.map(described).join(', ') };
  const could = nics.filter(nic => nic.eswitch?.mode !== 'switchdev' && nic.vfsTotal > 0);
  if (could.length > 0) {
    const names = could.map(nic => `${nic.handle} (0 of ${nic.vfsTotal})`).join(', ');
    return { available: false, why: `no legacy NIC has VFs enabled: ${names}` };
  }
  return absent('this host has no NIC with SR-IOV VFs', ['sriov'], probes);
}

const usable = (each: NicFunction): boolean => each.representor !== null;

const described = (nic: Nic): string => `${nic.driver} ${nic.handle}, ${nic.functions.length} VFs`;

/** The first resource that is about flows, e.g. "flows". */
const tableSize = (nic: Nic): number =>
  nic.resources.find(each => /flow/i.test(each.name))?.size ?? ASSUMED_ENTRIES;

function absent(what: string, needs: readonly string[], probes: readonly ProbeAnswer[]): Capability {
  const lacking = needs.filter(name => probes.find(probe => probe.name === name)?.answer === 'no');
  return {
    available: false,
    why: lacking.length === 0 ? what : `${what}, and its kernel lacks ${lacking.join(', ')}`,
  };
}
