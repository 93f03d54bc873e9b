import { describe, expect, it } from 'vitest';
import { buildReport, renderReport } from '../../bench/lib/report.ts';
import { meets, TARGETS, targetText } from '../../bench/lib/targets.ts';
import { replaceResults } from '../../bench/lib/write-docs.ts';

const measured = {
  ratios: { 'local.udp64.docker_bridge': [1.6, 1.4, 1.55], 'local.tcp.veth': [0.9, 0.95, 0.9123456789] },
  figures: { 'attach.handlers_p99_ms': 12.3456789, 'local.udp64.eswitch_pps': 1_234_567.8 },
  environment: { hook_mode: 'tcx', note: 'a long sentence that has to be broken '.repeat(5).trim() },
};
const report = buildReport('local', { kernel: '6.18.0', cores: 2 }, measured);

describe('buildReport', () => {
  it('has exactly the parts that readers of the JSON rely on', () => {
    expect(Object.keys(report)).toEqual(['suite', 'environment', 'ratios', 'figures']);
    expect(report.ratios['local.udp64.docker_bridge']).toEqual({
      median: 1.55,
      min: 1.4,
      max: 1.6,
      rounds: 3,
    });
    expect(report.ratios['local.tcp.veth']?.median).toBe(0.912346);
    expect(report.environment).toMatchObject({ kernel: '6.18.0', cores: 2, hook_mode: 'tcx' });
  });
});

describe('renderReport', () => {
  const lines = renderReport(report).split('\n');

  it('fits 80 columns', () => {
    expect(lines.filter(line => line.length > 80)).toEqual([]);
  });

  it('says of each target whether it is met', () => {
    const lineOf = (id: string) => lines.find(line => line.startsWith(id)) ?? '';
    expect(lineOf('local.udp64.docker_bridge')).toMatch(/1\.550 +1\.400 +1\.600 +>= 1\.5 +yes$/);
    expect(lineOf('local.tcp.veth')).toMatch(/>= 0\.97 +NO$/);
    expect(lineOf('attach.handlers_p99_ms')).toMatch(/12\.346 +<= 10 +NO$/);
    expect(lineOf('local.udp64.eswitch_pps')).toMatch(/1,234,570$/);
  });

  it('fits 80 columns for every ID that has a target', () => {
    const ratios = Object.fromEntries(Object.keys(TARGETS).map(id => [id, [1000.123]]));
    const figures = Object.fromEntries(Object.keys(TARGETS).map(id => [id, 123_456_789]));
    const wide = renderReport(buildReport('local', { cores: 2 }, { ratios, figures, environment: {} }));
    expect(wide.split('\n').filter(line => line.length > 80)).toEqual([]);
  });
});

describe('targets', () => {
  it('knows floors, ceilings and values without a target', () => {
    expect(meets('local.tcp.docker_bridge', 1.05)).toBe(true);
    expect(meets('local.tcp.docker_bridge', 1.04)).toBe(false);
    expect(meets('scale.restart_s', 1.9)).toBe(true);
    expect(meets('scale.restart_s', 2.1)).toBe(false);
    expect(meets('local.udp64.eswitch_pps', 1)).toBeNull();
    expect(targetText('scale.restart_s')).toBe('<= 2');
  });
});

describe('replaceResults', () => {
  const page = (body: string) =>
    `# Benchmarks\n<!-- results: begin (npm run bench -- --write-docs FILE...) -->${body}<!-- results: end -->\nafter\n`;

  it('replaces what stands between the markers and nothing else', () => {
    const once = replaceResults(page('old'), [report]);
    expect(once).toContain('### local');
    expect(once).not.toContain('old');
    expect(once.startsWith('# Benchmarks')).toBe(true);
    expect(once.endsWith('after\n')).toBe(true);
    expect(replaceResults(once, [report])).toBe(once);
  });

  it('refuses a page without markers', () => {
    expect(() => replaceResults('# Benchmarks', [report])).toThrow('markers');
  });
});
