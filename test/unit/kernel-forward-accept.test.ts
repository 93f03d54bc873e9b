/** What `iptables -S` says about the forward chain. */
import { describe, expect, it } from 'vitest';
import { insertion, isAccepted, parseChains } from '../../src/kernel/native/forward-accept.ts';

const text = (...lines: string[]): string => `${['-P INPUT ACCEPT', ...lines].join('\n')}\n`;
const OURS = (chain: string): string[] => [
  `-A ${chain} -i ewg+ -m comment --comment eswitchd -j ACCEPT`,
  `-A ${chain} -o ewg+ -m comment --comment "eswitchd" -j ACCEPT`,
];
const accepted = (...lines: string[]): boolean =>
  isAccepted(parseChains(text(...lines), 'eswitchd'), 'eswitchd', 'ewg');

describe('where the rules belong', () => {
  it.each([
    ['nothing could drop', ['-P FORWARD ACCEPT'], null],
    ['no filter table at all', [], null],
    ['policy DROP', ['-P FORWARD DROP'], 'FORWARD'],
    ['rules of a firewall', ['-P FORWARD ACCEPT', '-A FORWARD -i eth0 -j DROP'], 'FORWARD'],
    ['Docker', ['-P FORWARD DROP', '-N DOCKER-USER', '-A FORWARD -j DOCKER-USER'], 'DOCKER-USER'],
    ['our own rules keep their place', ['-P FORWARD ACCEPT', ...OURS('FORWARD')], 'FORWARD'],
  ])('%s', (_, lines, chain) => {
    expect(parseChains(text(...lines), 'eswitchd').chain).toBe(chain);
  });
});

describe('accepted', () => {
  it('with both rules in place', () => {
    expect(accepted('-P FORWARD DROP', ...OURS('FORWARD'))).toBe(true);
    expect(accepted('-P FORWARD DROP', '-N DOCKER-USER', ...OURS('DOCKER-USER'))).toBe(true);
  });

  it('not with one of them, another instance, or the wrong chain', () => {
    expect(accepted('-P FORWARD DROP', ...OURS('FORWARD').slice(1))).toBe(false);
    expect(accepted('-P FORWARD DROP', ...OURS('FORWARD').map(l => l.replace('eswitchd', 'other')))).toBe(
      false,
    );
    expect(accepted('-P FORWARD DROP', '-N DOCKER-USER', ...OURS('FORWARD'))).toBe(false);
  });
});

describe('insertion', () => {
  const rule = ['-i', 'ewg+', '-j', 'ACCEPT'];

  it("comes after the user's own rules of DOCKER-USER, before its final RETURN", () => {
    const rules = [
      ['-s', '192.0.2.0/24', '-j', 'DROP'],
      ['-j', 'RETURN'],
    ];
    expect(insertion('DOCKER-USER', rules, rule)).toEqual(['-I', 'DOCKER-USER', '2', ...rule]);
    expect(insertion('DOCKER-USER', rules.slice(0, 1), rule)).toEqual(['-A', 'DOCKER-USER', ...rule]);
    expect(insertion('DOCKER-USER', [], rule)).toEqual(['-A', 'DOCKER-USER', ...rule]);
  });

  it('is first in FORWARD', () => {
    expect(insertion('FORWARD', [['-j', 'DROP']], rule)).toEqual(['-I', 'FORWARD', ...rule]);
  });
});
