import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { lape, selectReference, tang2024Units, twoWay, twoWaySums } from '../../src/scores/index.js';
import { summarise } from '../../src/scores/selection/rate-summary.js';
import { Draws } from '../../src/stats/sampling/random.js';
import { clusterCoverage } from '../../validation/cluster-coverage.js';
import type { ItemSums } from '../../validation/item-sums.js';
import { PseudoRuns, selectedBy } from '../../validation/pseudo-run.js';
import { verdictsOf } from '../../validation/verdict-rules.js';
import type { VerdictValidation } from '../../validation/verdicts-figure.js';

const COMMITTED = fileURLToPath(new URL('../../figures/validation/verdicts.json', import.meta.url));
const [ITEMS, LANGUAGES, UNITS] = [40, 3, 800];

function simulate(seed: number, loud = 1): ItemSums {
  const draws = new Draws(seed);
  const tokens = Uint16Array.from({ length: ITEMS * LANGUAGES }, () => 10 + Math.floor(20 * draws.uniform()));
  const rate = Float64Array.from({ length: LANGUAGES * UNITS }, () => draws.uniform() ** (2 * loud));
  const fire = new Uint16Array(ITEMS * LANGUAGES * UNITS);
  const pooled = new Float32Array(fire.length);
  for (let at = 0; at < fire.length; at++) {
    const cell = Math.floor(at / UNITS);
    const of = (cell % LANGUAGES) * UNITS + (at % UNITS);
    fire[at] = Math.round(tokens[cell]! * Math.min(1, rate[of]! * 2 * draws.uniform()));
    pooled[at] = rate[of]! + draws.gaussian();
  }
  return { items: ITEMS, languages: LANGUAGES, units: UNITS, fire, tokens, pooled };
}

function sumOf(rows: readonly Float32Array[]): Float64Array {
  const sum = new Float64Array(rows[0]!.length);
  for (const row of rows) for (let at = 0; at < sum.length; at++) sum[at]! += row[at]!;
  return sum;
}

describe('simulated runs', () => {
  const sums = simulate(1);
  const runs = new PseudoRuns(sums, 100_000);
  const profile = runs.profile(sumOf(runs.itemRows(sums)));

  test('entropies, bar, cut and selection are the product’s', () => {
    const rates = Float64Array.from({ length: LANGUAGES * UNITS }, (_, at) => {
      const k = Math.floor(at / UNITS);
      let [fired, all] = [0, 0];
      for (let item = 0; item < ITEMS; item++) {
        fired += sums.fire[(item * LANGUAGES + k) * UNITS + (at % UNITS)]!;
        all += sums.tokens[item * LANGUAGES + k]!;
      }
      return fired / all;
    });
    const entropies = lape(rates, LANGUAGES);
    for (const [u, own] of entropies.entries()) expect(profile.entropies[u]).toBeCloseTo(own, 10);
    const cut = tang2024Units(summarise(rates, entropies, LANGUAGES));
    expect(profile.bar).toBeCloseTo(cut.bar, 12);
    expect(profile.cut).toBeCloseTo(cut.entropyCut, 10);
    const { selected } = selectReference(rates, entropies, LANGUAGES, cut);
    expect(selectedBy(profile, { bar: cut.bar, cut: cut.entropyCut + 1e-12 })).toEqual(selected);
    expect(profile.meanEntropy).toBeCloseTo(entropies.reduce((sum, h) => sum + h, 0) / UNITS, 10);
  });

  test('mean ω² is the product’s, over every fourth unit', () => {
    const row = (item: number, k: number) =>
      sums.pooled.subarray((item * LANGUAGES + k) * UNITS, (item * LANGUAGES + k + 1) * UNITS);
    const items = Array.from({ length: ITEMS }, (_, item) => item);
    const { omega2Language } = twoWay(
      twoWaySums(row, items, new Array(ITEMS).fill(0), { folds: 1, languages: LANGUAGES, units: UNITS }),
    );
    const every = omega2Language.filter((_, u) => u % 4 === 0);
    expect(profile.meanOmega2).toBeCloseTo(every.reduce((sum, one) => sum + one, 0) / every.length, 6);
  });

  test('a run against itself is called changed by no rule; a run of other rates by all', () => {
    const folds = (of: ItemSums) => {
      const rows = new PseudoRuns(of, 100_000).itemRows(of);
      const all = new Float64Array(20 * runs.width);
      for (const [item, row] of rows.entries()) {
        for (let at = 0; at < row.length; at++) all[(item % 20) * runs.width + at]! += row[at]!;
      }
      return all;
    };
    const own = folds(sums);
    const same = verdictsOf(runs, own, own, { draws: 119, seed: 1 });
    expect(Object.values(same.called).flatMap((of) => Object.values(of))).not.toContain(true);
    const { called } = verdictsOf(runs, own, folds(simulate(2, 3)), { draws: 119, seed: 1 });
    expect(called.meanEntropy).toEqual({
      floor: true,
      jackknife: true,
      halfSample: true,
      exchangeOneCut: true,
      exchange: true,
    });
    expect(called.jaccard.exchange).toBe(true);
  });
});

