import fc from 'fast-check';
import { expect, test } from 'vitest';
import { auroc } from '../../src/scores/definitions/auroc.js';
import { averagePrecision } from '../../src/scores/definitions/average-precision.js';
import {
  DistributionOverlap,
  distributionOverlap,
} from '../../src/scores/definitions/distribution-overlap.js';
import { languageEntropy, mutualInformation } from '../../src/scores/definitions/mutual-information.js';
import { selectivity } from '../../src/scores/definitions/selectivity.js';
import { ItemEvaluator } from '../../src/scores/samples/item-evaluator.js';
import { itemSamples } from '../../src/scores/samples/item-samples.js';
import { itemUncertainty } from '../../src/scores/samples/item-uncertainty.js';
import { type ItemValues, newItemValues } from '../../src/scores/samples/item-values.js';
import { wholeSample } from '../../src/scores/samples/rank-walk.js';
import { toFloat16 } from '../../src/store/files/float16.js';
import { gridOf, referenceGrid, referenceUnits } from './prompt-grid.js';
import { type Expected, type ExpectedUnits, expectValues, reference } from './reference-run.js';

const { languages } = reference;
const ALL = { ranks: true, mi: true, selectivity: true, overlap: true };
const WHOLE = wholeSample(referenceGrid.language);

const REFERENCE = reference.expected.flatMap(
  ({ neuron, head }, layer) =>
    [
      { layer, array: 'mlp.items', units: reference.neurons, expected: neuron as ExpectedUnits },
      { layer, array: 'head.norm.items', units: reference.heads, expected: head as ExpectedUnits },
    ] as const,
);

const of = (rows: readonly Expected[], unit: number) => rows.map((row) => row[unit]!);

test.each(REFERENCE)(
  'AP, AUROC, mutual information are scikit-learn’s, selectivity and overlap NumPy’s: $array of layer $layer',
  async ({ layer, array, units, expected }) => {
    const evaluator = new ItemEvaluator(referenceGrid);
    const values = newItemValues(languages);
    for (const [u, unit] of (await referenceUnits(layer, array, units)).entries()) {
      expect(evaluator.load(unit, ALL)).toBe(true);
      evaluator.evaluate(WHOLE, ALL, values);
      expectValues(values.ap, of(expected.ap, u));
      expectValues(values.auroc, of(expected.auroc, u));
      expectValues(values.selectivity, of(expected.selectivity, u), 1e-7);
      expectValues(values.overlap, of(expected.overlap, u));
      expectValues([values.mi, values.overlapMean], [expected.mi[u]!, expected.overlapMean[u]!]);
      if (array === 'mlp.items') {
        // As the run stores them: float16, sorted by their bits.
        const stored = newItemValues(languages);
        expect(evaluator.load(toFloat16(unit).bits, ALL)).toBe(true);
        evaluator.evaluate(WHOLE, ALL, stored);
        expect(stored).toEqual(values);
      }
      // The same numbers by the functions that take one unit.
      const language = [...referenceGrid.language];
      expectValues(averagePrecision(unit, language, languages), of(expected.ap, u));
      expectValues(auroc(unit, language, languages), of(expected.auroc, u));
      expectValues(selectivity(unit, language, languages), of(expected.selectivity, u), 1e-7);
      expectValues([mutualInformation(unit, language, languages)], [expected.mi[u]!]);
      if (u < expected.overlapPairs[0]![0]!.length) {
        const pairs = expected.overlapPairs.flatMap((row) => of(row, u));
        expectValues(distributionOverlap(unit, language, languages), pairs);
      }
    }
  },
);

test('a sample that weights items gives what scikit-learn gives with sample_weight: an item drawn twice counts twice', async () => {
  const { weight, ap, auroc: roc, selectivity: d } = reference.expected[0]!.neuron.weighted!;
  const weights = Uint8Array.from(referenceGrid.item, (item) => weight[item]!);
  const total = weights.reduce((sum, own) => sum + own, 0);
  const evaluator = new ItemEvaluator(referenceGrid);
  const values = newItemValues(languages);
  for (const [u, unit] of (await referenceUnits(0, 'mlp.items', reference.neurons)).entries()) {
    evaluator.load(unit, ALL);
    evaluator.evaluate({ labels: referenceGrid.language, weights, total }, ALL, values);
    expectValues(values.ap, of(ap, u));
    expectValues(values.auroc, of(roc, u));
    expectValues(values.selectivity, of(d, u), 1e-7);
  }
});

