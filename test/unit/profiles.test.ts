import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EswError } from '../../src/lib/errors.ts';
import { compareVersions } from '../../src/lib/version.ts';
import type { FirmwareVersion, PciId } from '../../src/model/nic.ts';
import type { NicProfile } from '../../src/model/nic-profile.ts';
import { openQuestions, refusalOf, tableSizeOf } from '../../src/place/profile-check.ts';
import { parseProfile, profilesOf } from '../../src/profile/document.ts';
import { loadProfiles } from '../../src/profile/load.ts';
import { matchProfile } from '../../src/profile/match.ts';
import { profileSchemaText } from '../../src/profile/schema.ts';
import { PROFILE_RULES } from './profile-rules.ts';

const FOLDER = new URL('../../firmware-profiles', import.meta.url).pathname;
const set = loadProfiles(FOLDER);

const pci = (vendor: string, device: string): PciId => ({
  vendor,
  device,
  subsystemVendor: vendor,
  subsystemDevice: '0000',
});
const nic = (driver: string, id: PciId | null, firmware: readonly FirmwareVersion[] = []) => ({
  driver,
  pci: id,
  firmware,
});
const titleOf = (driver: string, id: PciId | null): string => {
  const { id: family, variant } = matchProfile(set, nic(driver, id));
  return variant === null ? family : `${family}/${variant}`;
};
const rule = (name: string) => {
  const found = PROFILE_RULES[name];
  if (found === undefined) throw new Error(`no rule ${name}`);
  return found;
};

describe('profile files', () => {
  it('come with the schema that the code has', () => {
    expect(readFileSync(`${FOLDER}/schema.json`, 'utf8')).toBe(profileSchemaText());
  });

  it('are refused with the file and the place in it', () => {
    const document = JSON.parse(readFileSync(`${FOLDER}/igb.json`, 'utf8')) as Record<string, unknown>;
    const wrong = { ...document, offload: { answer: 'perhaps', source: ['flower'] } };
    expect(() => parseProfile('igb.json', wrong)).toThrow(/igb\.json: \/offload\/answer: /);
    const unsourced = { ...document, offload: { answer: 'yes', source: [] } };
    expect(() => parseProfile('igb.json', unsourced)).toThrow(
      'igb.json: /offload/source: the answer yes needs a source',
    );
    const dangling = { ...document, offload: { answer: 'yes', source: ['hearsay'] } };
    expect(() => parseProfile('igb.json', dangling)).toThrow('igb.json: /offload/source: no source hearsay');
    expect(() => parseProfile('igb.json', 7)).toThrow(EswError);
  });

  it('use every source that they name', () => {
    for (const name of ['mlx5', 'ice', 'bnxt', 'nfp', 'sfc', 'octeontx2', 'igb', 'simnic', 'generic']) {
      const text = readFileSync(`${FOLDER}/${name}.json`, 'utf8');
      const document = parseProfile(`${name}.json`, JSON.parse(text));
      const unused = Object.keys(document.sources).filter(
        key => key !== 'pci' && !new RegExp(`"source": \\[[^\\]]*"${key}"`).test(text),
      );
      expect(unused, `${name}.json`).toEqual([]);
    }
  });

  it('let a model precede its family', () => {
    const document = parseProfile('mlx5.json', JSON.parse(readFileSync(`${FOLDER}/mlx5.json`, 'utf8')));
    const lx = profilesOf(document).find(({ profile }) => profile.variant === 'connectx-6-lx');
    expect(lx?.profile.quirks.map(({ id }) => id)).toContain('mode-needs-no-vfs');
    expect(lx?.profile.quirks.map(({ id }) => id)).toContain('encap-mode-needs-no-flows');
  });
});

