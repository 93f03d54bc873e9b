import { describe, expect, it } from 'vitest';
import { endpointList, endpointScreen } from '../../src/cli/screens/endpoint.ts';
import { networkList, networkScreen } from '../../src/cli/screens/network.ts';
import { planScreen, reconcileScreen, rulesScreen } from '../../src/cli/screens/rules.ts';
import { statusScreen } from '../../src/cli/screens/status.ts';
import type { Style } from '../../src/cli/text.ts';
import { portNames } from '../../src/ir/names.ts';
import { EswError } from '../../src/lib/errors.ts';
import { endpointBodies } from '../../src/observe/endpoints.ts';
import { networkBodies } from '../../src/observe/networks.ts';
import { takePicture } from '../../src/observe/picture.ts';
import { planBody, type RuleFilter, ruleList } from '../../src/observe/rules.ts';
import { statusBody } from '../../src/observe/status.ts';
import { ALPHA, DESIRED, fakeSources, IDENTITY, NOW_MS, type Twist, without } from './observe-fixture.ts';

const PLAIN: Style = { width: 80, colour: false };
const EVERYTHING: RuleFilter = { network: null, endpoint: null, kind: null, hardware: null };
const { rep: ALPHA_REP } = portNames(IDENTITY, ALPHA);

async function look(twist: Twist = {}) {
  const sources = fakeSources(twist);
  return { sources, picture: await takePicture(sources) };
}

/** The screen as text, after a check that it fits. */
function fitted(lines: readonly string[], width = 80): string {
  for (const line of lines) expect([...line].length, line).toBeLessThanOrEqual(width);
  for (const line of lines) expect(line, 'no trailing space').toBe(line.trimEnd());
  return `\n${lines.join('\n')}\n`;
}

const statusOf = async (twist: Twist = {}) => {
  const { sources, picture } = await look(twist);
  return statusBody(sources, picture);
};

describe('eswitchctl status', () => {
  it('of a calm host', async () => {
    expect(fitted(statusScreen(await statusOf(), PLAIN, NOW_MS))).toMatchSnapshot();
  });

  it('of a host in trouble', async () => {
    const problem = new EswError(
      'ESW_ERR_NATIVE_LIBRARY',
      'cannot load /opt/eswitchd/native/build/libeswitch.so',
      {
        cause: new Error('libbpf.so.1: cannot open shared object file: No such file or directory'),
      },
    );
    const failures = [
      {
        key: `hook/${ALPHA_REP}/ingress`,
        verb: 'create' as const,
        errno: 22,
        extack: 'Exclusivity flag on, cannot modify',
        attempts: 3,
      },
    ];
    const foreign = [{ key: 'port/ewr0123456789', what: 'a dummy link without our altname' }];
    const twist: Twist = {
      countersProblem: problem,
      state: { state: 'degraded', problem },
      reconcile: { failures, foreign, lastRound: null, generation: 0, hookMode: 'none' },
    };
    expect(fitted(statusScreen(await statusOf(twist), PLAIN, NOW_MS))).toMatchSnapshot();
  });

  it('fits other widths', async () => {
    const status = await statusOf();
    for (const width of [60, 80, 132]) fitted(statusScreen(status, { width, colour: false }, NOW_MS), width);
  });

  it('colours only when asked to', async () => {
    const esc = '\u001b';
    const status = await statusOf();
    expect(statusScreen(status, PLAIN, NOW_MS).join('')).not.toContain(esc);
    expect(statusScreen(status, { width: 80, colour: true }, NOW_MS).join('')).toContain(`${esc}[32mready`);
  });
});

describe('eswitchctl network', () => {
  it('ls', async () => {
    const { sources, picture } = await look();
    const bodies = networkBodies(sources, picture, () => true);
    expect(fitted(networkList(bodies, PLAIN))).toMatchSnapshot();
    expect(fitted(networkList([], PLAIN))).toMatchSnapshot();
  });

  it('inspect', async () => {
    const { sources, picture } = await look();
    const screens = networkBodies(sources, picture, () => true).map(body =>
      fitted(networkScreen(body, PLAIN)),
    );
    expect(screens.join('')).toMatchSnapshot();
  });
});

