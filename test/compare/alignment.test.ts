import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareRuns } from '../../src/compare/compare-runs.js';
import type { Comparison } from '../../src/compare/comparison.js';
import { readComparison, writeComparison } from '../../src/compare/files.js';
import { foldSubsets } from '../../src/compare/inputs/fold-subsets.js';
import { quantile } from '../../src/stats/sorting/quantile.js';
import { studentTQuantile } from '../../src/stats/tests/distributions.js';
import { temporaryFolder } from '../store/temporary-folder.js';
import { aligned, writeAlignedRun } from '../support/aligned-runs.js';
import { alignmentView } from '../support/comparison-views.js';
import { writeSyntheticRun } from '../support/synthetic-run.js';

const { folds: FOLDS, layers: LAYERS, means } = aligned;
const SEED = 3;
const SPLITS = 30;
const { folds, leaveOneOut, halves } = foldSubsets(
  Array.from({ length: FOLDS }, (_, fold) => fold),
  SPLITS,
  SEED,
);
const PLACES = [null, 0, 1].flatMap((layer) =>
  (['alignment_margin', 'alignment_mexa'] as const).map((measure) => ({ layer, measure })),
);

let base: string;
let tuned: string;
let second: string;
let comparison: Comparison;
let alignment: ReturnType<typeof alignmentView>;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'babelscope-aligned-'));
  [base, tuned, second] = ['base', 'tuned', 'tuned-2'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const [run, name] of [
    [base, 'base'],
    [tuned, 'tuned'],
    [second, 'tuned-2'],
  ] as const) {
    await writeAlignedRun(run, name);
  }
  comparison = await compareRuns(
    [
      { folder: base, label: 'base' },
      { folder: tuned, label: 'tuned', seeds: [second] },
    ],
    { seed: SEED, splits: SPLITS, groups: [{ name: 'two', languages: ['de', 'ja'] }] },
  );
  alignment = alignmentView(comparison);
});
afterAll(() => rm(join(base, '..'), { recursive: true, force: true }));

/** Mean over pairs of languages, by scikit-learn; `layer` null: mean over layers. */
function expected(
  run: string,
  group: string | null,
  measure: string,
  layer: number | null,
  subset: number,
): number {
  const mask = String(folds[subset]!.reduce((bits, fold) => bits | (1 << fold), 0));
  const of = (l: number) => means[group ?? 'all']![run]![l]![mask]![measure === 'alignment_margin' ? 0 : 1];
  return layer === null ? (of(0) + of(1)) / LAYERS : of(layer);
}

function interval(value: number, replicates: readonly number[]): readonly [number, number] {
  const mean = replicates.reduce((sum, x) => sum + x, 0) / replicates.length;
  const squares = replicates.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  const half = studentTQuantile(0.975, FOLDS - 1) * Math.sqrt(((FOLDS - 1) / FOLDS) * squares);
  return [value - half, value + half];
}

test.each(PLACES)(
  'level and change of $measure in layer $layer, with jackknife intervals',
  ({ layer, measure }) => {
    for (const group of [null, 'two']) {
      const of = (run: string, subset: number) => expected(run, group, measure, layer, subset);
      for (const run of ['base', 'tuned']) {
        const { value } = alignment.levels.find(
          (l) => l.label === run && l.group === group && l.layer === layer && l.measure === measure,
        )!;
        const [low, high] = interval(
          of(run, 0),
          leaveOneOut.map((subset) => of(run, subset)),
        );
        expect(value.value).toBeCloseTo(of(run, 0), 6);
        expect(value.low).toBeCloseTo(measure === 'alignment_mexa' ? Math.max(0, low) : low, 6);
        expect(value.high).toBeCloseTo(measure === 'alignment_mexa' ? Math.min(1, high) : high, 6);
      }
      const { change, from, to } = alignment.changes.find(
        (c) => c.group === group && c.layer === layer && c.measure === measure,
      )!;
      const between = (subset: number) => of('tuned', subset) - of('base', subset);
      const [low, high] = interval(between(0), leaveOneOut.map(between));
      expect([from, to]).toEqual(['base', 'tuned']);
      expect(change.value).toBeCloseTo(between(0), 6);
      expect(change.low).toBeCloseTo(Math.max(-1, low), 6);
      expect(change.high).toBeCloseTo(Math.min(1, high), 6);
    }
  },
);

