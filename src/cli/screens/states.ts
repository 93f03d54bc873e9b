import type { Count, Drop, Share } from '../../wire/api/common.ts';
import { renderList } from '../fields.ts';
import { bytes, compact, grouped, isZero, percent, sum } from '../format.ts';
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

/** Who forwarded how much, and why not in hardware unless `said` stands on the screen already. */
export function shareLines(share: Share, said = ''): string[] {
  if (isZero(share.hardware.packets) && isZero(share.software.packets)) return ['nothing forwarded yet'];
  const { hardwareRatio } = share;
  const software = hardwareRatio === null ? null : 1 - hardwareRatio;
  const lines = [
    `hardware ${percent(hardwareRatio)} (${bytes(share.hardware.bytes)}), software ${percent(software)} (${bytes(share.software.bytes)})`,
  ];
  if (share.reason !== said && share.reason !== '' && hardwareRatio !== 1) lines.push(share.reason);
  return lines;
}

/** Share of the bytes in a table cell. */
export const shareCell = (share: Share): string =>
  share.hardwareRatio === null ? '-' : `${Math.round(share.hardwareRatio * 100)}%`;

/** Packets dropped for a cause; the harmless ones would make every healthy port look troubled. */
export const dropSum = (drops: readonly Drop[]): Count =>
  sum(drops.filter(drop => !drop.harmless).map(drop => drop.packets));

export const dropTotal = (drops: readonly Drop[]): string => compact(dropSum(drops));
