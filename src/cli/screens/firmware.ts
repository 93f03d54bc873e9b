/** Screens of `eswitchctl firmware`. */
import type {
  FirmwareList,
  FirmwarePlanBody,
  FirmwareResultBody,
  FirmwareStatusBody,
} from '../../wire/api/firmware.ts';
import { type Field, field, renderFields } from '../fields.ts';
import { type Column, renderTable } from '../table.ts';
import { type Colour, hang, paint, type Style } from '../text.ts';

type Version = FirmwareStatusBody['versions'][number];
type Param = FirmwareStatusBody['params'][number];
type Command = FirmwarePlanBody['commands'][number];
type Step = FirmwareResultBody['steps'][number];

const STATE_COLOURS: Readonly<Record<FirmwareStatusBody['state'] | Param['state'], Colour>> = {
  ok: 'green',
  differs: 'yellow',
  pending: 'yellow',
  blocked: 'yellow',
  absent: 'dim',
};

const VERSION_COLUMNS: readonly Column<Version>[] = [
  { title: 'FIRMWARE', cell: ({ name }) => name, min: 12 },
  { title: 'RUNNING', cell: ({ running }) => running ?? '-', min: 12 },
  { title: 'STORED', cell: ({ stored }) => stored ?? '-', min: 12 },
  { title: '', cell: ({ pending }) => (pending ? 'pending' : ''), colour: () => 'yellow' },
];

const PARAM_COLUMNS: readonly Column<Param>[] = [
  { title: 'PARAMETER', cell: ({ name }) => name, min: 14 },
  { title: 'MODE', cell: ({ cmode }) => cmode, optional: 1 },
  { title: 'IS', cell: ({ current }) => current ?? '-', min: 6 },
  { title: 'WANTED', cell: ({ wanted }) => wanted, min: 6 },
  { title: 'STATE', cell: ({ state }) => state, colour: ({ state }) => STATE_COLOURS[state] },
];

export function firmwareStatusScreen({ nics }: FirmwareList, style: Style): string[] {
  if (nics.length === 0) return ['No NICs with devlink or SR-IOV on this host.'];
  return nics.flatMap((nic, index) => [...(index === 0 ? [] : ['']), ...nicLines(nic, style)]);
}

function minimumText({ minimum, minimumMet }: FirmwareStatusBody): string {
  if (minimum === null) return 'no minimum known';
  if (minimumMet === 'unknown') return `at least ${minimum} wanted; the running version is not known`;
  return minimumMet === 'yes' ? `at least ${minimum}: met` : `at least ${minimum}: NOT met`;
}

function probedLines({ probed }: FirmwareStatusBody): string[] {
  const refused = probed.filter(({ answer }) => answer === 'no');
  const words = refused.map(({ question, text }) => `${question}: ${text}`);
  return [`takes ${probed.length - refused.length} of ${probed.length} things asked`, ...words];
}

function nicLines(nic: FirmwareStatusBody, style: Style): string[] {
  const { profile, versions, params, pending, users } = nic;
  const fields: Field[] = [
    field('NIC', `${nic.nic} (${nic.driver})`),
    field('State', { ready: paint(style, STATE_COLOURS[nic.state], nic.state) }),
    field('Profile', `${profile.title} [${[profile.id, profile.variant].filter(Boolean).join('/')}]`),
    field('Firmware', minimumText(nic)),
    ...(pending.length === 0 ? [] : [field('Pending', ...pending.map(({ text }) => text))]),
    ...(nic.probed.length === 0 ? [] : [field('Asked', ...probedLines(nic))]),
    ...(users.length === 0 ? [] : [field('In use', ...users)]),
  ];
  const why = params.filter(({ state }) => state === 'differs' || state === 'blocked');
  return [
    ...renderFields(fields, style),
    ...(versions.length === 0 ? [] : ['', ...renderTable(VERSION_COLUMNS, versions, style)]),
    ...(params.length === 0 ? [] : ['', ...renderTable(PARAM_COLUMNS, params, style)]),
    ...why.flatMap(({ name, why: text }) => hang(`${name}: ${text}`, style.width, '  ', '    ')),
  ];
}

