import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { VarianceScore } from '../../src/scores/definition.js';
import { SCORE_DEFINITIONS } from '../../src/scores/definitions/index.js';
import { scoreVariance } from '../../src/scores/engine/score-variance.js';
import { Draws } from '../../src/stats/sampling/random.js';
import { meanOverTokens } from '../../src/store/arrays/fold-sums.js';
import { type Calibration, calibrate } from '../../validation/calibration.js';
import { COVERED, type Covered } from '../../validation/coverage.js';
import { kolmogorovSmirnov } from '../../validation/kolmogorov-smirnov.js';
import type { Tested } from '../../validation/null-p-values.js';
import { massTruth, selectionTruth, simulateExperts } from '../../validation/simulated-experts.js';
import { meanOf, simulateLayer } from '../../validation/simulated-folds.js';
import { completeGrid } from '../../validation/simulated-grid.js';
import { sharesTruth, simulateUnit, unitTruth } from '../../validation/simulated-units.js';

const TWO_WAY = SCORE_DEFINITIONS.filter((one): one is VarianceScore => one.from === 'values');

// Slow because it simulates many units.

const COMMITTED = fileURLToPath(new URL('../../figures/validation/calibration.json', import.meta.url));
const PAGE = fileURLToPath(new URL('../../docs/verification.md', import.meta.url));

/** n evenly spread values, all shifted so that the largest distance to the uniform distribution is d. */
function shifted(n: number, d: number): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => (i + 0.5) / n + d - 0.5 / n);
}

test('Kolmogorov–Smirnov: D is the largest distance, p that of Smirnov’s table', () => {
  expect(kolmogorovSmirnov([0.5, 0.5, 0.5]).d).toBe(0.5);
  expect(kolmogorovSmirnov(shifted(10, 0.05)).d).toBeCloseTo(0.05, 12);
  const n = 400;
  const scale = Math.sqrt(n) + 0.12 + 0.11 / Math.sqrt(n);
  // Critical values of the limiting distribution (Smirnov, 1948).
  for (const [lambda, p] of [
    [1.2238, 0.1],
    [1.3581, 0.05],
    [1.6276, 0.01],
  ] as const) {
    expect(kolmogorovSmirnov(shifted(n, lambda / scale)).p).toBeCloseTo(p, 4);
  }
});

test('the truth of simulated units: closed forms where there are any, chance without an effect', () => {
  const { auroc, selectivity } = unitTruth({ items: 1, languages: 6, effect: 1, itemSpread: 1 });
  // Φ(1 / (√2 · √2)) from tables of the normal distribution.
  expect(auroc).toBeCloseTo(0.691462, 5);
  expect(selectivity).toBeCloseTo(Math.SQRT1_2, 12);
  const none = unitTruth({ items: 1, languages: 6, effect: 0, itemSpread: 1 });
  expect([none.ap, none.auroc, none.selectivity, none.mi]).toEqual([
    expect.closeTo(1 / 6, 6),
    expect.closeTo(0.5, 6),
    0,
    expect.closeTo(0, 6),
  ]);
});

test('the true shares of variance are what η² and ω² come to on average over many simulated units', () => {
  const model = { items: 30, languages: 3, effect: 1, itemSpread: 1 };
  const grid = completeGrid(30, 3, 5);
  const draws = new Draws(2);
  const units = 4000;
  const found = { eta2_language: 0, eta2_item: 0, omega2_language: 0, omega2_item: 0 };
  for (let u = 0; u < units; u++) {
    const block = { unitStart: 0, unitEnd: 1, values: simulateUnit(model, draws) };
    const scored = scoreVariance(block, grid, TWO_WAY, new Map());
    for (const name of Object.keys(found) as (keyof typeof found)[]) found[name] += scored[name]![0]! / units;
  }
  const truth = sharesTruth(model);
  // A share is a ratio: its mean is that of its parts but for a term of the order of 1/items.
  expect(found.eta2_language).toBeCloseTo(truth.eta2Language, 2);
  expect(found.eta2_item).toBeCloseTo(truth.eta2Item, 1);
  expect(found.omega2_language).toBeCloseTo(truth.omega2Language, 2);
  expect(found.omega2_item).toBeCloseTo(truth.omega2Item, 1);
  expect(truth.eta2Language - truth.omega2Language).toBeGreaterThan(0.01);
});

