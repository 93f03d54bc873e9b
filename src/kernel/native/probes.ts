/** The text of `esw_probe`: one line per probe, name, answer and the reason when it is not yes. */
import type { Answer, Probe } from '../port.ts';

const ANSWERS: readonly string[] = ['yes', 'no', 'unknown'] satisfies readonly Answer[];

export function parseProbes(text: string): Probe[] {
  return text.split('\n').flatMap(line => {
    const [name = '', answer = '', ...reason] = line.trim().split(' ');
    if (name === '' || !ANSWERS.includes(answer)) return [];
    const words = reason.join(' ');
    const said = words === '' && answer !== 'yes' ? 'the kernel gave no reason' : words;
    return [{ name, answer: answer as Answer, reason: said }];
  });
}
