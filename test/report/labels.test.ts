import { expect, test } from 'vitest';
import { labelExpression, shortLabels, withoutMiddle } from '../../src/report/drawing/labels.js';
import { emWidth } from '../../src/report/words/text.js';
import { LONG_LABELS } from './cases.js';

const STEPS = LONG_LABELS.slice(0, 7);

test('labels that fit stay as they are', () => {
  expect(shortLabels(['base', 'sft'], 10)).toEqual(['base', 'sft']);
  expect(labelExpression(['base', 'sft'], 10)).toEqual({});
});

test('a long label loses what it has in common with the others, and keeps what tells it apart whole', () => {
  const short = shortLabels(STEPS, 11);
  expect(short.map((label) => label.replace(/^[A-Za-z/]+…/, ''))).toEqual([
    'step0',
    'step1',
    'step1000',
    'step4000',
    'step16000',
    'step64000',
    'step143000',
  ]);
});

test.each([4, 6, 8, 10, 12, 16])('labels of %i em stay within them, and different ones differ', (width) => {
  const several = [
    ...LONG_LABELS,
    ...LONG_LABELS.map((label) => `${label} (again)`),
    '日本語の長いラベル・一',
    '日本語の長いラベル・二',
  ];
  const short = shortLabels(several, width);
  expect(new Set(short).size).toBe(several.length);
  // A number in brackets is the last resort.
  for (const label of short) expect(emWidth(label)).toBeLessThanOrEqual(width + emWidth(' (20)'));
});

test('the same label twice is the same text twice', () => {
  const [a, b] = shortLabels([STEPS[0]!, STEPS[0]!], 8);
  expect(a).toBe(b);
});

test('a text without its middle keeps both ends', () => {
  expect(withoutMiddle('abcdefghijklmnopqrstuvwxyz', 8)).toMatch(/^abc.*….*xyz$/);
});

test('labels are data in the expression that displays them, whatever they hold', () => {
  const hostile = [`a${'b'.repeat(40)}"+datum.value+'\\`, `a${'b'.repeat(40)}"];alert(1)//`];
  const { labelExpr = '' } = labelExpression(hostile, 5);
  expect(labelExpr.match(/datum/g)).toHaveLength(1);
  expect(
    new Function('indexof', 'datum', `return ${labelExpr}`)(
      (all: string[], one: string) => all.indexOf(one),
      { value: hostile[1] },
    ),
  ).toBe(shortLabels(hostile, 5)[1]);
});