test('halves are scored on the prompts of their folds alone', async () => {
  const other = [0, 1, 2, 3, 4, 5].filter((fold) => !reference.halfFolds.includes(fold));
  const resampling = { draws: 3, permutations: 3, seed: 1 };
  const samples = itemSamples(referenceGrid, [{ first: reference.halfFolds, second: other }], resampling);
  const evaluator = new ItemEvaluator(referenceGrid);
  const half = newItemValues(languages);
  const { half: expected } = reference.expected[1]!.neuron;
  for (const [u, unit] of (await referenceUnits(1, 'mlp.items', reference.neurons)).entries()) {
    evaluator.load(unit, ALL);
    evaluator.evaluate(samples.halves[0]!, ALL, half);
    expectValues(half.ap, of(expected.ap, u));
  }
});

test('average precision has its delete-one-fold jackknife; mutual information and overlap the spread of half-samples', async () => {
  const drawn = itemSamples(referenceGrid, [], { draws: 3, permutations: 3, seed: 1 });
  const ofFolds = (folds: readonly number[]) => {
    const { item, foldOf, language } = referenceGrid;
    const weights = Uint8Array.from(item, (own) => (folds.includes(foldOf[own]!) ? 1 : 0));
    return { labels: language, weights, total: weights.reduce((sum, weight) => sum + weight, 0) };
  };
  const samples = {
    ...drawn,
    halvings: reference.halvings.map(([first, second]) => [ofFolds(first), ofFolds(second)] as const),
    permutations: reference.permutations.map((labels) => ({ ...WHOLE, labels: Uint8Array.from(labels) })),
  };
  const evaluator = new ItemEvaluator(referenceGrid);
  const whole = newItemValues(languages);
  const { apJackknife, halfSamples } = reference.expected[1]!.neuron;
  for (const [u, unit] of (await referenceUnits(1, 'mlp.items', reference.neurons)).entries()) {
    evaluator.load(unit, ALL);
    evaluator.evaluate(samples.whole, ALL, whole);
    const { ap, mi, overlapMean } = itemUncertainty(evaluator, samples, ALL, whole);
    for (const end of ['se', 'low', 'high'] as const) {
      expectValues(
        ap!.map((spread) => spread[end]),
        of(apJackknife[end], u),
      );
      expectValues(
        [mi![end], overlapMean![end]],
        [halfSamples.mi[end][u]!, halfSamples.overlap[end][u]!],
        1e-6,
      );
    }
  }
});

test('an interval of mutual information is not moved by permutations that move few prompts', () => {
  // Four of twelve prompts stand alone in their item: what permutations leave is not chance alone.
  const few = gridOf(8, 2, [0, 0, 1, 1, 2, 2, 3, 3], (item, k) => item < 4 || item % 2 === k);
  const evaluator = new ItemEvaluator(few);
  const whole = newItemValues(2);
  evaluator.load(Float64Array.of(1, 9, 2, 8, 3, 7, 4, 6, 5, 1.5, 2.5, 3.5), ALL);
  const samples = itemSamples(few, [], { draws: 5, permutations: 50, seed: 0 });
  expect(samples.permutable).toBeCloseTo(8 / 12, 12);
  evaluator.evaluate(samples.whole, ALL, whole);
  const { mi } = itemUncertainty(evaluator, samples, ALL, whole);
  expect((mi!.low + mi!.high) / 2).toBeCloseTo(whole.mi, 12);
});

/** Pooled values of 4 items in 3 languages, small whole numbers so that many tie. */
const units = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 12, maxLength: 12 });
const LANGUAGE = Array.from({ length: 12 }, (_, n) => n % 3);

function scoresOf(values: readonly number[], language: readonly number[] = LANGUAGE): ItemValues {
  const grid = gridOf(
    values.length / 3,
    3,
    language.map(() => 0),
  );
  const evaluator = new ItemEvaluator({ ...grid, language: Uint8Array.from(language) });
  const out = newItemValues(3);
  if (evaluator.load(Float64Array.from(values), ALL)) {
    evaluator.evaluate(wholeSample(Uint8Array.from(language)), ALL, out);
  }
  return out;
}

