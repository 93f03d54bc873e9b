/** Runs operations on NICs, one after the other: later ones build on what earlier ones made. */
import { ERRNO, errnoName } from '../../lib/errno.ts';
import { asEswError } from '../../lib/errors.ts';
import { macToBytes } from '../../lib/mac.ts';
import {
  type DevlinkHandle,
  type FunctionRef,
  functionKey,
  type Nic,
  type VfConfig,
} from '../../model/nic.ts';
import type { NicOp } from '../nic-port.ts';
import type { OpResult } from '../port.ts';
import { applyBatch, DONE } from './batch.ts';
import type { ValuesOf } from './layout.ts';
import type { NativeLibrary } from './library.ts';
import { bindDriver, resetFunction, setVfs } from './nic-drivers.ts';
import { dumpParams, dumpPorts, handleOf, splitHandle } from './nic-dumps.ts';
import { portOfFunction } from './nic-inventory.ts';
import {
  DEVLINK_OP,
  DEVLINK_VERB,
  OFFLOAD_OP,
  PARAM_CMODES,
  PARAM_TYPE,
  VF_LINK_STATES,
  VF_OP,
  VF_SET,
} from './nic-records.ts';
import { LINK_OP, LINK_SET, LINK_VERB } from './records.ts';

export interface NicApplyDeps {
  readonly library: NativeLibrary;
  /** A fresh look at one NIC. */
  readNic(handle: DevlinkHandle): Promise<Nic | null>;
}

type DevlinkFields = Partial<ValuesOf<typeof DEVLINK_OP>>;

const refuse = (errno: number, extack: string): OpResult => ({ errno, extack });

export async function applyNicOps(deps: NicApplyDeps, ops: readonly NicOp[]): Promise<OpResult[]> {
  const results: OpResult[] = [];
  for (const op of ops) {
    try {
      results.push(await applyOne(deps, op));
    } catch (error) {
      results.push(refuse(ERRNO.EIO, asEswError(error).message));
    }
  }
  return results;
}

function applyOne(deps: NicApplyDeps, op: NicOp): Promise<OpResult> {
  switch (op.verb) {
    case 'eswitch-mode':
      return devlink(deps, op.nic, { verb: DEVLINK_VERB.mode, value: op.mode === 'switchdev' ? 1 : 0 });
    case 'eswitch-encap':
      return devlink(deps, op.nic, { verb: DEVLINK_VERB.encap, value: op.encap ? 1 : 0 });
    case 'tc-offload':
      return setOffload(deps, op.nic, op.on);
    case 'num-vfs':
      return setVfs(op.nic, op.count);
    case 'rate-node-delete':
      return devlink(deps, op.nic, { verb: DEVLINK_VERB.rateDelete, name: op.node });
    case 'function-mac':
      return setMac(deps, op);
    case 'function-state':
      return setState(deps, op);
    case 'vf-config':
      return setVfConfig(deps, op.ref, op.config);
    case 'function-reset':
      return reset(deps, op);
    case 'bind-driver':
      return bindDriver(op.device, op.driver, op.override);
    case 'param-set':
      return setParam(deps, op);
    case 'flash':
      return devlink(deps, op.nic, { verb: DEVLINK_VERB.flash, text: op.file, name: op.component ?? '' });
    default:
      return devlink(deps, op.nic, {
        verb: DEVLINK_VERB.reload,
        value: op.action === 'driver_reinit' ? 1 : 2,
      });
  }
}

async function devlink(
  { library }: NicApplyDeps,
  nic: DevlinkHandle,
  fields: DevlinkFields,
): Promise<OpResult> {
  const [result] = await applyBatch(library, 'esw_devlink_apply', DEVLINK_OP, [
    { ...splitHandle(nic), ...fields },
  ]);
  if (result === undefined) return refuse(ERRNO.EIO, 'no result');
  // The whole batch is refused so when the kernel has no devlink at all.
  if (result.errno === ERRNO.ENOENT && result.extack.endsWith('refused the batch'))
    return refuse(ERRNO.EOPNOTSUPP, 'this kernel has no devlink');
  if (result.errno === ERRNO.ENODEV && result.extack === '')
    return refuse(ERRNO.ENODEV, `no devlink instance ${nic}`);
  return { errno: result.errno, extack: result.extack };
}

