import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { compareRuns } from '../../src/compare/compare-runs.js';
import type { Comparison, Measure } from '../../src/compare/comparison.js';
import { foldSubsets } from '../../src/compare/inputs/fold-subsets.js';
import { studentTQuantile } from '../../src/stats/index.js';
import { type UnitView, unitViews } from '../support/comparison-views.js';
import { unitChangesOf } from '../support/unit-changes.js';

/** Runs and answers written by test/reference/make_compare.py (NumPy, SciPy, safetensors). */
const FIXTURES = fileURLToPath(new URL('../fixtures/compare', import.meta.url));
const SEED = 3;
const FOLDS = [0, 1, 2, 3, 4, 5];

type Values = Readonly<Record<string, number | null>>;
/** By score, then by column of its change; [unit]. */
type Changes = Readonly<Record<string, Readonly<Record<string, readonly (number | null)[]>>>>;
interface Expected {
  readonly policy: { readonly entropyCut: number; readonly bar: number };
  readonly change: Readonly<Record<string, readonly [number, number, number]>>;
  readonly halves: Readonly<
    Record<string, { readonly withinA: Values; readonly withinB: Values; readonly across: Values }>
  >;
  readonly reallocation: readonly (readonly number[])[];
  readonly profiles: readonly Readonly<Record<string, unknown>>[];
  readonly changes: Changes;
}

const {
  neuron: expected,
  headMaps,
  headChanges,
} = JSON.parse(readFileSync(join(FIXTURES, 'expected.json'), 'utf8')) as {
  readonly neuron: Expected;
  readonly headChanges: Changes;
  readonly headMaps: Readonly<Record<string, Readonly<Record<string, readonly (readonly number[])[]>>>>;
};

let comparison: Comparison;
let neurons: UnitView;
let changesOf: Awaited<ReturnType<typeof unitChangesOf>>;

beforeAll(async () => {
  const runs = ['base', 'tuned'].map((label) => ({ folder: join(FIXTURES, label), label }));
  comparison = await compareRuns(runs, { seed: SEED, splits: 30, fraction: 0.05 });
  changesOf = await unitChangesOf(runs, comparison);
  neurons = unitViews(comparison).find(({ type }) => type === 'neuron')!;
});

test('the cut is the LAPE of the last unit that tang2024 takes of the reference, the bar its 95th percentile', () => {
  expect(neurons.policy.entropyCut).toBeCloseTo(expected.policy.entropyCut, 12);
  expect(neurons.policy.bar).toBeCloseTo(expected.policy.bar, 12);
  expect(neurons.policy.fraction).toBe(0.05);
});

test('an item that lacks a language is no complete item', () => {
  expect(comparison.items).toBe(24);
  expect(comparison.completeItems).toBe(23);
});

describe('a profile counts, per layer and language, the units whose LAPE is at most the cut and some rate above the bar', () => {
  test.each([0, 1])('run %i', (run) => {
    const profile = neurons.profiles[run]!;
    const answer = expected.profiles[run]!;
    for (const field of ['dead', 'selected', 'shared', 'counts', 'selectedByLayer'] as const) {
      expect(profile[field], field).toEqual(answer[field]);
    }
    for (const field of ['meanLape', 'meanOmega2Language'] as const) {
      profile[field].forEach((value, l) => {
        expect(value, field).toBeCloseTo((answer[field] as number[])[l]!, 12);
      });
    }
    expect(profile.entropyHistogram.reduce((sum, n) => sum + n, 0)).toBe(profile.units - profile.dead);
    expect(profile.cumulative.at(-1)).toBe(1);
  });
});

test('reallocation counts units selected in either run by their top language before (row) and after (column)', () => {
  const { matrix, gained, lost, kept } = neurons.reallocations[0]!;
  expect(matrix).toEqual(expected.reallocation);
  const none = matrix.length - 1;
  expect(gained).toBe(matrix[none]!.reduce((sum, n) => sum + n, 0));
  expect(lost).toBe(matrix.reduce((sum, row) => sum + row[none]!, 0));
  expect(kept + lost + gained).toBe(matrix.flat().reduce((sum, n) => sum + n, 0));
});

const MEASURES: readonly Measure[] = [
  'selected',
  'jaccard',
  'language_kept',
  'mean_lape',
  'mean_omega2_language',
  'depth_distance',
  'mean_depth',
];

