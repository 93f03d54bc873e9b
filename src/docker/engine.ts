/** The one question asked of Docker's own API, and never from a handler: dockerd holds locks while it calls us. */
import { request } from 'node:http';
import type { NetworkId } from '../lib/brand.ts';

const TIMEOUT_MS = 5_000;

/** Whether the engine on `socketPath` has the network; null when it does not answer clearly. */
export function engineHasNetwork(socketPath: string, id: NetworkId): Promise<boolean | null> {
  return new Promise(resolve => {
    const call = request(
      { socketPath, path: `/v1.24/networks/${id}`, agent: false, timeout: TIMEOUT_MS },
      reply => {
        reply.resume();
        resolve(reply.statusCode === 200 ? true : reply.statusCode === 404 ? false : null);
      },
    );
    call.on('timeout', () => call.destroy());
    call.on('error', () => resolve(null));
    call.end();
  });
}
