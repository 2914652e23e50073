import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AveragePrecision, averagePrecision } from '../../src/scores/average-precision.js';
import { expectValues, readArray, reference } from './reference-run.js';

const { languages, foldOf, folds, halfFolds } = reference;

/** Cells with values, and the values of each unit in them. */
async function prompts(layer: number, array: string, units: number) {
  const values = await readArray(layer, array);
  const cells = Array.from({ length: values.length / units }, (_, cell) => cell).filter(
    (cell) => !Number.isNaN(values[cell * units]!),
  );
  return {
    language: cells.map((cell) => cell % languages),
    fold: cells.map((cell) => foldOf[Math.floor(cell / languages)]!),
    unit: (u: number) => Float32Array.from(cells, (cell) => values[cell * units + u]!),
  };
}

test("average precision is scikit-learn's, tied values one threshold, for every language from one sorted order", async () => {
  for (let layer = 0; layer < reference.layers; layer++) {
    for (const [array, units, { ap }] of [
      ['mlp.items', reference.neurons, reference.expected[layer]!.neuron],
      ['head.norm.items', reference.heads, reference.expected[layer]!.head],
    ] as const) {
      const { language, fold, unit } = await prompts(layer, array, units);
      const ranking = new AveragePrecision({ language, fold, languages, folds });
      const found = new Float64Array(languages);
      for (let u = 0; u < units; u++) {
        expect(ranking.rank(unit(u))).toBe(true);
        ranking.ofAll(found);
        expectValues(
          found,
          ap.map((row) => row[u]!),
        );
      }
      expectValues(ranking.chance, reference.chance);
    }
  }
});

test('within half of the folds it is the average precision of those prompts alone', async () => {
  const other = Array.from({ length: folds }, (_, f) => f).filter((f) => !halfFolds.includes(f));
  for (let layer = 0; layer < reference.layers; layer++) {
    const { language, fold, unit } = await prompts(layer, 'mlp.items', reference.neurons);
    const ranking = new AveragePrecision({ language, fold, languages, folds }, [
      { first: other, second: halfFolds },
    ]);
    const both = new Float64Array(2 * languages);
    for (let u = 0; u < reference.neurons; u++) {
      ranking.rank(unit(u));
      ranking.ofHalves(0, both);
      expectValues(
        both.subarray(languages),
        reference.expected[layer]!.neuron.half.ap.map((row) => row[u]!),
      );
      const kept = fold.flatMap((f, n) => (other.includes(f) ? [n] : []));
      const alone = averagePrecision(
        kept.map((n) => unit(u)[n]!),
        kept.map((n) => language[n]!),
        languages,
      );
      expectValues(both.subarray(0, languages), [...alone], 1e-12);
    }
  }
});

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

test('a unit with a NaN in a prompt that others have is refused', () => {
  const ranking = new AveragePrecision({ language: [0, 1], fold: [0, 0], languages: 2, folds: 1 });
  expect(ranking.rank(Float32Array.of(1, Number.NaN))).toBe(false);
});
