/** A batch as the daemon sends it, written by the daemon's own encoder: one veth pair per record. */
import { encodeBatch } from '../../../src/kernel/native/batch.ts';
import { LINK_OP, LINK_VERB } from '../../../src/kernel/native/records.ts';

const REP_MAC = Uint8Array.of(0x02, 0, 0, 0, 0, 1);
const FN_MAC = Uint8Array.of(0x02, 0, 0, 0, 0, 2);

/** The fields that the daemon sets when it makes an endpoint's pair. */
export function linkOp(mtu: number) {
  return {
    verb: LINK_VERB.veth,
    netns: '',
    name: 'ewr0123456789',
    peer_name: 'ewf0123456789',
    altname: 'eswitchd.ewr0123456789',
    peer_altname: 'eswitchd.ewf0123456789',
    mac: REP_MAC,
    peer_mac: FN_MAC,
    up: 1,
    noaddrgen: 1,
    mtu,
  };
}

export function encodeLinks(mtus: readonly number[]): Buffer {
  return encodeBatch(LINK_OP, mtus.map(linkOp));
}
