/** Screens of `eswitchctl nic` and `eswitchctl port`. */
import type { EswitchChangeBody, FunctionBody, LinkBody, NicBody, PortBody } from '../../wire/api/nic.ts';
import { type Field, field, renderFields } from '../fields.ts';
import { grouped, shortId } from '../format.ts';
import { type Column, renderTable } from '../table.ts';
import { type Colour, hang, paint, type Style } from '../text.ts';

type UseState = PortBody['state'];

const USE_COLOURS: Readonly<Record<UseState, Colour | null>> = {
  free: 'green',
  used: null,
  cooling: 'yellow',
  broken: 'red',
  foreign: 'yellow',
};

const linkName = (link: LinkBody | null): string => link?.name ?? '-';
const yesNo = (value: boolean | null): string => (value === null ? 'not known' : value ? 'on' : 'off');

const NIC_COLUMNS: readonly Column<NicBody>[] = [
  { title: 'NIC', cell: nic => nic.handle },
  { title: 'DRIVER', cell: nic => nic.driver, optional: 2 },
  { title: 'UPLINK', cell: nic => nic.uplinks.map(({ name }) => name).join(' ') || '-', min: 6 },
  { title: 'MODE', cell: nic => nic.mode },
  {
    title: 'OFFLOADS',
    cell: nic => (nic.offloads ? 'yes' : 'no'),
    colour: nic => (nic.offloads ? 'green' : null),
  },
  { title: 'VFS', cell: nic => `${nic.vfs.enabled}/${nic.vfs.total}`, align: 'right' },
  { title: 'USED', cell: nic => grouped(nic.vfs.used), align: 'right' },
  { title: 'FREE', cell: nic => grouped(nic.vfs.free), align: 'right' },
  { title: 'FIRMWARE', cell: nic => runningFirmware(nic), min: 8, optional: 1 },
];

/** The first version that runs: of several components the one that names the whole. */
const runningFirmware = (nic: NicBody): string =>
  nic.firmware.find(({ kind }) => kind === 'running')?.value ?? '-';

export function nicList(nics: readonly NicBody[], style: Style): string[] {
  if (nics.length === 0) return ['No NICs with devlink or SR-IOV on this host.'];
  const troubled = nics.filter(({ problems }) => problems.length > 0);
  return [
    ...renderTable(NIC_COLUMNS, nics, style),
    ...troubled.flatMap(({ handle, problems }) =>
      problems.flatMap(text =>
        hang(`${handle}: ${text}`, style.width, '! ', '  ').map(line => paint(style, 'yellow', line)),
      ),
    ),
  ];
}

const FUNCTION_COLUMNS: readonly Column<FunctionBody>[] = [
  { title: 'FUNCTION', cell: each => each.key.slice(each.key.lastIndexOf('/') + 1) },
  { title: 'DEVICE', cell: each => each.device?.slice(each.device.indexOf('/') + 1) ?? '-', optional: 2 },
  { title: 'DRIVER', cell: each => each.driver ?? '-', optional: 3 },
  { title: 'NETDEV', cell: each => linkName(each.netdev), min: 8 },
  { title: 'REPRESENTOR', cell: each => linkName(each.representor), min: 8 },
  { title: 'MAC', cell: each => macOf(each), optional: 1 },
  { title: 'STATE', cell: each => each.use.state, colour: each => USE_COLOURS[each.use.state] },
  { title: 'BY', cell: each => byText(each.use), min: 26 },
];

const macOf = ({ hwAddr, netdev, attributes }: FunctionBody): string =>
  hwAddr ?? netdev?.mac ?? attributes?.mac ?? '-';

const byText = ({ endpoint, why }: { readonly endpoint: string | null; readonly why: string }): string =>
  endpoint === null ? why || '-' : shortId(endpoint);

function uplinkText({ name, mac, mtu, up, altnames }: LinkBody): string {
  const also = altnames.length === 0 ? '' : ` (${altnames.join(', ')})`;
  return `${name}${also} ${mac}, MTU ${mtu}, ${up ? 'up' : 'down'}`;
}

function firmwareText({ firmware }: NicBody): string[] {
  if (firmware.length === 0) return ['not known'];
  return firmware.map(({ name, kind, value }) => `${name} ${value} (${kind})`);
}

