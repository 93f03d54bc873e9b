/** What the plugin needs from the rest of the daemon. */
import type { Ipam } from '../ipam/ipam.ts';
import type { PortBinding } from '../model/endpoint.ts';
import type { Identity } from '../model/intent.ts';
import type { Capabilities } from '../place/capabilities.ts';
import type { FunctionView } from '../place/function-choice.ts';
import type { Reconciler } from '../reconcile/port.ts';
import type { Store } from '../store/port.ts';

/** The part of a pino logger that is used. */
export interface Log {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

/** A link of the host that leads to the physical network. */
export interface ParentLink {
  readonly name: string;
  /** Bytes. */
  readonly mtu: number;
}

/** Functions of the host's NICs, for endpoints to have. */
export interface FunctionSource {
  /** NICs and who uses their functions, as of now. */
  view(): Promise<FunctionView>;
  /** An endpoint with a function is gone: it can be given back, after the reply. */
  freed(): void;
}

export interface PluginDeps {
  readonly store: Store;
  readonly reconciler: Pick<Reconciler, 'notify' | 'waitFor'>;
  readonly ipam: Ipam;
  readonly identity: Identity;
  /** Endpoints and gateways together that the eBPF tables have room for. */
  readonly maxPorts: number;
  /** MTU of the link that the default route leaves by, bytes. */
  uplinkMtu(): number;
  /** The link that `-o parent=` names; throws ESW_ERR_OPTION_VALUE, saying what there is, when there is none. */
  parentLink(parent: string): Promise<ParentLink>;
  /**
   * Which ways of forwarding this host has, and why not the others; with `uplink`, those of the NIC that
   * it belongs to.
   */
  capabilities(uplink?: string): Capabilities;
  readonly functions: FunctionSource;
  readonly log: Log;
  /** Milliseconds on a clock that never goes back. */
  clock(): number;
  /** Whether a network namespace is still at this path. */
  sandboxExists(path: string): boolean;
  /** Tries the host port of a binding; null when it is free, else what is wrong in words. */
  checkHostPort(binding: PortBinding): Promise<string | null>;
  /** Longest that a call waits for the kernel. Docker itself never gives up waiting for us. */
  readonly joinTimeoutMs: number;
}
