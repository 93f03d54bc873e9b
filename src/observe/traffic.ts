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

interface Sums {
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

/** Counters indexed by slot; `reason` says why software forwarded what it forwarded. */
export class Traffic {
  readonly #ports: Counters['ports'];
  readonly #drops: readonly DropCounter[];
  readonly #dropsBySlot: ReadonlyMap<number, DropCounter[]>;
  readonly #reason: string;

  constructor(counters: Counters, reason: string) {
    this.#ports = counters.ports;
    this.#drops = counters.drops;
    this.#dropsBySlot = Map.groupBy(counters.drops, drop => drop.slot);
    this.#reason = reason;
  }

  endpoint(endpoint: Endpoint): EndpointBody['traffic'] {
    const port = this.#port(endpoint.slot);
    const rx: Sum = { packets: port.rxPackets, bytes: port.rxBytes };
    const tx: Sum = { packets: port.txPackets, bytes: port.txBytes };
    const both: Sum = { packets: rx.packets + tx.packets, bytes: rx.bytes + tx.bytes };
    return {
      rx: toTally(rx),
      tx: toTally(tx),
      share: toShare(emptySum(), both, this.#reason),
      drops: sumDrops(this.#dropsBySlot.get(endpoint.slot) ?? []),
    };
  }

  network(network: Network, endpoints: readonly Endpoint[]): NetworkBody['traffic'] {
    const sums = this.#sum([network], endpoints);
    const slots = [network.gatewaySlot, ...endpoints.map(endpoint => endpoint.slot)];
    return {
      forwarded: toTally(forwarded(sums)),
      fromContainers: toTally(sums.fromContainers),
      toContainers: toTally(sums.toContainers),
      toHost: toTally(sums.toHost),
      fromHost: toTally(sums.fromHost),
      share: toShare(emptySum(), forwarded(sums), this.#reason),
      drops: sumDrops(slots.flatMap(slot => this.#dropsBySlot.get(slot) ?? [])),
    };
  }

  /** Drops of the host include those of ports that are gone or were never known. */
  host(
    networks: Iterable<Network>,
    endpoints: Iterable<Endpoint>,
  ): Omit<Status['traffic'], 'countersProblem'> {
    const sums = this.#sum(networks, endpoints);
    return {
      forwarded: toTally(forwarded(sums)),
      fromContainers: toTally(sums.fromContainers),
      toContainers: toTally(sums.toContainers),
      share: toShare(emptySum(), forwarded(sums), this.#reason),
      drops: sumDrops(this.#drops),
    };
  }

  #sum(networks: Iterable<Network>, endpoints: Iterable<Endpoint>): Sums {
    const sums = {
      fromContainers: emptySum(),
      toContainers: emptySum(),
      fromHost: emptySum(),
      toHost: emptySum(),
    };
    for (const { slot } of endpoints) {
      const port = this.#port(slot);
      addTo(sums.fromContainers, port.rxPackets, port.rxBytes);
      addTo(sums.toContainers, port.txPackets, port.txBytes);
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
