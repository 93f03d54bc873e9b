import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compile/compile.ts';
import { fibEntry, hook, nftElement, port, programs, sysctl } from '../../src/ir/make.ts';
import type { Op } from '../../src/ir/op.ts';
import { printOp } from '../../src/ir/print.ts';
import type { FibEntry, Key, Resource } from '../../src/ir/resource.ts';
import type { Ip, Mac, NetSlot, PortSlot } from '../../src/lib/brand.ts';
import type { Intent } from '../../src/model/intent.ts';
import { parseFunctionKey } from '../../src/model/nic.ts';
import { plan } from '../../src/plan/plan.ts';
import { HOST_OWNER, Tracker } from '../../src/plan/tracker.ts';
import { intentOf, intents, network } from '../sim/arbitrary.ts';
import { CONTEXT } from '../sim/sim-harness.ts';

const table = (...resources: Resource[]): Map<Key, Resource> => new Map(resources.map(r => [r.key, r]));
const texts = (ops: readonly Op[]): string[] => ops.map(op => printOp(op));
const MAC = '02:00:00:00:00:01' as Mac;
const link = port({
  rep: 'r',
  fn: 'f',
  repMac: MAC,
  fnMac: MAC,
  mtu: 1500,
  role: 'endpoint',
  vf: null,
  sandbox: null,
});
const fib = (n: number, change: Partial<FibEntry> = {}): FibEntry =>
  fibEntry({
    net: 1 as NetSlot,
    addr: `10.0.${n >> 8}.${n & 255}` as Ip,
    link: 'r',
    slot: 1 as PortSlot,
    mac: MAC,
    delivery: 'peer',
    ...change,
  });
const fibs = (count: number): FibEntry[] => Array.from({ length: count }, (_, n) => fib(n));

describe('plan', () => {
  it('never takes a sysctl back', () => {
    expect(plan(table(), table(sysctl('net/ipv4/ip_forward', '1')))).toEqual([]);
  });

  it('attaches hooks anew to a new program', () => {
    const ops = plan(table(programs('new'), hook('r')), table(programs('old'), hook('r')));
    expect(texts(ops)).toEqual(['~ programs new', '+ hook r ingress esw_port']);
  });

  it('fills a new rule table anew, also with what looks right', () => {
    const [old, next] = [network(1), network(1)];
    const before = compile(CONTEXT, intentOf([old], []));
    const after = compile({ ...CONTEXT, nftDigest: 'n2' }, intentOf([next], []));
    const kinds = plan(after, before).map(op => (op.verb === 'swap-fib' ? '' : op.resource.kind));
    expect(kinds).toEqual(['nft-table', 'nft-element', 'nft-element', 'nft-element']);
  });

  it('makes room in interval sets first', () => {
    const ops = plan(table(nftElement('masq4', '10.1.0.0/24')), table(nftElement('masq4', '10.1.0.0/16')));
    expect(texts(ops)).toEqual([
      '- nft-element masq4 { 10.1.0.0/16 }',
      '+ nft-element masq4 { 10.1.0.0/24 }',
    ]);
  });

  it('swaps only when more than the threshold and half the table change', () => {
    const verbs = (ops: Op[]): Set<string> => new Set(ops.map(op => op.verb));
    expect(verbs(plan(table(link, ...fibs(256)), table(link)))).toEqual(new Set(['create']));
    expect(verbs(plan(table(link, ...fibs(257)), table(link)))).toEqual(new Set(['swap-fib']));
    expect(verbs(plan(table(link, ...fibs(1000)), table(link, ...fibs(700))))).toEqual(new Set(['create']));
    expect(verbs(plan(table(link, ...fibs(1000)), table(link, ...fibs(300))))).toEqual(new Set(['swap-fib']));
    expect(plan(table(link), table(link, ...fibs(300)))).toMatchObject([{ verb: 'swap-fib', entries: [] }]);
  });

  it('puts links before a swap and leaves out entries without a link', () => {
    const ops = plan(table(link, ...fibs(300), fib(400, { link: 'gone' })), table());
    expect(ops.map(op => op.verb)).toEqual(['create', 'swap-fib']);
    expect(ops[1]).toMatchObject({ entries: { length: 300 } });
  });
});