function eswitchText(nic: NicBody): string {
  const parts: string[] = [nic.mode];
  if (nic.encap !== null) parts.push(`encap ${nic.encap ? 'on' : 'off'}`);
  if (nic.inlineMode !== null) parts.push(`inline mode ${nic.inlineMode}`);
  return parts.join(', ');
}

export function nicScreen(nic: NicBody, style: Style): string[] {
  const { vfs, offloads, offloadProblem } = nic;
  const fields: Field[] = [
    field('NIC', `${nic.handle}${nic.devlink ? '' : ' (no devlink)'}`),
    field('Driver', nic.pci === null ? nic.driver : `${nic.driver}, ${nic.pci}`),
    field('Profile', nic.profile),
    field('Eswitch', eswitchText(nic)),
    field(
      'Offloads',
      { ready: paint(style, offloads ? 'green' : 'yellow', offloads ? 'yes' : 'no') },
      ...(offloads ? [] : [offloadProblem]),
    ),
    field('hw-tc-offload', yesNo(nic.tcOffload)),
    field(
      'Uplink',
      ...(nic.uplinks.length === 0 ? ['not in the host namespace'] : nic.uplinks.map(uplinkText)),
    ),
    ...(nic.switchId === null ? [] : [field('Switch id', nic.switchId)]),
    field('VFs', `${vfs.enabled} of ${vfs.total}: ${vfs.used} used, ${vfs.free} free`),
    field('Firmware', ...firmwareText(nic)),
    ...(nic.serial === null ? [] : [field('Serial', nic.serial)]),
    ...nic.resources.map(({ name, size, occupancy }) =>
      field('Resource', `${name}: ${occupancy === null ? '?' : grouped(occupancy)} of ${grouped(size)}`),
    ),
    ...(nic.rateNodes === 0 ? [] : [field('Rates', `${nic.rateNodes} rate nodes and limits`)]),
    field('Problems', ...(nic.problems.length === 0 ? ['none'] : nic.problems.map(text => text))),
  ];
  return [
    ...renderFields(fields, style),
    ...(nic.functions.length === 0 ? [] : ['', ...renderTable(FUNCTION_COLUMNS, nic.functions, style)]),
  ];
}

const STEP_SIGN = { planned: '+ ', done: '+ ', failed: '! ' } as const;
const STEP_COLOUR = { planned: null, done: 'green', failed: 'yellow' } as const;

export function eswitchChangeScreen(change: EswitchChangeBody, style: Style): string[] {
  if (change.result === 'nothing')
    return hang(`${change.nic}: nothing to do: ${change.now}`, style.width, '', '  ');
  const head =
    change.result === 'planned' ? `${change.nic} is in ${change.now}. To be done:` : `${change.nic}:`;
  const steps = change.steps.flatMap(({ text, why, state, error }) => [
    ...hang(text, style.width, STEP_SIGN[state], '    ').map(line => paint(style, STEP_COLOUR[state], line)),
    ...hang(why, style.width, '    ', '    '),
    ...(error === '' ? [] : hang(`refused: ${error}`, style.width, '    ', '    ')),
  ]);
  return [
    ...hang(head, style.width, '', '  '),
    ...steps,
    ...change.disturbed.flatMap(who => hang(`loses its traffic: ${who}`, style.width, '! ', '    ')),
    ...change.notes.flatMap(note => hang(note, style.width, '! ', '    ')),
    ...(change.result === 'done' ? hang(`Now in ${change.now}.`, style.width, '', '  ') : []),
  ];
}

const PORT_COLUMNS: readonly Column<PortBody>[] = [
  { title: 'PORT', cell: port => port.port },
  { title: 'KIND', cell: port => port.kind },
  { title: 'STATE', cell: port => port.state, colour: port => USE_COLOURS[port.state] },
  { title: 'NETDEV', cell: port => port.netdev ?? '-', optional: 2 },
  { title: 'REPRESENTOR', cell: port => port.representor ?? '-', optional: 1 },
  { title: 'NETWORK', cell: port => (port.network === null ? '-' : shortId(port.network)), optional: 3 },
  { title: 'BY', cell: byText, min: 16 },
];

export function portList(ports: readonly PortBody[], style: Style): string[] {
  if (ports.length === 0) return ['No ports: no NIC has functions, and no container is connected.'];
  return renderTable(PORT_COLUMNS, ports, style);
}
