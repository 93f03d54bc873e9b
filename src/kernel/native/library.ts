/**
 * libeswitch.so through koffi: every function of native/include/eswitch.h, by one table of
 * signatures. Only integers, strings and buffers cross the boundary. koffi truncates integers
 * silently, so ranges are checked here, before the call.
 */
import koffi from 'koffi';
import { EswError } from '../../lib/errors.ts';
import { createLanes, type Lanes } from './lanes.ts';
import { firstDifference } from './layout.ts';
import { ABI_RECORDS, ABI_VERSION } from './records.ts';

/** `buffer`: a Uint8Array passed by address, or null; `u64` results are not used. */
type Arg = 'u32' | 'str' | 'buffer';
type LaneName = keyof Lanes | null;

const fn = <A extends readonly Arg[]>(lane: LaneName, ...args: A): { lane: LaneName; args: A } => ({
  lane,
  args,
});

export const SIGNATURES = {
  esw_abi_version: fn(null),
  esw_abi_layout: fn(null, 'buffer', 'u32'),
  esw_link_apply: fn('route', 'buffer', 'u32', 'buffer', 'u32'),
  // Only reads, on a socket of its own: a look into a sandbox must not hold up a port being made.
  esw_link_dump: fn(null, 'str', 'str', 'u32', 'buffer', 'u32'),
  esw_addr_apply: fn('route', 'buffer', 'u32', 'buffer', 'u32'),
  esw_addr_dump: fn('route', 'str', 'buffer', 'u32'),
  esw_route_apply: fn('route', 'buffer', 'u32', 'buffer', 'u32'),
  esw_route_dump: fn('route', 'str', 'u32', 'buffer', 'u32'),
  esw_neigh_apply: fn('route', 'buffer', 'u32', 'buffer', 'u32'),
  esw_neigh_dump: fn('route', 'str', 'buffer', 'u32'),
  esw_announce: fn(null, 'str', 'str', 'buffer', 'u32', 'buffer', 'u32'),
  esw_event_open: fn(null, 'u32'),
  // Dumps of NICs only read, each on a socket of its own.
  esw_devlink_dump: fn(null, 'buffer', 'u32'),
  esw_devlink_info_dump: fn(null, 'buffer', 'u32'),
  esw_devlink_port_dump: fn(null, 'buffer', 'u32'),
  esw_devlink_rate_dump: fn(null, 'buffer', 'u32'),
  esw_devlink_resource_dump: fn(null, 'str', 'str', 'buffer', 'u32'),
  esw_devlink_param_dump: fn(null, 'buffer', 'u32'),
  esw_devlink_health_dump: fn(null, 'buffer', 'u32'),
  esw_devlink_apply: fn('devlink', 'buffer', 'u32', 'buffer', 'u32'),
  esw_devlink_event_open: fn(null),
  esw_nic_event_open: fn(null),
  esw_vf_dump: fn(null, 'buffer', 'u32'),
  esw_vf_apply: fn('devlink', 'buffer', 'u32', 'buffer', 'u32'),
  esw_nic_link_dump: fn(null, 'str', 'buffer', 'u32'),
  esw_offload_dump: fn(null, 'buffer', 'u32', 'buffer', 'u32'),
  esw_offload_apply: fn('devlink', 'buffer', 'u32', 'buffer', 'u32'),
  esw_bpf_load: fn('bpf', 'str', 'str', 'str', 'buffer', 'u32'),
  esw_hook_apply: fn('bpf', 'buffer', 'u32', 'buffer', 'u32'),
  esw_hook_dump: fn('bpf', 'str', 'buffer', 'u32', 'buffer', 'u32'),
  esw_prog_id: fn('bpf', 'str', 'str'),
  esw_map_update: fn('bpf', 'str', 'buffer', 'u32', 'buffer', 'u32', 'u32', 'buffer', 'u32'),
  esw_map_delete: fn('bpf', 'str', 'buffer', 'u32', 'u32', 'buffer', 'u32'),
  esw_map_dump: fn('bpf', 'str', 'buffer', 'u32', 'buffer', 'u32'),
  esw_map_info: fn('bpf', 'str', 'buffer', 'u32'),
  esw_fib_swap: fn('bpf', 'str', 'buffer', 'u32', 'buffer', 'u32', 'u32', 'u32'),
  esw_fib_update: fn('bpf', 'str', 'buffer', 'u32', 'buffer', 'u32', 'u32', 'buffer', 'u32'),
  esw_fib_delete: fn('bpf', 'str', 'buffer', 'u32', 'u32', 'buffer', 'u32'),
  esw_fib_dump: fn('bpf', 'str', 'buffer', 'u32', 'buffer', 'u32'),
  esw_fib_generation: fn('bpf', 'str'),
  esw_bpffs_mount: fn('bpf', 'str'),
  esw_bpffs_unmount: fn('bpf', 'str'),
  esw_nft_run: fn('nft', 'buffer', 'u32', 'buffer', 'u32'),
  esw_probe: fn('bpf', 'buffer', 'u32'),
  esw_flower_apply: fn('flow', 'buffer', 'u32', 'buffer', 'u32', 'u32', 'str'),
  esw_flower_delete: fn('flow', 'buffer', 'u32', 'buffer', 'u32', 'u32', 'str', 'buffer'),
  esw_flower_dump: fn('flow', 'buffer', 'u32', 'buffer', 'u32', 'buffer', 'u32'),
  esw_flower_read: fn('flow', 'buffer', 'u32', 'buffer', 'buffer', 'u32'),
  esw_bench_sum: fn(null, 'buffer', 'u32'),
  esw_bench_loop: fn(null, 'buffer', 'u32', 'u32', 'buffer'),
} as const;