function expectSame(found: ItemValues, expected: ItemValues, order = [0, 1, 2], tolerance = 1e-9): void {
  for (const name of ['ap', 'auroc', 'selectivity', 'overlap'] as const) {
    expectValues(
      found[name],
      order.map((k) => nullOf(expected[name][k]!)),
      tolerance,
    );
  }
  expectValues([found.mi, found.overlapMean], [nullOf(expected.mi), nullOf(expected.overlapMean)], tolerance);
}

const nullOf = (value: number) => (Number.isNaN(value) ? null : value);

test('permuting languages permutes every score by language and changes no other', () => {
  fc.assert(
    fc.property(units, (values) => {
      const moved = scoresOf(
        values,
        LANGUAGE.map((k) => (k + 1) % 3),
      );
      expectSame(moved, scoresOf(values), [2, 0, 1]);
    }),
  );
});

test('a positive scale and a shift change nothing; a negative scale mirrors AUROC and selectivity', () => {
  fc.assert(
    fc.property(units, (values) => {
      const once = scoresOf(values);
      expectSame(scoresOf(values.map((x) => 4 * x - 16)), once);
      const mirrored = scoresOf(values.map((x) => -x));
      expectValues(
        mirrored.auroc,
        [...once.auroc].map((value) => 1 - value),
      );
      expectValues(
        mirrored.selectivity,
        [...once.selectivity].map((value) => nullOf(-value)),
      );
    }),
  );
});

test('every item twice changes neither AP nor AUROC nor overlap', () => {
  fc.assert(
    fc.property(units, (values) => {
      const [once, twice] = [scoresOf(values), scoresOf([...values, ...values], [...LANGUAGE, ...LANGUAGE])];
      for (const name of ['ap', 'auroc', 'overlap'] as const) expectValues(twice[name], [...once[name]]);
    }),
  );
});

test('every item twice: selectivity changes by its degrees of freedom alone, mutual information by its correction alone', () => {
  fc.assert(
    fc.property(units, (values) => {
      const times = (n: number) =>
        scoresOf(
          Array.from({ length: n }, () => values).flat(),
          Array.from({ length: n }, () => LANGUAGE).flat(),
        );
      const [once, twice, four] = [times(1), times(2), times(4)];
      // d = J (mean − rest) / √(within / (N − K)), J = 1 − 3 / (4 (N − K) − 1); within doubles, the means stay.
      const factor = (freedom: number) => (1 - 3 / (4 * freedom - 1)) * Math.sqrt(freedom);
      expectValues(
        twice.selectivity,
        [...once.selectivity].map((d) => nullOf((d * factor(21)) / factor(9) / Math.SQRT2)),
        1e-9,
      );
      // The correction is c / 2N.
      expect(once.mi - twice.mi).toBeCloseTo(2 * (twice.mi - four.mi), 12);
    }),
  );
});

test('ranges: AP, AUROC and overlap lie in 0 … 1, mutual information at most H(language) + (K − 1) / 2N', () => {
  fc.assert(
    fc.property(units, (values) => {
      const { ap, auroc: roc, overlap, mi } = scoresOf(values);
      for (const value of [...ap, ...roc, ...overlap]) expect(value >= 0 && value <= 1 + 1e-12).toBe(true);
      expect(mi).toBeLessThanOrEqual(languageEntropy([4, 4, 4]) + 2 / 24 + 1e-12);
    }),
  );
});

test('a constant unit: chance for AP and AUROC, nothing told, all the same, and no selectivity', () => {
  const {
    ap,
    auroc: roc,
    selectivity: d,
    mi,
    overlap,
    overlapMean,
  } = scoresOf(new Array<number>(12).fill(0.3));
  expectValues(ap, [1 / 3, 1 / 3, 1 / 3]);
  expectValues(roc, [0.5, 0.5, 0.5]);
  expect(mi).toBeCloseTo(0, 12);
  expectValues([...overlap, overlapMean], [1, 1, 1, 1]);
  expectValues(d, [null, null, null]);
});

