import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { compareRuns } from '../../src/compare/compare-runs.js';
import type { Estimate } from '../../src/compare/comparison.js';
import { foldSubsets } from '../../src/compare/inputs/fold-subsets.js';
import { headOverlap, TopHeads } from '../../src/compare/inputs/top-heads.js';
import { rowsOf } from '../../src/compare/select.js';
import { type UnitView, unitViews } from '../support/comparison-views.js';

/** Runs and answers written by test/reference/make_compare.py (NumPy, SciPy, safetensors). */
const FIXTURES = fileURLToPath(new URL('../fixtures/compare', import.meta.url));
const SEED = 3;
const SPLITS = 30;
const FOLDS = [0, 1, 2, 3, 4, 5];
const SIMILARITIES = ['jaccard', 'language_kept'];

type Values = Readonly<Record<string, number | null>>;
type Interval = readonly [number | null, number | null, number | null];
interface Changes {
  readonly full: Values;
  readonly leaveOneOut: readonly Values[];
  readonly halves: Readonly<Record<string, Values>>;
}
interface GroupAnswers {
  readonly levels: Readonly<Record<string, Readonly<Record<string, Interval>>>>;
  readonly pairs: Readonly<Record<string, Values>>;
  readonly changes: Readonly<Record<string, Changes>>;
}
interface Expected {
  readonly regimes: {
    readonly groups: Readonly<Record<string, GroupAnswers>>;
    readonly parts: Readonly<Record<string, readonly (readonly number[])[]>>;
  };
  readonly headOverlaps: Readonly<
    Record<string, { readonly norm: number[][]; readonly contrast: number[][] }>
  > & {
    readonly drawn: { readonly values: number[][]; readonly overlap: number[][] };
  };
  readonly sameLanguageTopHeads: {
    readonly drawn: Readonly<Record<'first' | 'second', number[][]>> &
      Readonly<Record<'kept' | 'keptOfTwo', number>>;
    /** By run and by the mask of the first half of its folds. */
    readonly halves: Readonly<Record<string, Readonly<Record<string, number>>>>;
  };
}

const expected = JSON.parse(readFileSync(join(FIXTURES, 'expected.json'), 'utf8')) as Expected;
const GROUPS = [
  { name: 'european', languages: ['en', 'de'] },
  { name: 'ja', languages: ['ja'] },
];
const SCOPES = ['all', 'european', 'ja'];

let comparison: Awaited<ReturnType<typeof compareRuns>>;
let neurons: UnitView;
beforeAll(async () => {
  const folder = (name: string) => join(FIXTURES, name);
  comparison = await compareRuns(
    [
      { folder: folder('base'), label: 'base' },
      { folder: folder('tuned'), label: 'tuned', seeds: [folder('tuned-2')] },
      { folder: folder('rewarded'), label: 'rewarded' },
    ],
    { seed: SEED, splits: SPLITS, fraction: 0.05, groups: GROUPS },
  );
  neurons = unitViews(comparison).find(({ type }) => type === 'neuron')!;
});

function expectNear(found: number | null | undefined, answer: number | null | undefined, what: string): void {
  if (answer === null || answer === undefined) expect(found, what).toBeNull();
  else expect(found, what).toBeCloseTo(answer, 10);
}

function expectInterval({ value, low, high }: Estimate, answer: Interval, what: string): void {
  expectNear(value, answer[0], what);
  expectNear(low, answer[1], what);
  expectNear(high, answer[2], what);
}

/** Whose error is the jackknife's; that of others is told from halves. */
const isMean = (measure: string) => measure.startsWith('mean_') && measure !== 'mean_depth';

const inScope = (scope: string) => (one: { readonly group: string | null }) => (one.group ?? 'all') === scope;

