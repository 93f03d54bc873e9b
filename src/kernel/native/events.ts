/** The kernel's event stream: struct esw_event records from a socket, as events about our links. */
import { linkRole } from '../../ir/names.ts';
import type { Identity } from '../../model/intent.ts';
import type { KernelEvent } from '../port.ts';
import type { ValuesOf } from './layout.ts';
import { readRecords } from './record-stream.ts';
import { EVENT } from './records.ts';

const LOST = 0;
const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;

type EventRecord = ValuesOf<typeof EVENT>;

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
  return readRecords(fd, EVENT, {
    onRecord: record => {
      const event = namer.event(record);
      if (event !== null) onEvent(event);
    },
    // Whatever ends the stream early: look at everything.
    onEnd: () => onEvent({ kind: 'lost', link: null }),
  });
}
