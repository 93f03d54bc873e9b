/** A NIC's firmware beside its profile: what differs, what would change it, what is pending. Pure. */
import type { DevlinkParam, NicOp } from '../kernel/nic-port.ts';
import { compareVersions } from '../lib/version.ts';
import type {
  Activation,
  FirmwareParam,
  FirmwarePlan,
  FirmwareStatus,
  FirmwareStep,
  FirmwareVersions,
  FirmwareWishes,
  PendingReset,
  ProbedAnswer,
  VendorCommand,
} from '../model/firmware.ts';
import type { Nic } from '../model/nic.ts';
import type { NicProfile, ParamWish, VendorSetting } from '../model/nic-profile.ts';

/** Everything that is known of one NIC. */
export interface FirmwarePicture {
  readonly nic: Nic;
  readonly params: readonly DevlinkParam[];
  readonly profile: NicProfile;
  /** Set by us and not in force yet; devlink shows such values as if they were. */
  readonly remembered: readonly PendingReset[];
  readonly users: readonly string[];
  readonly probed: readonly ProbedAnswer[];
}

export interface PlannedStep extends FirmwareStep {
  readonly op: NicOp;
}

export interface OperablePlan extends FirmwarePlan {
  readonly steps: readonly PlannedStep[];
}

export function firmwareStatus(picture: FirmwarePicture): FirmwareStatus {
  const { nic, profile, users } = picture;
  const versions = versionRows(nic);
  const params = profile.params.map(wish => paramRow(wish, picture));
  const pending = [...pendingVersions(versions, profile), ...picture.remembered];
  const minimumMet = meetsMinimum(versions, profile);
  const differs =
    minimumMet === 'no' || params.some(({ state }) => state === 'differs' || state === 'blocked');
  return {
    nic: nic.handle,
    driver: nic.driver,
    profile: { id: profile.id, variant: profile.variant, title: profile.title },
    versions,
    minimum: profile.firmware.minimum,
    minimumMet,
    params,
    pending,
    probed: picture.probed,
    users,
    state: pending.length > 0 ? 'pending' : differs ? 'differs' : 'ok',
  };
}

function versionRows({ firmware }: Nic): FirmwareVersions[] {
  const names = [...new Set(firmware.map(({ name }) => name))];
  return names.map(name => {
    const value = (kind: string): string | null =>
      firmware.find(each => each.name === name && each.kind === kind)?.value ?? null;
    const running = value('running') ?? value('fixed');
    const stored = value('stored');
    return { name, running, stored, pending: running !== null && stored !== null && running !== stored };
  });
}

function meetsMinimum(
  versions: readonly FirmwareVersions[],
  { firmware }: NicProfile,
): FirmwareStatus['minimumMet'] {
  const running = versions.find(({ name }) => name === firmware.version)?.running;
  if (firmware.minimum === null || running === undefined || running === null) return 'unknown';
  return compareVersions(running, firmware.minimum) >= 0 ? 'yes' : 'no';
}

const ACTIVATIONS: Readonly<Record<NicProfile['firmware']['activation'], Activation>> = {
  reload: 'fw-activate',
  reboot: 'reboot',
  'power-cycle': 'power-cycle',
  unknown: 'unknown',
};

const NEEDS_TEXT: Readonly<Record<Activation, string>> = {
  'fw-activate': 'eswitchctl firmware apply activates it',
  'driver-reload': 'it counts once the driver is reloaded',
  'firmware-reset': 'it counts after a firmware reset',
  reboot: 'it counts after a reboot',
  'power-cycle': 'it counts after a power cycle',
  unknown: 'what activates it is not known: at the latest a power cycle',
};

function pendingVersions(versions: readonly FirmwareVersions[], { firmware }: NicProfile): PendingReset[] {
  const needs = ACTIVATIONS[firmware.activation];
  return versions
    .filter(({ pending }) => pending)
    .map(({ name, running, stored }) => ({
      what: name,
      needs,
      text: `${name} ${stored} is stored, ${running} runs: ${NEEDS_TEXT[needs]}`,
    }));
}