test('the true mean of a statistic is what infinitely many tokens add up to', async () => {
  const model = { items: 400, languages: 2, folds: 4, units: 5, effect: 0.7 };
  const layer = simulateLayer(model, new Draws(1));
  const tokens = await layer.readTokens();
  for (const name of ['mlp.fire', 'mlp.sum', 'head.norm.sum', 'head.pattern.first.sum'] as const) {
    const sums = await layer.readStatistic(name);
    const means = meanOverTokens(sums, tokens, model);
    for (const [k, effect] of [0.7, 0].entries()) {
      const mean = means.subarray(k * 5, k * 5 + 5).reduce((a, b) => a + b, 0) / 5;
      expect(mean, `${name} ${k}`).toBeCloseTo(meanOf(name, effect), 1);
    }
  }
  // Φ((0.7 − c) / s) of what fires 20 % of the time without an effect.
  expect(meanOf('mlp.fire', 0)).toBeCloseTo(0.2, 4);
  expect(meanOf('mlp.sum', 0.7)).toBeCloseTo(0.7, 9);
  // The mean of a log-normal: exp(μ/2 + s²/8).
  expect(meanOf('head.norm.sum', 0.7)).toBeCloseTo(Math.exp(0.35 + 1.25 / 8), 6);
});

test('a calibration counts how often intervals hold the truth, and is the same for the same seed', async () => {
  const first = await calibrate({ units: 3, sets: 2, seed: 4, effects: [0, 1] });
  expect(first.coverage).toHaveLength(2 * Object.keys(COVERED).length);
  for (const { units, covered, share, below, above } of first.coverage) {
    expect(units).toBe(3);
    expect(share).toBe(covered / 3);
    expect(share + below + above).toBeCloseTo(1, 12);
  }
  expect(first.uniformity.every(({ ecdf }) => ecdf.at(-1) === 1)).toBe(true);
  expect(await calibrate({ units: 3, sets: 2, seed: 4, effects: [0, 1] })).toEqual(first);
});

test('the true selection frequency and router mass are what infinitely many tokens add up to; of equal experts each has its part', async () => {
  const model = { items: 600, languages: 2, folds: 4, units: 6, effect: 0.7 };
  const layer = simulateExperts(model, new Draws(5));
  const tokens = await layer.readTokens();
  for (const [name, truth] of [
    ['expert.count', selectionTruth],
    ['expert.prob.sum', massTruth],
  ] as const) {
    const means = meanOverTokens(await layer.readStatistic(name), tokens, model);
    for (const [k, effect] of [0.7, 0].entries()) {
      const mean = means.subarray(k * 6, k * 6 + 6).reduce((a, b) => a + b, 0) / 6;
      expect(Math.abs(mean - truth(effect)), `${name} ${k}`).toBeLessThan(0.01);
    }
  }
  // Two of eight; a sigmoid is symmetric.
  expect(selectionTruth(0)).toBeCloseTo(2 / 8, 6);
  expect(massTruth(0)).toBeCloseTo(0.5, 9);
});