export type FunctionName = keyof typeof SIGNATURES;

type ArgValue = { u32: number; str: string; buffer: Uint8Array };
type ArgsOf<A extends readonly Arg[]> = { -readonly [I in keyof A]: ArgValue[A[I]] };
export type CallArgs<N extends FunctionName> = ArgsOf<(typeof SIGNATURES)[N]['args']>;

const KOFFI_TYPE: Readonly<Record<Arg, string>> = { u32: 'uint32_t', str: 'const char *', buffer: 'void *' };

interface Bound {
  (...args: unknown[]): number;
  async(...args: unknown[]): void;
}

/** Throws RangeError for a value that the C type cannot hold. */
function check(name: string, types: readonly Arg[], args: readonly unknown[]): void {
  if (args.length !== types.length) throw new RangeError(`${name} takes ${types.length} arguments`);
  types.forEach((type, index) => {
    const value = args[index];
    if (type === 'u32') {
      if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > 0xffff_ffff)
        throw new RangeError(`${name}: argument ${index} (${String(value)}) is not a uint32`);
    } else if (type === 'str') {
      if (typeof value !== 'string' || value.includes('\0'))
        throw new RangeError(`${name}: argument ${index} is not a C string`);
    } else if (!(value instanceof Uint8Array)) {
      throw new RangeError(`${name}: argument ${index} is not a buffer`);
    }
  });
}

/** The loaded library. All results are the C function's: 0, a count, an fd or a negative errno. */
export class NativeLibrary {
  readonly lanes: Lanes = createLanes();
  readonly #functions: ReadonlyMap<FunctionName, Bound>;

  constructor(path: string) {
    this.#functions = bind(path);
    checkLayout(this, path);
  }

  /** Runs on a worker thread, in the order of its lane. For whatever may block or take long. */
  call<N extends FunctionName>(name: N, ...args: CallArgs<N>): Promise<number> {
    const bound = this.#bound(name);
    const { lane, args: types } = SIGNATURES[name];
    check(name, types, args);
    const task = (): Promise<number> =>
      new Promise((resolve, reject) => {
        bound.async(...args, (error: unknown, result: number) => {
          if (error === null || error === undefined) resolve(result);
          else reject(error);
        });
      });
    return lane === null ? task() : this.lanes[lane].run(task);
  }

  /**
   * Runs in the calling thread. Only for what takes microseconds, and on a lane only while that is
   * idle (see `quick`).
   */
  callSync<N extends FunctionName>(name: N, ...args: CallArgs<N>): number {
    check(name, SIGNATURES[name].args, args);
    return this.#bound(name)(...args);
  }

  /**
   * Synchronous when its lane is idle, else queued. Writing one map element takes 7 to 9 µs in all,
   * on a worker thread 25 to 40 µs, and neither can block.
   */
  async quick<N extends FunctionName>(name: N, ...args: CallArgs<N>): Promise<number> {
    const { lane } = SIGNATURES[name];
    if (lane !== null && !this.lanes[lane].idle) return this.call(name, ...args);
    return this.callSync(name, ...args);
  }

  #bound(name: FunctionName): Bound {
    const bound = this.#functions.get(name);
    if (bound === undefined) throw new EswError('ESW_ERR_NATIVE_LIBRARY', `${name} is not bound`);
    return bound;
  }
}

function bind(path: string): ReadonlyMap<FunctionName, Bound> {
  try {
    const library = koffi.load(path);
    return new Map(
      (Object.keys(SIGNATURES) as FunctionName[]).map(name => {
        const types = SIGNATURES[name].args.map(arg => KOFFI_TYPE[arg]);
        return [name, library.func(name, 'int', types) as unknown as Bound];
      }),
    );
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EswError('ESW_ERR_NATIVE_LIBRARY', `${path} cannot be loaded: ${reason}`, { cause });
  }
}

function checkLayout(library: NativeLibrary, path: string): void {
  const version = library.callSync('esw_abi_version');
  if (version !== ABI_VERSION)
    throw new EswError(
      'ESW_ERR_NATIVE_LIBRARY',
      `${path} has ABI version ${version}, expected ${ABI_VERSION}`,
    );
  const length = library.callSync('esw_abi_layout', Buffer.alloc(0), 0);
  const out = Buffer.alloc(length + 1);
  library.callSync('esw_abi_layout', out, out.length);
  const difference = firstDifference(ABI_RECORDS, out.toString('latin1', 0, length));
  if (difference !== null)
    throw new EswError('ESW_ERR_NATIVE_LIBRARY', `${path} lays out records differently: ${difference}`);
}