/** devlink tells booleans as true and false, and knows no other spelling. */
const sameValue = (a: string | null, b: string): boolean => a?.toLowerCase() === b.toLowerCase();

function paramRow(wish: ParamWish, { nic, params }: FirmwarePicture): FirmwareParam {
  const { name, cmode, value, why, mode } = wish;
  const found = params.find(param => param.name === name)?.values.find(each => each.cmode === cmode);
  const row = { name, cmode, current: found?.value ?? null, wanted: value, why };
  if (found === undefined) return { ...row, state: 'absent' };
  if (sameValue(found.value, value)) return { ...row, state: 'ok' };
  if (mode !== undefined && nic.eswitch !== null && nic.eswitch.mode !== mode) {
    return { ...row, state: 'blocked', why: `${why}; it can be set in ${mode} mode only` };
  }
  return { ...row, state: 'differs' };
}

/** Parameters, flash, activation, then the driver: what a reload reads must be there before it. */
export function firmwarePlan(picture: FirmwarePicture, wishes: FirmwareWishes): OperablePlan {
  const { nic, profile, users } = picture;
  const status = firmwareStatus(picture);
  const changed = status.params.filter(({ state }) => state === 'differs');
  const blocked = status.params
    .filter(({ state }) => state === 'blocked')
    .map(({ name, wanted, why }) => `${name} ${wanted}: ${why}`);
  const steps: PlannedStep[] = changed.map(param => paramStep(nic, param));
  if (wishes.file !== null) steps.push(flashStep(nic, wishes.file, wishes.component));
  const activation = activationSteps(picture, status, wishes);
  const reinit = reinitSteps(picture, changed);
  const reloads = [...activation.steps, ...reinit.steps];
  return {
    nic: nic.handle,
    steps: [...steps, ...reloads],
    commands: profile.vendor
      .filter(setting => isNeeded(setting, nic))
      .map(each => vendorCommand(each, nic, wishes)),
    pending: [...activation.pending, ...reinit.pending, ...permanentPending(picture, changed)],
    blocked: [...blocked, ...belowMinimum(status, wishes), ...activation.blocked, ...reinit.blocked],
    users,
  };
}

function paramStep({ handle }: Nic, { name, cmode, wanted, current }: FirmwareParam): PlannedStep {
  return {
    verb: 'param-set',
    text: `set ${name} (${cmode}) from ${current ?? 'unset'} to ${wanted}`,
    interrupts: false,
    op: { verb: 'param-set', nic: handle, name, cmode, value: wanted },
  };
}

function flashStep({ handle }: Nic, file: string, component: string | null): PlannedStep {
  const where = component === null ? '' : `, component ${component}`;
  return {
    verb: 'flash',
    text: `flash ${file}${where}`,
    interrupts: false,
    op: { verb: 'flash', nic: handle, file, component },
  };
}

interface Part {
  readonly steps: PlannedStep[];
  readonly pending: PendingReset[];
  readonly blocked: string[];
}

const NOTHING: Part = { steps: [], pending: [], blocked: [] };

function reloadStep({ handle }: Nic, action: 'driver_reinit' | 'fw_activate'): PlannedStep {
  const what = action === 'fw_activate' ? 'activate the stored firmware' : 'restart the driver';
  return {
    verb: 'reload',
    text: `${what} (devlink reload, ${action})`,
    interrupts: true,
    op: { verb: 'reload', nic: handle, action },
  };
}

/** Quirk of profiles whose driver refuses driver_reinit and fw_activate alike while VFs exist. */
const NEEDS_NO_VFS = 'reload-needs-no-vfs';
const NEEDS_NO_VFS_REINIT = 'reinit-needs-no-vfs';

function vfsInTheWay({ nic, profile }: FirmwarePicture, ...quirks: readonly string[]): boolean {
  return nic.vfsEnabled > 0 && profile.quirks.some(({ id }) => quirks.includes(id));
}

