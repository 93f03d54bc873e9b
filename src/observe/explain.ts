/** One packet walked through both layers: what each does with it, and why. */
import { evaluate, tablesOf } from '../ir/eval.ts';
import { printFlow } from '../ir/flow-print.ts';
import { gatewayNames, portNames } from '../ir/names.ts';
import type { Packet, Verdict } from '../ir/packet.ts';
import type { Key, Resource } from '../ir/resource.ts';
import type { Ip, Mac } from '../lib/brand.ts';
import { asEswError, EswError } from '../lib/errors.ts';
import { cidrAddress, ipFamily } from '../lib/ip.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Network } from '../model/network.ts';
import type { FlowPlace, FlowRow, SeenRule } from '../offload/port.ts';
import type { ExplainBody, ExplainQuery } from '../wire/api/explain.ts';
import { DROP_TEXT } from './drops.ts';
import { flowReason } from './flow-rules.ts';
import { type Picture, requireIntent } from './picture.ts';
import type { Sources } from './sources.ts';

/** Who sends or receives: an endpoint, the host at a network's gateway port, or just an address. */
export type Party =
  | { readonly kind: 'endpoint'; readonly endpoint: Endpoint; readonly ip: Ip | null }
  | { readonly kind: 'gateway'; readonly network: Network; readonly ip: Ip | null }
  | { readonly kind: 'address'; readonly ip: Ip };

type Proto = NonNullable<ExplainQuery['proto']>;

interface Question {
  readonly src: Party;
  readonly dst: Party;
  readonly proto: Proto;
  readonly port: number | null;
}

export async function explain(sources: Sources, picture: Picture, ask: Question): Promise<ExplainBody> {
  if (!picture.view.ok) throw picture.view.problem;
  const packet = packetOf(sources, picture, ask);
  const { desired, observed } = picture.view.value;
  const verdict = verdictOf(desired, packet);
  const compiled = verdictText(verdict);
  const seen = verdictText(verdictOf(observed, packet));
  const hardware = await hardwareOf(sources, ask, packet);
  return {
    packet: {
      link: packet.link,
      srcMac: packet.srcMac,
      dstMac: packet.dstMac,
      src: packet.payload.src,
      dst: packet.payload.dst,
      proto: ask.proto,
      port: ask.port,
    },
    ...conclusion(verdict, compiled, hardware),
    software: { compiled, observed: seen, agree: compiled === seen },
    hardware,
  };
}

type IpPacket = Packet & { readonly payload: { readonly type: 'ip'; readonly src: Ip; readonly dst: Ip } };

function packetOf(sources: Sources, picture: Picture, { src, dst }: Question): IpPacket {
  if (src.kind === 'address') {
    const text = `${src.ip} is no address of an endpoint or gateway here: what it sends comes through the host`;
    throw new EswError('ESW_ERR_REQUEST_FIELD', text);
  }
  const { networks } = requireIntent(picture);
  const network = src.kind === 'gateway' ? src.network : networks.get(src.endpoint.networkId);
  if (network === undefined) throw new EswError('ESW_ERR_NETWORK_UNKNOWN', 'its network is gone');
  const [from, to] = addressesOf(src, dst);
  const rep =
    src.kind === 'gateway'
      ? gatewayNames(sources.identity, network.id).rep
      : portNames(sources.identity, src.endpoint.id).rep;
  const srcMac: Mac = src.kind === 'gateway' ? network.gatewayMac : src.endpoint.mac;
  return {
    link: rep,
    srcMac,
    dstMac: network.switchMac,
    tagged: false,
    payload: { type: 'ip', src: from, dst: to },
  };
}

/** Addresses of one family: the one asked for, else IPv4 where both have it. */
function addressesOf(src: Party, dst: Party): readonly [Ip, Ip] {
  const wanted = dst.ip ?? src.ip;
  for (const family of wanted === null ? ([4, 6] as const) : [ipFamily(wanted)]) {
    const from = addressOf(src, family);
    const to = addressOf(dst, family);
    if (from !== null && to !== null) return [from, to];
  }
  throw new EswError('ESW_ERR_REQUEST_FIELD', 'the two have no address of one family');
}

