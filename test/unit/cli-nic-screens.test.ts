import { describe, expect, it } from 'vitest';
import { eswitchChangeScreen, nicList, nicScreen, portList } from '../../src/cli/screens/nic.ts';
import type { Style } from '../../src/cli/text.ts';
import type { NicChange } from '../../src/model/nic-control.ts';
import { nicBodies, portBodies } from '../../src/observe/nics.ts';
import { takePicture } from '../../src/observe/picture.ts';
import type { EswitchChangeBody } from '../../src/wire/api/nic.ts';
import { nicHost, PLAIN_NIC, SMART } from './nic-fixture.ts';
import { fakeSources } from './observe-fixture.ts';

const PLAIN: Style = { width: 80, colour: false };

function fitted(lines: readonly string[], width = 80): string {
  for (const line of lines) expect([...line].length, line).toBeLessThanOrEqual(width);
  for (const line of lines) expect(line, 'no trailing space').toBe(line.trimEnd());
  return `\n${lines.join('\n')}\n`;
}

const screenOf = (change: NicChange) => fitted(eswitchChangeScreen(change as EswitchChangeBody, PLAIN));

async function bodies() {
  const host = await nicHost();
  return nicBodies(host.control, await host.control.inventory());
}

describe('eswitchctl nic', () => {
  it('ls', async () => {
    const nics = await bodies();
    const [first] = nics;
    expect(fitted(nicList(nics, PLAIN))).toMatchSnapshot();
    expect(fitted(nicList(nics, { width: 120, colour: false }), 120)).toMatchSnapshot();
    const problems = ['no representor yet of pci/0000:3b:00.0/c0pf0vf4, pci/0000:3b:00.0/c0pf0vf5'];
    if (first !== undefined) expect(fitted(nicList([{ ...first, problems }], PLAIN))).toMatchSnapshot();
    expect(nicList([], PLAIN)).toEqual(['No NICs with devlink or SR-IOV on this host.']);
  });

  it('inspect', async () => {
    const nics = (await bodies()).filter(nic => nic.handle === SMART || nic.handle === PLAIN_NIC);
    expect(nics.map(nic => fitted(nicScreen(nic, PLAIN))).join('')).toMatchSnapshot();
    for (const nic of nics) fitted(nicScreen(nic, { width: 132, colour: false }), 132);
  });

  it('mode', async () => {
    const { control } = await nicHost();
    const wish = { mode: 'switchdev', vfs: 4, encap: false } as const;
    const nic = 'pci/0000:3b:00.1';
    const planned = await control.change(nic, wish, { dryRun: true, force: false });
    const done = await control.change(nic, wish, { dryRun: false, force: false });
    const nothing = await control.change(nic, wish, { dryRun: false, force: false });
    const forced = await control.change(
      SMART,
      { mode: 'legacy', vfs: null, encap: null },
      { dryRun: true, force: true },
    );
    const screens = [planned, done, nothing, forced].map(screenOf);
    expect(screens.join('')).toMatchSnapshot();
    const step = {
      text: 'eswitch mode switchdev',
      why: 'switchdev mode is wanted',
      state: 'failed',
      error: 'not while VFs exist (EBUSY)',
    } as const;
    expect(
      screenOf({ ...done, steps: [step], notes: ['2 rules of others are on its links'] }),
    ).toMatchSnapshot();
  });
});

describe('eswitchctl port', () => {
  it('ls', async () => {
    const { control, intent } = await nicHost();
    const sources = fakeSources();
    const picture = { ...(await takePicture(sources)), intent: { ok: true as const, value: intent } };
    const ports = portBodies(sources, control, await control.inventory(), picture);
    expect(fitted(portList(ports, PLAIN))).toMatchSnapshot();
    expect(fitted(portList(ports, { width: 132, colour: false }), 132)).toMatchSnapshot();
    expect(fitted(portList([], PLAIN))).toContain('No ports');
  });
});
