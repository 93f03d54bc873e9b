/** Where pools come from when the user gives no subnet. */
import type { Cidr } from '../lib/brand.ts';
import { EswError } from '../lib/errors.ts';
import { fnv1a64 } from '../lib/hash.ts';
import { cidrLength, type Family, ipFamily, isNetwork, parseCidr } from '../lib/ip.ts';
import type { PoolBlock } from './allocate.ts';

export type DefaultPools = Readonly<Record<Family, readonly PoolBlock[]>>;

const BITS: Readonly<Record<Family, number>> = { 4: 32, 6: 128 };

/**
 * 128 networks of 4,094 addresses: clear of Docker's own pools (172.17–31, 192.168), of swarm's
 * (10.0.0.0/8 from its start) and of the usual Kubernetes ones (10.42, 10.43, 10.96/12, 10.244).
 */
const BUILT_IN_IPV4: PoolBlock = { base: '10.200.0.0/13' as Cidr, length: 20 };

/** A unique local /48 (RFC 4193) that is the same for the same host, cut into /64. */
export function uniqueLocalBlock(hostId: string): PoolBlock {
  const digits = fnv1a64(`ula/${hostId}`);
  const text = `fd${digits.slice(0, 2)}:${digits.slice(2, 6)}:${digits.slice(6, 10)}::/48`;
  const base = parseCidr(text);
  if (base === null) throw new EswError('ESW_ERR_INTERNAL', `no prefix: ${text}`);
  return { base, length: 64 };
}

/**
 * Pools from the configuration, `base/length` (one pool) or `base/length/size` (cut into pools of
 * that prefix length). A family that is not mentioned keeps its built-in pools. Throws
 * ESW_ERR_CONFIG_VALUE.
 */
export function parseDefaultPools(entries: readonly string[], hostId: string): DefaultPools {
  const blocks = entries.map(parseBlock);
  const of = (family: Family, builtIn: PoolBlock): PoolBlock[] => {
    const given = blocks.filter(block => ipFamily(block.base) === family);
    return given.length > 0 ? given : [builtIn];
  };
  return { 4: of(4, BUILT_IN_IPV4), 6: of(6, uniqueLocalBlock(hostId)) };
}

function parseBlock(entry: string): PoolBlock {
  const refuse = (why: string) => new EswError('ESW_ERR_CONFIG_VALUE', `defaultPools: "${entry}" ${why}`);
  const [address = '', prefix = '', size = prefix] = entry.split('/');
  const base = parseCidr(`${address}/${prefix}`);
  if (base === null || !/^[0-9]{1,3}$/.test(size)) throw refuse('is not base/length or base/length/size');
  if (!isNetwork(base)) throw refuse('has host bits set');
  const length = Number(size);
  if (length < cidrLength(base) || length > BITS[ipFamily(base)]) {
    throw refuse(`cannot be cut into pools of length ${length}`);
  }
  return { base, length };
}