test('the true shares of variance hold where the first language is noisier too', () => {
  const model = { items: 40, languages: 3, effect: 1, itemSpread: 1, firstNoise: 3 };
  const grid = completeGrid(40, 3, 5);
  const draws = new Draws(3);
  const found = { eta2_language: 0, omega2_language: 0, omega2_item: 0 };
  for (let u = 0; u < 4000; u++) {
    const scored = scoreVariance(
      { unitStart: 0, unitEnd: 1, values: simulateUnit(model, draws) },
      grid,
      TWO_WAY,
      new Map(),
    );
    for (const name of Object.keys(found) as (keyof typeof found)[]) found[name] += scored[name]![0]! / 4000;
  }
  const truth = sharesTruth(model);
  expect(found.eta2_language).toBeCloseTo(truth.eta2Language, 2);
  expect(found.omega2_language).toBeCloseTo(truth.omega2Language, 2);
  expect(found.omega2_item).toBeCloseTo(truth.omega2Item, 1);
});

const committed = JSON.parse(readFileSync(COMMITTED, 'utf8')) as Calibration;
const outside = (share: number) => share < 0.93 || share > 0.97;

test('the committed calibration: every interval holds the truth in 93 to 97 %, p uniform, false discoveries at most nominal', () => {
  const { coverage, uniformity, falseDiscoveries } = committed;
  const effects = new Set(coverage.map(({ effect }) => effect));
  expect(coverage).toHaveLength(effects.size * Object.keys(COVERED).length);
  expect(coverage.filter(({ share }) => outside(share))).toEqual([]);
  expect(coverage.every(({ units }) => units >= 2000)).toBe(true);
  // One of six in a hundred calibrations lies below 0.01 / 6 by chance.
  for (const { test: name, p } of uniformity) expect(p, name).toBeGreaterThan(0.01 / 6);
  for (const { test: name, nominal, low } of falseDiscoveries) {
    expect(low, `${name} at ${nominal}`).toBeLessThanOrEqual(nominal);
  }
});

/** Rows of the tables of docs/verification.md. */
const SCORES: Readonly<Record<string, Covered>> = {
  'firing rate': 'rate',
  mean: 'mean',
  contrast: 'contrast',
  LAPE: 'lape',
  'head norm': 'headNorm',
  'pattern entropy': 'patternEntropy',
  'mass on the first token': 'patternFirst',
  'selection frequency of experts': 'expertFrequency',
  'router mass': 'expertMass',
  'LAPE of experts': 'expertLape',
  'exclusivity of experts': 'exclusivity',
  'ω² of language': 'omega2Language',
  'ω² of item': 'omega2Item',
  'η² of language': 'eta2Language',
  'vector share of language': 'vectorShareLanguage',
  selectivity: 'selectivity',
  AUROC: 'auroc',
  'average precision': 'ap',
  'mutual information': 'mi',
  overlap: 'overlap',
};
const TESTS: Readonly<Record<string, Tested>> = {
  'ω² of language': 'omega2',
  selectivity: 'selectivity',
  'highest selectivity': 'selectivityBest',
  AUROC: 'auroc',
  'average precision': 'ap',
  'mutual information': 'mi',
};

test('the calibration of docs/verification.md is the committed one', () => {
  const page = readFileSync(PAGE, 'utf8');
  const percent = (share: number) => (100 * share).toFixed(1);
  for (const [name, score] of Object.entries(SCORES)) {
    const shares = committed.coverage.filter((row) => row.score === score).map(({ share }) => share);
    expect(page).toContain(`| ${name} | ${shares.map(percent).join(' | ')} |`);
  }
  const within = (share: number, low: number, high: number) =>
    `${percent(share)} % (${percent(low)} to ${percent(high)})`;
  for (const [name, own] of Object.entries(TESTS)) {
    const { p, rejected, rejectedLow, rejectedHigh } = committed.uniformity.find((row) => row.test === own)!;
    const { realised, low, high } = committed.falseDiscoveries.find(
      (row) => row.test === own && row.nominal === 0.05,
    )!;
    const cells = [p.toFixed(2), within(rejected, rejectedLow, rejectedHigh), within(realised, low, high)];
    expect(page).toContain(`| ${name} | ${cells.join(' | ')} |`);
  }
});