describe('a group has the selected units that belong to one of its languages, and entropy and ω² over its languages alone', () => {
  test.each(SCOPES)('%s: every pair of runs', (scope) => {
    const { pairs } = expected.regimes.groups[scope]!;
    const headlines = neurons.headlines.filter(inScope(scope));
    expect(headlines).toHaveLength(3 * 7);
    for (const { from, to, measure, change } of headlines) {
      expectNear(change.value, pairs[`${from} ${to}`]![measure], `${measure} of ${from} and ${to}`);
    }
  });

  test.each(SCOPES)('%s: every run by itself, means with their jackknife', (scope) => {
    const answers = expected.regimes.groups[scope]!.levels;
    const levels = neurons.levels.filter(inScope(scope));
    // One language has no entropy and no ω² between languages.
    expect(levels).toHaveLength(3 * (scope === 'ja' ? 2 : 4));
    for (const { label, measure, value } of levels) {
      const [answer, low, high] = answers[label]![measure]!;
      expectNear(value.value, answer, `${measure} of ${label}`);
      if (isMean(measure)) expectInterval(value, [answer!, low!, high!], `${measure} of ${label}`);
    }
  });

  test('one language has no entropy, no ω² and no language to keep: not measured, and said so', () => {
    for (const { measure, verdict, note } of neurons.headlines.filter(inScope('ja'))) {
      if (!['mean_lape', 'mean_omega2_language', 'language_kept'].includes(measure)) continue;
      expect(verdict).toBe('not measured');
      expect(note).toBe('one language has no difference between languages');
    }
  });
});

describe('a difference in differences is T(to) − T(from), T the change against the reference, averaged over training seeds', () => {
  const mask = (folds: readonly number[]) => String(folds.reduce((bits, fold) => bits | (1 << fold), 0));
  const difference = (scope: string, measure: string, of: (changes: Changes) => Values) => {
    const { changes } = expected.regimes.groups[scope]!;
    const value = (name: string) => of(changes[name]!)[measure] ?? Number.NaN;
    return value('rewarded') - (value('tuned') + value('tuned-2')) / 2;
  };

  test.each(['all', 'european'])('%s: value, and of means the jackknife over folds', (scope) => {
    const contrasts = neurons.contrasts.filter(inScope(scope));
    expect(contrasts).toHaveLength(7);
    for (const { from, to, reference, measure, difference: found, changesFrom, changesTo } of contrasts) {
      expect([reference, from, to]).toEqual(['base', 'tuned', 'rewarded']);
      const { changes } = expected.regimes.groups[scope]!;
      expectNear(changesFrom[1], changes['tuned-2']!.full[measure], measure);
      expectNear(changesTo[0], changes.rewarded!.full[measure], measure);
      const value = difference(scope, measure, ({ full }) => full);
      expectNear(found.value, Number.isNaN(value) ? null : value, measure);
      const left = FOLDS.map((fold) => difference(scope, measure, ({ leaveOneOut }) => leaveOneOut[fold]!));
      const mean = left.reduce((sum, x) => sum + x, 0) / left.length;
      const se = Math.sqrt((5 / 6) * left.reduce((sum, x) => sum + (x - mean) ** 2, 0));
      const t = 2.570581835636314; // scipy.stats.t.ppf(0.975, 5)
      if (Number.isNaN(se)) expect(found.low).toBeNull();
      else if (isMean(measure)) expect(found.low, measure).toBeCloseTo(value - t * se, 9);
    }
  });

  test.each(['all', 'european'])(
    '%s: the sampling floor is T between halves, of one regime and across',
    (scope) => {
      const { halves, folds } = foldSubsets(FOLDS, SPLITS, SEED);
      const { changes } = expected.regimes.groups[scope]!;
      for (const contrast of neurons.contrasts.filter(inScope(scope))) {
        const over = (names: readonly string[], subset: number) =>
          names.reduce(
            (sum, name) =>
              sum + (changes[name]!.halves[mask(folds[subset]!)]![contrast.measure] ?? Number.NaN),
            0,
          ) / names.length;
        const seeds = ['tuned', 'tuned-2'];
        const within = (names: readonly string[]) =>
          halves.map(({ first, second }) => Math.abs(over(names, first) - over(names, second)));
        const across = halves.flatMap(({ first, second }) => [
          Math.abs(over(['rewarded'], first) - over(seeds, second)),
          Math.abs(over(['rewarded'], second) - over(seeds, first)),
        ]);
        const lost = [...within(seeds), ...within(['rewarded']), ...across].some(Number.isNaN);
        if (lost) {
          expect(contrast.verdict, contrast.measure).toBe('not measured');
          continue;
        }
        expect(contrast.withinFrom![2], contrast.measure).toBeCloseTo(percentile(within(seeds), 0.95), 10);
        expect(contrast.withinTo![1], contrast.measure).toBeCloseTo(
          percentile(within(['rewarded']), 0.5),
          10,
        );
        expect(contrast.across![0], contrast.measure).toBeCloseTo(percentile(across, 0.05), 10);
      }
    },
  );

  test('the seed floor is T between seeds of one regime; with a single pair its bound is that pair', () => {
    const { changes } = expected.regimes.groups.all!;
    for (const { measure, seeds } of neurons.contrasts.filter(inScope('all'))) {
      const of = (name: string) => changes[name]!.full[measure]!;
      const within = Math.abs(of('tuned') - of('tuned-2'));
      const across = ['tuned', 'tuned-2'].map((name) => Math.abs(of('rewarded') - of(name)));
      expect(seeds.withinFrom![2], measure).toBeCloseTo(within, 10);
      expect(seeds.withinTo, measure).toBeNull();
      expect(seeds.across![0], measure).toBeCloseTo(Math.min(...across), 10);
      const beyond = across.filter((value) => value > within + 1e-9).length;
      if (across.some((value) => Math.abs(value - within) < 1e-9)) continue;
      expect(seeds.verdict, measure).toBe(
        beyond === 2 ? 'changed' : 'not distinguishable from training seeds',
      );
    }
  });
});

