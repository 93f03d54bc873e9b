/** The kernel's event stream: struct esw_event records from a socket, as events about our links. */
import { Socket } from 'node:net';
import { linkRole } from '../../ir/names.ts';
import type { Identity } from '../../model/intent.ts';
import type { KernelEvent } from '../port.ts';
import type { ValuesOf } from './layout.ts';
import { EVENT } from './records.ts';

const LOST = 0;
const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;

type EventRecord = ValuesOf<typeof EVENT>;

/** Turns a byte stream into records; a record may come in pieces. */
export class EventDecoder {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): EventRecord[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const count = Math.floor(bytes.length / EVENT.size);
    this.#rest = Buffer.from(bytes.subarray(count * EVENT.size));
    return Array.from({ length: count }, (_, index) => EVENT.decode(bytes, index * EVENT.size));
  }
}

/**
 * Names records. Address events carry an ifindex only, and a link that was renamed is still the one
 * we made, so the names of our links are remembered by ifindex.
 */
export class EventNamer {
  readonly #identity: Identity;
  readonly #names = new Map<number, string>();

  constructor(identity: Identity) {
    this.#identity = identity;
  }

  /** The event for the daemon, null for what does not concern it. */
  event(record: EventRecord): KernelEvent | null {
    switch (record.kind) {
      case LOST:
        this.#names.clear();
        return { kind: 'lost', link: null };
      case RTM_NEWLINK:
      case RTM_DELLINK: {
        const gone = record.kind === RTM_DELLINK;
        const link = this.#nameOf(record);
        if (gone) this.#names.delete(record.ifindex);
        if (link === null) return null;
        return gone ? { kind: 'link', link, gone } : { kind: 'link', link };
      }
      case RTM_NEWADDR:
      case RTM_DELADDR: {
        const link = this.#names.get(record.ifindex);
        return link === undefined ? null : { kind: 'address', link };
      }
      default:
        return null;
    }
  }

  /** Links that were there before the stream was opened. */
  learn(ifindex: number, name: string): void {
    this.#names.set(ifindex, name);
  }

  #nameOf({ ifindex, name }: EventRecord): string | null {
    const known = this.#names.get(ifindex);
    if (known !== undefined) return known;
    if (linkRole(this.#identity, name) === null) return null;
    this.#names.set(ifindex, name);
    return name;
  }
}

/** Reads a stream until `stop`; then the socket is closed, which ends the library's thread. */
export function readEvents(fd: number, namer: EventNamer, onEvent: (event: KernelEvent) => void): () => void {
  const decoder = new EventDecoder();
  const socket = new Socket({ fd, readable: true, writable: false });
  let open = true;
  const emit = (event: KernelEvent): void => {
    if (open) onEvent(event);
  };
  socket.on('data', (chunk: Buffer) => {
    for (const record of decoder.push(chunk)) {
      const event = namer.event(record);
      if (event !== null) emit(event);
    }
  });
  // Whatever ends the stream early: from here on nothing is heard, so look at everything.
  socket.on('error', () => emit({ kind: 'lost', link: null }));
  socket.on('end', () => emit({ kind: 'lost', link: null }));
  socket.unref();
  return () => {
    open = false;
    socket.destroy();
  };
}
