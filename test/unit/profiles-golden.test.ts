/** Which rules each family would take, and why not: one table to read and to review. */
import { describe, expect, it } from 'vitest';
import { flowProblem } from '../../src/ir/flow-check.ts';
import type { NicProfile } from '../../src/model/nic-profile.ts';
import { openQuestions, type Refusal, refusalOf } from '../../src/place/profile-check.ts';
import { loadProfiles } from '../../src/profile/load.ts';
import { LINKS, PROFILE_RULES } from './profile-rules.ts';

const FOLDER = new URL('../../firmware-profiles', import.meta.url).pathname;
const { known, generic } = loadProfiles(FOLDER);
const profiles = [...known, generic].map(({ profile }) => profile);
const rules = Object.entries(PROFILE_RULES);
const facts = { linkKind: (link: string) => LINKS[link] ?? null };

const nameOf = ({ id, variant }: NicProfile): string => (variant === null ? id : `${id}/${variant}`);

interface Verdict {
  readonly rule: string;
  readonly refusal: Refusal | null;
  readonly open: readonly string[];
}

const verdicts = new Map(
  profiles.map(profile => [
    profile,
    rules.map(
      ([rule, flow]): Verdict => ({
        rule,
        refusal: refusalOf(profile, flow, facts),
        open: openQuestions(profile, flow, facts),
      }),
    ),
  ]),
);

const sign = ({ refusal, open }: Verdict): string => (refusal !== null ? '-' : open.length > 0 ? '?' : 'Y');

function matrix(): string[] {
  const heads = profiles.map((profile, i) => `${String.fromCharCode(97 + i)} = ${nameOf(profile)}`);
  const rows = rules.map(([rule], i) => {
    const signs = profiles.map(profile => sign(verdicts.get(profile)?.[i] as Verdict));
    return `${rule.padEnd(20)} ${signs.join(' ')}`;
  });
  const letters = profiles.map((_, i) => String.fromCharCode(97 + i)).join(' ');
  return [...heads, '', `${''.padEnd(20)} ${letters}`, ...rows];
}

/** Each reason once, with the rules that it is the first reason for. */
function reasons(profile: NicProfile): string[] {
  if (profile.probe) return ['', `${nameOf(profile)}: ${profile.title}`, '  is asked with throw-away rules'];
  const list = verdicts.get(profile) ?? [];
  const groups = new Map<string, string[]>();
  for (const { rule, refusal, open } of list) {
    const reason =
      refusal !== null
        ? `- ${refusal.code}: ${refusal.text}`
        : open.length > 0
          ? `? ${open.join(', ')}`
          : null;
    if (reason !== null) groups.set(reason, [...(groups.get(reason) ?? []), rule]);
  }
  const lines = [...groups].flatMap(([reason, names]) => [`  ${reason}`, `      ${names.join(' | ')}`]);
  const taken = list.filter(verdict => sign(verdict) === 'Y').length;
  return ['', `${nameOf(profile)}: ${profile.title}`, `  takes ${taken} of ${list.length}`, ...lines];
}

describe('the rules that each NIC takes', () => {
  it('are ones that the kernel would take', () => {
    expect(rules.map(([name, flow]) => [name, flowProblem(flow)]).filter(([, problem]) => problem)).toEqual(
      [],
    );
  });

  it('are those of the golden table', async () => {
    const legend = ['Y takes it   ? depends on what no source tells   - refuses it', ''];
    const lines = [...legend, ...matrix(), ...profiles.flatMap(reasons)];
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('../golden/profile-rules.txt');
  });
});