describe('eswitchctl endpoint', () => {
  it('ls, at 80 columns and wider', async () => {
    const { sources, picture } = await look();
    const bodies = endpointBodies(sources, picture, () => true);
    expect(fitted(endpointList(bodies, PLAIN))).toMatchSnapshot();
    expect(fitted(endpointList(bodies, { width: 140, colour: false }), 140)).toMatchSnapshot();
    fitted(endpointList(bodies, { width: 72, colour: false }), 80);
  });

  it('inspect', async () => {
    const { sources, picture } = await look({ observed: without(resource => resource.kind === 'hook') });
    const screens = endpointBodies(sources, picture, () => true).map(body =>
      fitted(endpointScreen(body, PLAIN)),
    );
    expect(screens.join('')).toMatchSnapshot();
  });
});

describe('eswitchctl rules and plan', () => {
  it('rules', async () => {
    const { sources, picture } = await look();
    expect(
      fitted(rulesScreen(ruleList(sources, picture, 'desired', EVERYTHING), PLAIN, NOW_MS)),
    ).toMatchSnapshot();
  });

  it('rules --view diff', async () => {
    const first = [...DESIRED.values()].find(resource => resource.kind === 'fib-entry');
    if (first?.kind !== 'fib-entry') throw new Error('the fixture has entries');
    const changed = { ...first, slot: 999 as typeof first.slot };
    const leftOver = { ...first, key: 'fib-entry/7/10.9.9.9', addr: '10.9.9.9' as typeof first.addr };
    const kept = without(resource => resource.kind === 'hook' && resource.link === ALPHA_REP);
    const observed = new Map([...kept, [first.key, changed], [leftOver.key, leftOver]]);
    const { sources, picture } = await look({ observed });
    expect(
      fitted(rulesScreen(ruleList(sources, picture, 'diff', EVERYTHING), PLAIN, NOW_MS)),
    ).toMatchSnapshot();
  });

  it('says so when nothing differs or nothing fits', async () => {
    const { sources, picture } = await look();
    expect(rulesScreen(ruleList(sources, picture, 'diff', EVERYTHING), PLAIN, NOW_MS)).toEqual([
      'No difference: the kernel is as it should be.',
    ]);
    const none = ruleList(sources, picture, 'desired', { ...EVERYTHING, hardware: true });
    expect(rulesScreen(none, PLAIN, NOW_MS)).toEqual([
      `None of the ${DESIRED.size} resources fits the filter.`,
    ]);
  });

  it('plan', async () => {
    const resources = [...DESIRED.values()];
    const plan = [
      ...resources.slice(0, 3).map(resource => ({ verb: 'create' as const, resource })),
      { verb: 'swap-fib' as const, key: 'swap-fib' as const, entries: [] },
      ...resources.slice(3, 4).map(resource => ({ verb: 'delete' as const, resource })),
    ];
    const { picture } = await look({ plan });
    expect(fitted(planScreen(planBody(picture), PLAIN))).toMatchSnapshot();
    expect(planScreen({ create: 0, update: 0, delete: 0, operations: [] }, PLAIN)).toEqual([
      'Nothing to do: the kernel is as it should be.',
    ]);
  });

  it('reconcile', () => {
    const round = {
      cause: 'request',
      revision: 3,
      finishedAtMs: NOW_MS,
      durationMs: 12.4,
      operations: 4,
      created: 2,
      updated: 1,
      deleted: 0,
      failed: 1,
      repaired: 2,
    };
    expect(reconcileScreen({ round }, PLAIN)).toEqual([
      'Reconciled in 12 ms: 2 created, 1 updated, 0 deleted, 2 repairs',
      '1 operation failed: see eswitchctl status',
    ]);
  });
});
