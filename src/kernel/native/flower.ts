/** `FlowPort` on the running kernel, through libeswitch.so. */
import { availableParallelism } from 'node:os';
import type { FlowRef, FlowRule } from '../../ir/flow.ts';
import { flowProblem, flowRefProblem } from '../../ir/flow-check.ts';
import { ERRNO } from '../../lib/errno.ts';
import type { FlowDump, FlowDumpOptions, FlowPort, FlowResult } from '../flow-port.ts';
import type { OpResult } from '../port.ts';
import { batchHeader, checkStatus } from './batch.ts';
import { flowDumpOf, type ReadFlow, readFlows } from './flower-decode.ts';
import { cookieOwner, encodePut, encodeRef } from './flower-encode.ts';
import {
  FLOWER_FULL,
  FLOWER_OP,
  FLOWER_OP_FLAG,
  FLOWER_REC,
  FLOWER_REF,
  FLOWER_RESULT,
  REC_FLAG,
} from './flower-records.ts';
import type { NativeLibrary } from './library.ts';
import { BATCH_HDR, BATCH_MAX } from './records.ts';

export interface NativeFlowsContext {
  readonly library: NativeLibrary;
  /** Rules with cookies of this instance are ours. */
  readonly instance: string;
  /** Pin directory, where qdiscs that we made are marked; '' for no marks. */
  readonly dir: string;
}

/** Rules in one call: what a few megabytes hold. */
const PUTS_MAX = 2048;
/** Up to so many rules at once are read back and compared; of more, only those that tell something new. */
const ECHO_MAX = 512;
/** From so many rules on, several sockets are worth their threads. */
const PARALLEL_MIN = 64;
const SOCKETS = Math.min(4, availableParallelism());
const NAME = 16;
/** Rules that a first dump has room for: a large host is not dumped twice. */
const DUMP_ROOM = 32_768;
/** The same for whole rules, which are read of few links. */
const READ_ROOM = 1024;
const OK: OpResult = { errno: 0, extack: '' };

interface Outcome {
  readonly errno: number;
  readonly extack: string;
  readonly flags: number;
}

/** How items go to C: records of `size` bytes, at most `chunk` at once. */
interface Batching<T> {
  readonly size: number;
  readonly chunk: number;
  readonly problemOf: (item: T) => string | null;
  readonly encode: (buffer: Buffer, at: number, item: T) => void;
  readonly call: (batch: Buffer, results: Buffer, sockets: number) => Promise<number>;
}

export function createNativeFlows(context: NativeFlowsContext): FlowPort {
  return new NativeFlows(context);
}

class NativeFlows implements FlowPort {
  readonly #library: NativeLibrary;
  readonly #owner: Buffer;
  readonly #dir: string;
  /** Rules that the last dump found: room for the next. */
  #seen = DUMP_ROOM;

  constructor({ library, instance, dir }: NativeFlowsContext) {
    this.#library = library;
    this.#owner = cookieOwner(instance);
    this.#dir = dir;
  }

