/** What the placement pass and the eswitch kinds say, as the API shows it. */
import { backendOf } from '../eswitch/kinds.ts';
import type { Resource } from '../ir/resource.ts';
import type { Probe } from '../kernel/port.ts';
import type { NetSlot } from '../lib/brand.ts';
import type { Network } from '../model/network.ts';
import type { Inventory } from '../model/nic.ts';
import type { Placement, RulePlace } from '../observe/sources.ts';
import { type Capabilities, capabilitiesOf } from '../place/capabilities.ts';
import { chooseDatapath } from '../place/datapath.ts';
import { nicsOf } from '../place/function-choice.ts';
import { place } from '../place/place.ts';

interface PlacementDeps {
  probes(): readonly Probe[];
  networks(): Iterable<Network>;
  inventory(): Inventory;
}

export function createPlacement({ probes, networks, inventory }: PlacementDeps): Placement {
  const capabilities = (uplink?: string): Capabilities =>
    capabilitiesOf(probes(), nicsOf(inventory(), uplink));
  return {
    eswitch: (seen, hookMode) => {
      const verdict = chooseDatapath({ datapath: 'auto', require: 'any' }, capabilitiesOf(seen, inventory()));
      const backend = backendOf(verdict.verdict === 'chosen' ? verdict.kind : 'software');
      return {
        kind: backend.kind,
        mechanism: backend.mechanism({ probes: seen, hookMode }),
        why: verdict.why,
      };
    },
    datapath: network => {
      const verdict = chooseDatapath(network, capabilities(network.vlan?.parent));
      if (verdict.verdict === 'refused') return { used: 'none', why: verdict.why };
      return { used: backendOf(verdict.kind).kind, why: verdict.why };
    },
    rules: resources => {
      const entries = [...resources].filter(resource => resource.kind === 'fib-entry');
      const bySlot = new Map<NetSlot, Network>([...networks()].map(network => [network.slot, network]));
      const placed = place(entries, bySlot, capabilities());
      return (resource: Resource): RulePlace | null => {
        const found = placed.get(resource.key);
        if (found === undefined) return null;
        return { where: found.where, reason: found.where === 'hardware' ? '' : found.text };
      };
    },
  };
}