const stepHead = ({ interrupts }: Pick<Step, 'interrupts'>): string => (interrupts ? '! ' : '+ ');

export function firmwarePlanScreen(plan: FirmwarePlanBody, style: Style): string[] {
  const { steps, users } = plan;
  const lines = steps.flatMap(step =>
    hang(step.text, style.width, stepHead(step), '    ').map(line =>
      paint(style, step.interrupts ? 'yellow' : 'green', line),
    ),
  );
  const head = steps.length === 0 ? `Nothing to do on ${plan.nic} through devlink.` : `On ${plan.nic}:`;
  const inUse = steps.some(({ interrupts }) => interrupts)
    ? users.flatMap(user => hang(user, style.width, 'In use: ', '    '))
    : [];
  return [
    paint(style, 'bold', head),
    ...lines,
    ...(steps.some(({ interrupts }) => interrupts) ? ['', '! = ports of the NIC lose their link'] : []),
    ...(inUse.length === 0 ? [] : [...inUse, 'Refused without --force.']),
    ...restLines(plan, style),
  ];
}

const RESULTS: Readonly<Record<Step['result'], readonly [string, Colour | null]>> = {
  done: ['done    ', 'green'],
  failed: ['FAILED  ', 'red'],
  skipped: ['skipped ', 'dim'],
};

export function firmwareResultScreen(result: FirmwareResultBody, style: Style): string[] {
  const { steps, dryRun, nic } = result;
  const head =
    steps.length === 0
      ? `Nothing to do on ${nic} through devlink.`
      : dryRun
        ? `Would do on ${nic}:`
        : `On ${nic}:`;
  const lines = steps.flatMap(step => {
    if (dryRun) return hang(step.text, style.width, stepHead(step), '    ');
    const [word, colour] = RESULTS[step.result];
    const text = step.error === '' ? step.text : `${step.text}: ${step.error}`;
    return hang(text, style.width, word, ' '.repeat(word.length + 2)).map(line => paint(style, colour, line));
  });
  return [paint(style, 'bold', head), ...lines, ...restLines(result, style)];
}

interface Rest {
  readonly commands: readonly Command[];
  readonly pending: FirmwarePlanBody['pending'];
  readonly blocked: readonly string[];
}

/** What is pending, what is in the way, what is left to do by hand. */
function restLines({ pending, blocked, commands }: Rest, style: Style): string[] {
  const list = (title: string, texts: readonly string[]): string[] =>
    texts.length === 0
      ? []
      : ['', paint(style, 'bold', title), ...texts.flatMap(text => hang(text, style.width, '  ', '    '))];
  return [
    ...list(
      'Pending:',
      pending.map(({ text }) => text),
    ),
    ...list('Not possible now:', blocked),
    ...commands.flatMap(command => commandLines(command, style)),
  ];
}

const AFTER: Readonly<Record<Command['needs'], string>> = {
  now: '',
  'fw-activate': 'then activate the firmware',
  'driver-reload': 'then reload the driver',
  'firmware-reset': 'then reset the firmware',
  reboot: 'then reboot',
  'power-cycle': 'then power the machine off and on',
  unknown: '',
};

/** Commands are never wrapped: they are there to be copied. */
function commandLines({ want, why, command, show, needs, resetCommand }: Command, style: Style): string[] {
  const after = resetCommand === null ? AFTER[needs] : '';
  return [
    '',
    ...hang(`By hand: ${want}, because ${why}`, style.width, '', '  '),
    ...(show === null ? [] : [`  # ${show}`]),
    `  ${command}`,
    ...(resetCommand === null ? [] : [`  ${resetCommand}`]),
    ...(after === '' ? [] : [`  (${after})`]),
  ];
}
