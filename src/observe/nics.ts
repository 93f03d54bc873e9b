/** Bodies of /v1/nics and /v1/ports. */
import { directPortKey } from '../ir/make.ts';
import { portNames } from '../ir/names.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { FunctionUse } from '../model/function-use.ts';
import { type FunctionKey, functionKey, type Inventory, type Nic, type NicFunction } from '../model/nic.ts';
import type { NicControl } from '../model/nic-control.ts';
import type { FunctionBody, NicBody, PortBody } from '../wire/api/nic.ts';
import { compareEndpoints } from './endpoints.ts';
import { intentOf, type Picture, resourceOf } from './picture.ts';
import type { Sources } from './sources.ts';

type Uses = ReadonlyMap<FunctionKey, FunctionUse>;

const UNKNOWN: FunctionUse = { state: 'free', endpoint: null, why: '' };

export function nicBodies(control: NicControl, inventory: Inventory): NicBody[] {
  const uses = control.uses(inventory);
  return inventory.nics.map(nic => nicBody(control, nic, uses));
}

export function nicBody(control: NicControl, nic: Nic, uses: Uses): NicBody {
  const { profile, offloadProblem } = control.facts(nic.handle);
  const functions = nic.functions.map(each => functionBody(each, uses));
  const count = (state: FunctionUse['state']): number =>
    functions.filter(each => each.kind === 'vf' && each.use.state === state).length;
  const { eswitch, pci } = nic;
  return {
    ...{ handle: nic.handle, devlink: nic.devlink, driver: nic.driver, profile },
    pci: pci === null ? null : `${pci.vendor}:${pci.device}`,
    serial: nic.serial,
    firmware: nic.firmware.map(each => ({ ...each })),
    mode: eswitch?.mode ?? 'legacy',
    encap: eswitch?.encap ?? null,
    inlineMode: eswitch?.inlineMode ?? null,
    ...{ offloads: offloadProblem === null, offloadProblem: offloadProblem ?? '' },
    tcOffload: nic.tcOffload,
    uplinks: nic.uplinks.map(linkBody),
    switchId: nic.switchId,
    vfs: { total: nic.vfsTotal, enabled: nic.vfsEnabled, free: count('free'), used: count('used') },
    functions,
    resources: nic.resources.map(each => ({ ...each })),
    rateNodes: nic.rateNodes,
    problems: [...nic.problems],
  };
}

const linkBody = (link: NonNullable<NicFunction['netdev']>): NicBody['uplinks'][number] => ({
  ...link,
  altnames: [...link.altnames],
});

function functionBody(each: NicFunction, uses: Uses): FunctionBody {
  const key = functionKey(each.ref);
  return {
    ...{ key, kind: each.ref.kind, index: each.ref.index, device: each.device, driver: each.driver },
    netdev: each.netdev && linkBody(each.netdev),
    representor: each.representor && linkBody(each.representor),
    hwAddr: each.hwAddr,
    attributes: each.vf && { ...each.vf },
    use: { ...(uses.get(key) ?? UNKNOWN) },
  };
}

/** Every function of every NIC, then the ports that are made in software, by network and address. */
export function portBodies(
  sources: Sources,
  control: NicControl,
  inventory: Inventory,
  picture: Picture,
): PortBody[] {
  const uses = control.uses(inventory);
  const { endpoints } = intentOf(picture);
  const hardware = inventory.nics.flatMap(nic =>
    nic.functions.map((each): PortBody => {
      const key = functionKey(each.ref);
      const use = uses.get(key) ?? UNKNOWN;
      return {
        ...{ port: key, kind: each.ref.kind === 'sf' ? 'sf' : 'vf', nic: nic.handle },
        netdev: each.netdev?.name ?? null,
        representor: each.representor?.name ?? null,
        network: use.endpoint === null ? null : (endpoints.get(use.endpoint)?.networkId ?? null),
        ...use,
      };
    }),
  );
  const software = [...endpoints.values()]
    .filter(endpoint => endpoint.vf === null)
    .sort(compareEndpoints)
    .map(endpoint => softwarePort(sources, picture, endpoint));
  return [...hardware, ...software];
}

function softwarePort(sources: Sources, picture: Picture, endpoint: Endpoint): PortBody {
  const { rep, fn } = portNames(sources.identity, endpoint.id);
  const direct = resourceOf(picture, directPortKey(fn));
  const isDirect = direct !== undefined;
  return {
    port: isDirect ? fn : rep,
    kind: isDirect ? 'direct' : 'veth',
    nic: null,
    netdev: endpoint.sandbox === null ? fn : null,
    representor: isDirect ? null : rep,
    network: endpoint.networkId,
    ...{ state: 'used', endpoint: endpoint.id, why: endpoint.fallback ?? '' },
  };
}
