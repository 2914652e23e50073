import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareRuns } from '../../src/compare/compare-runs.js';
import type { Change, Comparison } from '../../src/compare/comparison.js';
import { type Quantity, quantity, signed } from '../../src/compare/quantities/quantity.js';
import { adjustTests, type Evidence, testChange } from '../../src/compare/verdict.js';
import { holm } from '../../src/stats/index.js';
import { writeSyntheticRun } from '../support/synthetic-run.js';

const FOLDS = 12;
const SMOOTH: Quantity = quantity({
  measure: 'mean_lape',
  type: 'neuron',
  group: null,
  ...signed(() => 0),
  valueRange: [0, 1],
  changeRange: [-1, 1],
  needs: 'no live unit',
  isSmooth: true,
});
const COUNT: Quantity = { ...SMOOTH, measure: 'selected', isSmooth: false };
const EVIDENCE: Evidence = {
  value: 2,
  // SE² of ±0.1 a left-out fold by the jackknife.
  se: Math.sqrt((11 / 12) * 0.12),
  df: FOLDS - 1,
  exchanged: [2, ...new Array(199).fill(0)],
  folds: FOLDS,
  margin: Number.NaN,
};

describe('the rule of a verdict', () => {
  test('a mean is tested by t of its paired jackknife', () => {
    const { by, p, finding } = testChange(SMOOTH, EVIDENCE);
    expect([by, finding]).toEqual(['jackknife', 'changed']);
    // Two-sided P(|t₁₁| > 2/√(11/12 · 0.12)) by SciPy's stats.t.
    expect(p).toBeCloseTo(8.547478896709523e-5, 10);
  });

  test('a count is tested by exchange, and planned for by half-samples', () => {
    const test = testChange(COUNT, { ...EVIDENCE, se: 1 });
    expect([test.by, test.p, test.finding]).toEqual(['exchange', 1 / 200, 'changed']);
    // SE is 1: t of 11 degrees needs about 3.07 of them for a power of 80 %.
    expect(test.detectable).toBeCloseTo(3.07, 1);
    // As far on either side counts: all but one.
    const few = testChange(COUNT, { ...EVIDENCE, exchanged: [2, -3, 2, 1] });
    expect([few.p, few.finding]).toEqual([0.75, 'undecided']);
  });

  test('a similarity is asked whether it fell, a distance whether it grew', () => {
    const of = (own: Partial<Quantity>, exchanged: number[]) =>
      testChange({ ...COUNT, value: null, ...own }, { ...EVIDENCE, exchanged });
    expect(of({ direction: 'similarity' }, [0.5, 0.9, 0.8, 0.7]).p).toBe(0.25);
    expect(of({ direction: 'difference' }, [0.5, 0.9, 0.8, 0.7]).p).toBe(1);
    expect(of({ direction: 'difference' }, [0.5, 0.1, 0.2, 0.3])).toMatchObject({
      p: 0.25,
      detectable: null,
    });
  });

  test('shown to lie within the margin it is unchanged, even if it is not 0', () => {
    expect(testChange(SMOOTH, { ...EVIDENCE, margin: 5 }).finding).toBe('unchanged');
    expect(testChange(SMOOTH, { ...EVIDENCE, margin: 2.1 })).toMatchObject({
      finding: 'changed',
      margin: 2.1,
    });
    const { leastMargin } = testChange(SMOOTH, EVIDENCE);
    expect(testChange(SMOOTH, { ...EVIDENCE, margin: leastMargin! + 0.001 }).finding).toBe('unchanged');
  });

  test('fewer than ten folds, a value that cannot be computed or an impossible number have no verdict', () => {
    expect(testChange(SMOOTH, { ...EVIDENCE, folds: 9 })).toMatchObject({
      finding: 'not measured',
      note: '9 folds; a test needs 10',
    });
    expect(testChange(SMOOTH, { ...EVIDENCE, value: Number.NaN }).note).toBe('no live unit');
    expect(testChange({ ...COUNT, impossible: 'the reference selects none' }, EVIDENCE)).toMatchObject({
      p: null,
      finding: 'not measured',
      note: 'the reference selects none',
    });
    expect(testChange(COUNT, { ...EVIDENCE, exchanged: null }).finding).toBe('not measured');
  });
});

