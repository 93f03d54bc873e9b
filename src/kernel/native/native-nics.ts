/** `NicPort` on the running kernel: devlink and rtnetlink through libeswitch.so, the rest through sysfs. */
import { ERRNO, errnoName } from '../../lib/errno.ts';
import { asEswError } from '../../lib/errors.ts';
import type { DeviceName, DevlinkHandle, Inventory, Nic } from '../../model/nic.ts';
import type { DevlinkParam, NicEvent, NicOp, NicPort } from '../nic-port.ts';
import type { OpResult } from '../port.ts';
import type { Log } from './context.ts';
import type { NativeLibrary } from './library.ts';
import { applyNicOps } from './nic-apply.ts';
import {
  dumpNicLinks,
  dumpOffloads,
  dumpParams,
  dumpRates,
  dumpResources,
  handleOf,
  type NicDumps,
  type RateRecord,
  type ResourceRecord,
  takeDumps,
} from './nic-dumps.ts';
import { joinNic } from './nic-inventory.ts';
import { paramsOf } from './nic-params.ts';
import { DEVLINK_EVENT, NIC_EVENT, RATE_NODE } from './nic-records.ts';
import { readDevice, sriovDevices } from './nic-sysfs.ts';
import { readRecords } from './record-stream.ts';

/** Names of rate nodes, so ordered that each can be deleted: a node with children cannot. */
function childrenFirst(nodes: readonly RateRecord[]): string[] {
  const byName = new Map(nodes.map(each => [each.node, each]));
  const depth = (name: string, seen = 0): number => {
    const parent = byName.get(name)?.parent ?? '';
    // The kernel has no circles; a dump that is one is not followed for ever.
    return parent === '' || seen > nodes.length ? seen : depth(parent, seen + 1);
  };
  return [...byName.keys()].sort((a, b) => depth(b) - depth(a));
}

export class NativeNics implements NicPort {
  readonly #library: NativeLibrary;
  readonly #log: Log;
  /** NIC of each device and VF as last seen: whom an event of a link concerns. */
  #nicOf: ReadonlyMap<string, DevlinkHandle> = new Map();

  constructor(library: NativeLibrary, log: Log) {
    this.#library = library;
    this.#log = log;
  }

  async inventory(): Promise<Inventory> {
    const [dumps, others] = await Promise.all([takeDumps(this.#library), sriovDevices()]);
    const handles = new Set<DevlinkHandle>([
      ...dumps.instances.map(handleOf),
      ...others.map(device => device as string as DevlinkHandle),
    ]);
    const nics = await Promise.all([...handles].sort().map(handle => this.#read(handle, dumps)));
    const found = nics.filter(nic => nic !== null);
    this.#nicOf = new Map(
      found.flatMap(nic => [
        [nic.handle as string, nic.handle] as const,
        ...nic.functions.flatMap(each => (each.device === null ? [] : [[each.device, nic.handle] as const])),
      ]),
    );
    return { nics: found };
  }

  apply(ops: readonly NicOp[]): Promise<readonly OpResult[]> {
    const readNic = async (handle: DevlinkHandle): Promise<Nic | null> =>
      this.#read(handle, await takeDumps(this.#library));
    return applyNicOps({ library: this.#library, readNic }, ops);
  }

  async params(nic: DevlinkHandle): Promise<readonly DevlinkParam[]> {
    const records = await dumpParams(this.#library);
    return paramsOf(records.filter(each => handleOf(each) === nic));
  }

  async rateNodes(nic: DevlinkHandle): Promise<readonly string[]> {
    const rates = await dumpRates(this.#library);
    return childrenFirst(rates.filter(each => handleOf(each) === nic && each.type === RATE_NODE));
  }

  async functionIn(netns: string, device: DeviceName): Promise<string | null> {
    if (netns === '') return null;
    const links = await dumpNicLinks(this.#library, netns);
    const own = links.find(link => link.kind === '' && `${link.parent_bus}/${link.parent_dev}` === device);
    return own?.name ?? null;
  }

  watch(onEvent: (event: NicEvent) => void): () => void {
    const lost = (): void => onEvent({ kind: 'lost', nic: null });
    const closers: (() => void)[] = [];
    const devlink = this.#open('esw_devlink_event_open');
    if (devlink !== null) {
      const onRecord = (record: { readonly command: number; readonly bus: string; readonly dev: string }) =>
        record.command === 0 ? lost() : onEvent({ kind: 'nic', nic: handleOf(record) });
      closers.push(readRecords(devlink, DEVLINK_EVENT, { onRecord, onEnd: lost }));
    }
    const links = this.#open('esw_nic_event_open');
    if (links !== null) {
      closers.push(
        readRecords(links, NIC_EVENT, {
          onRecord: ({ kind, parent_bus, parent_dev }) => {
            if (kind === 0) lost();
            else onEvent({ kind: 'link', nic: this.#nicOf.get(`${parent_bus}/${parent_dev}`) ?? null });
          },
          onEnd: lost,
        }),
      );
    }
    return () => {
      for (const close of closers) close();
    };
  }

  /** Null, and a word in the log, for a stream that this kernel does not have. */
  #open(name: 'esw_devlink_event_open' | 'esw_nic_event_open'): number | null {
    const fd = this.#library.callSync(name);
    if (fd >= 0) return fd;
    // A kernel without devlink has no NIC that could tell.
    if (fd !== -ERRNO.ENOENT) this.#log.warn({ stream: name, errno: errnoName(-fd) }, 'no events of NICs');
    return null;
  }

  /** Null for what is no NIC: a VF or SF with an instance of its own, or a device that is gone. */
  async #read(handle: DevlinkHandle, dumps: NicDumps): Promise<Nic | null> {
    const problems: string[] = [];
    const instance = dumps.instances.find(each => handleOf(each) === handle);
    const device = await readDevice(handle);
    if (device === null && instance === undefined) return null;
    if (device?.isVf || handle.startsWith('auxiliary/')) return null;
    const resources = instance === undefined ? [] : await this.#resources(handle, problems);
    const parts = { handle, dumps, device, resources, problems };
    const nic = joinNic({ ...parts, offloads: new Map() });
    const ifindexes = nic.uplinks.map(link => link.ifindex);
    try {
      return joinNic({ ...parts, offloads: await dumpOffloads(this.#library, ifindexes) });
    } catch (error) {
      return { ...nic, problems: [...nic.problems, asEswError(error).message] };
    }
  }

  async #resources(handle: DevlinkHandle, problems: string[]): Promise<readonly ResourceRecord[]> {
    try {
      return await dumpResources(this.#library, handle);
    } catch (error) {
      problems.push(asEswError(error).message);
      return [];
    }
  }
}
