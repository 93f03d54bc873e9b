import type { Drop, Share } from '../../wire/api/common.ts';
import { renderList } from '../fields.ts';
import { bytes, compact, grouped, isZero, percent } from '../format.ts';
import type { Colour } from '../text.ts';

const COLOURS: Readonly<Record<string, Colour>> = {
  ready: 'green',
  pending: 'yellow',
  starting: 'yellow',
  stale: 'yellow',
  degraded: 'red',
  failed: 'red',
};

export const stateColour = (state: string): Colour | null => COLOURS[state] ?? null;

/** Drops by reason, in words: a list for a field. */
export function dropLines(drops: readonly Drop[], width: number): { readonly ready: string }[] {
  return renderList(
    drops.map(drop => ({ words: [grouped(drop.packets), drop.reason], text: drop.text })),
    width,
    0,
  );
}

/** Who forwarded how much. The reason stands once, below. */
export function shareLines(share: Share): string[] {
  if (isZero(share.hardware.packets) && isZero(share.software.packets)) return ['nothing forwarded yet'];
  const { hardwareRatio } = share;
  const software = hardwareRatio === null ? null : 1 - hardwareRatio;
  const lines = [
    `hardware ${percent(hardwareRatio)} (${bytes(share.hardware.bytes)}), software ${percent(software)} (${bytes(share.software.bytes)})`,
  ];
  if (share.reason !== '' && hardwareRatio !== 1) lines.push(share.reason);
  return lines;
}

/** Share of the bytes in a table cell. */
export const shareCell = (share: Share): string =>
  share.hardwareRatio === null ? '-' : `${Math.round(share.hardwareRatio * 100)}%`;

export const dropTotal = (drops: readonly Drop[]): string =>
  compact(drops.reduce((total, drop) => total + BigInt(drop.packets), 0n).toString());
