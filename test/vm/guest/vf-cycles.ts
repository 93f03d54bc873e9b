/**
 * Runs inside a guest: makes and deletes endpoints through the plugin's socket as an engine does, three at
 * a time, and asks again when the daemon dies meanwhile. Prints `done <cycles> <with a function>`.
 *
 *   node test/vm/guest/vf-cycles.ts <network id> <cycles>
 */
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { json } from 'node:stream/consumers';

if (!readFileSync('/proc/cmdline', 'utf8').includes('guest_init='))
  throw new Error('this runs in a guest only');

const SOCKET = '/run/docker/plugins/eswitch.sock';
const [NetworkID = '', cycles = '1'] = process.argv.slice(2);
const WORKERS = 3;
let next = 0;
let hardware = 0;

function post(method: string, body: object): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: SOCKET, path: `/NetworkDriver.${method}`, method: 'POST' }, reply => {
      json(reply).then(answer => resolve(answer as Record<string, unknown>), reject);
    });
    call.once('error', reject);
    call.end(JSON.stringify(body));
  });
}

/** Until the daemon answers; what it refuses is the end. */
async function insist(method: string, body: object): Promise<Record<string, unknown>> {
  for (let attempt = 0; ; attempt++) {
    try {
      const answer = await post(method, body);
      if (answer['Err'] === undefined) return answer;
      // A daemon that has just started says so.
      if (attempt > 200 || !/RECONCILE_TIMEOUT|starting|DAEMON_UNREACHABLE/.test(String(answer['Err'])))
        throw new Error(`${method}: ${answer['Err']}`);
    } catch (error) {
      if (error instanceof Error && error.message.startsWith(method)) throw error;
      if (attempt > 600) throw error;
    }
    await new Promise(resolve => setTimeout(resolve, 200));
  }
}

async function worker(n: number): Promise<void> {
  while (next < Number(cycles)) {
    const cycle = next++;
    const EndpointID = `${cycle}`.padStart(64, 'f');
    const ref = { NetworkID, EndpointID };
    const Interface = { Address: `10.72.0.${100 + n}/24`, AddressIPv6: '', MacAddress: '' };
    await insist('CreateEndpoint', { ...ref, Interface, Options: {} });
    const { Value } = await insist('EndpointOperInfo', ref);
    if ((Value as { vf: string | null }).vf !== null) hardware++;
    await insist('DeleteEndpoint', ref);
  }
}

await Promise.all(Array.from({ length: WORKERS }, (_, n) => worker(n)));
console.log(`done ${cycles} ${hardware}`);
