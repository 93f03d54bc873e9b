/** What operators see of the offload: rules, share of bytes, explain, metrics, and the pages that describe them. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createApiServer } from '../../src/api/server.ts';
import { endpointScreen } from '../../src/cli/screens/endpoint.ts';
import { explainScreen } from '../../src/cli/screens/explain.ts';
import { rulesScreen } from '../../src/cli/screens/rules.ts';
import { statusScreen } from '../../src/cli/screens/status.ts';
import type { Style } from '../../src/cli/text.ts';
import { pairRef } from '../../src/compile/pair.ts';
import { METRICS } from '../../src/observe/metrics.ts';
import { FLOW_REASONS, FLOW_STATES } from '../../src/place/flow-state.ts';
import type { EndpointBody } from '../../src/wire/api/endpoint.ts';
import type { ExplainBody } from '../../src/wire/api/explain.ts';
import { type RuleList, FLOW_STATES as WIRE_STATES } from '../../src/wire/api/rules.ts';
import type { Status } from '../../src/wire/api/status.ts';
import { ALPHA, fakeSources, GAMMA, NOW_MS, type Twist } from './observe-fixture.ts';
import { withNic } from './offload-fixture.ts';

const PLAIN: Style = { width: 80, colour: false };

async function get<T>(url: string, twist: Twist): Promise<T> {
  const app = await createApiServer({ sources: fakeSources(twist) });
  try {
    const response = await app.inject({ method: 'GET', url });
    return (response.headers['content-type']?.includes('json') ? response.json() : response.body) as T;
  } finally {
    await app.close();
  }
}

const text = (lines: readonly string[]): string => {
  for (const line of lines) expect([...line].length, line).toBeLessThanOrEqual(80);
  return `\n${lines.join('\n')}\n`;
};

const refusing = () =>
  withNic({
    refuse: (rule, rig) => (rule.link === rig.rep({ id: ALPHA } as never) ? 'no rewrite of eth_src' : null),
  });

async function counted() {
  const { rig, twist } = await withNic();
  const [first] = await rig.rules();
  if (first === undefined) throw new Error('there are rules');
  rig.flows.count(first, { hw: [1_000_000n, 1_500_000_000n] });
  await rig.polls(1);
  return twist;
}

describe('rules', () => {
  it('show what is in hardware with its counters', async () => {
    const list = await get<RuleList>('/v1/rules?kind=flow-rule', await counted());
    expect(list.rules.map(rule => [rule.where, rule.flow?.code])).toEqual([
      ['hardware', 'HW_OK'],
      ['hardware', 'HW_OK'],
    ]);
    expect(text(rulesScreen(list, PLAIN, NOW_MS))).toMatchSnapshot();
  });

  it("show what is not, with state, reason, the driver's words and since when", async () => {
    const { twist } = await refusing();
    const list = await get<RuleList>('/v1/rules?hardware=no&kind=flow-rule', twist);
    expect(list.rules[0]?.flow).toMatchObject({
      state: 'refused',
      code: 'DRIVER_REJECT',
      extack: 'no rewrite of eth_src',
      sinceMs: NOW_MS - 90_000,
    });
    expect(text(rulesScreen(list, PLAIN, NOW_MS))).toMatchSnapshot();
  });

  it('place a forwarding entry where the rules that deliver there are', async () => {
    const inHw = await get<RuleList>('/v1/rules?hardware=yes&kind=fib-entry', (await withNic()).twist);
    // Two endpoints: IPv4 of both, IPv6 and link-local of the one that has them.
    expect(inHw.rules.length).toBe(4);
    const out = await get<RuleList>('/v1/rules?hardware=no&kind=fib-entry', (await withNic()).twist);
    expect(out.rules.every(rule => rule.reason !== '')).toBe(true);
  });
});

describe('the share of bytes in hardware', () => {
  it('is shown per host and endpoint, from what hardware counted', async () => {
    const twist = await counted();
    const status = await get<Status>('/v1/status', twist);
    expect(status.traffic.share.hardware).toEqual({ packets: 1_000_000, bytes: 1_500_000_000 });
    expect(status.traffic.share.hardwareRatio).toBeGreaterThan(0);
    expect(status.hardware).toMatchObject([{ used: 2, takesAll: true, states: { 'in-hardware': 2 } }]);
    expect(text(statusScreen(status, PLAIN, NOW_MS))).toMatchSnapshot();
    const endpoint = await get<EndpointBody>(`/v1/endpoints/${ALPHA}`, twist);
    expect(endpoint.traffic.share.hardware.bytes).toBe(1_500_000_000);
    text(endpointScreen(endpoint, PLAIN));
  });
});

describe('explain', () => {
  const ask = (query: string, twist: Twist) => get<ExplainBody>(`/v1/explain?${query}`, twist);

  it('of a pair in hardware', async () => {
    const body = await ask('src=10.50.0.2&dst=10.50.0.3&proto=udp&port=53', await counted());
    expect(body).toMatchObject({ handled: 'hardware', hardware: { code: 'HW_OK', state: 'in-hardware' } });
    expect(body.hardware.seen?.rule).toBe(body.hardware.rule);
    expect(text(explainScreen(body, PLAIN, NOW_MS))).toMatchSnapshot();
  });

  it('of a rule that the driver refused', async () => {
    const { twist } = await refusing();
    const body = await ask('src=a1b2&dst=b1b2', twist);
    expect(body).toMatchObject({ handled: 'software', hardware: { code: 'DRIVER_REJECT', seen: null } });
    expect(text(explainScreen(body, PLAIN, NOW_MS))).toMatchSnapshot();
  });

  it('of a rule that the NIC dropped', async () => {
    const { rig, twist } = await withNic();
    rig.flows.evict(pairRef({ rep: rig.rep({ id: ALPHA } as never) }, 3, 'ip4'));
    const body = await ask('src=02:42:0a:32:00:02&dst=10.50.0.3', twist);
    expect(body.handled).toBe('software');
    expect(body.hardware.seen).toMatchObject({ inHw: false });
  });

  it('of what no NIC forwards: the host, the outside, ICMPv6, another network, nobody', async () => {
    const { twist } = await withNic();
    const code = async (query: string) => {
      const { handled, hardware } = await ask(query, twist);
      return [handled, hardware.code];
    };
    expect(await code('src=a1b2&dst=10.50.0.1')).toEqual(['software', 'HOST_ADDRESS']);
    expect(await code('src=a1b2&dst=192.0.2.1')).toEqual(['software', 'HOST_ADDRESS']);
    expect(await code('src=a1b2&dst=fd50::9&proto=icmp')).toEqual(['dropped', 'HOST_ADDRESS']);
    expect(await code('src=10.50.0.1&dst=a1b2')).toEqual(['software', 'HOST_ADDRESS']);
    expect(await code(`src=a1b2&dst=${GAMMA}`)).toEqual(['software', 'OTHER_NETWORK']);
  });

  it('of a host without a NIC, with the reason why the port is software', async () => {
    const body = await ask('src=a1b2&dst=b1b2', {});
    expect(body).toMatchObject({ handled: 'software', hardware: { code: 'NO_SWITCHDEV', rule: null } });
  });

  it('refuses what it cannot place', async () => {
    const failed = await get<{ error: { code: string } }>('/v1/explain?src=192.0.2.7&dst=10.50.0.2', {});
    expect(failed.error.code).toBe('ESW_ERR_REQUEST_FIELD');
    const unknown = await get<{ error: { code: string } }>('/v1/explain?src=ffff&dst=10.50.0.2', {});
    expect(unknown.error.code).toBe('ESW_ERR_ENDPOINT_UNKNOWN');
  });
});

describe('metrics', () => {
  it('are text for Prometheus', async () => {
    const body = await get<string>('/metrics', await counted());
    expect(body).toContain('eswitch_hardware_bytes_total{network="3f2a9c01d4e5"} 1500000000');
    expect(body).toContain('eswitch_flow_rules{nic="pci/0000:3b:00.0",state="in-hardware"} 2');
    expect(body).toContain('eswitch_flow_table_entries{nic="pci/0000:3b:00.0",kind="used"} 2');
  });

  it('count errors by reason', async () => {
    const { twist } = await refusing();
    expect(await get<string>('/metrics', twist)).toContain(
      'eswitch_offload_errors_total{nic="pci/0000:3b:00.0",reason="DRIVER_REJECT"}',
    );
  });

  it('are described in docs/metrics.md, one line each', () => {
    const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
    const lines = page.split('\n').filter(line => line.startsWith('| `eswitch_'));
    expect(lines).toEqual(
      METRICS.map(({ name, type, labels, help }) =>
        `| \`${name}\` | ${type} | ${labels.join(', ')} | ${help} |`.replace('|  |', '| |'),
      ),
    );
  });
});

describe('docs/offload.md', () => {
  it('lists every reason code with its state and meaning', () => {
    const page = readFileSync(new URL('../../docs/offload.md', import.meta.url), 'utf8');
    const rows = page.split('\n').filter(line => /^\| `[A-Z_]+` \|/.test(line));
    expect(rows).toEqual(
      Object.entries(FLOW_REASONS).map(
        ([code, { state, text: words }]) => `| \`${code}\` | ${state} | ${words} |`,
      ),
    );
  });

  it('and the API know the same states', () => {
    expect(WIRE_STATES).toEqual(FLOW_STATES);
  });
});
