/** Body of /v1/status. */
import type { EswError } from '../lib/errors.ts';
import type { RoundReport } from '../reconcile/port.ts';
import type { ErrorDetail } from '../wire/api/common.ts';
import type { RoundBody, Status } from '../wire/api/status.ts';
import { Hardware } from './hardware.ts';
import { failureBody, Troubles } from './health.ts';
import { countersOf, intentOf, type Picture } from './picture.ts';
import type { Sources } from './sources.ts';
import { Traffic } from './traffic.ts';

export const roundBody = (round: RoundReport): RoundBody => ({
  cause: round.cause,
  revision: round.revision,
  finishedAtMs: Math.trunc(round.finishedAtMs),
  durationMs: round.durationMs,
  operations: round.created + round.updated + round.deleted + round.failed,
  created: round.created,
  updated: round.updated,
  deleted: round.deleted,
  failed: round.failed,
  repaired: round.repaired,
});

/** The error shape of the API. The cause's words are shown when they say more than the message. */
export function errorDetail(error: EswError): ErrorDetail {
  const { cause } = error;
  const words = cause instanceof Error ? cause.message : typeof cause === 'string' ? cause : '';
  const shown = words !== '' && !error.message.includes(words) ? { cause: words } : {};
  return { code: error.code, message: error.message, hint: error.hint, ...shown };
}

function endpointStates(sources: Sources, picture: Picture): Status['endpoints'] {
  const troubles = new Troubles(picture);
  const states = { total: 0, ready: 0, pending: 0, failed: 0, stale: 0 };
  for (const endpoint of intentOf(picture).endpoints.values()) {
    states.total++;
    states[troubles.endpoint(endpoint, path => sources.sandboxExists(path)).state]++;
  }
  return states;
}

function storeBody(sources: Sources, picture: Picture): Status['store'] {
  const { store, daemon } = sources;
  if (!picture.intent.ok) return { directory: daemon.stateDir, origin: 'unavailable', revision: 0 };
  return { directory: daemon.stateDir, origin: store.origin, revision: store.revision };
}

function daemonBody({ daemon, identity, clock }: Sources): Status['daemon'] {
  const { state, problem } = daemon.state();
  return {
    version: daemon.version,
    pid: daemon.pid,
    instance: identity.instance,
    startedAtMs: Math.trunc(daemon.startedAtMs),
    uptimeSeconds: Math.max(0, Math.trunc((clock() - daemon.startedAtMs) / 1000)),
    state,
    problem: problem === null ? null : errorDetail(problem),
  };
}

export function statusBody(sources: Sources, picture: Picture): Status {
  const { reconciler, daemon } = sources;
  const { reconcile, counters } = picture;
  const { networks, endpoints } = intentOf(picture);
  const traffic = new Traffic(countersOf(picture), new Hardware(sources.offload, picture.eswitch.why));
  return {
    host: { name: daemon.hostName, kernel: daemon.kernelRelease },
    daemon: daemonBody(sources),
    eswitch: picture.eswitch,
    probes: reconciler.probes().map(probe => ({ ...probe })),
    networks: networks.size,
    endpoints: endpointStates(sources, picture),
    traffic: {
      ...traffic.host(networks.values(), endpoints.values()),
      countersProblem: counters.ok ? null : counters.problem.message,
    },
    hardware: sources.offload.tables().map(table => ({ ...table, states: { ...table.states } })),
    reconcile: {
      rounds: reconcile.rounds,
      lastRound: reconcile.lastRound === null ? null : roundBody(reconcile.lastRound),
      failures: reconcile.failures.map(failureBody),
      repairs: reconcile.repairs.map(({ atMs, key, what }) => ({ atMs: Math.trunc(atMs), key, what })),
      foreign: reconcile.foreign.map(conflict => ({ ...conflict })),
    },
    table: { generation: reconcile.generation, hookMode: reconcile.hookMode },
    store: storeBody(sources, picture),
    sockets: { api: daemon.apiSocket, plugin: daemon.pluginSocket },
  };
}
