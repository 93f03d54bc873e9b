/** The one table of error codes. docs/errors.md lists the same codes; a test compares the two. */

/** What a caller may do: `no` = asking again gives the same answer; `yes` = may pass by itself. */
export type Retry = 'no' | 'yes';

interface ErrorSpec {
  readonly status: number;
  readonly retry: Retry;
  /** What to do next, one sentence. */
  readonly hint: string;
}

const spec = (status: number, retry: Retry, hint: string): ErrorSpec => ({ status, retry, hint });

export const ERRORS = {
  ESW_ERR_REQUEST_BODY: spec(400, 'no', 'Send one JSON object as the request body.'),
  ESW_ERR_REQUEST_FIELD: spec(400, 'no', 'Correct the named field.'),
  ESW_ERR_REQUEST_PATH: spec(404, 'no', 'See docs/api.md for the paths served.'),
  ESW_ERR_OPTION_UNKNOWN: spec(400, 'no', 'Remove the option or use the name suggested.'),
  ESW_ERR_OPTION_VALUE: spec(400, 'no', 'Give one of the values listed.'),
  ESW_ERR_NETWORK_UNKNOWN: spec(404, 'no', 'List networks with `eswitchctl network ls`.'),
  ESW_ERR_NETWORK_EXISTS: spec(409, 'no', 'Remove the network first, or ask for the same definition.'),
  ESW_ERR_NETWORK_BUSY: spec(409, 'no', 'Disconnect its endpoints first (`eswitchctl endpoint ls`).'),
  ESW_ERR_NETWORK_OVERLAP: spec(409, 'no', 'Choose a subnet that overlaps no other network.'),
  ESW_ERR_ENDPOINT_UNKNOWN: spec(404, 'no', 'List endpoints with `eswitchctl endpoint ls`.'),
  ESW_ERR_ENDPOINT_EXISTS: spec(409, 'no', 'Delete the endpoint first, or ask for the same definition.'),
  ESW_ERR_ENDPOINT_ADDRESS: spec(409, 'no', 'Choose an address that no other endpoint of the network has.'),
  ESW_ERR_ENDPOINT_MAC: spec(
    400,
    'no',
    'Give a unicast MAC address that no other endpoint of the network has.',
  ),
  ESW_ERR_PORT_IN_USE: spec(409, 'no', 'Choose another host port or stop what is using it.'),
  ESW_ERR_PORT_UNSUPPORTED: spec(
    400,
    'no',
    'Leave -p out and reach the container by its own address, or use a network of type bridge.',
  ),
  ESW_ERR_IPAM_POOL_INVALID: spec(400, 'no', 'Give a subnet in CIDR form with its host bits zero.'),
  ESW_ERR_IPAM_POOL_UNKNOWN: spec(404, 'no', 'Request the pool again; the daemon does not know this PoolID.'),
  ESW_ERR_IPAM_POOL_OVERLAP: spec(409, 'no', 'Choose a subnet that overlaps no other pool.'),
  ESW_ERR_IPAM_NO_POOL: spec(
    409,
    'no',
    'All default pools are taken: give --subnet, or configure more default pools.',
  ),
  ESW_ERR_IPAM_EXHAUSTED: spec(409, 'no', 'Free an address or create a network with a larger subnet.'),
  ESW_ERR_IPAM_ADDRESS_TAKEN: spec(409, 'no', 'Choose another address or release the one in use.'),
  ESW_ERR_IPAM_ADDRESS_OUTSIDE: spec(
    400,
    'no',
    'Choose an address inside the pool that is not its network or broadcast address.',
  ),
  ESW_ERR_IPAM_ADDRESS_SPACE: spec(400, 'no', 'Use the address space that GetDefaultAddressSpaces names.'),
  ESW_ERR_DATAPATH_UNAVAILABLE: spec(
    409,
    'no',
    'Use -o datapath=auto, or a host that has what the message names.',
  ),
  ESW_ERR_NIC_UNKNOWN: spec(404, 'no', 'List NICs with `eswitchctl nic ls`.'),
  ESW_ERR_NIC_MODE: spec(409, 'no', 'See `eswitchctl nic inspect`: this NIC cannot be brought there.'),
  ESW_ERR_NIC_BUSY: spec(409, 'no', 'Stop what uses its functions, or add --force.'),
  ESW_ERR_SLOTS_EXHAUSTED: spec(507, 'no', 'Raise maxPorts in the configuration and restart the daemon.'),
  ESW_ERR_STORE_IO: spec(503, 'yes', 'Check that the state directory is writable and has space.'),
  ESW_ERR_STORE_CORRUPT: spec(500, 'no', 'The damaged database was kept aside; see docs/operations.md.'),
  ESW_ERR_STORE_LOCKED: spec(409, 'no', 'Another daemon uses this state directory; stop it first.'),
  ESW_ERR_KERNEL_REFUSED: spec(
    502,
    'yes',
    'The kernel refused an operation; its own words are in the message.',
  ),
  ESW_ERR_KERNEL_FEATURE: spec(501, 'no', 'The kernel lacks a feature; `eswitchctl status` names it.'),
  ESW_ERR_KERNEL_FOREIGN: spec(
    409,
    'no',
    'A name eswitchd needs is taken by something it does not own; remove or rename that.',
  ),
  ESW_ERR_NATIVE_LIBRARY: spec(500, 'no', 'Build libeswitch.so with `npm run build`.'),
  ESW_ERR_RECONCILE_TIMEOUT: spec(504, 'yes', 'The kernel did not get there in time; see `eswitchctl plan`.'),
  ESW_ERR_CONFIG_KEY: spec(400, 'no', 'Correct the configuration key named.'),
  ESW_ERR_CONFIG_VALUE: spec(400, 'no', 'Correct the configuration value named.'),
  ESW_ERR_DAEMON_UNREACHABLE: spec(503, 'yes', 'Start eswitchd, or name its socket with --socket.'),
  ESW_ERR_FIRMWARE_BUSY: spec(409, 'no', 'Stop what uses the NIC first, or add --force.'),
  ESW_ERR_PROFILE_INVALID: spec(500, 'no', 'Restore firmware-profiles/, or correct the place named.'),
  ESW_ERR_INTERNAL: spec(500, 'no', 'This is a defect in eswitchd: please report it with the daemon log.'),
} as const satisfies Record<string, ErrorSpec>;

export type ErrorCode = keyof typeof ERRORS;

/** Every failure that reaches a user. `message` says what is wrong; `hint` what to do next. */
export class EswError extends Error {
  override readonly name = 'EswError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }
  get retry(): Retry {
    return ERRORS[this.code].retry;
  }
  get hint(): string {
    return ERRORS[this.code].hint;
  }
}

/** Any thrown value as an EswError; unknown ones become ESW_ERR_INTERNAL. */
export function asEswError(error: unknown): EswError {
  if (error instanceof EswError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new EswError('ESW_ERR_INTERNAL', message, { cause: error });
}
