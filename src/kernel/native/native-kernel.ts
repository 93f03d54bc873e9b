/** `KernelPort` on the running kernel, through libeswitch.so. */
import { altname, altnameMark, linkRole } from '../../ir/names.ts';
import { ERRNO } from '../../lib/errno.ts';
import { EswError } from '../../lib/errors.ts';
import type { Identity } from '../../model/intent.ts';
import type { FlowPort } from '../flow-port.ts';
import type { NicPort } from '../nic-port.ts';
import type { Announcement, KernelEvent, KernelPort } from '../port.ts';
import { announce } from './announce.ts';
import { applyOps } from './apply.ts';
import { checkStatus, dumpRecords, readText } from './batch.ts';
import type { Log, NativeContext } from './context.ts';
import { readCounters, readPairs, resetSlots } from './counters.ts';
import { EventNamer, readEvents } from './events.ts';
import { ForwardAccepts } from './forward-accept.ts';
import { HookUpgrade } from './hook-upgrade.ts';
import type { Lane } from './lanes.ts';
import { NativeLibrary } from './library.ts';
import { hostLinks } from './links.ts';
import { Maps } from './maps.ts';
import { Nft } from './nft.ts';
import { observe } from './observe.ts';
import { hostAddresses } from './observe-links.ts';
import { chooseBpffs, Pins } from './pins.ts';
import { parseProbes } from './probes.ts';
import { EVENT_GROUP, LINK_REC } from './records.ts';
import { ifnameIn } from './vf-ports.ts';
import { giveBack } from './vf-release.ts';

export interface NativeKernelOptions {
  readonly identity: Identity;
  /** Path of libeswitch.so. */
  readonly library: string;
  /** Path of eswitch.bpf.o. */
  readonly bpfObject: string;
  /** Mount point of a bpffs; null: the system's, else one of our own below `runDir`. */
  readonly bpffs: string | null;
  readonly runDir: string;
  /** The host's NICs, whose functions can be ports; absent: veth pairs only. */
  readonly nics?: NicPort;
  readonly flows?: FlowPort;
  /** Ports this host can have: size of the port tables when they are first made. */
  readonly maxPorts: number;
  /** How to attach hooks; `auto` (clsact at once, tcx when the host is quiet) unless a test wants one. */
  readonly hookMode?: 'auto' | 'tcx' | 'clsact';
  /** How long nothing must change before ports are moved to tcx, milliseconds; 3000 unless given. */
  readonly quietMs?: number;
  readonly log: Log;
}

const INSTANCE = /^[a-z][a-z0-9-]{0,23}$/;

/**
 * Loads the library, unless one is given, and finds a bpffs. Acts on the network namespace of this process. Throws
 * ESW_ERR_NATIVE_LIBRARY (cannot be loaded, or another layout), ESW_ERR_KERNEL_FEATURE (no bpffs),
 * ESW_ERR_CONFIG_VALUE (instance name).
 */
export function createNativeKernel(
  options: NativeKernelOptions,
  library: NativeLibrary = new NativeLibrary(options.library),
): KernelPort {
  const { identity, log } = options;
  // It becomes the name of an nftables table and of a directory.
  if (!INSTANCE.test(identity.instance))
    throw new EswError('ESW_ERR_CONFIG_VALUE', `instance "${identity.instance}" is not ${INSTANCE.source}`);
  const pins = new Pins(chooseBpffs(library, options.bpffs, options.runDir), identity.instance);
  const context: NativeContext = {
    library,
    identity,
    pins,
    maps: new Maps(library, pins),
    nft: new Nft(library, identity.instance),
    forward: new ForwardAccepts(identity.instance),
    nics: options.nics ?? null,
    flows: options.flows ?? null,
    bpfObject: options.bpfObject,
    hookMode: options.hookMode ?? 'auto',
    maxPorts: options.maxPorts,
    sysctlsSeen: new Set(),
    log,
  };
  return new NativeKernel(context, options.quietMs);
}