describe('tracker', () => {
  const drain = (tracker: Tracker): Op[] => {
    const done: Op[] = [];
    for (;;) {
      const fast = tracker.takeFast(16);
      const ops = fast.length > 0 ? fast : tracker.takeSlow(8);
      if (ops.length === 0) return done;
      for (const op of ops) tracker.done(op);
      done.push(...ops);
    }
  };
  /** Each endpoint's part as its own owner, everything else as one. */
  const give = (tracker: Tracker, intent: Intent, gone: Intent): void => {
    const all = compile(CONTEXT, intent);
    const rest = compile(CONTEXT, intentOf([...intent.networks.values()], []));
    tracker.setOwner(HOST_OWNER, [...rest.values()]);
    for (const id of gone.endpoints.keys()) if (!intent.endpoints.has(id)) tracker.setOwner(id, []);
    for (const each of intent.endpoints.values()) {
      const one = compile(CONTEXT, intentOf([...intent.networks.values()], [each]));
      tracker.setOwner(
        each.id,
        [...one.values()].filter(r => !rest.has(r.key)),
      );
    }
    expect(new Set(tracker.desired.keys())).toEqual(new Set(all.keys()));
  };

  it('settles exactly what a whole plan would, from any table to any other', () => {
    const empty = intentOf([], []);
    fc.assert(
      fc.property(intents, intents, fc.constantFrom(2, 256), (from, to, threshold) => {
        const tracker = new Tracker(threshold);
        give(tracker, from, empty);
        drain(tracker);
        expect(plan(tracker.desired, tracker.observed)).toEqual([]);
        give(tracker, to, from);
        drain(tracker);
        expect(plan(compile(CONTEXT, to), tracker.observed)).toEqual([]);
        expect([tracker.fastSize, tracker.slowSize]).toEqual([0, 0]);
      }),
    );
  });

  it('finds by a full look what differs, and calls it drift', () => {
    const tracker = new Tracker();
    tracker.setOwner('e', [link, fib(1)]);
    drain(tracker);
    tracker.adopt(table(link, fib(1, { slot: 9 as PortSlot }), fib(2)), 'drift');
    expect(tracker.causeOf(fib(1).key)).toBe('drift');
    expect(texts(drain(tracker)).map(text => text.slice(0, 11))).toEqual(['~ fib-entry', '- fib-entry']);
  });

  it('keeps one object for what is in place', () => {
    const tracker = new Tracker();
    const desired = fib(1);
    tracker.setOwner('e', [desired]);
    tracker.adopt(table({ ...desired }), 'intent');
    expect(tracker.observed.get(desired.key)).toBe(desired);
    expect(tracker.fastSize).toBe(0);
  });

  it('sets failed keys aside until they are woken, and what needs them too', () => {
    const tracker = new Tracker();
    tracker.setOwner('e', [link, hook('r'), fib(1)]);
    tracker.park(link.key);
    const [first] = tracker.takeFast(9);
    expect(first && tracker.isBlocked(first)).toBe(true);
    expect(tracker.takeFast(9).map(op => op.verb)).toEqual(['create', 'create']);
    expect(tracker.pendingOf('e')).toHaveLength(3);
    tracker.park(hook('r').key);
    tracker.park(fib(1).key);
    expect(tracker.takeFast(9)).toEqual([]);
    tracker.wake(link.key);
    const [op] = tracker.takeFast(9);
    if (op !== undefined) tracker.done(op);
    expect(tracker.takeFast(9)).toHaveLength(2);
  });

  it('detaches a hook only from a link that stays', () => {
    const tracker = new Tracker();
    tracker.setOwner('e', [link, hook('r')]);
    drain(tracker);
    tracker.setOwner('e', [link]);
    expect(texts(drain(tracker))).toEqual(['- hook r ingress esw_port']);
    tracker.setOwner('e', [link, hook('r')]);
    drain(tracker);
    tracker.setOwner('e', []);
    expect(drain(tracker)).toHaveLength(1);
    expect(tracker.observed.size).toBe(0);
  });

  it('gives a key to its last owner', () => {
    const tracker = new Tracker();
    tracker.setOwner('a', [fib(1)]);
    tracker.setOwner('b', [fib(1, { slot: 7 as PortSlot })]);
    tracker.setOwner('a', []);
    expect(tracker.desired.get(fib(1).key)).toMatchObject({ slot: 7 });
    expect(tracker.pendingOf('a')).toEqual([]);
    expect(tracker.pendingOf('b')).toEqual([fib(1).key]);
  });

  it('goes entry by entry after a refused swap, until the next full look', () => {
    const tracker = new Tracker();
    tracker.setOwner('e', [link, ...fibs(300)]);
    tracker.adopt(table(link), 'intent');
    expect(tracker.takeFast(512).map(op => op.verb)).toEqual(['swap-fib']);
    tracker.refuseSwap();
    expect(tracker.takeFast(512)).toHaveLength(300);
    tracker.adopt(table(link), 'drift');
    expect(tracker.takeFast(512)).toHaveLength(1);
  });

  it("gives a NIC's function back with the entries, not in the next pause", () => {
    const tracker = new Tracker();
    const taken = port({ ...link, vf: parseFunctionKey('pci/0000:3b:00.0/c0pf0vf1') });
    tracker.adopt(table(taken, fib(1)), 'drift');
    expect(texts(tracker.takeFast(10)).map(text => text.split(' ', 2).join(' '))).toEqual([
      '- fib-entry',
      '- port',
    ]);
    expect(tracker.slowSize).toBe(0);
  });

  it('deletes entries before links, and links only when asked', () => {
    const tracker = new Tracker();
    tracker.setOwner('e', [link, hook('r'), fib(1)]);
    drain(tracker);
    tracker.setOwner('e', []);
    expect(tracker.takeFast(9).map(op => op.verb === 'delete' && op.resource.kind)).toEqual(['fib-entry']);
    expect(tracker.takeSlow(9).map(op => op.verb === 'delete' && op.resource.kind)).toEqual(['port']);
  });
});
