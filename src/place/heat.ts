/** How hot a pair is: what software would have to do for it, smoothed. */

/**
 * Bytes that one packet weighs beside its own. Forwarding costs software mostly by the packet, the
 * link by the byte; and software counts a segmentation-offload packet of 64 kB once where hardware
 * counts 45, so packets alone would compare unlike things.
 */
export const PACKET_WEIGHT = 256;

/** Time constant of the mean, seconds: a pair that starts is at 63 % of its heat after this long. */
export const HEAT_TAU_SECONDS = 1.5;

export const weigh = (packets: number, bytes: number): number => bytes + PACKET_WEIGHT * packets;

/**
 * heat += α·(delta/dt − heat) with α = 1 − e^(−dt/τ), for every row; `delta` is zeroed.
 * Irregular polls come to the same mean as regular ones.
 */
export function settleHeat(heat: Float32Array, delta: Float64Array, high: number, seconds: number): void {
  if (seconds <= 0) return;
  const alpha = 1 - Math.exp(-seconds / HEAT_TAU_SECONDS);
  for (let row = 0; row < high; row++) {
    const old = heat[row] ?? 0;
    const now = old + alpha * ((delta[row] ?? 0) / seconds - old);
    heat[row] = now < 0.01 ? 0 : now;
    delta[row] = 0;
  }
}
