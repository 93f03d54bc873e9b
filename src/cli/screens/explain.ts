/** The screen of `eswitchctl explain`. */
import type { ExplainBody } from '../../wire/api/explain.ts';
import { type Field, field, renderFields } from '../fields.ts';
import { ago, bytes, packets } from '../format.ts';
import { type Colour, paint, type Style } from '../text.ts';

const COLOURS: Readonly<Record<ExplainBody['handled'], Colour>> = {
  hardware: 'green',
  software: 'yellow',
  dropped: 'red',
  unknown: 'red',
};

const HANDLED: Readonly<Record<ExplainBody['handled'], string>> = {
  hardware: 'in hardware',
  software: 'in software',
  dropped: 'dropped',
  unknown: 'not known',
};

function packetLines({ packet }: ExplainBody): string[] {
  const port = packet.port === null ? '' : ` port ${packet.port}`;
  const lines = [
    `${packet.src} to ${packet.dst}, ${packet.proto}${port}`,
    `arrives at ${packet.link} as ${packet.srcMac} to ${packet.dstMac}`,
  ];
  return packet.port === null ? lines : [...lines, 'ports make no difference: no rule looks at them'];
}

function softwareLines({ software }: ExplainBody): string[] {
  if (software.agree) return [software.compiled];
  return [`as compiled: ${software.compiled}`, `as observed: ${software.observed ?? 'not readable'}`];
}

function hardwareFields({ hardware }: ExplainBody, nowMs: number): Field[] {
  const { nic, state, code, text, extack, sinceMs, rule, seen, problem } = hardware;
  const since = sinceMs === null ? '' : `, ${ago(sinceMs, nowMs)}`;
  const fields = [
    field('Hardware', `${state}${since} (${code})`, text),
    ...(extack === '' ? [] : [field('Kernel said', extack)]),
    field('NIC', nic ?? 'none'),
  ];
  if (rule === null) return fields;
  fields.push(field('Rule', rule));
  if (problem !== null) return [...fields, field('In kernel', `not readable: ${problem}`)];
  if (seen === null) return [...fields, field('In kernel', 'not there')];
  const shown = seen.rule === rule ? [] : [seen.rule];
  const where = seen.inHw ? 'there, and the NIC has it' : 'there, but the NIC does not have it';
  const count = `${packets(seen.packets)}, ${bytes(seen.bytes)} by hardware`;
  return [...fields, field('In kernel', where, ...shown, count)];
}

export function explainScreen(body: ExplainBody, style: Style, nowMs: number): string[] {
  return renderFields(
    [
      field('Packet', ...packetLines(body)),
      field('Handled', { ready: paint(style, COLOURS[body.handled], HANDLED[body.handled]) }, body.why),
      field('Software', ...softwareLines(body)),
      ...hardwareFields(body, nowMs),
    ],
    style,
  );
}