function activationSteps(picture: FirmwarePicture, status: FirmwareStatus, { file }: FirmwareWishes): Part {
  const { nic, profile } = picture;
  const waiting = pendingVersions(status.versions, profile);
  if (file === null && waiting.length === 0) return NOTHING;
  if (profile.firmware.fwActivate.answer === 'no') {
    const needs = ACTIVATIONS[profile.firmware.activation];
    if (file === null) return { ...NOTHING, pending: waiting };
    return { ...NOTHING, pending: [{ what: 'firmware', needs, text: `${file}: ${NEEDS_TEXT[needs]}` }] };
  }
  if (vfsInTheWay(picture, NEEDS_NO_VFS)) {
    const text = `activating firmware: the driver refuses it while VFs exist (${nic.vfsEnabled} do)`;
    return { ...NOTHING, blocked: [text], pending: waiting };
  }
  return { ...NOTHING, steps: [reloadStep(nic, 'fw_activate')] };
}

function reinitSteps(picture: FirmwarePicture, changed: readonly FirmwareParam[]): Part {
  const { nic, profile, remembered } = picture;
  const set = changed.filter(({ cmode }) => cmode === 'driverinit');
  const waiting = remembered.filter(({ needs }) => needs === 'driver-reload');
  if (set.length === 0 && waiting.length === 0) return NOTHING;
  const pending = [...set.map(param => pendingParam(param, 'driver-reload')), ...waiting];
  if (profile.firmware.driverReinit.answer === 'no') {
    return { ...NOTHING, pending, blocked: ['restarting the driver: it has no devlink reload'] };
  }
  if (vfsInTheWay(picture, NEEDS_NO_VFS, NEEDS_NO_VFS_REINIT)) {
    const text = `restarting the driver: it refuses that while VFs exist (${nic.vfsEnabled} do)`;
    return { ...NOTHING, pending, blocked: [text] };
  }
  return { ...NOTHING, steps: [reloadStep(nic, 'driver_reinit')] };
}

export function pendingParam(
  { name, wanted }: Pick<FirmwareParam, 'name' | 'wanted'>,
  needs: Activation,
): PendingReset {
  return { what: name, needs, text: `${name} is set to ${wanted}: ${NEEDS_TEXT[needs]}` };
}

function permanentPending(
  { remembered }: FirmwarePicture,
  changed: readonly FirmwareParam[],
): PendingReset[] {
  const set = changed.filter(({ cmode }) => cmode === 'permanent');
  const before = remembered.filter(
    ({ needs, what }) => needs !== 'driver-reload' && !set.some(({ name }) => name === what),
  );
  // "A hard reset is required": Documentation/networking/devlink/devlink-params.rst of the kernel.
  return [...set.map(param => pendingParam(param, 'power-cycle')), ...before];
}

function belowMinimum({ minimumMet, minimum, versions }: FirmwareStatus, { file }: FirmwareWishes): string[] {
  if (minimumMet !== 'no' || file !== null || versions.some(({ pending }) => pending)) return [];
  return [`firmware below ${minimum}: name an image with --file`];
}

function isNeeded({ needed }: VendorSetting, nic: Nic): boolean {
  if (needed === 'no-vfs') return nic.vfsTotal === 0;
  if (needed === 'no-offload') return nic.eswitch?.mode !== 'switchdev';
  return true;
}

function vendorCommand(setting: VendorSetting, nic: Nic, { vfs }: FirmwareWishes): VendorCommand {
  const device = nic.handle.slice(nic.handle.indexOf('/') + 1);
  const values: Readonly<Record<string, string>> = {
    pci: device,
    netdev: nic.uplinks[0]?.name ?? '<uplink>',
    vfs: String(vfs),
  };
  const filled = (text: string): string =>
    text.replaceAll(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  const { want, why, command, show, effect, resetCommand } = setting;
  return {
    want,
    why,
    command: filled(command),
    show: show === null ? null : filled(show),
    needs: effect,
    resetCommand: resetCommand === null ? null : filled(resetCommand),
  };
}
