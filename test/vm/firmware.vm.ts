/** `eswitchctl firmware` and the probing of unknown NICs on a real kernel, with the virtual SmartNIC of test/simnic. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type {
  FirmwareList,
  FirmwarePlanBody,
  FirmwareResultBody,
  FirmwareStatusBody,
} from '../../src/wire/api/firmware.ts';
import { Scope } from '../lab/scope.ts';
import { GuestHost } from './guest-host.ts';
import { ensureProduct } from './product.ts';
import { bootWithSimnic, type Lab } from './simnic-lab.ts';

const NIC = 'simnic/simnic0';
const PROBE_TIMEOUT_MS = 200_000;
const POLL = { timeout: 200_000, interval: 1000 };

describe('eswitchctl firmware on Debian kernel 6.12 with a SmartNIC', () => {
  const scope = new Scope('vmfirmware');
  let lab: Lab;
  let host: GuestHost;

  const status = async (): Promise<FirmwareStatusBody> => {
    const [nic] = (await host.eswitchctl<FirmwareList>('firmware', 'status')).nics;
    if (nic === undefined) throw new Error('no NIC');
    return nic;
  };
  const apply = (...args: readonly string[]) =>
    host.eswitchctl<FirmwareResultBody>('firmware', 'apply', NIC, ...args);
  const outcomes = ({ steps }: FirmwareResultBody) => steps.map(({ verb, result }) => `${verb} ${result}`);

  beforeAll(async () => {
    lab = await bootWithSimnic(scope);
    await lab.sh(`echo "0 4" >/sys/bus/simnic/new_device
      ip link set "$(sn_port 0 p0)" name up0
      mkdir -p /lib/firmware/sim
      echo 22.42.1000 >/lib/firmware/sim/good.bin; echo 22.43.1000 >/lib/firmware/sim/better.bin
      printf '\\001' >/lib/firmware/sim/bad.bin
      devlink dev param set ${NIC} name flow_steering_mode value dmfs cmode runtime`);
    host = new GuestHost(lab.guest, await ensureProduct(), {});
    await host.daemonStart();
  });
  afterAll(() => scope.dispose());

  it('shows what runs, what is stored and what differs from the profile', async () => {
    expect(await status()).toMatchObject({
      ...{ nic: NIC, driver: 'simnic', state: 'differs', minimumMet: 'no', pending: [], users: [] },
      profile: { id: 'simnic' },
      params: [
        { name: 'flow_steering_mode', cmode: 'runtime', current: 'dmfs', state: 'differs' },
        { name: 'enable_sriov', cmode: 'permanent', current: 'true', state: 'ok' },
        { name: 'max_macs', cmode: 'driverinit', current: '128', state: 'differs' },
      ],
    });
  });

  it('changes nothing when it plans', async () => {
    const plan = await host.eswitchctl<FirmwarePlanBody>('firmware', 'plan', NIC, '--file', 'sim/good.bin');
    expect(plan.steps.map(({ verb, interrupts }) => `${verb} ${interrupts}`)).toEqual([
      'param-set false',
      'param-set false',
      'flash false',
      'reload true',
      'reload true',
    ]);
    expect((await status()).params[0]?.current).toBe('dmfs');
  });

  it('refuses to interrupt a function that is in a sandbox', async () => {
    await lab.sh(`echo 2 >/sys/bus/simnic/devices/simnic0/sriov_numvfs
      ip netns add box; ip link set "$(sn_func 0 1)" netns box name eth0`);
    const { code, stderr } = await host.tryEswitchctl('firmware', 'apply', NIC, '--file', 'sim/good.bin');
    expect(code).toBe(1);
    expect(stderr).toContain(`${NIC}/c0pf0vf1 (simnic_vf) is away from the host`);
    expect(stderr).toContain('add --force');
    expect((await status()).params[0]?.current).toBe('dmfs');
    await lab.sh(`ip netns del box; sleep 1; echo 0 >/sys/bus/simnic/devices/simnic0/sriov_numvfs`);
  });

  it("stops at the driver's refusal of an image, with its words", async () => {
    const { code, stdout } = await host.tryEswitchctl('firmware', 'apply', NIC, '--file', 'sim/bad.bin');
    expect(code).toBe(1);
    expect(stdout).toContain('FAILED  flash sim/bad.bin: simnic: the image does not begin with a version');
    expect(stdout).toContain('skipped activate the stored firmware');
    expect((await status()).pending.map(({ what, needs }) => `${what} ${needs}`)).toEqual([
      'max_macs driver-reload',
    ]);
  });

  it('sets, flashes, activates and restarts the driver', async () => {
    const result = await apply('--file', 'sim/good.bin');
    expect(outcomes(result)).toEqual(['flash done', 'reload done', 'reload done']);
    expect(await status()).toMatchObject({
      ...{ state: 'ok', minimumMet: 'yes', pending: [] },
      versions: expect.arrayContaining([
        { name: 'fw', running: '22.42.1000', stored: '22.42.1000', pending: false },
      ]),
    });
    const shown = await lab.sh(`devlink dev param show ${NIC} name max_macs; devlink dev info ${NIC}`);
    expect(shown).toMatch(/cmode driverinit value 64/);
    expect(shown).toMatch(/fw 22\.42\.1000/);
    const plan = await host.tryEswitchctl('firmware', 'plan', NIC, '--exit-code');
    expect([plan.code, plan.stdout]).toEqual([0, `Nothing to do on ${NIC} through devlink.\n`]);
  });

  it('finds firmware that others flashed, and activates it', async () => {
    await lab.sh(`devlink dev flash ${NIC} file sim/better.bin`);
    expect(await status()).toMatchObject({
      state: 'pending',
      pending: [{ what: 'fw', needs: 'fw-activate' }],
    });
    expect(outcomes(await apply())).toEqual(['reload done']);
    expect((await status()).versions).toContainEqual({
      ...{ name: 'fw', running: '22.43.1000', stored: '22.43.1000', pending: false },
    });
  });

  it('says plainly that a permanent parameter waits for a power cycle, also after a restart', async () => {
    await lab.sh(`devlink dev param set ${NIC} name enable_sriov value false cmode permanent`);
    const result = await apply();
    expect(outcomes(result)).toEqual(['param-set done']);
    await host.daemonStop();
    await host.daemonStart();
    const after = await status();
    expect(after.state).toBe('pending');
    expect(after.pending).toEqual([
      {
        ...{ what: 'enable_sriov', needs: 'power-cycle' },
        text: 'enable_sriov is set to true: it counts after a power cycle',
      },
    ]);
  });

  it('asks the NIC once it has representors, and shows what it refused', async () => {
    await lab.sh(`sn_knob 0 actions -mirror
      echo 2 >/sys/bus/simnic/devices/simnic0/sriov_numvfs
      devlink dev eswitch set ${NIC} mode switchdev`);
    await expect
      .poll(async () => (await status()).probed.filter(({ answer }) => answer === 'no'), POLL)
      .toEqual([{ question: 'action:mirror', answer: 'no', text: 'simnic: action mirror is not supported' }]);
    expect(await lab.sh('tc filter show dev "$(sn_port 0 pf0vf0)" ingress')).toBe('');
  });

  it('finds nothing to complain about in the kernel log', async () => {
    expect(await lab.guest.complaints()).toEqual([]);
  });
});

interface Probed {
  readonly answers: Readonly<Record<string, readonly [string, string]>>;
  readonly left: number;
  readonly pair: { readonly code: string; readonly text: string } | null;
}

describe('probing a NIC that no profile knows', () => {
  const scope = new Scope('vmprobe');
  const script = join(import.meta.dirname, 'guest/probe.ts');
  let lab: Lab;

  beforeAll(async () => {
    lab = await bootWithSimnic(scope);
    await lab.sh(`sn_host 0 2; sn_host 1 1; sn_knob 0 wire simnic1; sn_switchdev 0
      ip addr add 192.0.2.3/24 dev up0
      ip link add vx0 type vxlan external dstport 4789; ip link set vx0 up`);
  });
  afterAll(() => scope.dispose());

  const probe = async (...args: readonly string[]): Promise<Probed> =>
    JSON.parse(
      await lab.guest.must([process.execPath, script, NIC, ...args].join(' '), PROBE_TIMEOUT_MS),
    ) as Probed;
  const questions = ({ answers }: Probed, wanted: string) =>
    Object.entries(answers).flatMap(([question, [answer]]) => (answer === wanted ? [question] : []));

  it('finds that it takes all, tunnels too, and leaves no rule behind', async () => {
    const probed = await probe('vx0');
    const refused = questions(probed, 'no').map(question => `${question}: ${probed.answers[question]?.[1]}`);
    expect(refused).toEqual([]);
    const open = questions(probed, 'unknown').map(
      question => `${question}: ${probed.answers[question]?.[1]}`,
    );
    expect(open).toEqual([]);
    expect(probed.answers).toMatchObject({
      'action:tunnel-set': ['yes', ''],
      'field:enc_key_id': ['yes', ''],
    });
    expect(probed.left).toBe(0);
    expect(probed.pair).toBeNull();
  });

  it('gives exactly the answers that its knobs make', async () => {
    await lab.sh(`sn_knob 0 keys -tcp_flags -ip_ttl -cvlan -icmp_code
      sn_knob 0 actions -mirror -police -vlan_mangle -mangle_ip6`);
    const probed = await probe();
    expect(questions(probed, 'no').sort()).toEqual([
      ...['action:mirror', 'action:police', 'action:vlan-modify'],
      ...['field:cvlan_ethtype', 'field:cvlan_id', 'field:cvlan_prio'],
      ...['field:icmp_code', 'field:ip_ttl', 'field:tcp_flags'],
      ...['pedit:ipv6_dst', 'pedit:ipv6_hoplimit', 'pedit:ipv6_src'],
    ]);
    expect(probed.answers['field:ip_ttl']?.[1]).toBe('simnic: key ip_ttl is not supported');
    expect(questions(probed, 'unknown').every(question => /tunnel|enc_/.test(question))).toBe(true);
    expect([probed.left, probed.pair]).toEqual([0, null]);
  });

  it('could not tell whether a refusal of encapsulation is about routes', async () => {
    await lab.sh(`sn_knob 0 keys all; sn_knob 0 actions all; ip addr del 192.0.2.3/24 dev up0`);
    const { answers } = await probe('vx0');
    expect(answers['action:tunnel-set']).toEqual(['unknown', expect.stringMatching(/^simnic: .*route/)]);
    expect(answers['action:tunnel-unset']?.[0]).toBe('yes');
  });

  it('refuses for the pair rules what the NIC refused', async () => {
    await lab.sh(`sn_knob 0 keys all; sn_knob 0 actions all; sn_knob 0 actions -mangle_eth`);
    const { pair } = await probe();
    expect(pair?.code).toBe('NO_REWRITE');
    expect(pair?.text).toMatch(/^rewriting eth_src is not done: simnic: /);
  });

  it('could not tell while the table is full', async () => {
    await lab.sh(`sn_knob 0 actions all; sn_knob 0 table_size 0`);
    const { answers, left } = await probe();
    expect(answers).toEqual({ offload: ['unknown', expect.stringContaining('table full')] });
    expect(left).toBe(0);
    await lab.sh(`sn_knob 0 table_size 65536`);
  });

  it('finds nothing to complain about in the kernel log', async () => {
    expect(await lab.guest.complaints()).toEqual([]);
  });
});
