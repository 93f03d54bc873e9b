import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../src/daemon/arguments.ts';
import { type ConfigSources, envName, flagName, readConfig } from '../../src/daemon/config.ts';
import { CONFIG_KEYS } from '../../src/daemon/config-schema.ts';
import { EswError } from '../../src/lib/errors.ts';

const NOTHING: ConfigSources = { repoRoot: '/opt/eswitchd', file: null, env: {}, flags: new Map() };
const read = (sources: Partial<ConfigSources>) => readConfig({ ...NOTHING, ...sources });
const file = (document: unknown) => ({ path: '/etc/eswitchd.json', document });

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof EswError) return `${error.code}: ${error.message}`;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('configuration', () => {
  it('has a default for every key', () => {
    const config = read({});
    expect(Object.keys(config).sort()).toEqual([...CONFIG_KEYS].sort());
    expect(config).toMatchObject({ instance: 'eswitchd', linkPrefix: 'ew', maxPorts: 16384, bpffs: null });
  });

  it('prefers flags over environment over file over defaults', () => {
    const sources = {
      file: file({ instance: 'fromfile', linkPrefix: 'ff', maxPorts: 100 }),
      env: {
        ESWITCHD_INSTANCE: 'fromenv',
        ESWITCHD_MAX_PORTS: '200',
        ESWITCHD_ORPHAN_GRACE_MS: '0',
        HOME: '/root',
      },
      flags: new Map([['--instance', 'fromflag']]),
    };
    expect(read(sources)).toMatchObject({
      instance: 'fromflag',
      maxPorts: 200,
      linkPrefix: 'ff',
      resyncMs: 30_000,
    });
  });

  it('puts the API socket into the run directory', () => {
    expect(read({ flags: new Map([['--run-dir', '/tmp/run']]) }).apiSocket).toBe('/tmp/run/api.sock');
  });

  it('reads lists and null from text', () => {
    const env = { ESWITCHD_DEFAULT_POOLS: '10.9.0.0/16/24, 10.8.0.0/16/24', ESWITCHD_BPFFS: '' };
    expect(read({ env })).toMatchObject({ defaultPools: ['10.9.0.0/16/24', '10.8.0.0/16/24'], bpffs: null });
  });

  it.each([
    [{ file: file({ stateDri: '/x' }) }, '/etc/eswitchd.json: unknown stateDri; did you mean stateDir?'],
    [
      { env: { ESWITCHD_STATE_DRI: '/x' } },
      'environment: unknown ESWITCHD_STATE_DRI; did you mean ESWITCHD_STATE_DIR?',
    ],
    [
      { flags: new Map([['--log-levl', 'info']]) },
      'command line: unknown --log-levl; did you mean --log-level?',
    ],
  ])('suggests the nearest key', (sources, message) => {
    expect(refusal(() => read(sources))).toBe(`ESW_ERR_CONFIG_KEY: ${message}`);
  });

  it.each([
    [{ file: file({ logLevel: 'inf' }) }, /logLevel cannot be "inf": one of trace, .*; did you mean info\?$/],
    [{ file: file({ maxPorts: '16' }) }, /maxPorts cannot be "16": must be integer$/],
    [{ env: { ESWITCHD_MAX_PORTS: '7' } }, /ESWITCHD_MAX_PORTS cannot be 7: must be >= 16$/],
    [{ env: { ESWITCHD_INSTANCE: 'Bad_Name' } }, /ESWITCHD_INSTANCE cannot be "Bad_Name"/],
    [{ file: file([1]) }, /the document must be one JSON object$/],
  ])('names a wrong value', (sources, message) => {
    const text = refusal(() => read(sources));
    expect(text).toMatch(/^ESW_ERR_CONFIG_VALUE: /);
    expect(text).toMatch(message);
  });

  it('spells every key as variable and flag', () => {
    expect(envName('pluginSocket')).toBe('ESWITCHD_PLUGIN_SOCKET');
    expect(flagName('pluginSocket')).toBe('--plugin-socket');
  });
});

describe('command line', () => {
  it('takes a command and flags in both spellings', () => {
    const { command, configPath, flags } = parseArguments([
      'purge',
      '--config',
      '/c.json',
      '--instance=x',
      '--link-prefix',
      'y',
    ]);
    expect({ command, configPath, flags: [...flags] }).toEqual({
      command: 'purge',
      configPath: '/c.json',
      flags: [
        ['--instance', 'x'],
        ['--link-prefix', 'y'],
      ],
    });
    expect(parseArguments(['--purge']).command).toBe('purge');
    expect(parseArguments([]).command).toBe('run');
    expect(parseArguments(['-V']).command).toBe('version');
  });

  it('suggests commands and misses values', () => {
    expect(refusal(() => parseArguments(['pruge']))).toBe(
      'ESW_ERR_CONFIG_KEY: command line: unknown command pruge; did you mean purge?',
    );
    expect(refusal(() => parseArguments(['--instance']))).toBe(
      'ESW_ERR_CONFIG_VALUE: command line: --instance needs a value',
    );
  });
});