  async put(rules: readonly FlowRule[]): Promise<readonly FlowResult[]> {
    const echoAll = rules.length <= ECHO_MAX;
    const results = await this.#apply(rules, {
      ...{ size: FLOWER_OP.size, chunk: PUTS_MAX, problemOf: flowProblem },
      encode: (buffer, at, rule) => {
        const echo = echoAll || rule.where === 'both' ? FLOWER_OP_FLAG.echo : 0;
        // With skip_sw the sentence comes as a refusal; otherwise it must be asked for.
        const verbose = rule.where === 'both' ? FLOWER_OP_FLAG.verbose : 0;
        encodePut(buffer, at, rule, this.#owner, echo | verbose);
      },
      call: (batch, out, sockets) =>
        this.#library.call('esw_flower_apply', batch, batch.length, out, out.length, sockets, this.#dir),
    });
    return results.map(({ errno, extack, flags }, i) => ({
      ...{ errno, extack },
      // A rule with skip_sw exists in hardware or not at all.
      inHw: errno === 0 && (rules[i]?.where === 'hw' || (flags & REC_FLAG.inHw) !== 0),
    }));
  }

  async delete(refs: readonly FlowRef[]): Promise<readonly OpResult[]> {
    const owner = this.#owner;
    const results = await this.#apply(refs, {
      ...{ size: FLOWER_REF.size, chunk: BATCH_MAX, problemOf: flowRefProblem, encode: encodeRef },
      call: (batch, out, sockets) => {
        const lengths = [batch.length, out, out.length, sockets] as const;
        return this.#library.call('esw_flower_delete', batch, ...lengths, this.#dir, owner);
      },
    });
    return results.map(({ errno, extack }) => (errno === 0 ? OK : { errno, extack }));
  }

  async dump(links: readonly string[], { idle = false }: FlowDumpOptions = {}): Promise<FlowDump> {
    const { out, count } = await this.#collect(links, FLOWER_REC.size, this.#seen, (names, buffer) =>
      this.#library.call(
        'esw_flower_dump',
        names,
        links.length,
        this.#owner,
        idle ? 0 : 1,
        buffer,
        buffer.length,
      ),
    );
    this.#seen = Math.max(DUMP_ROOM, count);
    return flowDumpOf(out, count);
  }

  async read(links: readonly string[]): Promise<readonly ReadFlow[]> {
    const { out, count } = await this.#collect(links, FLOWER_FULL.size, READ_ROOM, (names, buffer) =>
      this.#library.call('esw_flower_read', names, links.length, this.#owner, buffer, buffer.length),
    );
    return readFlows(out, count);
  }

  /** Calls a dump until everything fits. Throws ESW_ERR_KERNEL_REFUSED. */
  async #collect(
    links: readonly string[],
    size: number,
    expected: number,
    dump: (names: Buffer, out: Buffer) => Promise<number>,
  ): Promise<{ readonly out: Buffer; readonly count: number }> {
    const names = Buffer.alloc(links.length * NAME);
    links.forEach((link, i) => void names.write(link, i * NAME, NAME - 1, 'latin1'));
    let room = expected + expected / 8;
    for (;;) {
      const out = Buffer.allocUnsafeSlow(Math.ceil(room) * size);
      const count = checkStatus('flow dump', await dump(names, out));
      if (count * size <= out.length) return { out, count };
      room = count + 64 + count / 8;
    }
  }

  async #apply<T>(items: readonly T[], how: Batching<T>): Promise<Outcome[]> {
    const all: Outcome[] = [];
    for (let at = 0; at < items.length; at += how.chunk) {
      const part = items.slice(at, at + how.chunk);
      const problems = part.map(how.problemOf);
      const good = part.filter((_, i) => problems[i] === null);
      const results = (await callBatch(good, how)).values();
      for (const problem of problems) {
        const next = problem === null ? results.next().value : undefined;
        all.push(next ?? { errno: ERRNO.EINVAL, extack: problem ?? '', flags: 0 });
      }
    }
    return all;
  }
}

async function callBatch<T>(items: readonly T[], { size, encode, call }: Batching<T>): Promise<Outcome[]> {
  if (items.length === 0) return [];
  const batch = Buffer.alloc(BATCH_HDR.size + items.length * size);
  batchHeader(batch, size, items.length);
  items.forEach((item, i) => {
    encode(batch, BATCH_HDR.size + i * size, item);
  });
  const results = Buffer.alloc(items.length * FLOWER_RESULT.size);
  const status = await call(batch, results, items.length < PARALLEL_MIN ? 1 : SOCKETS);
  if (status < 0) return items.map(() => ({ errno: -status, extack: 'the batch was refused', flags: 0 }));
  return items.map((_, i) => resultAt(results, i * FLOWER_RESULT.size));
}

function resultAt(results: Buffer, at: number): Outcome {
  // Nearly all are plain successes: the text is looked for only where there is one.
  const error = results.readInt32LE(at);
  const flags = results.readUInt32LE(at + 8);
  const extack = results[at + 16] === 0 ? '' : FLOWER_RESULT.decode(results, at).extack;
  return { errno: Math.abs(error), extack, flags };
}
