/** PoolIDs and the pools they stand for. */
import type { Cidr } from '../lib/brand.ts';
import { EswError } from '../lib/errors.ts';
import { cidrContainsCidr, cidrNetwork, cidrOverlaps, ipFamily, isNetwork, parseCidr } from '../lib/ip.ts';

export interface PoolRequest {
  readonly space: string;
  /** "" = choose one. */
  readonly pool: string;
  /** "" = none. */
  readonly subPool: string;
  readonly v6: boolean;
}

export interface PoolRange {
  readonly pool: Cidr;
  readonly subPool: Cidr | null;
}

/** Ranges that no container can live in. */
const RESERVED = ['0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/3', '::/3', 'fe80::/10', 'ff00::/8'] as Cidr[];

const invalid = (message: string) => new EswError('ESW_ERR_IPAM_POOL_INVALID', message);

export function poolId(space: string, { pool, subPool }: PoolRange): string {
  return subPool === null ? `${space}/${pool}` : `${space}/${pool}/${subPool}`;
}

/** The pool that was asked for by name, null when any will do. Throws ESW_ERR_IPAM_POOL_INVALID. */
export function parseRange(request: PoolRequest): PoolRange | null {
  if (request.pool === '') {
    if (request.subPool !== '') throw invalid(`SubPool ${request.subPool} was given without Pool`);
    return null;
  }
  const pool = parsePool('Pool', request.pool);
  if ((ipFamily(pool) === 6) !== request.v6) {
    throw invalid(`Pool ${pool} is IPv${ipFamily(pool)}, asked for as IPv${request.v6 ? 6 : 4}`);
  }
  const reserved = RESERVED.find(range => ipFamily(range) === ipFamily(pool) && cidrOverlaps(range, pool));
  if (reserved !== undefined) throw invalid(`Pool ${pool} overlaps the reserved range ${reserved}`);
  if (request.subPool === '') return { pool, subPool: null };
  const subPool = parsePool('SubPool', request.subPool);
  if (!cidrContainsCidr(pool, subPool)) throw invalid(`SubPool ${subPool} is not inside Pool ${pool}`);
  return { pool, subPool };
}

function parsePool(field: string, text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === null) throw invalid(`${field} "${text}" is not a subnet in CIDR form`);
  if (!isNetwork(cidr))
    throw invalid(`${field} ${cidr} has host bits set; did you mean ${cidrNetwork(cidr)}?`);
  return cidr;
}
