/** The daemon is killed in the middle of traffic; the packets are counted. */
import type { Eswitchd } from '../../test/lab/eswitchd.ts';
import { sleep } from '../../test/lab/exec.ts';
import type { Netns } from '../../test/lab/netns.ts';
import { DemoFailure } from './screen.ts';

const TOOL = new URL('../../native/build/esw_traffic', import.meta.url).pathname;
const PORT = '5333';
const RATE_PPS = 2_000;
const SECONDS = 5;

export interface Survival {
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
  readonly longestGapMs: number;
  /** How long no daemon ran. */
  readonly daemonDownMs: number;
}

/** Numbered packets there and back all the while: SIGKILL after a second, start again after two more. */
export async function killDuringTraffic(
  daemon: Eswitchd,
  from: Netns,
  to: Netns,
  address: string,
): Promise<Survival> {
  const echo = to.start([TOOL, 'probe-echo', '--listen', address, '--port', PORT]);
  try {
    await sleep(200);
    const probing = from.tryExec(
      [
        ...([TOOL, 'probe', '--dst', address, '--port', PORT] as const),
        ...['--rate', String(RATE_PPS), '--seconds', String(SECONDS)],
      ],
      { timeoutMs: (SECONDS + 15) * 1000 },
    );
    await sleep(1000);
    const downAt = performance.now();
    await daemon.kill();
    await sleep(2000);
    await daemon.start();
    const daemonDownMs = performance.now() - downAt;
    const { stdout, stderr } = await probing;
    return { ...parse(stdout, stderr), daemonDownMs };
  } finally {
    echo.kill('SIGKILL');
  }
}

function parse(stdout: string, stderr: string): Omit<Survival, 'daemonDownMs'> {
  const line = stdout.split('\n').find(text => text.startsWith('{'));
  if (line === undefined) throw new DemoFailure(`the probe said nothing: ${stderr}`);
  const value = JSON.parse(line) as Record<string, number>;
  const number = (name: string): number => {
    const found = value[name];
    if (found === undefined) throw new DemoFailure(`the probe did not report "${name}": ${line}`);
    return found;
  };
  return {
    sent: number('sent'),
    received: number('received'),
    lost: number('lost'),
    longestGapMs: number('longest_gap_ms'),
  };
}