test('the seed floor of a pair is the measure between two training seeds, at full size; without seeds it is not measured', () => {
  const { pairs } = expected.regimes.groups.all!;
  for (const { measure, from, to, seeds } of neurons.headlines.filter(inScope('all'))) {
    if (to === 'rewarded' && from === 'base') {
      expect(seeds).toMatchObject({ verdict: 'not measured', note: 'one training seed a regime' });
      continue;
    }
    const size = (value: number | null | undefined) =>
      SIMILARITIES.includes(measure) ? value! : Math.abs(value!);
    const own = to === 'tuned' ? seeds.withinTo : seeds.withinFrom;
    expect(own![1], measure).toBeCloseTo(size(pairs['tuned tuned-2']![measure]), 10);
    const across =
      to === 'tuned'
        ? [pairs['base tuned'], pairs['base tuned-2']]
        : [pairs['tuned rewarded'], pairs['tuned-2 rewarded']];
    expect(seeds.across![2], measure).toBeCloseTo(
      Math.max(...across.map((pair) => size(pair![measure]))),
      10,
    );
  }
});

test('layer by layer and language by language: differences, of means with their jackknife', () => {
  const answers = expected.regimes.parts;
  const parts = rowsOf(neurons.parts, { from: 'base', to: 'tuned' });
  const check = (found: readonly { readonly change: Estimate }[], name: string) => {
    const [values, low, high] = answers[name]!;
    expect(found).toHaveLength(values!.length);
    found.forEach(({ change }, i) => {
      expectNear(change.value, values![i], `${name} ${i}`);
      if (isMean(name)) expectInterval(change, [values![i]!, low![i]!, high![i]!], `${name} ${i}`);
    });
  };
  for (const measure of ['mean_lape', 'mean_omega2_language'] as const)
    check(rowsOf(parts, { measure }), measure);
  check(rowsOf(parts, { measure: 'selected', layer: null }), 'selectedByLanguage');
});

