/** Screens of `eswitchctl network`. */
import type { NetworkBody } from '../../wire/api/network.ts';
import { type Field, field, renderFields } from '../fields.ts';
import { bytes, compact, grouped, packets, shortId } from '../format.ts';
import { type Column, renderTable } from '../table.ts';
import { paint, type Style } from '../text.ts';
import { dropLines, dropTotal, shareCell, shareLines, stateColour } from './states.ts';

const COLUMNS: readonly Column<NetworkBody>[] = [
  { title: 'NETWORK', cell: network => shortId(network.id) },
  { title: 'TYPE', cell: network => network.type, optional: 2 },
  { title: 'SUBNETS', cell: network => network.subnets.map(({ pool }) => pool).join(' '), min: 18 },
  { title: 'STATE', cell: network => network.state, colour: network => stateColour(network.state) },
  { title: 'DATAPATH', cell: network => network.datapath.used, optional: 1 },
  { title: 'IN HW', cell: network => shareCell(network.traffic.share), align: 'right', optional: 3 },
  { title: 'ENDPTS', cell: network => grouped(network.endpoints), align: 'right' },
  { title: 'PACKETS', cell: network => compact(network.traffic.forwarded.packets), align: 'right' },
  { title: 'BYTES', cell: network => compact(network.traffic.forwarded.bytes), align: 'right' },
  { title: 'DROPS', cell: network => dropTotal(network.traffic.drops), align: 'right', optional: 4 },
];

export function networkList(networks: readonly NetworkBody[], style: Style): string[] {
  if (networks.length === 0) return ['No networks. Make one with `docker network create -d eswitch NAME`.'];
  return renderTable(COLUMNS, networks, style);
}

const tally = (t: { packets: number | string; bytes: number | string }): string =>
  `${packets(t.packets)}, ${bytes(t.bytes)}`;

function trafficFields({ traffic, datapath }: NetworkBody, room: number): Field[] {
  return [
    field('Forwarded', tally(traffic.forwarded), ...shareLines(traffic.share, datapath.why)),
    field('Sent', tally(traffic.fromContainers)),
    field('Received', tally(traffic.toContainers)),
    field('From host', tally(traffic.fromHost)),
    field('To host', tally(traffic.toHost)),
    field('Dropped', ...(traffic.drops.length === 0 ? ['none'] : dropLines(traffic.drops, room))),
  ];
}

function outsideText({ internal, nat, vlan }: NetworkBody): string {
  if (vlan !== null) {
    const which = vlan.vlan === 0 ? 'untagged' : `VLAN ${vlan.vlan}`;
    return `the physical network, ${which} on ${vlan.parent}`;
  }
  if (internal) return 'none (internal)';
  return nat ? 'masquerading NAT' : 'routed, without NAT';
}

export function networkScreen(network: NetworkBody, style: Style): string[] {
  const { datapath, gateway, options } = network;
  const wanted = datapath.require === 'hw' ? `${datapath.wanted}, hardware required` : datapath.wanted;
  const room = style.width - 'Published on'.length - 2;
  const fields: Field[] = [
    field('Network', network.id),
    field(
      'State',
      { ready: paint(style, stateColour(network.state), network.state) },
      ...(network.why === '' ? [] : [network.why]),
    ),
    field('Type', network.type),
    field(
      'Subnets',
      ...network.subnets.map(({ pool, gateway: address }) => `${pool}, gateway ${address ?? 'none'}`),
    ),
    field('Outside', outsideText(network)),
    ...(network.vlan === null ? [field('Published on', network.hostBinding ?? 'every local address')] : []),
    field('MTU', String(network.mtu)),
    field(
      'Datapath',
      `${datapath.used} (asked for: ${wanted})`,
      ...(datapath.why === '' ? [] : [datapath.why]),
    ),
    ...(gateway === null
      ? []
      : [field('Gateway', `${gateway.device} ${gateway.mac}, representor ${gateway.representor}`)]),
    field('Peers show', network.switchMac ?? 'each its own MAC'),
    field('Options', ...Object.entries(options).map(([key, value]) => `${key}=${value}`)),
    field('Endpoints', grouped(network.endpoints)),
    ...(network.vlan === null ? trafficFields(network, room) : []),
  ];
  return renderFields(fields, style);
}
