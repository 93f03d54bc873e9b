/** `Label     value` screens. Values wrap under themselves; a field may have several lines. */
import { paint, type Style, widthOf, wrap } from './text.ts';

export interface Field {
  readonly label: string;
  /** Plain lines are wrapped; `ready` ones are already fitted and coloured. */
  readonly lines: readonly (string | { readonly ready: string })[];
}

export const field = (label: string, ...lines: Field['lines'][number][]): Field => ({ label, lines });

/** Columns left of the values: the longest label and a gap. */
export const indentOf = (fields: readonly Field[]): number =>
  Math.max(0, ...fields.map(({ label }) => widthOf(label))) + 2;

export function renderFields(fields: readonly Field[], style: Style): string[] {
  const indent = indentOf(fields);
  return fields.flatMap(({ label, lines }) => {
    const fitted = lines.flatMap(line =>
      typeof line === 'string' ? wrap(line, style.width - indent) : [line.ready],
    );
    return (fitted.length === 0 ? ['-'] : fitted).map((line, index) => {
      const head =
        index === 0 ? paint(style, 'bold', label) + ' '.repeat(indent - widthOf(label)) : ' '.repeat(indent);
      return (head + line).trimEnd();
    });
  });
}

/** Aligned words and a last, wrapping text: lists inside a field. */
export function renderList(
  rows: readonly { readonly words: readonly string[]; readonly text: string }[],
  width: number,
  rightAligned: number = -1,
): { readonly ready: string }[] {
  const widths: number[] = [];
  for (const { words } of rows) {
    for (const [i, word] of words.entries()) widths[i] = Math.max(widths[i] ?? 0, widthOf(word));
  }
  const indent = widths.reduce((total, part) => total + part + 2, 0);
  return rows.flatMap(({ words, text }) => {
    const head = words
      .map((word, i) => {
        const space = ' '.repeat(Math.max(0, (widths[i] ?? 0) - widthOf(word)));
        return `${i === rightAligned ? space + word : word + space}  `;
      })
      .join('');
    return wrap(text, Math.max(12, width - indent)).map((line, index) => ({
      ready: ((index === 0 ? head : ' '.repeat(indent)) + line).trimEnd(),
    }));
  });
}
