/** `FlowPort` on the running kernel, through libeswitch.so. */
import { availableParallelism } from 'node:os';
import type { FlowRef, FlowRule } from '../../ir/flow.ts';
import { flowProblem, flowRefProblem } from '../../ir/flow-check.ts';
import { ERRNO } from '../../lib/errno.ts';
import type { FlowDump, FlowDumpOptions, FlowPort, FlowResult } from '../flow-port.ts';
import type { OpResult } from '../port.ts';
import { batchHeader, checkStatus } from './batch.ts';
import { flowDumpOf, type ReadFlow, readFlows } from './flower-decode.ts';
import { cookieOwner, encodeDelete, encodePut } from './flower-encode.ts';
import {
  FLOWER_FULL,
  FLOWER_OP,
  FLOWER_OP_FLAG,
  FLOWER_REC,
  FLOWER_RESULT,
  REC_FLAG,
} from './flower-records.ts';
import type { NativeLibrary } from './library.ts';
import { BATCH_HDR } from './records.ts';

export interface NativeFlowsContext {
  readonly library: NativeLibrary;
  /** Rules with cookies of this instance are ours. */
  readonly instance: string;
  /** Pin directory, where qdiscs that we made are marked; '' for no marks. */
  readonly dir: string;
}

/** Records in one call: what a megabyte or two holds. */
const CHUNK = 2048;
/** Up to so many rules at once are read back and compared; of more, only those that tell something new. */
const ECHO_MAX = 512;
/** From so many rules on, several sockets are worth their threads. */
const PARALLEL_MIN = 64;
const SOCKETS = Math.min(4, availableParallelism());
const NAME = 16;
const ROOM = 4096;
const OK: OpResult = { errno: 0, extack: '' };

export function createNativeFlows(context: NativeFlowsContext): FlowPort {
  return new NativeFlows(context);
}

class NativeFlows implements FlowPort {
  readonly #library: NativeLibrary;
  readonly #owner: Buffer;
  readonly #dir: string;
  /** Rules that the last dump found: room for the next. */
  #seen = ROOM;

  constructor({ library, instance, dir }: NativeFlowsContext) {
    this.#library = library;
    this.#owner = cookieOwner(instance);
    this.#dir = dir;
  }

  async put(rules: readonly FlowRule[]): Promise<readonly FlowResult[]> {
    const echoAll = rules.length <= ECHO_MAX;
    const results = await this.#apply(rules, flowProblem, (buffer, at, rule) => {
      const echo = echoAll || rule.where === 'both' ? FLOWER_OP_FLAG.echo : 0;
      // With skip_sw the sentence comes as a refusal; otherwise it must be asked for.
      const verbose = rule.where === 'both' ? FLOWER_OP_FLAG.verbose : 0;
      encodePut(buffer, at, rule, this.#owner, echo | verbose);
    });
    return results.map(({ errno, extack, flags }, i) => ({
      ...{ errno, extack },
      // A rule with skip_sw exists in hardware or not at all.
      inHw: errno === 0 && (rules[i]?.where === 'hw' || (flags & REC_FLAG.inHw) !== 0),
    }));
  }

  async delete(refs: readonly FlowRef[]): Promise<readonly OpResult[]> {
    const results = await this.#apply(refs, flowRefProblem, (buffer, at, ref) => {
      encodeDelete(buffer, at, ref, this.#owner);
    });
    return results.map(({ errno, extack }) => (errno === 0 ? OK : { errno, extack }));
  }

  async dump(links: readonly string[], { idle = false }: FlowDumpOptions = {}): Promise<FlowDump> {
    const { out, count } = await this.#collect(links, FLOWER_REC.size, (names, buffer) =>
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
    this.#seen = Math.max(ROOM, count);
    return flowDumpOf(out, count);
  }

  async read(links: readonly string[]): Promise<readonly ReadFlow[]> {
    const { out, count } = await this.#collect(links, FLOWER_FULL.size, (names, buffer) =>
      this.#library.call('esw_flower_read', names, links.length, this.#owner, buffer, buffer.length),
    );
    return readFlows(out, count);
  }

  /** Calls a dump until everything fits. Throws ESW_ERR_KERNEL_REFUSED. */
  async #collect(
    links: readonly string[],
    size: number,
    dump: (names: Buffer, out: Buffer) => Promise<number>,
  ): Promise<{ readonly out: Buffer; readonly count: number }> {
    const names = Buffer.alloc(links.length * NAME);
    links.forEach((link, i) => void names.write(link, i * NAME, NAME - 1, 'latin1'));
    let room = this.#seen + this.#seen / 8;
    for (;;) {
      const out = Buffer.allocUnsafeSlow(Math.ceil(room) * size);
      const count = checkStatus('flow dump', await dump(names, out));
      if (count * size <= out.length) return { out, count };
      room = count + 64 + count / 8;
    }
  }

  async #apply<T extends FlowRef>(
    items: readonly T[],
    problemOf: (item: T) => string | null,
    encode: (buffer: Buffer, at: number, item: T) => void,
  ): Promise<{ errno: number; extack: string; flags: number }[]> {
    const all: { errno: number; extack: string; flags: number }[] = [];
    for (let at = 0; at < items.length; at += CHUNK) {
      const part = items.slice(at, at + CHUNK);
      const problems = part.map(problemOf);
      const good = part.filter((_, i) => problems[i] === null);
      const results = (await this.#call(good, encode)).values();
      for (const problem of problems) {
        const next = problem === null ? results.next().value : undefined;
        all.push(next ?? { errno: ERRNO.EINVAL, extack: problem ?? '', flags: 0 });
      }
    }
    return all;
  }

  async #call<T>(
    items: readonly T[],
    encode: (buffer: Buffer, at: number, item: T) => void,
  ): Promise<{ errno: number; extack: string; flags: number }[]> {
    if (items.length === 0) return [];
    const batch = Buffer.alloc(BATCH_HDR.size + items.length * FLOWER_OP.size);
    batchHeader(batch, FLOWER_OP.size, items.length);
    items.forEach((item, i) => {
      encode(batch, BATCH_HDR.size + i * FLOWER_OP.size, item);
    });
    const results = Buffer.alloc(items.length * FLOWER_RESULT.size);
    const sockets = items.length < PARALLEL_MIN ? 1 : SOCKETS;
    const { length } = batch;
    const status = await this.#library.call(
      'esw_flower_apply',
      ...([batch, length, results, results.length, sockets, this.#dir] as const),
    );
    if (status < 0)
      return items.map(() => ({ errno: -status, extack: 'esw_flower_apply refused the batch', flags: 0 }));
    return items.map((_, i) => resultAt(results, i * FLOWER_RESULT.size));
  }
}

function resultAt(results: Buffer, at: number): { errno: number; extack: string; flags: number } {
  // Nearly all are plain successes: the text is looked for only where there is one.
  const error = results.readInt32LE(at);
  const flags = results.readUInt32LE(at + 8);
  const extack = results[at + 16] === 0 ? '' : FLOWER_RESULT.decode(results, at).extack;
  return { errno: Math.abs(error), extack, flags };
}
