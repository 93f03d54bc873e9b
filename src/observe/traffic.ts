/** Counters of the ports that exist now, by port, network and host. */
import type { Counters, DropCounter, PortCounters } from '../kernel/port.ts';
import type { PortSlot } from '../lib/brand.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Network } from '../model/network.ts';
import type { EndpointBody } from '../wire/api/endpoint.ts';
import type { NetworkBody } from '../wire/api/network.ts';
import type { Status } from '../wire/api/status.ts';
import { addTo, emptySum, NO_COUNTERS, type Sum, toShare, toTally } from './count.ts';
import { sumDrops } from './drops.ts';
import type { Hardware } from './hardware.ts';

/** Of both layers; a packet is counted by the one that forwarded it. */
interface Sums {
  /** Of what was forwarded. */
  readonly byHardware: Sum;
  readonly fromContainers: Sum;
  readonly toContainers: Sum;
  readonly fromHost: Sum;
  readonly toHost: Sum;
}

/** Every packet leaves the switch through one port at most, so what went out is what was forwarded. */
function forwarded({ toContainers, toHost }: Sums): Sum {
  return {
    packets: toContainers.packets + toHost.packets,
    bytes: toContainers.bytes + toHost.bytes,
  };
}

const minus = (all: Sum, part: Sum): Sum => ({
  packets: all.packets - part.packets,
  bytes: all.bytes - part.bytes,
});

const plus = (a: Sum, b: Sum): Sum => ({ packets: a.packets + b.packets, bytes: a.bytes + b.bytes });

/** Counters of software indexed by slot, and what hardware forwarded. */
export class Traffic {
  readonly #ports: Counters['ports'];
  readonly #drops: readonly DropCounter[];
  readonly #dropsBySlot: ReadonlyMap<number, DropCounter[]>;
  readonly #hardware: Hardware;

  constructor(counters: Counters, hardware: Hardware) {
    this.#ports = counters.ports;
    this.#drops = counters.drops;
    this.#dropsBySlot = Map.groupBy(counters.drops, drop => drop.slot);
    this.#hardware = hardware;
  }

  endpoint(endpoint: Endpoint): EndpointBody['traffic'] {
    const port = this.#port(endpoint.slot);
    const hardware = this.#hardware.sums(endpoint.id);
    const rx = plus({ packets: port.rxPackets, bytes: port.rxBytes }, hardware.from);
    const tx = plus({ packets: port.txPackets, bytes: port.txBytes }, hardware.to);
    const byHardware = plus(hardware.from, hardware.to);
    return {
      rx: toTally(rx),
      tx: toTally(tx),
      share: toShare(byHardware, minus(plus(rx, tx), byHardware), this.#hardware.reason([endpoint])),
      drops: sumDrops(this.#dropsBySlot.get(endpoint.slot) ?? []),
    };
  }

  network(network: Network, endpoints: readonly Endpoint[]): NetworkBody['traffic'] {
    const sums = this.#sum([network], endpoints);
    const reason = this.#hardware.reason(endpoints);
    const slots = [network.gatewaySlot, ...endpoints.map(endpoint => endpoint.slot)];
    return {
      forwarded: toTally(forwarded(sums)),
      fromContainers: toTally(sums.fromContainers),
      toContainers: toTally(sums.toContainers),
      toHost: toTally(sums.toHost),
      fromHost: toTally(sums.fromHost),
      share: toShare(sums.byHardware, minus(forwarded(sums), sums.byHardware), reason),
      drops: sumDrops(slots.flatMap(slot => this.#dropsBySlot.get(slot) ?? [])),
    };
  }

  /** Drops of the host include those of ports that are gone or were never known. */
  host(
    networks: Iterable<Network>,
    endpoints: Iterable<Endpoint>,
  ): Omit<Status['traffic'], 'countersProblem'> {
    const all = [...endpoints];
    const sums = this.#sum(networks, all);
    const reason = this.#hardware.reason(all);
    return {
      forwarded: toTally(forwarded(sums)),
      fromContainers: toTally(sums.fromContainers),
      toContainers: toTally(sums.toContainers),
      share: toShare(sums.byHardware, minus(forwarded(sums), sums.byHardware), reason),
      drops: sumDrops(this.#drops),
    };
  }

  #sum(networks: Iterable<Network>, endpoints: Iterable<Endpoint>): Sums {
    const sums = {
      byHardware: emptySum(),
      fromContainers: emptySum(),
      toContainers: emptySum(),
      fromHost: emptySum(),
      toHost: emptySum(),
    };
    for (const { slot, id } of endpoints) {
      const port = this.#port(slot);
      const { from, to } = this.#hardware.sums(id);
      addTo(sums.fromContainers, port.rxPackets + from.packets, port.rxBytes + from.bytes);
      addTo(sums.toContainers, port.txPackets + to.packets, port.txBytes + to.bytes);
      // Hardware's pairs have both ends here, so its packets are counted once, where they arrive.
      addTo(sums.byHardware, to.packets, to.bytes);
    }
    for (const { gatewaySlot } of networks) {
      const port = this.#port(gatewaySlot);
      addTo(sums.fromHost, port.rxPackets, port.rxBytes);
      addTo(sums.toHost, port.txPackets, port.txBytes);
    }
    return sums;
  }

  #port(slot: PortSlot): PortCounters {
    return this.#ports.get(slot) ?? NO_COUNTERS;
  }
}
