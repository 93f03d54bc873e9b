/** A small table renderer: fits the terminal by leaving out columns, then by cutting cells. */
import { type Colour, cut, paint, type Style, widthOf } from './text.ts';

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  readonly colour?: (row: Row) => Colour | null;
  readonly align?: 'left' | 'right';
  /** Columns it may be cut down to; absent = never cut. */
  readonly min?: number;
  /** Left out when there is no room, the highest number first; absent = always shown. */
  readonly optional?: number;
}

const GAP = 2;

interface Sized<Row> {
  readonly column: Column<Row>;
  readonly cells: readonly string[];
  width: number;
}

const totalWidth = <Row>(columns: readonly Sized<Row>[]): number =>
  columns.reduce((total, { width }) => total + width, 0) + GAP * Math.max(0, columns.length - 1);

const smallest = <Row>({ column, width }: Sized<Row>): number =>
  Math.min(width, Math.max(column.min ?? width, widthOf(column.title)));

/** Without the optional columns for which there is no room even when the others are cut. */
function chosen<Row>(columns: readonly Sized<Row>[], width: number): Sized<Row>[] {
  const kept = [...columns];
  for (;;) {
    const needed = totalWidth(kept.map(sized => ({ ...sized, width: smallest(sized) })));
    const ranks = kept.map(({ column }) => column.optional ?? -1);
    const worst = Math.max(...ranks);
    if (needed <= width || worst < 0) return kept;
    kept.splice(ranks.lastIndexOf(worst), 1);
  }
}

/** Takes one column at a time from the cell that can spare most. */
function shrink<Row>(columns: readonly Sized<Row>[], width: number): void {
  for (let excess = totalWidth(columns) - width; excess > 0; excess--) {
    const spare = columns.map(sized => sized.width - smallest(sized));
    const most = Math.max(...spare);
    const widest = columns[spare.indexOf(most)];
    if (widest === undefined || most <= 0) return;
    widest.width--;
  }
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)));
  return align === 'right' ? space + text : text + space;
}

/** Title line, then one line per row; no trailing spaces. */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  style: Style,
): string[] {
  const sized = columns.map(column => {
    const cells = rows.map(row => column.cell(row));
    const width = Math.max(widthOf(column.title), ...cells.map(widthOf));
    return { column, cells, width };
  });
  const shown = chosen(sized, style.width);
  shrink(shown, style.width);
  const line = (cellOf: (sized: Sized<Row>) => string, colourOf: (column: Column<Row>) => Colour | null) =>
    shown
      .map((part, index) => {
        const align = part.column.align ?? 'left';
        const text = cut(cellOf(part), part.width);
        // Nothing follows the last column: padding it would only make lines wrap.
        const last = index === shown.length - 1 && align === 'left';
        const padded = last ? text : pad(text, part.width, align);
        return padded.replace(text, () => paint(style, colourOf(part.column), text));
      })
      .join(' '.repeat(GAP))
      .trimEnd();
  return [
    line(
      part => part.column.title,
      () => 'bold',
    ),
    ...rows.map((row, index) =>
      line(
        part => part.cells[index] ?? '',
        column => column.colour?.(row) ?? null,
      ),
    ),
  ];
}
