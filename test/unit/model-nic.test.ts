import { describe, expect, it } from 'vitest';
import { type FlowRule, flowShape } from '../../src/ir/flow.ts';
import { FLOW_FLAG } from '../../src/kernel/flow-port.ts';
import type { NicOp } from '../../src/kernel/nic-port.ts';
import { type DevlinkHandle, type FunctionRef, functionKey, parseFunctionKey } from '../../src/model/nic.ts';

const nic = 'pci/0000:3b:00.0' as DevlinkHandle;

describe('the key of a function', () => {
  it.each<[string, FunctionRef]>([
    ['pci/0000:3b:00.0/c0pf0vf3', { nic, controller: 0, pf: 0, kind: 'vf', index: 3 }],
    ['pci/0000:3b:00.0/c1pf1sf88', { nic, controller: 1, pf: 1, kind: 'sf', index: 88 }],
    ['pci/0000:3b:00.0/c0pf1', { nic, controller: 0, pf: 1, kind: 'pf', index: 0 }],
  ])('%s names the whole tuple, both ways', (key, ref) => {
    expect(functionKey(ref)).toBe(key);
    expect(parseFunctionKey(key)).toEqual(ref);
  });

  it('is not read from other text', () => {
    for (const text of ['', 'pci/0000:3b:00.0', 'c0pf0vf1', 'x/c0vf1'])
      expect(parseFunctionKey(text)).toBeNull();
  });

  it('names what an operation acts on', () => {
    const op: NicOp = { verb: 'num-vfs', nic, count: 4 };
    expect(op.nic).toBe(nic);
  });
});

describe('the shape of a flow rule', () => {
  it('has fields and actions and no values', () => {
    const rule: FlowRule = {
      ...{ link: 'rep0', chain: 0, prio: 10, protocol: 0x0800, handle: 1, where: 'hw' },
      match: [
        { field: 'ipv4_dst', value: '0a000002', mask: 'ffffffff' },
        { field: 'eth_src', value: '020000000001', mask: 'ffffffffffff' },
      ],
      actions: [
        { kind: 'pedit', field: 'eth_dst', value: '020000000002', mask: 'ffffffffffff' },
        { kind: 'redirect', link: 'rep1' },
      ],
    };
    expect(flowShape(rule)).toBe('0800 eth_src,ipv4_dst -> pedit:eth_dst,redirect');
  });
});

it('flags of a dumped rule are single bits', () => {
  const bits = Object.values(FLOW_FLAG);
  expect(new Set(bits).size).toBe(bits.length);
  expect(bits.every(bit => (bit & (bit - 1)) === 0)).toBe(true);
});
