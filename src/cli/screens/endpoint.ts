/** Screens of `eswitchctl endpoint`. */
import type { EndpointBody, PublishedPort } from '../../wire/api/endpoint.ts';
import { type Field, field, renderFields } from '../fields.ts';
import { bytes, compact, packets, shortId } from '../format.ts';
import { type Column, renderTable } from '../table.ts';
import { paint, type Style } from '../text.ts';
import { dropLines, dropTotal, shareCell, shareLines, stateColour } from './states.ts';

const bare = (cidr: string | null): string => cidr?.split('/')[0] ?? '-';

/** `8080->80/tcp` as docker ps writes it; the host address when there is one. */
function portText({ proto, containerPort, hostIp, hostPort }: PublishedPort): string {
  const host = hostIp === null ? '' : hostIp.includes(':') ? `[${hostIp}]:` : `${hostIp}:`;
  return `${host}${hostPort}->${containerPort}/${proto}`;
}

const COLUMNS: readonly Column<EndpointBody>[] = [
  { title: 'ENDPOINT', cell: endpoint => shortId(endpoint.id) },
  { title: 'NETWORK', cell: endpoint => shortId(endpoint.network) },
  { title: 'ADDRESS', cell: endpoint => bare(endpoint.ip4 ?? endpoint.ip6) },
  { title: 'IPV6', cell: endpoint => bare(endpoint.ip6), optional: 3 },
  { title: 'MAC', cell: endpoint => endpoint.mac, optional: 4 },
  { title: 'STATE', cell: endpoint => endpoint.state, colour: endpoint => stateColour(endpoint.state) },
  { title: 'IN HW', cell: endpoint => shareCell(endpoint.traffic.share), align: 'right', optional: 1 },
  { title: 'RX', cell: endpoint => compact(endpoint.traffic.rx.bytes), align: 'right' },
  { title: 'TX', cell: endpoint => compact(endpoint.traffic.tx.bytes), align: 'right' },
  { title: 'DROPS', cell: endpoint => dropTotal(endpoint.traffic.drops), align: 'right' },
  {
    title: 'PUBLISHED',
    cell: endpoint => (endpoint.published.inForce ? endpoint.published.ports.map(portText).join(' ') : ''),
    min: 14,
    optional: 2,
  },
];

export function endpointList(endpoints: readonly EndpointBody[], style: Style): string[] {
  if (endpoints.length === 0) return ['No endpoints. Start a container on a network of driver eswitch.'];
  return renderTable(COLUMNS, endpoints, style);
}

function sandboxLines({ sandbox }: EndpointBody): string[] {
  if (sandbox === null) return ['none (no container has joined)'];
  return [sandbox.ifname === null ? sandbox.path : `${sandbox.path}, ${sandbox.ifname}`];
}

function publishedLines({ published }: EndpointBody): string[] {
  if (published.ports.length === 0) return ['none'];
  const note = published.inForce ? [] : ["not in force: another network is the container's gateway"];
  return [published.ports.map(portText).join(' '), ...note];
}

/** No packet of such a port passes a program of ours. */
const UNCOUNTED = 'the physical network; nothing of it is counted or checked here';

function representorLine({ representor, attached, function: fn }: EndpointBody): string {
  if (representor === null) return `none: ${attached}, made as ${fn}`;
  return `${representor}, function side made as ${fn}`;
}

export function endpointScreen(endpoint: EndpointBody, style: Style): string[] {
  const { traffic } = endpoint;
  const room = style.width - 'Representor'.length - 2;
  const fields: Field[] = [
    field('Endpoint', endpoint.id),
    field('Network', endpoint.network),
    field(
      'State',
      { ready: paint(style, stateColour(endpoint.state), endpoint.state) },
      ...(endpoint.why === '' ? [] : [endpoint.why]),
    ),
    field('Addresses', ...[endpoint.ip4, endpoint.ip6].filter(cidr => cidr !== null)),
    field('MAC', endpoint.mac),
    field('Representor', representorLine(endpoint)),
    ...(endpoint.fallback === null ? [] : [field('No VF because', endpoint.fallback)]),
    field('Sandbox', ...sandboxLines(endpoint)),
    field('Published', ...publishedLines(endpoint)),
    field('Sent', `${packets(traffic.rx.packets)}, ${bytes(traffic.rx.bytes)} (rx of the port)`),
    field('Received', `${packets(traffic.tx.packets)}, ${bytes(traffic.tx.bytes)} (tx of the port)`),
    field('Handled by', ...(endpoint.representor === null ? [UNCOUNTED] : shareLines(traffic.share))),
    field('Dropped', ...(traffic.drops.length === 0 ? ['none'] : dropLines(traffic.drops, room))),
  ];
  return renderFields(fields, style);
}
