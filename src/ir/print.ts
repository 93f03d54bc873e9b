/** Resources and operations as stable text, one line each, for the CLI, logs and golden tests. */
import { functionKey } from '../model/nic.ts';
import type { Op } from './op.ts';
import type { DirectVia, Resource, SandboxPlacement } from './resource.ts';

type Word = string | number | false | null;

const line = (...words: readonly Word[]): string =>
  words.filter(word => word !== false && word !== null).join(' ');
const pair = (name: string, value: string | number | null): string | null =>
  value === null ? null : `${name} ${value}`;

const place = (sandbox: SandboxPlacement | null): Word =>
  sandbox === null ? null : `in ${sandbox.netns} as ${sandbox.ifname}`;

/** `macvlan on eth1`, or `VF pci/0000:01:00.0/c0pf0vf3` with the attributes that are not the usual ones. */
export function printVia(via: DirectVia): string {
  if (via.kind === 'macvlan') return `macvlan on ${via.parent}`;
  const { ref, vlan, spoofchk, trust, linkState, maxTxRate } = via;
  return line(
    'VF',
    functionKey(ref),
    vlan !== 0 && `vlan ${vlan}`,
    !spoofchk && 'spoofchk off',
    trust && 'trust on',
    linkState !== 'auto' && `link-state ${linkState}`,
    maxTxRate !== 0 && `max-tx-rate ${maxTxRate}`,
  );
}

/** One line that starts with the kind; fields in a fixed order, absent ones left out. */
export function printResource(resource: Resource): string {
  const r = resource;
  switch (r.kind) {
    case 'programs':
    case 'nft-table':
      return line(r.kind, r.digest.slice(0, 12));
    case 'port': {
      return line(
        'port',
        r.rep,
        r.repMac,
        'fn',
        r.fn,
        r.fnMac,
        'mtu',
        r.mtu,
        r.role,
        r.vf && `vf ${functionKey(r.vf)}`,
        place(r.sandbox),
        r.down === true && 'down',
      );
    }
    case 'vlan-link': {
      const words = [r.link, 'vlan', r.vlan, 'of', r.parent, 'mtu', r.mtu];
      return line('vlan-link', ...words, r.down === true && 'down');
    }
    case 'direct-port':
      return line('direct-port', r.fn, r.mac, 'mtu', r.mtu, printVia(r.via), place(r.sandbox));
    case 'address':
      return line('address', r.cidr, 'dev', r.link);
    case 'sysctl':
      return line('sysctl', `${r.path}=${r.value}`);
    case 'hook':
      return line('hook', r.link, 'ingress', r.program);
    case 'port-entry': {
      const addresses = [pair('ip4', r.ip4), pair('ip6', r.ip6)];
      return line(
        'port-entry',
        r.rep,
        'slot',
        r.slot,
        'net',
        r.net,
        r.mac,
        ...addresses,
        r.trusted && 'trusted',
        r.countPairs && 'count-pairs',
      );
    }
    case 'net-entry': {
      const gateway = ['gateway', r.gateway, r.gatewayMac, 'slot', r.gatewaySlot];
      return line('net-entry', r.net, ...gateway, 'switch', r.switchMac, r.internal && 'internal');
    }
    case 'subnet-entry':
      return line('subnet-entry', 'net', r.net, r.pool);
    case 'fib-entry': {
      const delivery = r.delivery !== 'peer' && r.delivery;
      return line('fib-entry', 'net', r.net, r.addr, 'via', r.link, r.mac, 'slot', r.slot, delivery);
    }
    case 'nft-element':
      return line('nft-element', r.set, '{', r.element, pair(':', r.value), '}');
    case 'forward-accept':
      return line('forward-accept', r.family, `${r.linkPrefix}+`);
  }
}

const SIGN = { create: '+', update: '~', delete: '-' } as const;

/** `+` create, `~` update, `-` delete, `=` replacement of the whole forwarding table. */
export function printOp(op: Op): string {
  if (op.verb === 'swap-fib') return `= swap-fib ${op.entries.length} entries`;
  return `${SIGN[op.verb]} ${printResource(op.resource)}`;
}