/**
 * Drivers whose part of a reset takes the netdev for one that is up; with one that is down it waits for
 * ever, with the device locked (igbvf_io_prepare calls napi_disable a second time).
 */
const RESET_WANTS_UP: readonly (string | null)[] = ['igbvf'];

async function reset(deps: NicApplyDeps, op: NicOp & { verb: 'function-reset' }): Promise<OpResult> {
  const nic = await deps.readNic(op.ref.nic);
  const found = nic?.functions.find(each => functionKey(each.ref) === functionKey(op.ref));
  if (found === undefined || !RESET_WANTS_UP.includes(found.driver)) return resetFunction(op.ref, op.device);
  const { netdev, driver } = found;
  if (netdev === null) return refuse(ERRNO.EBUSY, `${driver} is reset with its netdev at hand only`);
  if (netdev.up) return resetFunction(op.ref, op.device);
  const set = (up: number) =>
    applyBatch(deps.library, 'esw_link_apply', LINK_OP, [
      { verb: LINK_VERB.set, set: LINK_SET.up, name: netdev.name, up },
    ]);
  const raised = firstFailure(await set(1));
  if (raised.errno !== 0) return raised;
  const result = await resetFunction(op.ref, op.device);
  await set(0);
  return result;
}

async function setOffload(
  { library, readNic }: NicApplyDeps,
  handle: DevlinkHandle,
  on: boolean,
): Promise<OpResult> {
  const nic = await readNic(handle);
  if (nic === null) return refuse(ERRNO.ENODEV, `no NIC ${handle}`);
  const reps = nic.functions.flatMap(each => each.representor ?? []);
  const records = [...nic.uplinks, ...reps].map(({ ifindex }) => ({ ifindex, active: on ? 1 : 0 }));
  const results = await applyBatch(library, 'esw_offload_apply', OFFLOAD_OP, records);
  return firstFailure(results);
}

const firstFailure = (results: readonly OpResult[]): OpResult => {
  const bad = results.find(each => each.errno !== 0);
  return bad === undefined ? DONE : { errno: bad.errno, extack: bad.extack };
};

async function setMac(deps: NicApplyDeps, op: NicOp & { verb: 'function-mac' }): Promise<OpResult> {
  const port = portOfFunction(await dumpPorts(deps.library), op.ref);
  if (port === undefined) return setVfConfig(deps, op.ref, { mac: op.mac });
  return devlink(deps, op.ref.nic, {
    verb: DEVLINK_VERB.functionMac,
    port_index: port.index,
    mac: macToBytes(op.mac),
  });
}

async function setState(deps: NicApplyDeps, op: NicOp & { verb: 'function-state' }): Promise<OpResult> {
  const port = portOfFunction(await dumpPorts(deps.library), op.ref);
  if (port === undefined) return refuse(ERRNO.ENODEV, `no devlink port of ${functionKey(op.ref)}`);
  return devlink(deps, op.ref.nic, {
    verb: DEVLINK_VERB.functionState,
    port_index: port.index,
    value: op.state === 'active' ? 1 : 0,
  });
}

type VfFields = Partial<ValuesOf<typeof VF_OP>>;