describe('matching', () => {
  it.each([
    ['mlx5_core', pci('15b3', '101d'), 'mlx5/connectx-6-dx'],
    ['mlx5_core', pci('15b3', 'a2d6'), 'mlx5/connectx-6-dx'],
    ['mlx5_core', pci('15b3', '101f'), 'mlx5/connectx-6-lx'],
    ['mlx5_core', pci('15b3', 'a2dc'), 'mlx5/connectx-7'],
    ['mlx5_core', pci('15b3', 'ffff'), 'mlx5'],
    ['ice', pci('8086', '1592'), 'ice/e810'],
    ['bnxt_en', pci('14e4', '1750'), 'bnxt'],
    ['nfp', pci('19ee', '4000'), 'nfp'],
    ['nfp', pci('1da8', '3800'), 'nfp'],
    ['sfc_ef100', pci('10ee', '0100'), 'sfc'],
    ['sfc', pci('1924', '0b03'), 'generic'],
    ['rvu_nicpf', pci('177d', 'a063'), 'octeontx2'],
    ['igb', pci('8086', '10c9'), 'igb'],
    ['simnic', null, 'simnic'],
    ['simnic_pci', pci('8086', '10c9'), 'simnic'],
    ['veth', null, 'generic'],
  ])('%s %o is %s', (driver, id, expected) => {
    expect(titleOf(driver, id)).toBe(expected);
  });

  it('looks at the firmware range', () => {
    const limited = {
      ...set,
      known: [
        {
          profile: set.generic.profile,
          match: { drivers: ['x'], firmware: { version: 'fw', min: '16.30', max: '16.35' } },
        },
      ],
      generic: { ...set.generic, profile: { ...set.generic.profile, id: 'other' } },
    };
    const running = (value: string): FirmwareVersion[] => [{ name: 'fw', kind: 'running', value }];
    expect(matchProfile(limited, nic('x', null, running('16.31.2'))).id).toBe('generic');
    expect(matchProfile(limited, nic('x', null, running('16.4.9'))).id).toBe('other');
    expect(matchProfile(limited, nic('x', null, running('16.36.0'))).id).toBe('other');
    expect(matchProfile(limited, nic('x', null)).id).toBe('other');
  });

  it('compares versions by their numbers', () => {
    expect(compareVersions('22.9.1', '22.10.0')).toBeLessThan(0);
    expect(compareVersions('1.2.3', '1.2.3')).toBe(0);
    expect(compareVersions('1.2', '1.2.0')).toBeLessThan(0);
    expect(compareVersions('226.0.145.0/pkg 226.0.145.0', '224.1')).toBeGreaterThan(0);
  });
});

describe('facts', () => {
  const { profile } = set.generic;
  const fact = (question: string, answer: 'yes' | 'no' | 'unknown', text = '') => ({
    probed: new Map([[question, { answer, text }]]),
  });

  it('answer what a profile leaves open', () => {
    const mirror = rule('mirror');
    expect(refusalOf(profile, mirror)).toBeNull();
    expect(openQuestions(profile, mirror)).toContain('action:mirror');
    const no = fact('action:mirror', 'no', 'simnic: action mirror');
    expect(refusalOf(profile, mirror, no)).toEqual({
      code: 'NO_ACTION',
      text: 'action mirror is not done: simnic: action mirror',
    });
    expect(openQuestions(profile, mirror, fact('action:mirror', 'yes'))).not.toContain('action:mirror');
    expect(refusalOf(profile, mirror, fact('action:mirror', 'unknown', 'busy'))).toBeNull();
  });

  it('do not believe a driver that leaves things out', () => {
    const bnxt = set.known.find(each => each.profile.id === 'bnxt')?.profile as NicProfile;
    expect(refusalOf(bnxt, rule('mirror'), fact('action:mirror', 'yes'))?.code).toBe('NO_ACTION');
  });

  it('tell the size of the table', () => {
    const simnic = set.known.find(each => each.profile.id === 'simnic')?.profile as NicProfile;
    expect(tableSizeOf(simnic, { resources: [{ name: 'flows', size: 512, occupancy: 1 }] })).toBe(512);
    expect(tableSizeOf(simnic, { resources: [] })).toBe(65_536);
    expect(tableSizeOf(profile, { resources: [{ name: 'flows', size: 512, occupancy: 1 }] })).toBeNull();
  });
});
