import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../bench/lib/arguments.ts';

describe('parseArguments', () => {
  it('runs seven rounds unless told otherwise', () => {
    expect(parseArguments(['local'])).toEqual({
      command: 'run',
      suite: 'local',
      json: null,
      rounds: 7,
      seconds: 1,
      quick: false,
    });
    expect(parseArguments(['local', '--rounds', '9', '--json', 'out.json'])).toMatchObject({
      rounds: 9,
      json: 'out.json',
    });
    expect(parseArguments(['--quick', 'local'])).toMatchObject({ rounds: 2, seconds: 0.5, quick: true });
  });

  it('lists, helps and writes the docs', () => {
    expect(parseArguments(['--list'])).toEqual({ command: 'list' });
    expect(parseArguments(['--help'])).toEqual({ command: 'help' });
    expect(parseArguments(['--write-docs', 'a.json', 'b.json'])).toEqual({
      command: 'write-docs',
      files: ['a.json', 'b.json'],
    });
  });

  it.each([
    [[], 'name a suite'],
    [['local', 'scale'], 'one suite at a time'],
    [['local', '--rounds', '0'], '--rounds takes a whole number from 1'],
    [['local', '--rounds', '2.5'], '--rounds takes a whole number'],
    [['local', '--seconds', 'x'], '--seconds takes a number'],
    [['local', '--jsn', 'x'], '--jsn'],
    [['--write-docs'], 'at least one JSON file'],
  ])('explains what is wrong with %j', (argv, message) => {
    expect(() => parseArguments(argv)).toThrow(message);
  });
});
