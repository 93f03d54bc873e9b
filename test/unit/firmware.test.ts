import { afterEach, describe, expect, it } from 'vitest';
import type { SimNicSpec } from '../../src/kernel/sim/nics.ts';
import { ERRNO } from '../../src/lib/errno.ts';
import type { DeviceName } from '../../src/model/nic.ts';
import { FirmwareRig, FRESH, IGB, MLX5, NO_WISHES, SIMNIC, versions } from './firmware-rig.ts';

let rig: FirmwareRig | null = null;
afterEach(() => rig?.end());

function host(...specs: readonly SimNicSpec[]): FirmwareRig {
  rig = new FirmwareRig(specs);
  return rig;
}
const FIRM = { dryRun: false, force: false } as const;
const texts = (steps: readonly { readonly text: string }[]) => steps.map(({ text }) => text);

describe('firmware status', () => {
  it('shows versions, parameters and what differs', async () => {
    const [status] = await host(FRESH).control.status();
    expect(status).toMatchObject({
      nic: SIMNIC,
      profile: { id: 'simnic', variant: null },
      minimum: '22.42.1000',
      minimumMet: 'no',
      state: 'differs',
      pending: [],
    });
    expect(status?.params.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'flow_steering_mode differs',
      'enable_sriov ok',
      'max_macs differs',
    ]);
  });

  it('says that stored firmware does not run yet', async () => {
    const [status] = await host(MLX5).control.status();
    expect(status?.state).toBe('pending');
    expect(status?.pending).toEqual([
      {
        what: 'fw.version',
        needs: 'fw-activate',
        text: 'fw.version 22.41.1000 is stored, 22.35.1012 runs: eswitchctl firmware apply activates it',
      },
    ]);
    expect(status?.minimumMet).toBe('unknown');
  });

  it('knows NICs without devlink too', async () => {
    const [status] = await host(IGB).control.status();
    expect(status).toMatchObject({ profile: { id: 'igb' }, params: [], state: 'ok' });
  });

  it('has nothing to say about what the driver lacks', async () => {
    const [status] = await host({ ...FRESH, params: [] }).control.status();
    expect(status?.params.every(({ state }) => state === 'absent')).toBe(true);
    const plan = await rig?.control.plan(SIMNIC, NO_WISHES);
    expect(plan?.steps).toEqual([]);
  });
});

describe('firmware plan', () => {
  it('sets parameters, flashes, activates, restarts the driver, in that order', async () => {
    const plan = await host(FRESH).control.plan('nic0', { ...NO_WISHES, file: 'sim/fw-22.42.bin' });
    expect(texts(plan.steps)).toEqual([
      'set flow_steering_mode (runtime) from dmfs to smfs',
      'set max_macs (driverinit) from 128 to 64',
      'flash sim/fw-22.42.bin',
      'activate the stored firmware (devlink reload, fw_activate)',
      'restart the driver (devlink reload, driver_reinit)',
    ]);
    expect(plan.steps.map(({ interrupts }) => interrupts)).toEqual([false, false, false, true, true]);
    expect(rig?.nics.log).toEqual([]);
  });

  it('leaves alone what cannot be set now, and says why', async () => {
    const plan = await host({ ...FRESH, mode: 'switchdev', vfs: 2 }).control.plan(SIMNIC, NO_WISHES);
    expect(plan.blocked).toEqual([
      'flow_steering_mode smfs: what an mlx5 wants; it can be set in legacy mode only',
      'firmware below 22.42.1000: name an image with --file',
      'restarting the driver: it refuses that while VFs exist (2 do)',
    ]);
    expect(texts(plan.steps)).toEqual(['set max_macs (driverinit) from 128 to 64']);
    expect(plan.pending.map(({ needs }) => needs)).toEqual(['driver-reload']);
  });

  it('prints the exact command of the vendor where devlink does not reach', async () => {
    const plan = await host(MLX5).control.plan('3b:00.0', { ...NO_WISHES, vfs: 16 });
    expect(plan.commands).toEqual([
      expect.objectContaining({
        command: 'mstconfig -y -d 0000:3b:00.0 set SRIOV_EN=1 NUM_OF_VFS=16',
        show: 'mstconfig -d 0000:3b:00.0 query SRIOV_EN NUM_OF_VFS',
        needs: 'firmware-reset',
        resetCommand: 'mstfwreset -y -d 0000:3b:00.0 reset',
      }),
    ]);
  });

  it('finds a NIC by its uplink, and refuses what is not one', async () => {
    const { control } = host(MLX5, IGB);
    expect((await control.plan('eno1', NO_WISHES)).nic).toBe('pci/0000:01:00.0');
    await expect(control.plan('00.0', NO_WISHES)).rejects.toMatchObject({ code: 'ESW_ERR_NIC_UNKNOWN' });
    await expect(control.plan('eth7', NO_WISHES)).rejects.toThrow(
      'no NIC eth7; known: pci/0000:3b:00.0, pci/0000:01:00.0',
    );
  });
});

