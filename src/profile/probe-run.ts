/**
 * Asks a NIC the questions of a plan: one rule at a time, removed before the next. Three answers, as
 * probes have: what is neither taken nor refused for what it asks (no memory, a busy NIC, a full table)
 * tells nothing.
 */
import type { FlowRule } from '../ir/flow.ts';
import type { FlowPort, FlowResult } from '../kernel/flow-port.ts';
import { ERRNO, errnoName } from '../lib/errno.ts';
import { type ProbedFact, questionOf } from '../place/profile-check.ts';
import { answeredBy, baseCandidates, probePlan } from './probe-plan.ts';
import type { ProbeLinks, ProbeQuestion } from './probe-question.ts';

export type ProbeAnswers = ReadonlyMap<string, ProbedFact>;

/** Questions answered with no. */
export const refusedOf = (answers: ProbeAnswers): readonly string[] =>
  [...answers].flatMap(([question, { answer }]) => (answer === 'no' ? [question] : []));

const YES: ProbedFact = { answer: 'yes', text: '' };

/** Never throws for a refusal; FlowPort's own failures pass through. */
export async function probeNic(flows: FlowPort, links: ProbeLinks): Promise<ProbeAnswers> {
  const answers = new Map<string, ProbedFact>();
  const refused: ProbedFact[] = [];
  for (const { base, rule } of baseCandidates(links)) {
    const fact = await ask(flows, rule);
    if (fact.answer !== 'yes') {
      refused.push(fact);
      continue;
    }
    for (const question of answeredBy(base)) answers.set(question, YES);
    for (const question of probePlan(base, links)) {
      // A tunnel is told by several fields at once; the first answer about each counts.
      if (!answers.has(question.question)) {
        answers.set(question.question, await answerOf(flows, question, answers));
      }
    }
    return answers;
  }
  answers.set(questionOf.offload, withoutBase(refused));
  return answers;
}

/** No candidate was taken: "no" only if each was refused for what it was. */
function withoutBase(refused: readonly ProbedFact[]): ProbedFact {
  const open = refused.find(({ answer }) => answer === 'unknown');
  if (open !== undefined) return open;
  return { answer: 'no', text: refused[0]?.text ?? '' };
}

async function answerOf(
  flows: FlowPort,
  { rule, needs, why = '', dependsOnRoutes = false }: ProbeQuestion,
  answers: ProbeAnswers,
): Promise<ProbedFact> {
  if (rule === null) return { answer: 'unknown', text: why };
  const missing = needs.find(question => answers.get(question)?.answer !== 'yes');
  if (missing !== undefined) return { answer: 'unknown', text: `cannot be asked without ${missing}` };
  const fact = await ask(flows, rule);
  return dependsOnRoutes && fact.answer === 'no' ? { ...fact, answer: 'unknown' } : fact;
}

async function ask(flows: FlowPort, rule: FlowRule): Promise<ProbedFact> {
  try {
    const [result] = await flows.put([rule]);
    return result === undefined ? { answer: 'unknown', text: 'no result' } : verdict(result, rule);
  } finally {
    // Also after a refusal: the kernel may have kept an empty priority, and a lost answer may hide a rule.
    await flows.delete([rule]);
  }
}

function verdict({ errno, extack, inHw }: FlowResult, { where }: FlowRule): ProbedFact {
  if (errno === 0) {
    if (inHw || where === 'hw') return YES;
    return { answer: 'no', text: extack === '' ? 'the rule stayed in software' : extack };
  }
  const text = extack === '' ? errnoName(errno) : extack;
  if (errno === ERRNO.EOPNOTSUPP) return { answer: 'no', text };
  // EINVAL is the driver's only where it says why; else the rule itself may be at fault.
  if (errno === ERRNO.EINVAL && extack !== '') return { answer: 'no', text };
  return { answer: 'unknown', text };
}