test('a unit that is language and nothing else has no selectivity, which would be infinite, and all the information', () => {
  const values = Array.from({ length: 48 }, (_, n) => [0.1, 0.7, 0.3][n % 3]!);
  const language = values.map((_, n) => n % 3);
  const { selectivity: d, mi, overlapMean, auroc: roc } = scoresOf(values, language);
  expectValues(d, [null, null, null]);
  expect(roc[1]).toBe(1);
  expect(overlapMean).toBe(0);
  // Three bins, three languages, three cells: the correction adds 2 / 2N.
  expect(mi).toBeCloseTo(Math.log(3) + 2 / 96, 12);
});

test('one value that is not finite leaves the unit without scores, never with zeros', () => {
  const evaluator = new ItemEvaluator(gridOf(4, 3, [0, 0, 0, 0]));
  for (const bad of [Number.NaN, Infinity, -Infinity]) {
    const values = Float32Array.of(bad, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 65_504);
    expect(evaluator.load(values, ALL)).toBe(false);
    expect(evaluator.load(toFloat16(values).bits, ALL)).toBe(false);
    const { ap, auroc: roc, selectivity: d, mi, overlap } = scoresOf([bad, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2]);
    for (const value of [...ap, ...roc, ...d, ...overlap, mi]) expect(value).toBeNaN();
  }
});

test('a language without prompts has no score of its own and none with others; nor has a single language', () => {
  const language = [0, 0, 1, 1, 1];
  const x = [3, 1, 2, 5, 4];
  expectValues(auroc(x, language, 3), [1 - 5 / 6, 5 / 6, null]);
  expect(averagePrecision(x, language, 3)[2]).toBeNaN();
  expectValues(selectivity(x, language, 3), [null, null, null]);
  expectValues(distributionOverlap(x, language, 3), [1, 0, null, 0, 1, null, null, null, null]);
  expect(mutualInformation(x, [0, 0, 0, 0, 0], 1)).toBeNaN();
  expect(auroc(x, [0, 0, 0, 0, 0], 1)[0]).toBeNaN();
});

test('selectivity of two languages is Hedges’ g', () => {
  // Means 3 and 6, both variances 2.5: g = −3 / √2.5 · (1 − 3 / (4 · 8 − 1)).
  const x = [1, 2, 3, 4, 5, 4, 5, 6, 7, 8];
  const g = (-3 / Math.sqrt(2.5)) * (1 - 3 / 31);
  expectValues(selectivity(x, [0, 0, 0, 0, 0, 1, 1, 1, 1, 1], 2), [g, -g], 1e-12);
});

test('permutation p-values converge to those of all arrangements of languages within items', () => {
  // 4 items × 2 languages: 16 arrangements, all equally likely.
  const x = [3.1, 1, 2.2, 2, 5.4, 1.5, 0.3, 0.9];
  const grid = gridOf(4, 2, [0, 1, 2, 3]);
  const evaluator = new ItemEvaluator(grid);
  const [whole, other] = [newItemValues(2), newItemValues(2)];
  const parts = { ...ALL, overlap: false };
  evaluator.load(Float64Array.from(x), parts);
  const samples = itemSamples(grid, [], { draws: 2, permutations: 20_000, seed: 5 });
  evaluator.evaluate(samples.whole, parts, whole);
  const exact = { ap: 0, auroc: 0, selectivity: 0, selectivityBest: 0, mi: 0, twoWay: 0 };
  const atLeast = (found: number, observed: number) => Number(found >= observed - 1e-12);
  for (let swaps = 0; swaps < 16; swaps++) {
    const labels = Uint8Array.from(x, (_, n) => (n % 2) ^ ((swaps >> (n >> 1)) & 1));
    evaluator.evaluate({ ...samples.whole, labels }, parts, other);
    exact.ap += atLeast(other.ap[0]!, whole.ap[0]!) / 16;
    exact.auroc += atLeast(Math.abs(other.auroc[0]! - 0.5), Math.abs(whole.auroc[0]! - 0.5)) / 16;
    exact.selectivity += atLeast(other.selectivity[0]!, whole.selectivity[0]!) / 16;
    exact.selectivityBest += atLeast(Math.max(...other.selectivity), Math.max(...whole.selectivity)) / 16;
    exact.mi += atLeast(other.mi, whole.mi) / 16;
    exact.twoWay += atLeast(other.languageSquares, whole.languageSquares) / 16;
  }
  evaluator.evaluate(samples.whole, parts, whole);
  const { p } = itemUncertainty(evaluator, samples, parts, whole);
  // Four standard errors of a share of 20,000.
  const near = (found: number, expected: number) =>
    expect(Math.abs(found - expected)).toBeLessThan(
      4 * Math.sqrt((expected * (1 - expected)) / 20_000) + 1e-4,
    );
  near(p.ap[0]!, exact.ap);
  near(p.auroc[0]!, exact.auroc);
  near(p.selectivity[0]!, exact.selectivity);
  near(p.selectivityBest, exact.selectivityBest);
  near(p.mi, exact.mi);
  near(p.twoWay, exact.twoWay);
  expect(exact.selectivity).toBeLessThan(0.5);
});