describe('families', () => {
  const change = (to: string, p: number | null, own: Partial<Change> = {}) =>
    ({
      from: 'base',
      to,
      group: null,
      layer: null,
      language: null,
      ...own,
      test: {
        by: 'exchange',
        p,
        adjusted: p,
        finding: p === null ? 'not measured' : p <= 0.05 ? 'changed' : 'undecided',
        margin: null,
        leastMargin: null,
        detectable: null,
        note: '',
      },
      seeds: { test: { p: null, adjusted: null, finding: 'not measured' } },
    }) as unknown as Change;

  test('headlines of two runs are Holm’s, parts Benjamini and Hochberg’s, and no pair pays for another', () => {
    const adjusted = adjustTests([
      change('sft', 0.01),
      change('sft', 0.04),
      change('sft', null),
      change('grpo', 0.04),
      change('sft', 0.04, { layer: 3 }),
      change('sft', 0.03, { language: 'en' }),
    ]);
    expect(adjusted.map(({ test }) => test.adjusted)).toEqual([
      ...holm([0.01, 0.04]),
      null,
      0.04,
      0.04,
      0.04,
    ]);
  });

  test('what the corrected p no longer shows is undecided', () => {
    const [, second] = adjustTests([change('sft', 0.03), change('sft', 0.04)]);
    expect(second!.test).toMatchObject({ p: 0.04, adjusted: 0.06, finding: 'undecided' });
  });
});

describe('a comparison', () => {
  let folder: string;
  let same: Comparison;
  let planted: Comparison;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'babelscope-verdict-'));
    const shared = { layers: 4, neurons: 150, items: 60, folds: 20 };
    const at = (name: string) => join(folder, name);
    const units = Array.from({ length: 40 }, (_, u) => ({
      layer: u % 4,
      index: Math.floor(u / 4),
      language: u % 2,
    }));
    await writeSyntheticRun(at('a'), { ...shared, planted: units });
    await writeSyntheticRun(at('b'), { ...shared, planted: units.slice(0, 20) });
    same = await compareRuns([{ folder: at('a') }, { folder: at('a') }], { fraction: 0.05, margin: 0.1 });
    planted = await compareRuns(
      [
        { folder: at('a'), label: 'a' },
        { folder: at('b'), label: 'b' },
      ],
      { fraction: 0.05 },
    );
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const ofNeurons = ({ changes }: Comparison) =>
    changes.filter(
      ({ type, layer, language, group }) =>
        type === 'neuron' && layer === null && language === null && group === null,
    );

  test('of a run with itself finds no change, and with a margin that there is none', () => {
    for (const { test, measure, valueFrom } of ofNeurons(same)) {
      expect(test.finding, measure).not.toBe('changed');
      if (valueFrom !== null && valueFrom !== 0) expect(test.finding, measure).toBe('unchanged');
    }
    expect(same.tests).toMatchObject({ level: 0.05, margin: 0.1, exact: false });
    expect(same.tests.families.map(({ name, method }) => [name, method])).toEqual([
      ['headlines', 'holm'],
      ['parts', 'benjamini-hochberg'],
      ['trends', 'benjamini-hochberg'],
    ]);
  });

  test('finds that half of the planted units are gone, by exchange, and says so after correction', () => {
    const of = new Map(ofNeurons(planted).map((change) => [change.measure, change.test]));
    for (const measure of ['selected', 'jaccard'] as const) {
      expect(of.get(measure)).toMatchObject({ by: 'exchange', finding: 'changed' });
    }
    expect(of.get('mean_lape')!.by).toBe('jackknife');
    for (const { p, adjusted } of of.values()) if (p !== null) expect(adjusted).toBeGreaterThanOrEqual(p);
    const least = 1 / planted.tests.arrangements;
    expect(of.get('selected')!.p).toBeGreaterThanOrEqual(least);
  });

  test('with few folds tests nothing and makes no arrangement', async () => {
    const own = join(folder, 'few');
    await writeSyntheticRun(own, { layers: 1, neurons: 40, items: 18, folds: 9 });
    const { tests, changes } = await compareRuns([{ folder: own }, { folder: own }], { fraction: 0.1 });
    expect(tests.arrangements).toBe(0);
    for (const { test } of changes) expect(test.finding).toBe('not measured');
  });
});
