import fc from 'fast-check';
import { expect, test } from 'vitest';
import { averagePrecision } from '../../src/scores/definitions/average-precision.js';
import { RankWalk, wholeSample } from '../../src/scores/samples/rank-walk.js';
import { fromFloat16 } from '../../src/store/files/float16.js';
import { expectValues } from './reference-run.js';

const ranked = fc.array(fc.tuple(fc.integer({ min: -4, max: 4 }), fc.integer({ min: 0, max: 2 })), {
  minLength: 1,
  maxLength: 60,
});

test('a unit that ranks a language first has 1; a constant unit has the share of each language: chance', () => {
  expect([...averagePrecision([3, 2, 1, 0], [1, 1, 0, 0], 2)][1]).toBe(1);
  expect([...averagePrecision([7, 7, 7, 7], [1, 0, 0, 0], 2)]).toEqual([0.75, 0.25]);
});

test('permuting languages permutes, and an increasing change of scale changes nothing', () => {
  fc.assert(
    fc.property(ranked, (rows) => {
      const x = rows.map(([value]) => value);
      const language = rows.map(([, k]) => k);
      const once = averagePrecision(x, language, 3);
      const permuted = averagePrecision(
        x,
        language.map((k) => (k + 1) % 3),
        3,
      );
      expect([permuted[1], permuted[2], permuted[0]]).toEqual([...once]);
      expect(
        averagePrecision(
          x.map((value) => 0.25 * value - 3),
          language,
          3,
        ),
      ).toEqual(once);
    }),
  );
});

test('every prompt twice changes nothing; the order of the prompts changes nothing', () => {
  fc.assert(
    fc.property(ranked, (rows) => {
      const of = (own: typeof rows) =>
        averagePrecision(
          own.map(([value]) => value),
          own.map(([, k]) => k),
          3,
        );
      const once = [...of(rows)].map((value) => (Number.isNaN(value) ? null : value));
      expectValues(of([...rows, ...rows]), once, 1e-12);
      expectValues(of([...rows].reverse()), once, 1e-12);
    }),
  );
});

test('values lie in 0 … 1; a language without prompts has none; NaN values are left out', () => {
  fc.assert(
    fc.property(ranked, (rows) => {
      const language = rows.map(([, k]) => k);
      const found = averagePrecision(
        rows.map(([value]) => value),
        language,
        4,
      );
      found.forEach((value, k) => {
        if (language.includes(k)) expect(value > 0 && value <= 1 + 1e-12).toBe(true);
        else expect(value).toBeNaN();
      });
    }),
  );
  expect([...averagePrecision([Number.NaN, 2, 1], [1, 0, 1], 2)]).toEqual([1, 0.5]);
});

test('more prompts than a position has 16 bits for are ranked alike', () => {
  const prompts = 65_537;
  const bits = Uint16Array.from({ length: prompts }, (_, n) => (n * 40_503) & 0xfbff);
  const sample = wholeSample(Uint8Array.from(bits, (_, n) => n % 3));
  const ofBits = new RankWalk(prompts, 3);
  ofBits.rank(bits);
  ofBits.walk(sample, false);
  const ofNumbers = new RankWalk(prompts, 3);
  ofNumbers.rank(Float64Array.from(fromFloat16(bits)));
  ofNumbers.walk(sample, false);
  expect(ofBits.rankSum).toEqual(ofNumbers.rankSum);
  expect(ofBits.precision).toEqual(ofNumbers.precision);
});
