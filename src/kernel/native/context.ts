/** What the parts of the adapter share: the library, the names and where things are. */
import type { Identity } from '../../model/intent.ts';
import type { FlowPort } from '../flow-port.ts';
import type { NicPort } from '../nic-port.ts';
import type { ForwardAccepts } from './forward-accept.ts';
import type { NativeLibrary } from './library.ts';
import type { Maps } from './maps.ts';
import type { Nft } from './nft.ts';
import type { Pins } from './pins.ts';

/** The adapter's view of a logger (pino's shape). */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface NativeContext {
  readonly library: NativeLibrary;
  readonly identity: Identity;
  readonly pins: Pins;
  readonly maps: Maps;
  readonly nft: Nft;
  readonly forward: ForwardAccepts;
  /** null: a host on which NICs are not looked at. */
  readonly nics: NicPort | null;
  /** null: no flower rules are looked for on representors that are given back. */
  readonly flows: Pick<FlowPort, 'dump' | 'delete'> | null;
  /** Path of the eBPF object file. */
  readonly bpfObject: string;
  /** How hooks are attached; see hooks.ts. */
  readonly hookMode: 'auto' | 'tcx' | 'clsact';
  /** Size of the tables that hold one entry per port. */
  readonly maxPorts: number;
  /** Paths of sysctls that were asked for since the start, beyond the usual ones. */
  readonly sysctlsSeen: Set<string>;
  readonly log: Log;
}