test('a unit that is constant where every language is has neither a decomposition nor a p of it', () => {
  // Items 0 and 1 are complete; item 2 lacks language 1, and alone differs.
  const grid = gridOf(3, 2, [0, 1, 2], (item, k) => item < 2 || k === 0);
  const evaluator = new ItemEvaluator(grid);
  const whole = newItemValues(2);
  const samples = itemSamples(grid, [], { draws: 5, permutations: 20, seed: 0 });
  const pOf = (values: readonly number[]) => {
    expect(evaluator.load(Float64Array.from(values), ALL)).toBe(true);
    evaluator.evaluate(samples.whole, ALL, whole);
    return itemUncertainty(evaluator, samples, ALL, whole).p.twoWay;
  };
  expect(pOf([0.3, 0.3, 0.3, 0.3, 5])).toBeNaN();
  expect(pOf([0.3, 0.3, 0.4, 0.4, 5])).toBe(1);
});

test('where no item has two prompts there is nothing to permute, and no p-value', () => {
  const grid = gridOf(6, 2, [0, 1, 2, 3, 4, 5], (item, k) => item % 2 === k);
  const samples = itemSamples(grid, [], { draws: 50, permutations: 50, seed: 0 });
  const evaluator = new ItemEvaluator(grid);
  const whole = newItemValues(2);
  evaluator.load(Float64Array.of(1, 2, 3, 4, 5, 7), ALL);
  evaluator.evaluate(samples.whole, ALL, whole);
  const { p } = itemUncertainty(evaluator, samples, ALL, whole);
  for (const value of [...p.ap, ...p.auroc, ...p.selectivity, p.mi, p.twoWay, p.selectivityBest]) {
    expect(value).toBeNaN();
  }
});

test('a p-value counts the arrangement that was found, so that none is 0', () => {
  const items = Array.from({ length: 12 }, (_, item) => item);
  const grid = gridOf(12, 2, items);
  const evaluator = new ItemEvaluator(grid);
  const whole = newItemValues(2);
  // The second language is higher in every item; of 4,096 arrangements only those of all items alike reach that.
  evaluator.load(
    Float64Array.from({ length: 24 }, (_, n) => (n % 2) + n / 100),
    ALL,
  );
  const samples = itemSamples(grid, [], { draws: 2, permutations: 19, seed: 1 });
  evaluator.evaluate(samples.whole, ALL, whole);
  const { p } = itemUncertainty(evaluator, samples, ALL, whole);
  expect([p.ap[1], p.auroc[1], p.selectivity[1], p.twoWay]).toEqual([1 / 20, 1 / 20, 1 / 20, 1 / 20]);
});

test('half-samples are a hundred, each of half of the folds', () => {
  const { halvings, foldsLeftOut } = itemSamples(referenceGrid, [], { draws: 2, permutations: 2, seed: 1 });
  expect(halvings).toHaveLength(100);
  const folds = foldsLeftOut.length;
  for (const [first, second] of halvings) {
    expect(Math.abs(first.total - second.total)).toBeLessThanOrEqual(2 * referenceGrid.languages * folds);
  }
});

test('an overlap is at most 1, however a sum of shares is rounded', () => {
  // Nine ninths add up to more than 1.
  const overlap = new DistributionOverlap(18, 2);
  overlap.load(Float64Array.from({ length: 18 }, (_, n) => n >> 1));
  overlap.count(wholeSample(Uint8Array.from({ length: 18 }, (_, n) => n % 2)));
  expect(overlap.pair(0, 1)).toBe(1);
});
