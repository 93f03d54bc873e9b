/** Host ports of published endpoints: which two cannot both be had. */
import { ipFamily } from '../lib/ip.ts';
import type { PortBinding } from './endpoint.ts';

export type HostPort = Pick<PortBinding, 'proto' | 'hostIp' | 'hostPort'>;

/**
 * Whether one packet could be meant for both. No host address means every address of both families,
 * 0.0.0.0 and :: mean every address of one.
 */
export function hostPortsMeet(a: HostPort, b: HostPort): boolean {
  if (a.proto !== b.proto || a.hostPort !== b.hostPort) return false;
  if (a.hostIp === null || b.hostIp === null || a.hostIp === b.hostIp) return true;
  if (ipFamily(a.hostIp) !== ipFamily(b.hostIp)) return false;
  return [a.hostIp, b.hostIp].some(ip => ip === '0.0.0.0' || ip === '::');
}
