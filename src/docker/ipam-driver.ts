/** The IpamDriver methods by name: decode, act, encode. */
import { ADDRESS_SPACES } from '../ipam/pools.ts';
import { decodeMacOption } from './decode.ts';
import type { PluginDeps } from './deps.ts';
import type { Handler } from './network-driver.ts';
import { forgetReleased } from './released.ts';
import { LABELS } from './requests.ts';

/**
 * The MAC makes a repeated request recognisable; the replay after Docker's restart restores what a
 * lost state directory would have forgotten, and changes nothing otherwise.
 */
const CAPABILITIES = { RequiresMACAddress: true, RequiresRequestReplay: true };

const SPACES = {
  LocalDefaultAddressSpace: ADDRESS_SPACES.local,
  GlobalDefaultAddressSpace: ADDRESS_SPACES.global,
};

/** libnetwork/ipamapi/contract.go */
const REQUEST_ADDRESS_TYPE = 'RequestAddressType';

export function ipamDriver(deps: PluginDeps): Readonly<Record<string, Handler>> {
  const { ipam } = deps;
  return {
    GetCapabilities: () => CAPABILITIES,
    GetDefaultAddressSpaces: () => SPACES,

    RequestPool(body) {
      body.object('Options');
      const { id, pool } = ipam.requestPool({
        space: body.text('AddressSpace'),
        pool: body.text('Pool'),
        subPool: body.text('SubPool'),
        v6: body.flag('V6'),
      });
      return { PoolID: id, Pool: pool, Data: {} };
    },
    ReleasePool(body) {
      ipam.releasePool(body.required('PoolID'));
      return {};
    },
    RequestAddress(body) {
      const options = body.object('Options');
      const address = ipam.requestAddress({
        poolId: body.required('PoolID'),
        address: body.text('Address'),
        isGateway: options.text(REQUEST_ADDRESS_TYPE) === LABELS.gateway,
        mac: decodeMacOption(options),
      });
      return { Address: address, Data: {} };
    },
    ReleaseAddress(body) {
      const poolId = body.required('PoolID');
      const address = body.text('Address');
      forgetReleased(deps, poolId, address);
      ipam.releaseAddress(poolId, address);
      return {};
    },
  };
}