describe('overlap of top heads: |top-n(a) ∩ top-n(b)|/n, n = 2 % of the heads and at least one', () => {
  test('of 150 drawn heads n is 3', () => {
    const { values, overlap } = expected.headOverlaps.drawn;
    expect(Array.from(headOverlap(Float64Array.from(values.flat()), 4))).toEqual(overlap.flat());
    expect(overlap.flat().some((share) => share > 0 && share < 1)).toBe(true);
  });

  test('of a run’s 24 heads n is 1, by norm and by its contrast', () => {
    const { norm, contrast } = expected.headOverlaps.tuned!;
    expect(comparison.headOverlaps[1]).toEqual({ label: 'tuned', n: 1, heads: 24, norm, contrast });
  });

  test('the headline is the change of its mean over pairs of languages', () => {
    const mean = (name: string) => {
      const { norm } = expected.headOverlaps[name]!;
      return (norm[0]![1]! + norm[0]![2]! + norm[1]![2]!) / 3;
    };
    const heads = unitViews(comparison).find(({ type }) => type === 'head')!;
    const found = heads.headlines.find((h) => h.measure === 'head_overlap' && h.to === 'tuned')!;
    expect(found.change.value).toBeCloseTo(mean('tuned') - mean('base'), 12);
    expect(found.verdict).not.toBe('not measured');
  });

  test('training seeds have it too: the seed floor is the difference of their means', async () => {
    const second = await compareRuns(
      ['base', 'tuned-2'].map((label) => ({ folder: join(FIXTURES, label), label })),
      { seed: SEED, splits: SPLITS, fraction: 0.05 },
    );
    const mean = ({ norm }: { readonly norm: readonly (readonly (number | null)[])[] }) =>
      (norm[0]![1]! + norm[0]![2]! + norm[1]![2]!) / 3;
    const heads = unitViews(comparison).find(({ type }) => type === 'head')!;
    const found = heads.headlines.find((h) => h.measure === 'head_overlap' && h.to === 'tuned')!;
    expect(found.seeds.withinTo![1]).toBeCloseTo(
      Math.abs(mean(second.headOverlaps[1]!) - mean(comparison.headOverlaps[1]!)),
      12,
    );
    expect(found.seeds.verdict).not.toBe('not measured');
    const contrast = heads.contrasts.find((c) => c.measure === 'head_overlap' && c.group === null)!;
    expect(contrast.difference.value).not.toBeNull();
  });
});

describe('the top heads of a language that are its top heads in the other run too: their share, mean over languages', () => {
  const { drawn, halves: ofHalves } = expected.sameLanguageTopHeads;
  const topHeadsOf = (values: readonly (readonly number[])[]) => {
    const heads = new TopHeads(1, 4, 1, 150);
    heads.add(0, { layer: 0, unitStart: 0 }, Float64Array.from(values.flat()));
    return heads;
  };

  test('of 150 drawn heads, over all languages and over two', () => {
    const [first, second] = [topHeadsOf(drawn.first), topHeadsOf(drawn.second)];
    expect(first.shareKept(0, second, 0, [0, 1, 2, 3])).toBeCloseTo(drawn.kept, 12);
    expect(first.shareKept(0, second, 0, [0, 2])).toBeCloseTo(drawn.keptOfTwo, 12);
    expect(first.shareKept(0, first, 0, [0, 1, 2, 3])).toBe(1);
  });

  test('a language with a norm that is NaN has none', () => {
    const spoilt = drawn.second.map((row, k) => (k === 1 ? [Number.NaN, ...row.slice(1)] : row));
    const [first, second] = [topHeadsOf(drawn.first), topHeadsOf(spoilt)];
    expect(first.shareKept(0, second, 0, [0, 1, 2, 3])).toBeNaN();
    expect(second.shareKept(0, first, 0, [1])).toBeNaN();
    expect(first.shareKept(0, second, 0, [0, 2])).toBeCloseTo(drawn.keptOfTwo, 12);
  });

  test('it exists between runs only, of heads, over every group; the sampling floor is that between halves of a run', () => {
    const rows = rowsOf(comparison.changes, { measure: 'same_language_top_heads' });
    expect(rows.map(({ type, from, to, group }) => [type, from, to, group])).toEqual(
      [
        ['base', 'tuned'],
        ['base', 'rewarded'],
        ['tuned', 'rewarded'],
      ].flatMap((pair) => [null, 'european', 'ja'].map((group) => ['head', ...pair, group])),
    );
    const found = rows.find(({ from, group }) => from === 'tuned' && group === null)!;
    expect([found.valueFrom, found.valueTo]).toEqual([null, null]);
    const { folds, halves } = foldSubsets(FOLDS, SPLITS, SEED);
    const mask = (subset: number) => folds[subset]!.reduce((bits, fold) => bits | (1 << fold), 0);
    for (const [label, spread] of [
      ['tuned', found.withinFrom],
      ['rewarded', found.withinTo],
    ] as const) {
      const within = halves.map(({ first }) => ofHalves[label]![mask(first)]!);
      [0.05, 0.5, 0.95].forEach((p, i) => {
        expect(spread![i], label).toBeCloseTo(percentile(within, p), 12);
      });
    }
  });
});

/** NumPy's default. */
function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = p * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low]! + (at - low) * ((sorted[low + 1] ?? sorted[low]!) - sorted[low]!);
}
