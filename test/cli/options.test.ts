import { describe, expect, test } from 'vitest';
import {
  parseBytes,
  parseChoices,
  parseList,
  parsePositiveInteger,
  parseSeed,
  parseShard,
} from '../../src/cli/options.js';
import { formatSeconds, formatTable } from '../../src/cli/terminal.js';

describe('sizes', () => {
  test('binary and decimal units are told apart', () => {
    expect(parseBytes('8GiB')).toBe(8 * 2 ** 30);
    expect(parseBytes('8GB')).toBe(8e9);
    expect(parseBytes('1.5 MiB')).toBe(1.5 * 2 ** 20);
    expect(parseBytes('2e9')).toBe(2e9);
  });

  test.each(['', '0', '-1GB', 'GiB', '8TiB', 'eight', '8 G', 'NaN'])('%j is refused', (text) => {
    expect(() => parseBytes(text)).toThrow('expected a size');
  });
});

describe('shards', () => {
  test('2/8 is the second of eight', () => {
    expect(parseShard('2/8')).toEqual({ index: 2, count: 8 });
  });

  test.each(['0/8', '9/8', '1/0', '1', '1/2/3', 'a/b', '-1/2'])('%j is refused', (text) => {
    expect(() => parseShard(text)).toThrow('expected i/n');
  });
});

describe('lists', () => {
  test('spaces around commas do not count', () => {
    expect(parseList('en, de ,zh-Hant')).toEqual(['en', 'de', 'zh-Hant']);
  });

  test('an empty member or one listed twice is refused', () => {
    expect(() => parseList('en,,de')).toThrow('nothing empty');
    expect(() => parseList('en,de,en')).toThrow('en is listed twice');
  });

  test('a member outside the choices is refused with the choices', () => {
    expect(() => parseChoices(['html', 'svg'])('html,pdf')).toThrow('pdf is none of html, svg');
  });
});

describe('numbers', () => {
  test.each(['0', '-1', '1.5', '', 'two', '1e400'])('%j is no positive integer', (text) => {
    expect(() => parsePositiveInteger(text)).toThrow('whole number');
  });

  test('a seed is an unsigned 32-bit number', () => {
    expect(parseSeed('4294967295')).toBe(4294967295);
    expect(() => parseSeed('4294967296')).toThrow('whole number');
    expect(() => parseSeed('-1')).toThrow('whole number');
  });
});

describe('what is printed', () => {
  test('seconds read as a person would say them', () => {
    expect([0, 59.4, 75, 3725, null].map(formatSeconds)).toEqual([
      '0 s',
      '59 s',
      '1 min 15 s',
      '1 h 02 min',
      '?',
    ]);
  });

  test('columns of numbers are aligned right, others left', () => {
    expect(
      formatTable(
        ['language', 'tokens'],
        [
          ['en', 12345],
          ['zh-Hant', 7],
        ],
      ),
    ).toBe('language  tokens\nen        12,345\nzh-Hant        7');
  });
});
