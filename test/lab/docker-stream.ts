/**
 * Docker's multiplexed stream (API reference, "Stream format"): frames of one byte stream number (1 stdout,
 * 2 stderr), three zero bytes, a big-endian 32-bit length, and the payload.
 */
const HEADER_LEN = 8;
const STDERR = 2;

export function demultiplex(body: Buffer): { readonly stdout: string; readonly stderr: string } {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  let at = 0;
  while (at + HEADER_LEN <= body.length) {
    const length = body.readUInt32BE(at + 4);
    const payload = body.subarray(at + HEADER_LEN, at + HEADER_LEN + length);
    (body[at] === STDERR ? err : out).push(payload);
    at += HEADER_LEN + length;
  }
  return { stdout: Buffer.concat(out).toString('utf8'), stderr: Buffer.concat(err).toString('utf8') };
}