describe('firmware apply', () => {
  it('does the plan, and then there is none', async () => {
    const { control, nics } = host(FRESH);
    const result = await control.apply(SIMNIC, { ...NO_WISHES, file: '22.42.1000' }, FIRM);
    expect(result.steps.every(step => step.result === 'done')).toBe(true);
    expect(nics.log.map(({ verb }) => verb)).toEqual(['param-set', 'param-set', 'flash', 'reload', 'reload']);
    expect(rig?.reloads).toBe(2);
    const [status] = await control.status();
    expect(status).toMatchObject({ state: 'ok', minimumMet: 'yes', pending: [] });
    expect((await control.plan(SIMNIC, NO_WISHES)).steps).toEqual([]);
  });

  it('changes nothing in a dry run', async () => {
    const { control, nics } = host(FRESH);
    const result = await control.apply(
      SIMNIC,
      { ...NO_WISHES, file: '22.42.1000' },
      { dryRun: true, force: false },
    );
    expect(result.steps.map(step => step.result)).toEqual(Array(5).fill('skipped'));
    expect(nics.log).toEqual([]);
  });

  it('stops at the first failure, with the words of the kernel', async () => {
    const { control, nics } = host(FRESH);
    nics.failNext('flash', ERRNO.EINVAL, 'the image does not begin with a version');
    const result = await control.apply(SIMNIC, { ...NO_WISHES, file: 'bad.bin' }, FIRM);
    expect(result.steps.map(({ verb, result: outcome }) => `${verb} ${outcome}`)).toEqual([
      'param-set done',
      'param-set done',
      'flash failed',
      'reload skipped',
      'reload skipped',
    ]);
    expect(result.steps[2]?.error).toBe('the image does not begin with a version');
    expect(result.pending.map(({ what, needs }) => `${what} ${needs}`)).toEqual(['max_macs driver-reload']);
  });

  it('does not interrupt containers without force', async () => {
    const { control, nics } = host(FRESH);
    if (rig !== null) rig.containers = ['container web'];
    await expect(control.apply(SIMNIC, NO_WISHES, FIRM)).rejects.toMatchObject({
      code: 'ESW_ERR_FIRMWARE_BUSY',
      message: expect.stringContaining('container web'),
    });
    expect(nics.log).toEqual([]);
    const result = await control.apply(SIMNIC, NO_WISHES, { dryRun: false, force: true });
    expect(result.steps.at(-1)).toMatchObject({ verb: 'reload', result: 'done' });
  });

  it('takes functions that are away from the host for used ones', async () => {
    const { control, nics } = host({ ...MLX5, vfs: 2 });
    const { functions } = (await nics.inventory()).nics[0] ?? { functions: [] };
    nics.moveToSandbox(functions[1]?.device as DeviceName, 'sandbox', 'eth0');
    await expect(control.apply('enp59s0f0np0', NO_WISHES, FIRM)).rejects.toThrow(/c0pf0vf1 .* is away/);
  });

  it('may set what interrupts nobody under containers', async () => {
    const runtimeOnly = {
      ...FRESH,
      firmware: versions('fw', '22.42.1000', '22.42.1000'),
      params: FRESH.params?.slice(0, 2) ?? [],
    };
    const { control } = host(runtimeOnly);
    if (rig !== null) rig.containers = ['container web'];
    const result = await control.apply(SIMNIC, NO_WISHES, FIRM);
    expect(result.steps.map(step => step.result)).toEqual(['done']);
  });

  it('remembers what counts only after a power cycle, also over a restart of the daemon', async () => {
    const off = [
      {
        name: 'enable_sriov',
        type: 'bool' as const,
        values: [{ cmode: 'permanent' as const, value: 'false' }],
      },
    ];
    const { control } = host({ ...FRESH, firmware: versions('fw', '22.42.1000', '22.42.1000'), params: off });
    const { pending } = await control.apply(SIMNIC, NO_WISHES, FIRM);
    const expected = [
      {
        what: 'enable_sriov',
        needs: 'power-cycle',
        text: 'enable_sriov is set to true: it counts after a power cycle',
      },
    ];
    expect(pending).toEqual(expected);
    const [status] = (await rig?.restart().status()) ?? [];
    expect(status).toMatchObject({ state: 'pending', pending: expected });
  });

  it('activates what is stored, once, and tells a driverinit value that waits', async () => {
    const { control, nics } = host(MLX5);
    const result = await control.apply('pci/0000:3b:00.0', NO_WISHES, FIRM);
    expect(result.steps.map(({ verb, result: outcome }) => `${verb} ${outcome}`)).toEqual(['reload done']);
    expect(nics.log).toEqual([{ verb: 'reload', nic: 'pci/0000:3b:00.0', action: 'fw_activate' }]);
    expect((await control.status())[0]?.pending).toEqual([]);
  });
});