class NativeKernel implements KernelPort {
  readonly name = 'native';
  readonly #context: NativeContext;
  /** Ifindexes of our links as last seen; confirmed before use. */
  readonly #seen = new Map<string, number>();
  readonly #watchers = new Set<() => void>();
  readonly #upgrade: HookUpgrade;

  constructor(context: NativeContext, quietMs: number | undefined) {
    this.#context = context;
    this.#upgrade = new HookUpgrade(context, quietMs);
    this.#upgrade.touch();
  }

  async probe(): ReturnType<KernelPort['probe']> {
    const { library } = this.#context;
    const text = await readText('probes', out => library.call('esw_probe', out, out.length));
    return parseProbes(text);
  }

  dump(sandboxes?: () => Iterable<string>): ReturnType<KernelPort['dump']> {
    return observe(this.#context, sandboxes);
  }

  apply(ops: Parameters<KernelPort['apply']>[0]): ReturnType<KernelPort['apply']> {
    if (ops.length > 0) this.#upgrade.touch();
    return applyOps(this.#context, this.#seen, ops);
  }

  counters(): ReturnType<KernelPort['counters']> {
    return readCounters(this.#context.maps);
  }

  pairCounters(): ReturnType<KernelPort['pairCounters']> {
    return readPairs(this.#context.maps);
  }

  resetCounters(slots: Parameters<KernelPort['resetCounters']>[0]): Promise<void> {
    return resetSlots(this.#context.maps, slots);
  }

  async sandboxIfname(netns: string, rep: string): Promise<string | null> {
    const { library, identity } = this.#context;
    const fn = linkRole(identity, rep)?.twin;
    if (fn === undefined || netns === '') return null;
    const mark = altnameMark(identity);
    const gone = new Set([-ERRNO.ENOENT, -ERRNO.EINVAL, -ERRNO.EPERM]);
    const links = await dumpRecords('sandbox links', LINK_REC, async out => {
      const count = await library.call('esw_link_dump', netns, mark, 0, out, out.length);
      return gone.has(count) ? 0 : count;
    });
    // The altname goes with the link through moves and renames.
    const byMark = links.find(link => link.altname === altname(identity, fn));
    if (byMark !== undefined) return byMark.name;
    // Kernels before 6.6 leave altnames behind on a move: there the peer's ifindex tells.
    const ifindex = (await hostLinks(library, identity)).own.get(rep)?.ifindex;
    const byPeer = links.find(
      link => link.kind === 'veth' && link.peer_ifindex === ifindex && link.peer_netnsid >= 0,
    );
    return byPeer?.name ?? ifnameIn(this.#context, netns, rep);
  }

  giveBack(...[ref, before]: Parameters<KernelPort['giveBack']>): ReturnType<KernelPort['giveBack']> {
    return giveBack(this.#context, ref, before);
  }

  hostAddresses(): ReturnType<KernelPort['hostAddresses']> {
    return hostAddresses(this.#context);
  }

  announce(what: Announcement): Promise<boolean> {
    return announce(this.#context.library, what);
  }

  watch(onEvent: (event: KernelEvent) => void): () => void {
    const { library, identity, log } = this.#context;
    const fd = checkStatus(
      'event stream',
      library.callSync('esw_event_open', EVENT_GROUP.link | EVENT_GROUP.addr),
    );
    const namer = new EventNamer(identity);
    const close = readEvents(fd, namer, onEvent);
    hostLinks(library, identity)
      .then(links => {
        for (const link of links.byIfindex.values()) namer.learn(link.ifindex, link.name);
      })
      .catch(error => log.warn({ err: error }, 'events cannot be named'));
    const stop = (): void => {
      this.#watchers.delete(stop);
      close();
    };
    this.#watchers.add(stop);
    return stop;
  }

  async close(): Promise<void> {
    for (const stop of [...this.#watchers]) stop();
    await this.#upgrade.stop();
    const lanes = Object.values(this.#context.library.lanes) as Lane[];
    await Promise.all(lanes.map(lane => lane.drain()));
  }
}
