/** The screen of `eswitchctl status`. */
import type { ProbeBody, Status } from '../../wire/api/status.ts';
import { type Field, field, indentOf, renderFields, renderList } from '../fields.ts';
import { ago, bytes, duration, grouped, milliseconds, packets, plural } from '../format.ts';
import { paint, type Style, wrap } from '../text.ts';
import { dropLines, dropSum, shareLines, stateColour } from './states.ts';

/** Longest lists on the screen; `--json` has them whole. */
const SHOWN = 5;

/** Room for the values: the labels are fixed, so their width is too. */
const VALUE_INDENT = 'Forwarded'.length + 2;

interface Look {
  readonly status: Status;
  readonly style: Style;
  readonly nowMs: number;
  readonly room: number;
}

function stateField({ status, style }: Look): Field {
  const { state, problem } = status.daemon;
  const lines: Field['lines'][number][] = [{ ready: paint(style, stateColour(state), state) }];
  if (problem !== null) {
    lines.push(`${problem.message} (${problem.code})`);
    if (problem.cause !== undefined) lines.push(problem.cause);
    lines.push(problem.hint);
  }
  return field('State', ...lines);
}

function eswitchField({ status }: Look): Field {
  const { kind, mechanism, why } = status.eswitch;
  return field('Eswitch', mechanism === '' ? kind : `${kind} (${mechanism})`, ...(why === '' ? [] : [why]));
}

function networksField({ status }: Look): Field {
  if (status.store.origin === 'unavailable') return field('Networks', 'not known');
  return field('Networks', status.networks === 0 ? 'none' : grouped(status.networks));
}

function endpointsField({ status, style }: Look): Field {
  if (status.store.origin === 'unavailable') return field('Endpoints', 'not known');
  const { total, ...states } = status.endpoints;
  const parts = Object.entries(states)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => paint(style, stateColour(state), `${grouped(count)} ${state}`));
  return field('Endpoints', { ready: total === 0 ? 'none' : `${grouped(total)}: ${parts.join(', ')}` });
}

function trafficFields({ status, style, room }: Look): Field[] {
  const { forwarded, share, drops, countersProblem } = status.traffic;
  if (countersProblem !== null) {
    return [field('Forwarded', { ready: paint(style, 'yellow', 'not known') }, countersProblem)];
  }
  const forwardedText = `${packets(forwarded.packets)}, ${bytes(forwarded.bytes)}`;
  return [
    field('Forwarded', forwardedText, ...shareLines(share, status.eswitch.why)),
    field('Dropped', drops.length === 0 ? 'none' : packets(dropSum(drops)), ...dropLines(drops, room)),
  ];
}

/** A line per NIC: rules in it, and how many are not and why not in one word. */
function hardwareField({ status }: Look): Field[] {
  if (status.hardware.length === 0) return [];
  const lines = status.hardware.flatMap(({ nic, used, budget, takesAll, states, paused }) => {
    const others = Object.entries(states)
      .filter(([state, count]) => state !== 'in-hardware' && count > 0)
      .map(([state, count]) => `${grouped(count)} ${state}`);
    const all = takesAll && others.length === 0 ? ', every pair' : '';
    const counts = [`${grouped(used)} of ${plural(budget, 'rule')}${all}`, ...others].join(', ');
    return [`${nic}: ${counts}`, ...(paused === null ? [] : [`paused: ${paused}`])];
  });
  return [field('Hardware', ...lines)];
}

function reconcileFields({ status, style, nowMs, room }: Look): Field[] {
  const { lastRound, rounds, failures, repairs, foreign } = status.reconcile;
  const fields: Field[] = [];
  if (lastRound === null) fields.push(field('Reconcile', 'no round yet'));
  else {
    const { cause, finishedAtMs, operations, durationMs, failed, repaired } = lastRound;
    const extra = [
      failed > 0 ? paint(style, 'red', `${grouped(failed)} failed`) : '',
      repaired > 0 ? paint(style, 'yellow', plural(repaired, 'repair')) : '',
    ].filter(text => text !== '');
    const what = [plural(operations, 'operation'), ...extra, milliseconds(durationMs)].join(', ');
    fields.push(
      field('Reconcile', {
        ready: `round ${grouped(rounds)} (${cause}) ${ago(finishedAtMs, nowMs)}: ${what}`,
      }),
    );
  }
  const recent = repairs.toSorted((a, b) => b.atMs - a.atMs);
  const repairRows = recent
    .slice(0, SHOWN)
    .map(({ atMs, what, key }) => ({ words: [ago(atMs, nowMs), what], text: key }));
  fields.push(
    field(
      'Repairs',
      repairs.length === 0 ? 'none' : `${grouped(repairs.length)}, newest first`,
      ...renderList(repairRows, room),
    ),
  );
  fields.push(
    field(
      'Failures',
      failures.length === 0 ? 'none' : { ready: paint(style, 'red', grouped(failures.length)) },
      ...failures
        .slice(0, SHOWN)
        .flatMap(failure => [`${failure.verb} ${failure.key}:`, `  ${failure.message}`]),
    ),
  );
  if (foreign.length > 0) {
    fields.push(
      field(
        'Conflicts',
        { ready: paint(style, 'red', `${plural(foreign.length, 'name')} taken by others`) },
        ...foreign.slice(0, SHOWN).map(({ key, what }) => `${key}: ${what}`),
      ),
    );
  }
  return fields;
}

/** Names of what the kernel can do on one line; what it cannot, with its words. */
function probeField({ probes }: Status, room: number): Field {
  const of = (answer: ProbeBody['answer']) => probes.filter(probe => probe.answer === answer);
  if (probes.length === 0) return field('Probes', 'not run yet');
  const yes = of('yes').map(probe => probe.name);
  const others = [...of('no'), ...of('unknown')].map(({ name, answer, reason }) => ({
    words: [answer],
    text: reason === '' ? name : `${name}: ${reason}`,
  }));
  const first = yes.length === 0 ? [] : [{ words: ['yes'], text: yes.join(' ') }];
  return field('Probes', ...renderList([...first, ...others], room));
}

export function statusScreen(status: Status, style: Style, nowMs: number): string[] {
  const { daemon, host, table, store, sockets } = status;
  const room = style.width - VALUE_INDENT;
  const look: Look = { status, style, nowMs, room };
  const title = `eswitchd ${daemon.version} on ${host.name}, kernel ${host.kernel}, pid ${daemon.pid}, up ${duration(daemon.uptimeSeconds)}`;
  const generation = table.generation === 0 ? 'none' : `generation ${table.generation}`;
  const fields: Field[] = [
    stateField(look),
    eswitchField(look),
    networksField(look),
    endpointsField(look),
    ...trafficFields(look),
    ...hardwareField(look),
    ...reconcileFields(look),
    field('Table', `${generation}, hooks ${table.hookMode}`),
    field('Store', `${store.directory}, ${store.origin}, revision ${store.revision}`),
    field('Sockets', sockets.api, sockets.plugin),
    probeField(status, room),
  ];
  if (indentOf(fields) > VALUE_INDENT) throw new RangeError('a label is wider than VALUE_INDENT allows');
  return [
    ...wrap(title, style.width).map(line => paint(style, 'bold', line)),
    '',
    ...renderFields(fields, style),
  ];
}
