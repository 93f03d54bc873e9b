import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compile/compile.ts';
import type { FibEntry } from '../../src/ir/resource.ts';
import { type SimNicSpec, SimNics } from '../../src/kernel/sim/nics.ts';
import type { NetSlot } from '../../src/lib/brand.ts';
import { type Capabilities, capabilitiesOf } from '../../src/place/capabilities.ts';
import { chooseDatapath } from '../../src/place/datapath.ts';
import { place } from '../../src/place/place.ts';
import { endpoint, intentOf, network } from '../sim/arbitrary.ts';
import { CONTEXT } from '../sim/sim-harness.ts';

const yes = (name: string) => ({ name, answer: 'yes' as const, reason: '' });
const no = (name: string, reason: string) => ({ name, answer: 'no' as const, reason });
const HERE = capabilitiesOf([
  yes('bpf_syscall'),
  yes('veth'),
  no('flower', 'x'),
  no('devlink', 'y'),
  no('sriov', 'z'),
]);
const NIC: Capabilities = {
  ...HERE,
  switchdev: { available: true, why: 'mlx5_core 0000:03:00.0' },
  hardwareEntries: 4,
};

const net = network(1);
const entries = (of = net): FibEntry[] =>
  [...compile(CONTEXT, intentOf([of], [endpoint(of, 1), endpoint(of, 2)])).values()].filter(
    r => r.kind === 'fib-entry',
  );
const nets = (of = net) => new Map([[1 as NetSlot, of]]);

describe('capabilities', () => {
  it('of a host without a NIC say what is missing', () => {
    expect(HERE.switchdev).toEqual({
      available: false,
      why: 'this host has no NIC in switchdev mode, and its kernel lacks devlink, flower',
    });
    expect(HERE.software.available).toBe(true);
  });

  it("name what the software eswitch lacks, with the kernel's words", () => {
    expect(capabilitiesOf([no('bpf_syscall', 'Operation not permitted')]).software).toEqual({
      available: false,
      why: 'the kernel lacks bpf_syscall (Operation not permitted)',
    });
  });

  it('take an unknown answer as no obstacle', () => {
    expect(capabilitiesOf([{ name: 'veth', answer: 'unknown', reason: 'x' }]).software.available).toBe(true);
  });
});

describe('capabilities of a host with NICs', () => {
  const of = async (...specs: SimNicSpec[]) => capabilitiesOf([], await new SimNics(specs).inventory());
  const handle = 'pci/0000:3b:00.0';

  it('offer switchdev with a NIC that has representors, and say which', async () => {
    const resources = [{ name: 'flows', size: 512, occupancy: 0 }];
    const here = await of({ handle, mode: 'switchdev', vfs: 2, resources });
    expect(here.switchdev).toEqual({ available: true, why: `mlx5_core ${handle}, 2 VFs` });
    expect([here.hardwareEntries, here.sriov.available]).toEqual([512, false]);
  });

  it.each<[Partial<SimNicSpec>, string]>([
    [{ mode: 'switchdev', vfs: 0 }, `${handle} is in switchdev mode, but it has no VFs`],
    [
      { mode: 'switchdev', vfs: 1, tcOffload: false },
      `${handle} is in switchdev mode, but hw-tc-offload is off`,
    ],
    [{ vfs: 2 }, `no NIC is in switchdev mode; in legacy mode: ${handle}`],
    [{ devlink: false }, 'this host has no NIC in switchdev mode'],
  ])('%o: say what keeps switchdev away', async (spec, why) => {
    const here = await of({ handle, ...spec });
    expect(here.switchdev).toEqual({ available: false, why });
    expect(here.hardwareEntries).toBe(0);
  });

  it('offer SR-IOV with a legacy NIC that has VFs', async () => {
    expect((await of({ handle, devlink: false, driver: 'igb', vfs: 3 })).sriov).toEqual({
      available: true,
      why: `igb ${handle}, 3 VFs`,
    });
    expect((await of({ handle })).sriov.why).toBe(`no legacy NIC has VFs enabled: ${handle} (0 of 8)`);
  });
});

describe('datapath', () => {
  it('auto takes the best there is and says why not a better one', () => {
    expect(chooseDatapath({ datapath: 'auto', require: 'any' }, NIC)).toMatchObject({ kind: 'switchdev' });
    expect(chooseDatapath({ datapath: 'auto', require: 'any' }, HERE)).toEqual({
      verdict: 'chosen',
      kind: 'software',
      why: `${HERE.switchdev.why}; ${HERE.sriov.why}`,
    });
  });

  it.each([
    [{ datapath: 'switchdev', require: 'any' }, /no NIC in switchdev mode/],
    [{ datapath: 'sriov', require: 'any' }, /no NIC with SR-IOV/],
    [{ datapath: 'auto', require: 'hw' }, /no NIC in switchdev mode.*no NIC with SR-IOV/],
    [{ datapath: 'software', require: 'hw' }, /exclude each other/],
  ] as const)('%o is refused here with what is missing', (options, why) => {
    const verdict = chooseDatapath(options, HERE);
    expect(verdict).toMatchObject({ verdict: 'refused', why: expect.stringMatching(why) });
  });

  it('software is software, whatever else is there', () => {
    expect(chooseDatapath({ datapath: 'software', require: 'any' }, NIC)).toMatchObject({ kind: 'software' });
  });
});

describe('place', () => {
  it('gives every entry a place and a reason', () => {
    const placements = place(entries(), nets(), HERE);
    expect(placements.size).toBe(entries().length);
    expect(new Set([...placements.values()].map(p => p.reason))).toEqual(new Set(['NO_EMBEDDED_SWITCH']));
    expect([...placements.values()][0]?.text).toMatch(/no NIC in switchdev mode/);
  });

  it("fills the hardware table in the order given and keeps the host's addresses out of it", () => {
    const reasons = [...place(entries(), nets(), NIC).values()].map(p => p.reason);
    expect(reasons).toEqual([
      ...['HOST_ADDRESS', 'HOST_ADDRESS', 'HOST_ADDRESS'],
      ...['HW_OK', 'HW_OK', 'HW_OK', 'HW_OK', 'TABLE_FULL', 'TABLE_FULL'],
    ]);
  });

  it("follows the network's own wish, and does not guess about an unknown one", () => {
    const soft = network(1, { datapath: 'software' });
    expect(new Set([...place(entries(soft), nets(soft), NIC).values()].map(p => p.reason))).toEqual(
      new Set(['POLICY']),
    );
    expect(new Set([...place(entries(), new Map(), NIC).values()].map(p => p.where))).toEqual(
      new Set(['software']),
    );
  });
});
