/** Lines of text: widths, cutting, wrapping and colour. */

export type Colour = 'red' | 'green' | 'yellow' | 'cyan' | 'dim' | 'bold';

const CODES: Readonly<Record<Colour, readonly [number, number]>> = {
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
  dim: [2, 22],
  bold: [1, 22],
};

/** How the terminal is: its width in columns and whether it shows colour. */
export interface Style {
  readonly width: number;
  readonly colour: boolean;
}

export function paint(style: Style, colour: Colour | null, text: string): string {
  if (!style.colour || colour === null || text === '') return text;
  const [on, off] = CODES[colour];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}

/** Columns taken: code points, which is right for everything this program prints. */
export const widthOf = (text: string): number => [...text].length;

/** At most `width` columns, the cut marked by an ellipsis. */
export function cut(text: string, width: number): string {
  const points = [...text];
  if (points.length <= width) return text;
  return width <= 0 ? '' : `${points.slice(0, width - 1).join('')}…`;
}

/** Breaks at spaces; a word longer than a line is broken where the line ends. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    let rest = word;
    if (line !== '' && widthOf(line) + 1 + widthOf(rest) <= width) {
      line = `${line} ${rest}`;
      continue;
    }
    if (line !== '') lines.push(line);
    while (widthOf(rest) > width) {
      lines.push([...rest].slice(0, width).join(''));
      rest = [...rest].slice(width).join('');
    }
    line = rest;
  }
  return [...lines, line];
}

/** Wrapped text whose second and later lines are indented further. */
export function hang(text: string, width: number, first: string, later: string): string[] {
  const room = width - Math.max(widthOf(first), widthOf(later));
  return wrap(text, room).map((line, index) => (index === 0 ? first : later) + line);
}
