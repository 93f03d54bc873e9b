/** Two guests on one wire, by an emulated Intel NIC at one end and virtio at the other. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { Scope } from '../lab/scope.ts';
import { bootGuest, type Guest } from './guest.ts';
import { makeWire } from './wire.ts';

const configure = (host: number): string => `
ip address add 198.51.100.${host}/24 dev eth0
ip address add 2001:db8:51::${host}/64 dev eth0 nodad
ip link set eth0 up`;
/** The first echo waits for the emulated PHY to find its link. */
const ping = (address: string): string => `
for try in 1 2 3 4 5 6 7 8 9 10; do ping -c 1 -W 2 ${address} >/dev/null && exit; done; exit 1`;

describe('a wire between two guests', () => {
  const scope = new Scope('vmwire');
  let left: Guest;
  let right: Guest;

  beforeAll(async () => {
    const wire = makeWire(scope);
    [left, right] = await Promise.all([
      bootGuest(scope, { memoryMib: 512, nics: [{ kind: 'igb', wire: wire.a }] }),
      bootGuest(scope, { memoryMib: 512, nics: [{ kind: 'virtio', wire: wire.b }] }),
    ]);
    await Promise.all([left.must(configure(1)), right.must(configure(2))]);
  });
  afterAll(() => scope.dispose());

  it.each(['198.51.100.2', '2001:db8:51::2'])('carries echoes to %s', async address => {
    await left.must(ping(address));
  });

  it('carries full frames in both directions', async () => {
    await left.must('ping -c 2 -W 5 -M do -s 1472 198.51.100.2');
    await right.must('ping -c 2 -W 5 -M do -s 1472 198.51.100.1');
  });

  it('is still there after one side has rebooted', async () => {
    await right.reboot();
    await right.must(configure(2));
    await right.must(ping('198.51.100.1'));
  });
});
