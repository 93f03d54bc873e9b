/** One operation of a plan, run by the simulated kernel. Throws Refusal for what the kernel refuses. */
import type { Op } from '../../ir/op.ts';
import type { Kind, Port, Resource } from '../../ir/resource.ts';
import { deleteDirectPort, deleteVlanLink, makeDirectPort, makeVlanLink } from './direct-links.ts';
import type { SimHost } from './host.ts';
import {
  addAddress,
  attachHook,
  deleteAddress,
  deletePort,
  detachHook,
  makePort,
  setSysctl,
} from './links.ts';
import {
  deletePortEntry,
  loadPrograms,
  putElement,
  putFibEntry,
  putNetEntry,
  putPortEntry,
  putSubnetEntry,
  putTable,
  swapFib,
  unloadPrograms,
} from './tables.ts';
import { freeNames, makeVfPort, releaseVfPort } from './vf-ports.ts';

interface Handler<R extends Resource> {
  readonly put: (host: SimHost, resource: R) => void;
  readonly remove: (host: SimHost, resource: R) => void;
}

function putPort(host: SimHost, port: Port): void {
  if (port.vf !== null) {
    makeVfPort(host, port, port.vf);
    return;
  }
  freeNames(host, [port.rep, port.fn]);
  makePort(host, port);
}

const HANDLERS: { readonly [K in Kind]: Handler<Extract<Resource, { kind: K }>> } = {
  programs: {
    put: ({ state }, r) => loadPrograms(state, r.digest),
    remove: ({ state }) => unloadPrograms(state),
  },
  port: {
    put: putPort,
    remove: (host, r) => (r.vf === null ? deletePort(host, r) : releaseVfPort(host, r, r.vf)),
  },
  'vlan-link': { put: makeVlanLink, remove: deleteVlanLink },
  'direct-port': { put: makeDirectPort, remove: deleteDirectPort },
  address: { put: addAddress, remove: deleteAddress },
  // Never set back: somebody else may rely on the value by now.
  sysctl: { put: setSysctl, remove: () => {} },
  hook: { put: attachHook, remove: detachHook },
  'port-entry': {
    put: putPortEntry,
    remove: deletePortEntry,
  },
  'net-entry': {
    put: putNetEntry,
    remove: ({ state }, r) => void state.maps?.nets.delete(r.net),
  },
  'subnet-entry': {
    put: ({ state }, r) => putSubnetEntry(state, r),
    remove: ({ state }, r) => void state.maps?.subnets.delete(r.key),
  },
  'fib-entry': {
    put: putFibEntry,
    remove: ({ state }, r) => void state.maps?.fib.delete(r.key),
  },
  'nft-table': {
    put: ({ state }, r) => putTable(state, r.digest),
    remove: ({ state }) => {
      state.table = null;
    },
  },
  'nft-element': {
    put: ({ state }, r) => putElement(state, r),
    remove: ({ state }, r) => void state.table?.sets.get(r.set)?.delete(r.element),
  },
  'forward-accept': {
    put: ({ state }, r) => void state.forwardAccept.set(r.family, r.linkPrefix),
    remove: ({ state }, r) => void state.forwardAccept.delete(r.family),
  },
};

export function runOp(host: SimHost, op: Op): void {
  if (op.verb === 'swap-fib') {
    swapFib(host, op.entries);
    return;
  }
  // The table pairs each kind with its own resource type, which the index expression cannot express.
  const handler = HANDLERS[op.resource.kind] as Handler<Resource>;
  if (op.verb === 'delete') handler.remove(host, op.resource);
  else handler.put(host, op.resource);
}
