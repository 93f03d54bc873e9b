import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ApiApp } from '../../src/api/app.ts';
import { createApiServer } from '../../src/api/server.ts';
import type { EswitchChangeBody, NicBody, NicList, PortList } from '../../src/wire/api/nic.ts';
import { type NicHost, nicHost, PLAIN_NIC, SMART } from './nic-fixture.ts';
import { ALPHA, fakeSources } from './observe-fixture.ts';

let host: NicHost;
let app: ApiApp;

beforeEach(async () => {
  host = await nicHost();
  app = await createApiServer({ sources: fakeSources(), nics: host.control });
});
afterEach(() => app.close());

async function get<T>(url: string): Promise<{ code: number; body: T }> {
  const response = await app.inject({ method: 'GET', url });
  return { code: response.statusCode, body: response.json<T>() };
}

async function change<T = EswitchChangeBody>(
  nic: string,
  payload: object,
): Promise<{ code: number; body: T }> {
  const url = `/v1/nics/${encodeURIComponent(nic)}/eswitch`;
  const response = await app.inject({ method: 'POST', url, payload });
  return { code: response.statusCode, body: response.json<T>() };
}

type Failure = { error: { code: string; message: string } };

describe('/v1/nics', () => {
  it('shows NICs with who has their functions', async () => {
    const { code, body } = await get<NicList>('/v1/nics');
    expect(code).toBe(200);
    expect(body.nics.map(nic => [nic.handle, nic.mode, nic.offloads, nic.vfs])).toEqual([
      [SMART, 'switchdev', true, { total: 8, enabled: 5, free: 1, used: 1 }],
      ['pci/0000:3b:00.1', 'legacy', false, { total: 8, enabled: 0, free: 0, used: 0 }],
      [PLAIN_NIC, 'legacy', false, { total: 7, enabled: 2, free: 2, used: 0 }],
    ]);
    expect(body.nics[0]?.functions[0]?.use).toEqual({ state: 'used', endpoint: ALPHA, why: '' });
    expect(body.nics[2]?.functions[0]?.attributes).toMatchObject({ vlan: 0, linkState: 'auto' });
  });

  it.each([SMART, '0000:3b:00.0', '3b:00.0', 'enp59s0f0np0'])('finds one as %s', async name => {
    const { code, body } = await get<NicBody>(`/v1/nics/${encodeURIComponent(name)}`);
    expect([code, body.handle]).toEqual([200, SMART]);
  });

  it('says which there are', async () => {
    const { code, body } = await get<Failure>('/v1/nics/3c:00.0');
    expect([code, body.error.code]).toEqual([404, 'ESW_ERR_NIC_UNKNOWN']);
    expect(body.error.message).toContain(`known: ${SMART}`);
  });
});

describe('/v1/nics/:nic/eswitch', () => {
  it('plans, does, and finds nothing to do', async () => {
    const wish = { mode: 'switchdev', vfs: 2 };
    const planned = await change('3b:00.1', { ...wish, dryRun: true });
    expect(planned.body).toMatchObject({
      nic: 'pci/0000:3b:00.1',
      result: 'planned',
      now: 'legacy mode, encap on, 0 VFs',
    });
    expect(planned.body.steps.map(({ text, state }) => [text, state])).toEqual([
      ['eswitch mode switchdev', 'planned'],
      ['sriov_numvfs 2', 'planned'],
      ['hw-tc-offload on', 'planned'],
    ]);
    expect((await change('3b:00.1', wish)).body).toMatchObject({
      result: 'done',
      now: 'switchdev mode, encap on, 2 VFs',
    });
    expect((await change('3b:00.1', wish)).body).toMatchObject({ result: 'nothing', steps: [] });
    expect(host.paused).toEqual([
      'pci/0000:3b:00.1: its eswitch is being changed',
      'pci/0000:3b:00.1: resumed',
    ]);
  });

  it('is refused under containers and machines, naming them', async () => {
    const { code, body } = await change<Failure>(SMART, { mode: 'legacy' });
    expect([code, body.error.code]).toEqual([409, 'ESW_ERR_NIC_BUSY']);
    expect(body.error.message).toContain(`${SMART}/c0pf0vf0 (endpoint a1b2c3d4e5f6 of network 3f2a9c01d4e5)`);
    expect(body.error.message).toContain('driver vfio-pci has it');
    const forced = await change(SMART, { mode: 'legacy', force: true });
    expect([forced.code, forced.body.result, forced.body.disturbed.length]).toEqual([200, 'done', 2]);
  });

  it('is refused by a NIC that cannot', async () => {
    const { code, body } = await change<Failure>(PLAIN_NIC, { mode: 'switchdev' });
    expect([code, body.error.code]).toEqual([409, 'ESW_ERR_NIC_MODE']);
  });

  it.each([{}, { mode: 'router' }, { mode: 'legacy', vfs: -1 }, { mode: 'legacy', vf: 3 }])(
    'refuses %o',
    async payload => {
      expect((await change<Failure>(SMART, payload)).body.error.code).toBe('ESW_ERR_REQUEST_FIELD');
    },
  );
});

describe('/v1/ports', () => {
  it('lists functions, then ports in software', async () => {
    const { body } = await get<PortList>('/v1/ports');
    expect(body.ports.map(({ kind, state }) => `${kind} ${state}`)).toEqual([
      ...['vf used', 'vf cooling', 'vf broken', 'vf foreign', 'vf free', 'vf free', 'vf free'],
      ...['veth used', 'veth used', 'veth used'],
    ]);
  });

  it('has nothing on a host without NICs but its own', async () => {
    await app.close();
    app = await createApiServer({ sources: fakeSources() });
    expect((await get<NicList>('/v1/nics')).body).toEqual({ nics: [] });
    expect((await get<PortList>('/v1/ports')).body.ports).toHaveLength(3);
    expect((await change<Failure>('x', { mode: 'legacy' })).code).toBe(404);
  });
});
