import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderList } from '../../src/cli/fields.ts';
import {
  bytes,
  compact,
  duration,
  grouped,
  milliseconds,
  packets,
  percent,
  sum,
} from '../../src/cli/format.ts';
import { renderTable } from '../../src/cli/table.ts';
import { cut, hang, widthOf, wrap } from '../../src/cli/text.ts';

describe('numbers', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [1000, '1.00k'],
    [9_994, '9.99k'],
    [9_996, '10.0k'],
    [99_960, '100k'],
    [999_499, '999k'],
    [999_500, '1.00M'],
    [15_200_000_000, '15.2G'],
    ['9007199254740993', '9.01P'],
  ])('%s as %s', (count, text) => {
    expect(compact(count)).toBe(text);
  });

  it('never takes more than five columns up to 10^18', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 18n), count => {
        expect(compact(count.toString()).length).toBeLessThanOrEqual(5);
      }),
    );
  });

  it('reads as people write', () => {
    expect(bytes(980)).toBe('980 B');
    expect(bytes(15_200_000_000)).toBe('15.2 GB');
    expect(grouped('9007199254740993')).toBe('9,007,199,254,740,993');
    expect([1, 1204, 12_300_000].map(packets)).toEqual(['1 packet', '1,204 packets', '12.3 M packets']);
    expect([percent(null), percent(0.625)]).toEqual(['-', '62.5 %']);
    expect([8, 720, 11_520, 187_200].map(duration)).toEqual(['8 s', '12 min', '3 h 12 min', '2 d 4 h']);
    expect([0.42, 12.4, 1300].map(milliseconds)).toEqual(['0.4 ms', '12 ms', '1.3 s']);
    expect(sum([1, '9007199254740992'])).toBe('9007199254740993');
  });
});

describe('text', () => {
  it('wraps within the width and loses nothing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z/]{1,30}$/), { minLength: 1 }),
        fc.integer({ min: 5, max: 60 }),
        (words, width) => {
          const lines = wrap(words.join(' '), width);
          expect(lines.every(line => widthOf(line) <= width)).toBe(true);
          expect(lines.join('').replaceAll(' ', '')).toBe(words.join(''));
        },
      ),
    );
  });

  it('cuts with an ellipsis and hangs', () => {
    expect(cut('abcdef', 4)).toBe('abc…');
    expect(hang('aa bb cc', 7, '+ ', '    ')).toEqual(['+ aa', '    bb', '    cc']);
  });
});

interface Row {
  readonly name: string;
  readonly count: string;
  readonly extra: string;
}

describe('table', () => {
  const columns = [
    { title: 'NAME', cell: (row: Row) => row.name, min: 6 },
    { title: 'EXTRA', cell: (row: Row) => row.extra, optional: 1 },
    { title: 'COUNT', cell: (row: Row) => row.count, align: 'right' as const },
  ];
  const rows: Row[] = [
    { name: 'a-rather-long-name', count: '7', extra: 'x'.repeat(12) },
    { name: 'b', count: '1234567', extra: 'y' },
  ];

  it('shows everything where there is room', () => {
    expect(renderTable(columns, rows, { width: 80, colour: false })).toEqual([
      'NAME                EXTRA           COUNT',
      'a-rather-long-name  xxxxxxxxxxxx        7',
      'b                   y             1234567',
    ]);
  });

  it('cuts first, then leaves optional columns out', () => {
    expect(renderTable(columns, rows, { width: 32, colour: false })).toEqual([
      'NAME       EXTRA           COUNT',
      'a-rather…  xxxxxxxxxxxx        7',
      'b          y             1234567',
    ]);
    expect(renderTable(columns, rows, { width: 20, colour: false })).toEqual([
      'NAME           COUNT',
      'a-rather-l…        7',
      'b            1234567',
    ]);
  });

  it('aligns lists', () => {
    const list = renderList(
      [
        { words: ['7', 'a'], text: 'one two' },
        { words: ['10', 'bcd'], text: 'three' },
      ],
      20,
      0,
    );
    expect(list.map(line => line.ready)).toEqual([' 7  a    one two', '10  bcd  three']);
  });
});
