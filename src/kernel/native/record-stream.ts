/** Fixed records from one of the library's event streams, until `stop`; then the thread behind it ends. */
import { Socket } from 'node:net';
import type { Fields, RecordLayout, Values } from './layout.ts';

export interface RecordStream<F extends Fields> {
  onRecord(record: Values<F>): void;
  /** The stream has ended by itself: from here on nothing is heard. */
  onEnd(): void;
}

/** Turns a byte stream into records; a record may come in pieces. */
export class RecordDecoder<F extends Fields> {
  readonly #layout: RecordLayout<F>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(layout: RecordLayout<F>) {
    this.#layout = layout;
  }

  push(chunk: Buffer): Values<F>[] {
    const { size } = this.#layout;
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const count = Math.floor(bytes.length / size);
    this.#rest = Buffer.from(bytes.subarray(count * size));
    return Array.from({ length: count }, (_, index) => this.#layout.decode(bytes, index * size));
  }
}

export function readRecords<F extends Fields>(
  fd: number,
  layout: RecordLayout<F>,
  { onRecord, onEnd }: RecordStream<F>,
): () => void {
  const decoder = new RecordDecoder(layout);
  const socket = new Socket({ fd, readable: true, writable: false });
  let open = true;
  const ended = (): void => {
    if (open) onEnd();
  };
  socket.on('data', (chunk: Buffer) => {
    for (const record of decoder.push(chunk)) {
      if (open) onRecord(record);
    }
  });
  socket.on('error', ended);
  socket.on('end', ended);
  socket.unref();
  return () => {
    open = false;
    socket.destroy();
  };
}