function addressOf(party: Party, family: 4 | 6): Ip | null {
  if (party.ip !== null) return ipFamily(party.ip) === family ? party.ip : null;
  if (party.kind === 'gateway') {
    const found = party.network.subnets.find(({ pool }) => ipFamily(pool) === family);
    return found?.gateway ?? null;
  }
  if (party.kind === 'address') return null;
  const cidr = family === 4 ? party.endpoint.ip4 : party.endpoint.ip6;
  return cidr && cidrAddress(cidr);
}

const verdictOf = (table: ReadonlyMap<Key, Resource>, packet: Packet): Verdict =>
  evaluate(tablesOf(table.values()), packet);

function verdictText(verdict: Verdict): string {
  switch (verdict.action) {
    case 'deliver':
      return verdict.delivery === 'host'
        ? `given to the host on ${verdict.link}`
        : `delivered at ${verdict.link} as ${verdict.srcMac} to ${verdict.mac}`;
    case 'answer':
      return `answered with ${verdict.mac}`;
    case 'drop':
      return `dropped: ${DROP_TEXT[verdict.reason]} (${verdict.reason})`;
    case 'unhooked':
      return 'not seen: no program is attached where it arrives';
  }
}

function variantOf(proto: Proto, family: 4 | 6): FlowRow['variant'] | null {
  if (family === 4) return 'ip4';
  return proto === 'tcp' ? 'ip6-tcp' : proto === 'udp' ? 'ip6-udp' : null;
}

const nothing = (reason: FlowPlace['reason'], text: string): FlowPlace => ({
  nic: null,
  state: 'not-eligible',
  reason,
  text,
  extack: '',
  sinceMs: null,
});

function placeOf({ offload }: Sources, { src, dst, proto }: Question, family: 4 | 6): FlowPlace {
  if (src.kind !== 'endpoint') return nothing('HOST_ADDRESS', 'what the host sends comes from the host');
  if (dst.kind === 'gateway') return nothing('HOST_ADDRESS', 'the host itself answers at this address');
  if (dst.kind === 'address')
    return nothing('HOST_ADDRESS', 'the way to this address leads through the host');
  const variant = variantOf(proto, family);
  if (variant === null) {
    return nothing('NO_RULE', 'of IPv6 only TCP and UDP have rules: neighbours are answered in software');
  }
  return offload.placeOf(src.endpoint, dst.endpoint, variant);
}

async function hardwareOf(
  sources: Sources,
  ask: Question,
  { payload }: IpPacket,
): Promise<ExplainBody['hardware']> {
  const family = ipFamily(payload.dst);
  const place = placeOf(sources, ask, family);
  const variant = variantOf(ask.proto, family);
  const { src, dst } = ask;
  const isPair = src.kind === 'endpoint' && dst.kind === 'endpoint' && variant !== null;
  const rule = isPair ? sources.offload.ruleOf(src.endpoint, dst.endpoint, variant) : null;
  let seen: SeenRule | null = null;
  let problem: string | null = null;
  try {
    seen = rule === null ? null : await sources.offload.seen(rule);
  } catch (error) {
    problem = asEswError(error).message;
  }
  return {
    nic: place.nic,
    state: place.state,
    code: place.reason,
    text: place.text,
    extack: place.extack,
    sinceMs: place.sinceMs === null ? null : Math.trunc(place.sinceMs),
    rule: rule && printFlow(rule),
    seen: seen && {
      rule: printFlow(seen.rule),
      inHw: seen.inHw,
      packets: seen.packets,
      bytes: seen.bytes,
    },
    problem,
  };
}

function conclusion(
  verdict: Verdict,
  compiled: string,
  hardware: ExplainBody['hardware'],
): Pick<ExplainBody, 'handled' | 'why'> {
  if (hardware.seen?.inHw === true) {
    return { handled: 'hardware', why: `${hardware.nic} forwards it by itself` };
  }
  if (verdict.action === 'unhooked') return { handled: 'unknown', why: compiled };
  if (verdict.action === 'drop') return { handled: 'dropped', why: `software: ${compiled}` };
  return { handled: 'software', why: flowReason(hardware) };
}
