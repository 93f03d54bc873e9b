/** The fixture's host with a NIC: ALPHA and BETA on VFs, their rules in a modelled table. */
import type { FlowRule } from '../../src/ir/flow.ts';
import { SimFlows } from '../../src/kernel/sim/flows.ts';
import type { Endpoint } from '../../src/model/endpoint.ts';
import { OffloadView } from '../../src/offload/view.ts';
import { OffloadRig, vf } from '../sim/offload-rig.ts';
import { ALPHA, BETA, INTENT, NOW_MS, type Twist } from './observe-fixture.ts';

function onVf(endpoint: Endpoint | undefined): Endpoint {
  if (endpoint === undefined) throw new Error('the fixture has this endpoint');
  return { ...endpoint, vf: vf(endpoint.slot) };
}

export interface NicTwist {
  readonly refuse?: (rule: FlowRule, rig: OffloadRig) => string | null;
  readonly before?: (rig: OffloadRig) => void;
}

export async function withNic({ refuse, before }: NicTwist = {}): Promise<{ rig: OffloadRig; twist: Twist }> {
  const endpoints = [onVf(INTENT.endpoints.get(ALPHA)), onVf(INTENT.endpoints.get(BETA))];
  const rig = new OffloadRig({
    networks: [...INTENT.networks.values()],
    endpoints,
    flows: new SimFlows(),
  });
  rig.clock.nowMs = NOW_MS - 90_000;
  if (refuse !== undefined) rig.flows.refuse = rule => refuse(rule, rig);
  before?.(rig);
  await rig.engine.start();
  const intent = {
    networks: INTENT.networks,
    endpoints: new Map([...INTENT.endpoints, ...endpoints.map(each => [each.id, each] as const)]),
  };
  return { rig, twist: { intent, offload: new OffloadView(rig.engine, rig.flows) } };
}