describe('the change of a measure, with its interval', () => {
  const changeOf = (measure: string) =>
    neurons.headlines.find((headline) => headline.measure === measure)!.change;

  test.each(MEASURES)('%s: the change', (measure) => {
    expect(changeOf(measure).value).toBeCloseTo(expected.change[measure]![0], 12);
  });

  test.each(['mean_lape', 'mean_omega2_language'])(
    '%s: a mean has the delete-one-fold jackknife, the same fold left out in both runs',
    (measure) => {
      const [, low, high] = expected.change[measure]!;
      expect(changeOf(measure).low).toBeCloseTo(low, 11);
      expect(changeOf(measure).high).toBeCloseTo(high, 11);
    },
  );

  test.each(['selected', 'mean_depth'])(
    '%s: what jumps has the spread of the same halves of both runs',
    (measure) => {
      const { folds, halves } = foldSubsets(FOLDS, 30, SEED);
      const mask = (subset: number) => String(folds[subset]!.reduce((bits, fold) => bits | (1 << fold), 0));
      // M(A₁, A₂), M(A₁, B₂) and M(A₂, B₁) give the changes over the same half, M(A₁, B₁) and M(A₂, B₂).
      const changes = halves.flatMap(({ first, second }) => {
        const within = expected.halves[mask(first)]!.withinA[measure]!;
        return [
          expected.halves[mask(second)]!.across[measure]! + within,
          expected.halves[mask(first)]!.across[measure]! - within,
        ];
      });
      const mean = changes.reduce((sum, one) => sum + one, 0) / changes.length;
      const se = Math.sqrt(changes.reduce((sum, one) => sum + (one - mean) ** 2, 0) / changes.length);
      const { value, low, high } = changeOf(measure);
      const half = studentTQuantile(0.975, 1 / (1 / (FOLDS.length - 1) + 1 / 30)) * se;
      expect(low).toBeCloseTo(value! - half, 9);
      expect(high).toBeCloseTo(value! + half, 9);
    },
  );
});

describe('the noise floor is the measure between random halves: within a run M(A₁, A₂), across M(A₁, B₂) and M(A₂, B₁)', () => {
  test.each(MEASURES)('%s', (measure) => {
    const headline = neurons.headlines.find((h) => h.measure === measure)!;
    const { folds, halves } = foldSubsets(FOLDS, 30, SEED);
    const mask = (subset: number) => String(folds[subset]!.reduce((bits, fold) => bits | (1 << fold), 0));
    const similarity = measure === 'jaccard' || measure === 'language_kept';
    const size = (value: number | null | undefined) => (similarity ? value! : Math.abs(value!));
    const withinA = halves.map(({ first }) => size(expected.halves[mask(first)]!.withinA[measure]));
    const withinB = halves.map(({ first }) => size(expected.halves[mask(first)]!.withinB[measure]));
    const across = halves.flatMap(({ first, second }) => [
      size(expected.halves[mask(first)]!.across[measure]),
      size(expected.halves[mask(second)]!.across[measure]),
    ]);
    for (const [found, values] of [
      [headline.withinFrom, withinA],
      [headline.withinTo, withinB],
      [headline.across, across],
    ] as const) {
      [0.05, 0.5, 0.95].forEach((p, i) => {
        expect(found![i]).toBeCloseTo(percentile(values, p), 11);
      });
    }
    const bound = similarity
      ? Math.min(percentile(withinA, 0.05), percentile(withinB, 0.05))
      : Math.max(percentile(withinA, 0.95), percentile(withinB, 0.95));
    // A value within rounding of the bound may fall on either side of it.
    const beyond = (slack: number) =>
      across.filter((v) => (similarity ? v < bound - slack : v > bound + slack)).length / across.length;
    expect(headline.shareOutside).toBeGreaterThanOrEqual(beyond(1e-9));
    expect(headline.shareOutside).toBeLessThanOrEqual(beyond(-1e-9));
    expect(headline.verdict).toBe(
      headline.shareOutside! >= 0.95 ? 'changed' : 'not distinguishable from sampling',
    );
  });

  /** NumPy's default. */
  function percentile(values: readonly number[], p: number): number {
    const sorted = [...values].sort((a, b) => a - b);
    const at = (sorted.length - 1) * p;
    const low = sorted[Math.floor(at)]!;
    return low + (sorted[Math.ceil(at)]! - low) * (at - Math.floor(at));
  }
});

test.each([
  ['neuron', expected.changes],
  ['head', headChanges],
] as const)(
  'the unit table holds the changes of every %s with paired jackknife intervals, two-sided p of t = Δ/SE and q',
  (unitType, answers) => {
    for (const [score, columns] of Object.entries(answers)) {
      // Expectations call a score and a column as an earlier table did.
      const changes = changesOf(unitType, score === 'omega2' ? 'omega2_language' : score);
      for (const [column, values] of Object.entries(columns) as [string, (number | null)[]][]) {
        const found = changes[column === 'delta' ? 'change' : column] as number[];
        expect(found.length).toBe(values.length);
        for (const [u, answer] of values.entries()) {
          const what = `${column} of ${score} of unit ${u}`;
          if (answer === null) expect(found[u], what).toBeNaN();
          else if (column === 'p' || column === 'q') expect(found[u]! / answer, what).toBeCloseTo(1, 7);
          else expect(found[u], what).toBeCloseTo(answer, 9);
        }
      }
    }
  },
);

test('neurons have no vector share, nor a change of it', () => {
  expect(changesOf('neuron', 'vector_share_language').change).toEqual([]);
});

test('a head map holds ω² of norms, LAPE over mean norms and the share of variance of hook_z between languages', () => {
  for (const { label, ...map } of comparison.headMaps) {
    const answer = headMaps[label]!;
    for (const field of ['omega2Language', 'lape', 'vectorShareLanguage'] as const) {
      map[field].forEach((row, l) => {
        expect(row).toHaveLength(6);
        row.forEach((value, h) => {
          expect(value, `${field} of head ${l}.${h}`).toBeCloseTo(answer[field]![l]![h]!, 6);
        });
      });
    }
  }
});
