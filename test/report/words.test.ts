import { describe, expect, test } from 'vitest';
import type { Change } from '../../src/compare/comparison.js';
import { toCsv } from '../../src/report/tables/report-table.js';
import { changeSentence, intervalInWords, standardise } from '../../src/report/words/measures.js';
import {
  decimal,
  ellipsize,
  emWidth,
  escapeHtml,
  list,
  number,
  percent,
  plainStrings,
  signed,
  wrap,
  wrapParts,
} from '../../src/report/words/text.js';
import { testOf } from '../support/synthetic-comparison.js';

const jaccard: Change = {
  type: 'neuron',
  measure: 'jaccard',
  group: null,
  layer: null,
  language: null,
  from: 'base',
  to: 'sft',
  valueFrom: null,
  valueTo: null,
  change: { value: 0.76, low: 0.71, high: 0.81 },
  test: testOf(true),
  withinFrom: [0.6, 0.65, 0.7],
  withinTo: [0.7, 0.75, 0.8],
  across: [0.4, 0.5, 0.55],
  shareOutside: 1,
  verdict: 'changed',
  note: '',
  seeds: {
    withinFrom: null,
    withinTo: null,
    across: null,
    shareOutside: null,
    verdict: 'not measured',
    note: 'one training seed a regime',
    test: {
      seeds: [1, 1],
      p: null,
      adjusted: null,
      finding: 'not measured',
      training: { value: null, low: null, high: null },
      both: { value: null, low: null, high: null },
      note: 'one training seed a regime',
    },
  },
};

describe('numbers in words', () => {
  test('three significant digits, a true minus, a dash for what cannot be computed', () => {
    expect([0.123456, -12.345, 0, 4321.9, null, Number.NaN].map(number)).toEqual([
      '0.123',
      '−12.3',
      '0',
      '4,322',
      '–',
      '–',
    ]);
    expect([0.5, -0.5, 0].map(signed)).toEqual(['+0.5', '−0.5', '0']);
    expect(number(0.0000123)).toBe('1.2e-5');
  });

  test('a number that rounds to zero has no sign', () => {
    expect(decimal(-0.04, 1)).toBe('0.0');
    expect(decimal(-0.06, 1)).toBe('−0.1');
  });

  test('a share is never rounded up to all or down to none', () => {
    expect([0, 0.004, 0.5, 0.999, 1].map(percent)).toEqual([
      '0\u00a0%',
      '< 1\u00a0%',
      '50\u00a0%',
      '> 99\u00a0%',
      '100\u00a0%',
    ]);
  });

  test('an interval has as many decimals as give its width two digits', () => {
    expect(intervalInWords(jaccard)).toBe('0.71 to 0.81');
    expect(intervalInWords({ ...jaccard, change: { value: 0.76, low: 0.7583, high: 0.7612 } })).toBe(
      '0.7583 to 0.7612',
    );
    const [low, high] = [5 / 14, 5 / 14 + 1e-16];
    expect(intervalInWords({ ...jaccard, change: { value: low, low, high } })).toBe('0.357 to 0.357');
  });

  test('lists', () => {
    expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(list)).toEqual(['', 'a', 'a and b', 'a, b and c']);
  });
});

describe('a headline', () => {
  test('the sentence is the measure with its unit, the finding, the numbers, p', () => {
    expect(changeSentence(jaccard)).toBe(
      'Overlap of selected neurons (Jaccard, 0–1): changed; 0.76 (95\u00a0% interval 0.71 to 0.81); p 0.03.',
    );
  });

  test('a change has per cent of its level; what is undecided says which change would have been found', () => {
    const change: Change = {
      ...jaccard,
      measure: 'selected',
      valueFrom: 51,
      valueTo: 41,
      change: { value: -10, low: -22, high: 2 },
      test: testOf(false),
    };
    expect(changeSentence(change)).toBe(
      'Selected neurons (count): undecided (would find ±7.9); 51 → 41, difference −10 (−20\u00a0%, 95\u00a0% interval −22 to +2); p 1.',
    );
    const unchanged = { ...change, test: { ...change.test, finding: 'unchanged', margin: 15.3 } } as const;
    expect(changeSentence(unchanged)).toContain('unchanged within ±15;');
  });

  test('not measured says why and shows no number', () => {
    const nothing = { value: null, low: null, high: null };
    const note = 'no unit is selected in either run';
    expect(
      changeSentence({
        ...jaccard,
        change: nothing,
        test: { ...testOf(null), note },
      }),
    ).toBe(`Overlap of selected neurons (Jaccard, 0–1): not measured; ${note}.`);
  });

  test('a similarity enters as 1 − s, in units of the more lenient of the two floors', () => {
    // Floors 1 − 0.6 and 1 − 0.7: the larger is 0.4.
    const { across, within } = standardise(jaccard)!;
    expect(across.map((x) => +x.toFixed(6))).toEqual([1.125, 1.25, 1.5]);
    expect(within.map((x) => +x.toFixed(6))).toEqual([0.5, 1]);
  });

  test('a difference enters as it is; over a floor of zero it is infinite, none is zero', () => {
    const difference: Change = { ...jaccard, measure: 'selected', valueFrom: 10, valueTo: 12 };
    const floors = { withinFrom: [0, 1, 2], withinTo: [0, 2, 4] } as const;
    expect(standardise({ ...difference, ...floors, across: [0, 4, 8] })).toEqual({
      across: [0, 1, 2],
      within: [0, 1],
    });
    const none = { withinFrom: [0, 0, 0], withinTo: [0, 0, 0] } as const;
    expect(standardise({ ...difference, ...none, across: [0, 0, 1] })?.across).toEqual([
      0,
      0,
      Number.POSITIVE_INFINITY,
    ]);
    expect(standardise({ ...difference, across: null })).toBeNull();
  });
});

describe('text', () => {
  test('combining marks take no width, ideographs one em', () => {
    expect(emWidth('e\u0301')).toBe(emWidth('e'));
    expect(emWidth('漢字')).toBe(2);
  });

  test('wrapping loses no word, and cuts between grapheme clusters only', () => {
    const words = 'one two three four five six seven';
    expect(wrap(words, 6).join(' ')).toBe(words);
    expect(wrap('x'.repeat(40), 6).every((line) => emWidth(line) <= 6)).toBe(true);
    expect(ellipsize('นำ้'.repeat(20), 5)).toMatch(/…$/);
    expect(wrapParts('a b · c d · e', 4.5)).toEqual(['a b · c d', 'e']);
  });

  test('labels are single lines, and turn no text around', () => {
    expect(plainStrings({ label: 'a\r\nb\u2028c\u202ed', counts: [1, null] })).toEqual({
      label: 'a b c d',
      counts: [1, null],
    });
  });

  test('escaping covers text and quoted attributes', () => {
    expect(escapeHtml(`<a href="x" id='y'>&</a>`)).toBe(
      '&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;&lt;/a&gt;',
    );
  });

  test('CSV quotes what needs it (RFC 4180), keeps full precision, leaves empty what cannot be computed', () => {
    const csv = toCsv({
      name: 'headlines',
      title: '',
      note: '',
      headers: 1,
      columns: ['run', 'value', { name: 'floor', parts: ['5 %', '95 %'] }],
      rows: [
        ['a "b", c', 1 / 3, [0.1, null]],
        ['d', null, [null, null]],
      ],
    });
    expect(csv).toBe('run,value,floor 5 %,floor 95 %\r\n"a ""b"", c",0.3333333333333333,0.1,\r\nd,,,\r\n');
  });
});
