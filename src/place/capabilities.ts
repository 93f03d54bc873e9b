/** What this host's eswitches can take, as `place` needs to know it. */

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

/**
 * From the probes of the kernel. They tell what the kernel could drive; that a NIC is there and in
 * which mode is known from devlink, which no NIC of this host has answered, so both hardware kinds
 * are absent.
 */
export function capabilitiesOf(probes: readonly ProbeAnswer[]): Capabilities {
  const missing = SOFTWARE_NEEDS.flatMap(name => {
    const probe = probes.find(each => each.name === name);
    return probe?.answer === 'no' ? [probe.reason === '' ? name : `${name} (${probe.reason})`] : [];
  });
  const software: Capability =
    missing.length === 0
      ? { available: true, why: 'eBPF programs forward every packet' }
      : { available: false, why: `the kernel lacks ${missing.join(', ')}` };
  return {
    software,
    switchdev: absent('this host has no NIC in switchdev mode', ['devlink', 'flower'], probes),
    sriov: absent('this host has no NIC with SR-IOV VFs', ['sriov'], probes),
    hardwareEntries: 0,
  };
}

function absent(what: string, needs: readonly string[], probes: readonly ProbeAnswer[]): Capability {
  const lacking = needs.filter(name => probes.find(probe => probe.name === name)?.answer === 'no');
  return {
    available: false,
    why: lacking.length === 0 ? what : `${what}, and its kernel lacks ${lacking.join(', ')}`,
  };
}
