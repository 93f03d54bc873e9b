/**
 * dockerd (and some firewalls) set the FORWARD chain's policy to DROP. A verdict "accept" of our own
 * table does not undo a drop of another, so packets of our gateways need accept rules there:
 * at the end of DOCKER-USER where that exists (after the user's own rules), else in FORWARD, and only
 * if that could drop anything at all.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { ForwardAccept } from '../../ir/resource.ts';
import { ERRNO } from '../../lib/errno.ts';
import type { OpResult } from '../port.ts';
import { DONE } from './batch.ts';

const run = promisify(execFile);
const PROGRAM = { ip: 'iptables', ip6: 'ip6tables' } as const;
const USER_CHAIN = 'DOCKER-USER';

type Family = ForwardAccept['family'];

/** The filter table's two chains that matter, as `iptables -S` prints them. */
export interface ForwardChains {
  /** Chain that the rules belong in; null = nothing there could drop, or no iptables on this host. */
  readonly chain: string | null;
  /** Rules of that chain, each as the arguments after `-A <chain>`. */
  readonly rules: readonly (readonly string[])[];
  /** Our rules in other places (made before Docker's chain existed). */
  readonly stale: readonly { readonly chain: string; readonly rule: readonly string[] }[];
}

/** The rules wanted: traffic from and to links of that prefix. */
export function wantedRules(instance: string, linkPrefix: string): readonly (readonly string[])[] {
  const tail = ['-m', 'comment', '--comment', instance, '-j', 'ACCEPT'];
  return [
    ['-i', `${linkPrefix}+`, ...tail],
    ['-o', `${linkPrefix}+`, ...tail],
  ];
}

/** Reads `iptables -S` output (of the whole filter table). */
export function parseChains(text: string, instance: string): ForwardChains {
  const lines = text.split('\n').map(line => line.split(' ').map(word => word.replace(/^"(.*)"$/, '$1')));
  const rulesOf = (chain: string): string[][] =>
    lines.filter(([verb, name]) => verb === '-A' && name === chain).map(line => line.slice(2));
  const hasUser = lines.some(([verb, name]) => verb === '-N' && name === USER_CHAIN);
  const ours = (rule: readonly string[]): boolean => rule[rule.indexOf('--comment') + 1] === instance;
  const forward = rulesOf('FORWARD');
  if (hasUser) {
    const stale = forward.filter(ours).map(rule => ({ chain: 'FORWARD', rule }));
    return { chain: USER_CHAIN, rules: rulesOf(USER_CHAIN), stale };
  }
  const policy = lines.find(([verb, name]) => verb === '-P' && name === 'FORWARD')?.[2] ?? 'ACCEPT';
  const others = forward.filter(rule => !ours(rule));
  const matters = policy !== 'ACCEPT' || others.length > 0 || forward.length > 0;
  return { chain: matters ? 'FORWARD' : null, rules: forward, stale: [] };
}

/** Whether both rules are where they belong. */
export function isAccepted(chains: ForwardChains, instance: string, linkPrefix: string): boolean {
  const has = (rule: readonly string[]): boolean => chains.rules.some(other => sameRule(other, rule));
  return chains.stale.length === 0 && wantedRules(instance, linkPrefix).every(has);
}

export class ForwardAccepts {
  readonly #instance: string;

  constructor(instance: string) {
    this.#instance = instance;
  }

  async read(family: Family): Promise<ForwardChains> {
    const text = await iptables(family, ['-S']).catch(error => {
      if (isMissing(error)) return '';
      throw error;
    });
    return parseChains(text, this.#instance);
  }

  async create(accept: ForwardAccept): Promise<OpResult> {
    return outcome(async () => {
      const { chain, rules, stale } = await this.read(accept.family);
      if (chain === null) return;
      for (const rule of wantedRules(this.#instance, accept.linkPrefix)) {
        if (rules.some(other => sameRule(other, rule))) continue;
        await iptables(accept.family, insertion(chain, rules, rule));
      }
      for (const old of stale) await iptables(accept.family, ['-D', old.chain, ...old.rule]);
    });
  }

  async delete(accept: ForwardAccept): Promise<OpResult> {
    return outcome(async () => {
      const { chain, rules, stale } = await this.read(accept.family);
      const wanted = wantedRules(this.#instance, accept.linkPrefix);
      const here = rules.filter(rule => wanted.some(other => sameRule(rule, other)));
      for (const rule of here) if (chain !== null) await iptables(accept.family, ['-D', chain, ...rule]);
      for (const old of stale) await iptables(accept.family, ['-D', old.chain, ...old.rule]);
    });
  }
}

/** Before a final bare RETURN (Docker ends its chain with one), else at the end of DOCKER-USER; first in FORWARD. */
export function insertion(
  chain: string,
  rules: readonly (readonly string[])[],
  rule: readonly string[],
): string[] {
  if (chain !== USER_CHAIN) return ['-I', chain, ...rule];
  const last = rules.at(-1);
  const returns = last !== undefined && last.length === 2 && last[0] === '-j' && last[1] === 'RETURN';
  return returns ? ['-I', chain, '1', ...rule].with(2, String(rules.length)) : ['-A', chain, ...rule];
}

function sameRule(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((word, index) => word === b[index]);
}

async function iptables(family: Family, args: readonly string[]): Promise<string> {
  const { stdout } = await run(PROGRAM[family], ['-w', '5', '-t', 'filter', ...args]);
  return stdout;
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

async function outcome(work: () => Promise<void>): Promise<OpResult> {
  try {
    await work();
    return DONE;
  } catch (error) {
    const stderr = (error as { stderr?: string }).stderr;
    return { errno: ERRNO.EIO, extack: (stderr ?? String(error)).trim() };
  }
}
