/** Answers in Docker's words. */
import type { Mac } from '../lib/brand.ts';
import type { EswError } from '../lib/errors.ts';

/** What Docker's client names in Accept (pkg/plugins/transport/mimetype.go). */
export const CONTENT_TYPE = 'application/vnd.docker.plugins.v1.2+json';

/**
 * The network driver's client reads `Err`, the IPAM's reads `Error`, and both read `Err` when the
 * status is not 200: send both.
 */
export function errorBody(error: EswError): { readonly Err: string; readonly Error: string } {
  const stop = /[.!?]$/.test(error.message) ? '' : '.';
  const text = `${error.code}: ${error.message}${stop} ${error.hint}`;
  return { Err: text, Error: text };
}

/** Naming a field that Docker had set is an error to it, so only what it lacked. */
export function createEndpointAnswer(mac: Mac | null): object {
  return { Interface: mac === null ? {} : { MacAddress: mac } };
}

export interface JoinFacts {
  readonly srcName: string;
  /** Prefix or whole name, as the endpoint has it. */
  readonly ifname: string;
  readonly gateway: string | null;
  readonly gatewayIpv6: string | null;
}

/**
 * A whole name goes into DstName; engines that know only DstPrefix append their own number to it.
 * DisableGatewayService: without it Docker adds a second interface where there is no gateway.
 */
export function joinAnswer({ srcName, ifname, gateway, gatewayIpv6 }: JoinFacts): object {
  const isWholeName = /[0-9]$/.test(ifname);
  return {
    InterfaceName: {
      SrcName: srcName,
      DstPrefix: isWholeName ? ifname.replace(/[0-9]+$/, '') || 'eth' : ifname,
      DstName: isWholeName ? ifname : '',
    },
    ...(gateway === null ? {} : { Gateway: gateway }),
    ...(gatewayIpv6 === null ? {} : { GatewayIPv6: gatewayIpv6 }),
    StaticRoutes: [],
    DisableGatewayService: true,
  };
}