/** One record per attribute, so that a refusal names what was refused. */
function vfRecords(config: Partial<VfConfig>, now: VfConfig | null): VfFields[] {
  const { mac, vlan, vlanQos, vlanProto, minTxRate, maxTxRate, spoofchk, trust, linkState } = config;
  const records: VfFields[] = [];
  if (mac !== undefined) records.push({ set: VF_SET.mac, mac: macToBytes(mac) });
  if (vlan !== undefined || vlanQos !== undefined || vlanProto !== undefined) {
    const proto = vlanProto ?? now?.vlanProto ?? '802.1Q';
    records.push({
      set: VF_SET.vlan,
      vlan: vlan ?? now?.vlan ?? 0,
      qos: vlanQos ?? now?.vlanQos ?? 0,
      vlan_proto: proto === '802.1ad' ? 0x88a8 : 0x8100,
    });
  }
  if (minTxRate !== undefined || maxTxRate !== undefined) {
    records.push({
      set: VF_SET.rate,
      min_tx_rate: minTxRate ?? now?.minTxRate ?? 0,
      max_tx_rate: maxTxRate ?? now?.maxTxRate ?? 0,
    });
  }
  if (spoofchk !== undefined) records.push({ set: VF_SET.spoofchk, spoofchk: spoofchk ? 1 : 0 });
  if (trust !== undefined) records.push({ set: VF_SET.trust, trust: trust ? 1 : 0 });
  if (linkState !== undefined)
    records.push({ set: VF_SET.linkState, link_state: VF_LINK_STATES.indexOf(linkState) });
  return records;
}

/**
 * What is so already is left alone: not every NIC takes every attribute. A MAC is set again all the same,
 * because only one that the PF has set binds the VF.
 */
function changesOf(config: Partial<VfConfig>, now: VfConfig | null): Partial<VfConfig> {
  const isChange = ([key, value]: [string, unknown]): boolean =>
    key === 'mac' || now === null || now[key as keyof VfConfig] !== value;
  return Object.fromEntries(Object.entries(config).filter(isChange));
}

async function setVfConfig(
  { library, readNic }: NicApplyDeps,
  ref: FunctionRef,
  config: Partial<VfConfig>,
): Promise<OpResult> {
  const nic = await readNic(ref.nic);
  if (nic === null) return refuse(ERRNO.ENODEV, `no NIC ${ref.nic}`);
  const own = nic.functions.find(each => functionKey(each.ref) === functionKey(ref));
  if (ref.kind !== 'vf' || own === undefined) return refuse(ERRNO.ENODEV, `no function ${functionKey(ref)}`);
  const pf = nic.uplinks[0];
  if (pf === undefined) return refuse(ERRNO.ENODEV, `${ref.nic} has no netdev here`);
  const records = vfRecords(changesOf(config, own.vf), own.vf).map(fields => ({
    ...{ ifindex: pf.ifindex, vf: ref.index },
    ...fields,
  }));
  const results = await applyBatch(library, 'esw_vf_apply', VF_OP, records);
  const at = results.findIndex(each => each.errno !== 0);
  const bad = results[at];
  if (bad === undefined) return DONE;
  const what = Object.entries(VF_SET).find(([, bit]) => bit === records[at]?.set)?.[0] ?? 'attribute';
  const words = bad.extack === '' ? errnoName(bad.errno) : bad.extack;
  return refuse(bad.errno, `${what} of VF ${ref.index}: ${words}`);
}

async function setParam(deps: NicApplyDeps, op: NicOp & { verb: 'param-set' }): Promise<OpResult> {
  const params = await dumpParams(deps.library);
  const known = params.find(each => handleOf(each) === op.nic && each.name === op.name);
  if (known === undefined) return refuse(ERRNO.EINVAL, `${op.nic} has no parameter ${op.name}`);
  const common = {
    ...{ verb: DEVLINK_VERB.param, name: op.name, type: known.type },
    cmode: PARAM_CMODES.indexOf(op.cmode),
  };
  if (known.type === PARAM_TYPE.string) return devlink(deps, op.nic, { ...common, text: op.value });
  const number = op.value === 'true' ? 1 : op.value === 'false' ? 0 : Number(op.value);
  const limit = { [PARAM_TYPE.bool]: 1, [PARAM_TYPE.u8]: 0xff, [PARAM_TYPE.u16]: 0xffff }[known.type];
  if (!Number.isInteger(number) || number < 0 || number > (limit ?? 0xffff_ffff))
    return refuse(ERRNO.EINVAL, `"${op.value}" is no value of ${op.name}`);
  return devlink(deps, op.nic, { ...common, number: BigInt(number) });
}
