/**
 * The boundary between TypeScript and C: one call with a batch of 1,000 records through koffi beside
 * the same loop in C alone, and what it costs to write that batch in TypeScript.
 */
import { LINK_OP, LINK_VERB } from '../../../src/kernel/native/records.ts';
import { interleave, ratios, samplesOf } from '../../lib/rounds.ts';
import { median } from '../../lib/stats.ts';
import type { Measured, Suite, SuiteOptions } from '../../lib/suite.ts';
import { encodeLinks, linkOp } from './batch.ts';
import { openLibrary } from './library.ts';

const RECORDS = 1000;
const CALLS = 4000;
const CALLS_QUICK = 400;
const ENCODES = 100;
const ASYNC_CALLS = 2000;
const NS_PER_MS = 1e6;
const CONTENDERS = ['koffi', 'c_loop', 'encode', 'one', 'async'];

export const koffiSuite: Suite = {
  name: 'koffi',
  summary: 'cost per record of a batch of 1,000 through koffi, beside a loop in C',
  run: measure,
};

async function measure(options: SuiteOptions): Promise<Measured> {
  const library = openLibrary();
  const calls = options.quick ? CALLS_QUICK : CALLS;
  const mtus = Array.from({ length: RECORDS }, (_, index) => 1280 + (index % 8721));
  const batch = encodeLinks(mtus);
  const one = encodeLinks([1500]);
  library.check(
    batch,
    mtus.reduce((sum, mtu) => sum + mtu, 0),
  );
  options.progress(`${options.rounds} rounds of ${calls} calls`);
  const samples = await interleave(
    { rounds: options.rounds, tasks: ['record'], contenders: CONTENDERS },
    async (_task, contender) => {
      if (contender === 'c_loop') return library.loop(batch, calls);
      if (contender === 'encode') return perCall(ENCODES, () => encodeLinks(mtus)) / RECORDS;
      if (contender === 'async') return perAsyncCall(ASYNC_CALLS, () => library.sumAsync(one));
      if (contender === 'one') return perCall(calls * 100, () => library.sum(one));
      return perCall(calls, () => library.sum(batch)) / RECORDS;
    },
  );
  const of = (contender: string) => samplesOf(samples, 'record', contender);
  return {
    ratios: { 'koffi.record.c_loop': ratios(of('c_loop'), of('koffi')) },
    figures: {
      'koffi.record_ns': median(of('koffi')),
      'koffi.c_loop_record_ns': median(of('c_loop')),
      'koffi.call_with_one_record_ns': median(of('one')),
      'koffi.async_call_with_one_record_ns': median(of('async')),
      'koffi.encode_record_ns': median(of('encode')),
    },
    environment: {
      batch: `${RECORDS} records of ${LINK_OP.size} bytes`,
      encode: `${Object.keys(linkOp(1500)).length} of ${LINK_OP.fields.length} fields set, verb ${LINK_VERB.veth}`,
    },
  };
}

/** Nanoseconds per call of `work`, measured over `count` calls after a tenth as many unmeasured. */
function perCall(count: number, work: () => unknown): number {
  for (let index = 0; index < count / 10; index += 1) work();
  const startedMs = performance.now();
  for (let index = 0; index < count; index += 1) work();
  return ((performance.now() - startedMs) * NS_PER_MS) / count;
}

/** The same for calls that are awaited one by one. */
async function perAsyncCall(count: number, work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  for (let index = 0; index < count; index += 1) await work();
  return ((performance.now() - startedMs) * NS_PER_MS) / count;
}
