/** The `-o` options of network type `vlan`: a VLAN of the physical network that a link of the host leads to. */
import { EswError } from '../lib/errors.ts';
import type { VlanSettings } from './network.ts';
import { choice, type RawOptions, refuseValue, wholeNumber } from './option-values.ts';

/** Options that set up a VF, so that they say nothing about a container without one. */
export const VF_OPTIONS = ['trust', 'spoofchk', 'link-state', 'max-tx-rate'] as const;

/** 4095 is reserved (IEEE 802.1Q); 0 is "no tag". */
const VLAN_MAX = 4094;
/** A terabit: far above any NIC, far below the 32 bits of IFLA_VF_RATE. */
const RATE_MAX_MBIT = 1_000_000;
const SWITCH = ['on', 'off'] as const;
const LINK_STATES = ['auto', 'enable', 'disable'] as const;

/** Throws ESW_ERR_OPTION_VALUE, naming the option. `parent` is as given. */
export function parseVlanOptions(raw: RawOptions): VlanSettings {
  const parent = raw['parent'] ?? '';
  if (parent === '') {
    const example = '-o parent=eth1, or the NIC itself, -o parent=pci/0000:3b:00.0';
    throw new EswError('ESW_ERR_OPTION_VALUE', `network type vlan needs the link that leads out: ${example}`);
  }
  if (raw['datapath'] === 'software') refuseVfOptions(raw);
  return {
    parent,
    vlan: number(raw, 'vlan', VLAN_MAX),
    trust: choice(raw, 'trust', SWITCH, 'off') === 'on',
    spoofchk: choice(raw, 'spoofchk', SWITCH, 'on') === 'on',
    linkState: choice(raw, 'link-state', LINK_STATES, 'auto'),
    maxTxRate: number(raw, 'max-tx-rate', RATE_MAX_MBIT),
  };
}

function number(raw: RawOptions, name: string, max: number): number {
  const value = raw[name];
  return value === undefined ? 0 : wholeNumber(name, value, 0, max);
}

/** A promise that no VF is there to keep. */
function refuseVfOptions(raw: RawOptions): void {
  for (const name of VF_OPTIONS) {
    const value = raw[name];
    if (value !== undefined)
      throw refuseValue(name, value, 'a VF is set up so, and datapath=software has none');
  }
}
