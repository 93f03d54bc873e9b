/** Telling the stations of a link which MAC an address is at. */
import { cidrAddress } from '../../lib/ip.ts';
import { macToBytes } from '../../lib/mac.ts';
import type { Announcement } from '../port.ts';
import type { NativeLibrary } from './library.ts';
import { wireAddress } from './placement.ts';

/** False when one could not be sent: the link is down or gone. */
export async function announce(library: NativeLibrary, what: Announcement): Promise<boolean> {
  const mac = macToBytes(what.mac);
  const sent = await Promise.all(
    what.addresses.map(cidr => {
      const address = wireAddress(cidrAddress(cidr));
      return library.call('esw_announce', what.netns, what.ifname, mac, mac.length, address, address.length);
    }),
  );
  return sent.every(status => status === 0);
}
