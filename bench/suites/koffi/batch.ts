/** A batch as the daemon sends it: header, then one record per veth pair to make. */
import {
  ABI_VERSION,
  BATCH_HDR,
  BATCH_MAGIC,
  LINK_OP,
  LINK_VERB,
} from '../../../src/kernel/native/records.ts';

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

export function encodeBatch(mtus: readonly number[]): Buffer {
  const buffer = Buffer.alloc(BATCH_HDR.size + mtus.length * LINK_OP.size);
  BATCH_HDR.encode(buffer, 0, {
    magic: BATCH_MAGIC,
    version: ABI_VERSION,
    record_size: LINK_OP.size,
    length: buffer.length,
    count: mtus.length,
  });
  mtus.forEach((mtu, index) => {
    LINK_OP.encode(buffer, BATCH_HDR.size + index * LINK_OP.size, linkOp(mtu));
  });
  return buffer;
}