test('the same seed simulates the same clusters', () => {
  expect(clusterCoverage(1, 1)).toEqual(clusterCoverage(1, 1));
});

describe.skipIf(!existsSync(COMMITTED))('what was measured', () => {
  const read = (): VerdictValidation => JSON.parse(readFileSync(COMMITTED, 'utf8'));

  test('the rule of a verdict calls nothing changed in about 5 %: its interval holds 5 % or less', () => {
    const nulls = read().points.filter(({ isNull }) => isNull);
    expect(nulls.length).toBeGreaterThan(10);
    for (const { measure, called } of nulls) {
      const rule =
        measure === 'meanEntropy' || measure === 'meanOmega2' ? called.jackknife! : called.exchange!;
      expect(rule.low).toBeLessThanOrEqual(0.05);
    }
  });

  test('intervals of counts hold 93 to 97 % of the truths, those of Jaccard and D no less', () => {
    const held = (measure: string) => {
      const own = read().points.filter((point) => point.measure === measure);
      const trials = own.reduce((sum, { repetitions }) => sum + repetitions, 0);
      return (
        own.reduce((sum, { coverage, repetitions }) => sum + coverage.halfSample.share * repetitions, 0) /
        trials
      );
    };
    expect(held('selected')).toBeGreaterThan(0.93);
    expect(held('selected')).toBeLessThan(0.97);
    for (const measure of ['jaccard', 'depthDistance']) expect(held(measure)).toBeGreaterThan(0.93);
  });

  test('exchange under both cuts finds more than under one, and no rule of that level finds more of all changes', () => {
    const found = (measure: string, rule: 'exchange' | 'exchangeOneCut' | 'halfSample' | 'floor') => {
      const own = read().points.filter((point) => point.measure === measure && !point.isNull);
      return own.reduce((sum, { called }) => sum + called[rule]!.share, 0) / own.length;
    };
    expect(found('selected', 'exchange')).toBeGreaterThan(found('selected', 'exchangeOneCut') + 0.1);
    expect(found('selected', 'exchange')).toBeGreaterThan(found('selected', 'halfSample'));
    expect(found('depthDistance', 'exchange')).toBeGreaterThan(found('depthDistance', 'exchangeOneCut'));
    expect(found('selected', 'floor')).toBeLessThan(0.1);
  });

  test('t with the CR2 error holds the mean in 93 % and more of normal clusters, five as well as thirty', () => {
    const normal = read().clusters.filter(({ spread }) => spread === 'normal');
    expect(normal.map((of) => of.clusters)).toEqual([5, 5, 10, 10, 30, 30]);
    for (const { coverage } of normal) {
      expect(coverage.CR2.high).toBeGreaterThan(0.93);
      expect(coverage['members as independent'].high).toBeLessThan(0.8);
    }
  });
});
