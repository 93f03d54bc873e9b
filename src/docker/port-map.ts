/** `com.docker.network.portmap`: a list of Go's types.PortBinding, one for each `-p`. */
import { isMulticast, parseIp } from '../lib/ip.ts';
import type { L4Proto } from '../model/endpoint.ts';
import { Fields, fieldError, isObject } from './fields.ts';
import type { PortRequest } from './requests.ts';

/** IANA protocol numbers. */
const PROTOCOLS: ReadonlyMap<number, L4Proto> = new Map([
  [6, 'tcp'],
  [17, 'udp'],
  [132, 'sctp'],
]);
const PORT_MAX = 65_535;

/** Throws ESW_ERR_REQUEST_FIELD. The same entry twice counts once. */
export function decodePortMap(value: unknown, path: string): readonly PortRequest[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw fieldError(path, 'expected an array of port bindings');
  const requests = value.map((item: unknown, index) => {
    if (!isObject(item)) throw fieldError(`${path}[${index}]`, 'expected a port binding');
    return decodeBinding(new Fields(item, `${path}[${index}]`));
  });
  const distinct = new Map(requests.map(request => [JSON.stringify(request), request]));
  return [...distinct.values()];
}

function decodeBinding(item: Fields): PortRequest {
  const number = item.integer('Proto', 0, 255);
  const proto = PROTOCOLS.get(number);
  if (proto === undefined) {
    throw fieldError(item.name('Proto'), `${number} is none of 6 (TCP), 17 (UDP), 132 (SCTP)`);
  }
  const containerPort = item.integer('Port', 1, PORT_MAX);
  const first = item.integer('HostPort', 0, PORT_MAX);
  const end = item.integer('HostPortEnd', 0, PORT_MAX);
  if (end !== 0 && (first === 0 || end < first)) {
    throw fieldError(item.name('HostPortEnd'), `${first}-${end} is not a range of ports`);
  }
  return { proto, containerPort, hostIp: decodeHostIp(item), first, last: end === 0 ? first : end };
}

function decodeHostIp(item: Fields): PortRequest['hostIp'] {
  const text = item.text('HostIP');
  if (text === '') return null;
  const ip = parseIp(text);
  if (ip === null || isMulticast(ip))
    throw fieldError(item.name('HostIP'), `"${text}" is not a host address`);
  return ip;
}