test.each(PLACES)(
  'floors of $measure in layer $layer: random halves, and the other training seed',
  ({ layer, measure }) => {
    const of = (run: string, subset: number) => expected(run, null, measure, layer, subset);
    const found = alignment.changes.find(
      (c) => c.group === null && c.layer === layer && c.measure === measure,
    )!;
    const within = (run: string) =>
      halves.map(({ first, second: other }) => Math.abs(of(run, other) - of(run, first)));
    const across = halves.flatMap(({ first, second: other }) => [
      Math.abs(of('tuned', other) - of('base', first)),
      Math.abs(of('tuned', first) - of('base', other)),
    ]);
    for (const [spread, values] of [
      [found.withinFrom, within('base')],
      [found.withinTo, within('tuned')],
      [found.across, across],
    ] as const) {
      [0.05, 0.5, 0.95].forEach((p, i) => {
        expect(spread![i]).toBeCloseTo(quantile(values, p), 6);
      });
    }
    const bound = Math.max(quantile(within('base'), 0.95), quantile(within('tuned'), 0.95));
    const beyond = (slack: number) => across.filter((x) => x > bound + slack).length / across.length;
    expect(found.shareOutside).toBeGreaterThanOrEqual(beyond(1e-6));
    expect(found.shareOutside).toBeLessThanOrEqual(beyond(-1e-6));
    expect(found.verdict).toBe(found.shareOutside! >= 0.95 ? 'changed' : 'not distinguishable from sampling');

    const between = (a: string, b: string) => Math.abs(of(b, 0) - of(a, 0));
    expect(found.seeds.withinFrom).toBeNull();
    expect(found.seeds.withinTo![1]).toBeCloseTo(between('tuned', 'tuned-2'), 6);
    expect(found.seeds.across![0]).toBeCloseTo(
      Math.min(between('base', 'tuned'), between('base', 'tuned-2')),
      6,
    );
  },
);

test('it says how many items and pairs it is from, and survives comparison.json', async () => {
  expect(alignment.items).toEqual([24, 26]);
  expect(alignment.pairs).toEqual({ measured: 6, all: 6 });
  expect(alignment.pooling).toBe('mean');
  const folder = await temporaryFolder();
  await writeComparison(folder, comparison);
  expect(alignmentView(await readComparison(folder))).toEqual(alignment);
});

test('a run compared with itself changes in no layer', async () => {
  const twin = await temporaryFolder();
  await cp(base, twin, { recursive: true });
  const same = alignmentView(
    await compareRuns(
      [
        { folder: base, label: 'a' },
        { folder: twin, label: 'b' },
      ],
      { splits: 20 },
    ),
  );
  expect(same.changes).toHaveLength(2 * (LAYERS + 1));
  for (const { change, verdict } of same.changes) {
    expect(change).toEqual({ value: 0, low: 0, high: 0 });
    expect(verdict).toBe('not distinguishable from sampling');
  }
});

test('a run alone has levels with intervals, and no change', async () => {
  const alone = alignmentView(await compareRuns([{ folder: base, label: 'base' }]));
  expect(alone.changes).toEqual([]);
  const of = (levels: Comparison['levels']) =>
    levels.filter(({ label, group }) => label === 'base' && group === null);
  expect(of(alone.levels)).toEqual(of(alignment.levels));
});

test('a group of one language has no pairs: not measured', async () => {
  const grouped = alignmentView(
    await compareRuns(
      [
        { folder: base, label: 'base' },
        { folder: tuned, label: 'tuned' },
      ],
      { splits: 5, groups: [{ name: 'ja', languages: ['ja'] }] },
    ),
  );
  const own = grouped.changes.filter(({ group }) => group === 'ja');
  expect(own.length).toBeGreaterThan(0);
  for (const { verdict, note, change } of own) {
    expect([verdict, note, change.value]).toEqual(['not measured', 'no two languages share two items', null]);
  }
});

test('runs without the pooled residual stream have no alignment', async () => {
  const run = await temporaryFolder();
  await writeSyntheticRun(run, { layers: 1, neurons: 10 });
  expect((await compareRuns([{ folder: run, label: 'a' }])).alignment).toBeNull();
});

