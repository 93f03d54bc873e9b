import { describe, expect, it } from 'vitest';
import type { FlowRule } from '../../src/ir/flow.ts';
import { SimFlows } from '../../src/kernel/sim/flows.ts';
import { SimNics } from '../../src/kernel/sim/nics.ts';
import type { DevlinkHandle, Nic } from '../../src/model/nic.ts';
import { NicKnowledge } from '../../src/profile/knowledge.ts';
import type { ProbeAnswers } from '../../src/profile/probe-run.ts';
import { NicProber, probeLinks } from '../../src/profile/prober.ts';
import { MLX5, PROFILES, versions } from './firmware-rig.ts';
import { PROFILE_RULES } from './profile-rules.ts';

const UNKNOWN = {
  handle: 'pci/0000:41:00.0',
  driver: 'newnic',
  mode: 'switchdev',
  vfsTotal: 4,
  vfs: 2,
  pci: { vendor: '1d0f', device: 'ec20' },
  firmware: versions('fw', '1.0', '2.0'),
} as const;

const rule = (name: string): FlowRule => PROFILE_RULES[name] as FlowRule;
const first = async (nics: SimNics): Promise<Nic> => {
  const [nic] = (await nics.inventory()).nics;
  if (nic === undefined) throw new Error('no NIC');
  return nic;
};
const told: ProbeAnswers = new Map([
  ['action:mirror', { answer: 'no', text: 'no mirror here' }],
  ['action:police', { answer: 'unknown', text: 'busy' }],
]);

describe('what is known of a NIC', () => {
  it('is asked once for each firmware', async () => {
    const nics = new SimNics([UNKNOWN]);
    const knowledge = new NicKnowledge(PROFILES);
    const nic = await first(nics);
    expect(knowledge.wantsProbe(nic)).toBe(true);
    expect(knowledge.refusal(nic, rule('mirror'))).toBeNull();
    knowledge.learn(nic, told);
    expect(knowledge.wantsProbe(nic)).toBe(false);
    expect(knowledge.refusal(nic, rule('mirror'))?.text).toContain('no mirror here');
    expect(knowledge.factsOf(nic).probed?.has('action:police')).toBe(false);

    await nics.apply([{ verb: 'reload', nic: nic.handle as DevlinkHandle, action: 'fw_activate' }]);
    const later = await first(nics);
    expect(knowledge.wantsProbe(later)).toBe(true);
    expect(knowledge.refusal(later, rule('mirror'))).toBeNull();
    expect(knowledge.wantsProbe(nic)).toBe(false);
    knowledge.forget(nic);
    expect(knowledge.wantsProbe(nic)).toBe(true);
  });

  it('is asked again when it told nothing', async () => {
    const knowledge = new NicKnowledge(PROFILES);
    const nic = await first(new SimNics([UNKNOWN]));
    knowledge.learn(nic, new Map([['offload', { answer: 'unknown', text: 'reset in progress' }]]));
    expect(knowledge.wantsProbe(nic)).toBe(true);
  });

  it('needs no probe where a file knows the family', async () => {
    const knowledge = new NicKnowledge(PROFILES);
    const nic = await first(new SimNics([MLX5]));
    expect(knowledge.wantsProbe(nic)).toBe(false);
    expect(knowledge.profileOf(nic).variant).toBe('connectx-6-dx');
    expect(knowledge.tableSize(nic)).toBeNull();
  });

  it('tells uplinks from representors', async () => {
    const nic = await first(new SimNics([UNKNOWN]));
    const { linkKind } = new NicKnowledge(PROFILES).factsOf(nic);
    expect(linkKind?.(nic.uplinks[0]?.name ?? '')).toBe('uplink');
    expect(linkKind?.(nic.functions[0]?.representor?.name ?? '')).toBe('representor');
    expect(linkKind?.('docker0')).toBeNull();
  });
});

describe('the prober', () => {
  function lab(refuse: (rule: FlowRule) => string | null) {
    const nics = new SimNics([UNKNOWN, MLX5]);
    const flows = new SimFlows({ refuse });
    const knowledge = new NicKnowledge(PROFILES);
    const probed: string[] = [];
    const errors: string[] = [];
    const prober = new NicProber({
      flows,
      knowledge,
      onProbed: ({ handle }) => probed.push(handle),
      onError: (_, error) => errors.push(error.message),
    });
    return { nics, flows, knowledge, prober, probed, errors };
  }

  it('asks NICs that no file knows, once', async () => {
    const { nics, flows, knowledge, prober, probed } = lab(({ actions }) =>
      actions.some(({ kind }) => kind === 'mirror') ? 'no mirror here' : null,
    );
    const inventory = await nics.inventory();
    const nic = await first(nics);
    for (const { representor } of nic.functions) flows.addLink(representor?.name ?? '', 'representor');
    await Promise.all([prober.probe(inventory), prober.probe(inventory)]);
    expect(probed).toEqual([nic.handle]);
    expect(knowledge.refusal(nic, rule('mirror'))?.code).toBe('NO_ACTION');
    expect(knowledge.refusal(nic, rule('pair ip4'))).toBeNull();
  });

  it('does not ask in legacy mode, nor without representors', async () => {
    const legacy = new SimNics([{ ...UNKNOWN, mode: 'legacy' }]);
    expect(probeLinks(await first(legacy), null)).toBeNull();
    const bare = new SimNics([{ ...UNKNOWN, vfs: 0 }]);
    expect(probeLinks(await first(bare), null)).toBeNull();
    const one = new SimNics([{ ...UNKNOWN, vfs: 1 }]);
    const nic = await first(one);
    expect(probeLinks(nic, null)).toEqual({
      on: nic.functions[0]?.representor?.name,
      to: nic.uplinks[0]?.name,
      tunnel: null,
    });
  });

  it('says when it could not ask, and tries again next time', async () => {
    const { nics, prober, knowledge, errors, flows } = lab(() => null);
    flows.put = () => Promise.reject(new Error('the netlink socket is gone'));
    await prober.probe(await nics.inventory());
    expect(errors).toEqual(['the netlink socket is gone']);
    expect(knowledge.wantsProbe(await first(nics))).toBe(true);
  });
});
