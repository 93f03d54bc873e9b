/** What `nft --json list table` says about our table. */
import { createHash } from 'node:crypto';
import type { NftElement, NftTable } from '../../ir/resource.ts';
import { parseIp } from '../../lib/ip.ts';
import { isKnownSet } from './nft-ruleset.ts';

/**
 * Name of the marker set. Its comment holds the version that was applied and a hash of the listing
 * right after, so that a rule changed by hand shows, without a record outside the kernel.
 */
export const MARKER = 'applied';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

export interface NftListing {
  /** Hash of sets, chains and rules, without handles and elements. */
  readonly hash: string;
  /** The marker's comment, null when there is no marker. */
  readonly marker: { readonly digest: string; readonly hash: string } | null;
  readonly elements: readonly NftElement[];
}

const PROTOCOLS: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp', 132: 'sctp' };

/** Parses the JSON text of a listing. Throws SyntaxError for text that is not JSON (cut short). */
export function parseListing(json: string): NftListing {
  const root = JSON.parse(json) as JsonObject;
  const items = (root['nftables'] as readonly JsonObject[] | undefined) ?? [];
  const hash = createHash('sha256');
  let marker: NftListing['marker'] = null;
  const elements: NftElement[] = [];
  for (const item of items) {
    const [kind = '', body] = Object.entries(item)[0] ?? [];
    if (kind === 'metainfo' || !isObject(body)) continue;
    const isSet = kind === 'set' || kind === 'map';
    if (isSet && body['name'] === MARKER) {
      const [digest = '', seen = ''] = String(body['comment'] ?? '').split(' ');
      marker = { digest, hash: seen };
      continue;
    }
    hash.update(JSON.stringify([kind, { ...body, handle: 0, elem: [] }]));
    if (isSet) elements.push(...elementsOf(body));
  }
  return { hash: hash.digest('hex').slice(0, 32), marker, elements };
}

/** The table as observed. A listing that is not as it was right after applying has a digest of its own. */
export function observedTable(listing: NftListing): NftTable {
  const { marker, hash } = listing;
  const intact = marker !== null && marker.hash === hash;
  return { kind: 'nft-table', key: 'nft-table', digest: intact ? marker.digest : `changed:${hash}` };
}

function elementsOf(set: JsonObject): NftElement[] {
  const name = String(set['name']);
  const list = set['elem'];
  if (!isKnownSet(name) || !Array.isArray(list)) return [];
  const types = Array.isArray(set['type']) ? set['type'].map(String) : [String(set['type'])];
  const isInterval = Array.isArray(set['flags']) && set['flags'].includes('interval');
  return (list as readonly Json[]).map(entry => {
    const pair = 'map' in set && Array.isArray(entry) ? (entry as readonly Json[]) : null;
    const element = elementText((pair === null ? entry : pair[0]) ?? null, types, isInterval);
    const value = pair === null ? null : elementText(pair[1] ?? null, String(set['map']).split(' . '), false);
    return { kind: 'nft-element', key: `nft-element/${name}/${element}`, set: name, element, value };
  });
}

/** One side of an element in nft's own syntax, spelled as `compile` spells it. */
function elementText(json: Json, types: readonly string[], isInterval: boolean): string {
  if (isObject(json)) {
    if ('elem' in json && isObject(json['elem']))
      return elementText(json['elem']['val'] ?? null, types, isInterval);
    if (Array.isArray(json['concat']))
      return json['concat'].map((part, index) => elementText(part, [types[index] ?? ''], false)).join(' . ');
    if (isObject(json['prefix']))
      return `${address(String(json['prefix']['addr']))}/${String(json['prefix']['len'])}`;
    if (Array.isArray(json['range'])) return json['range'].map(part => address(String(part))).join('-');
    return JSON.stringify(json);
  }
  switch (types[0]) {
    case 'ifname':
      return `"${String(json)}"`;
    case 'inet_proto':
      return typeof json === 'number' ? (PROTOCOLS[json] ?? String(json)) : String(json);
    case 'ipv4_addr':
      return `${address(String(json))}${isInterval ? '/32' : ''}`;
    case 'ipv6_addr':
      return `${address(String(json))}${isInterval ? '/128' : ''}`;
    default:
      return String(json);
  }
}

function address(text: string): string {
  return parseIp(text) ?? text;
}

function isObject(json: Json | undefined): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}