describe('of five runs', () => {
  const RUNS = ['base', 'tuned', 'tuned-2', 'rewarded', 'rewarded-2'];
  const groups = [{ name: 'two', languages: ['de', 'ja'] }];
  let folders: Map<string, string>;
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'babelscope-aligned-'));
    folders = new Map(RUNS.map((name) => [name, join(folder, name)]));
    for (const [name, run] of folders) await writeAlignedRun(run, name);
  });
  afterAll(() => rm(join(folders.get('base')!, '..'), { recursive: true, force: true }));
  const folderOf = (name: string) => ({ folder: folders.get(name)!, label: name });
  const isAt =
    (place: { group: string | null; layer: number | null; measure: string }) =>
    (other: { group: string | null; layer: number | null; measure: string }) =>
      (other.group ?? 'all') === (place.group ?? 'all') &&
      other.layer === place.layer &&
      other.measure === `alignment_${place.measure}`;

  test('differences in differences, of regimes of two seeds, are those of NumPy, beside both floors', async () => {
    const found = alignmentView(
      await compareRuns(
        [
          folderOf('base'),
          { ...folderOf('tuned'), seeds: [folders.get('tuned-2')!] },
          { ...folderOf('rewarded'), seeds: [folders.get('rewarded-2')!] },
        ],
        { seed: SEED, splits: SPLITS, groups },
      ),
    );
    expect(found.contrasts).toHaveLength(aligned.contrasts.length);
    for (const answer of aligned.contrasts) {
      const { difference, ...own } = found.contrasts.find(isAt(answer))!;
      expect([own.reference, own.from, own.to]).toEqual(['base', 'tuned', 'rewarded']);
      [difference.value, difference.low, difference.high].forEach((value, i) => {
        expect(value).toBeCloseTo(answer.difference[i === 0 ? 0 : i + 1]!, 6);
      });
      for (const side of ['changesFrom', 'changesTo'] as const) {
        expect(own[side]).toHaveLength(2);
        own[side].forEach((value, seed) => {
          expect(value).toBeCloseTo(answer[side][seed]!, 6);
        });
      }
      // Sampling: halves of the regimes, means over seeds; all of the reference falls out.
      const mean = (regime: readonly string[], subset: number) =>
        regime.reduce((sum, run) => sum + expected(run, own.group, own.measure, own.layer, subset), 0) / 2;
      const [from, to] = [RUNS.slice(1, 3), RUNS.slice(3)];
      const within = (regime: readonly string[]) =>
        halves.map(({ first, second: other }) => Math.abs(mean(regime, first) - mean(regime, other)));
      const across = halves.flatMap(({ first, second: other }) => [
        Math.abs(mean(to, first) - mean(from, other)),
        Math.abs(mean(to, other) - mean(from, first)),
      ]);
      for (const [spread, values] of [
        [own.withinFrom, within(from)],
        [own.withinTo, within(to)],
        [own.across, across],
      ] as const) {
        [0.05, 0.5, 0.95].forEach((p, i) => {
          expect(spread![i]).toBeCloseTo(quantile(values, p), 6);
        });
      }
      const [seedsFrom, seedsTo] = [answer.changesFrom, answer.changesTo];
      const between = seedsFrom.flatMap((a) => seedsTo.map((b) => Math.abs(b - a)));
      expect(own.seeds.withinFrom![0]).toBeCloseTo(Math.abs(seedsFrom[1]! - seedsFrom[0]!), 6);
      expect(own.seeds.across![0]).toBeCloseTo(Math.min(...between), 6);
      expect(own.seeds.across![2]).toBeCloseTo(Math.max(...between), 6);
    }
    expect(found.trends).toEqual([]);
  });

  test('trends over a trajectory are those of pymannkendall and SciPy, whatever the order the runs are given in', async () => {
    const order = ['base', 'rewarded-2', 'rewarded', 'tuned', 'tuned-2'];
    const found = alignmentView(
      await compareRuns(
        RUNS.map((name) => ({ ...folderOf(name), step: 100 * order.indexOf(name) })),
        { trajectory: true, contrasts: [], splits: 4, groups },
      ),
    );
    expect(found.contrasts).toEqual([]);
    expect(found.trends).toHaveLength(aligned.trends.length);
    for (const answer of aligned.trends) {
      const own = found.trends.find(isAt(answer))!;
      expect(own.points.map(({ step }) => step)).toEqual([0, 100, 200, 300, 400]);
      own.points.forEach(({ value }, r) => {
        expect(value.value).toBeCloseTo(expected(order[r]!, own.group, own.measure, own.layer, 0), 6);
        expect(value.low! <= value.value! && value.value! <= value.high!).toBe(true);
      });
      expect([own.s, own.tau, own.p].map((x) => Number(x!.toFixed(9)))).toEqual(
        [answer.s, answer.tau, answer.p].map((x) => Number(x.toFixed(9))),
      );
      expect(own.finding).toBe(own.adjusted! <= 0.05 ? 'changed' : 'undecided');
    }
  });
});
