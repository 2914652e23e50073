import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { compareRuns } from '../../src/compare/compare-runs.js';
import { clusterGroups } from '../../src/compare/inputs/clusters.js';
import { planItems } from '../../src/compare/plan.js';
import { clusterTest, differingFindings } from '../../src/compare/populations.js';
import { clusterMean, Draws, minimumDetectable, studentTQuantile } from '../../src/stats/index.js';
import type { RunManifest } from '../../src/store/index.js';
import { writeSyntheticRun } from '../support/synthetic-run.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'babelscope-populations-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

/** Items in clusters by relation, as the probe set would name them. */
const inClusters = (clusters: number, more: Partial<RunManifest['plan']> = {}) => ({
  manifest: (manifest: RunManifest): RunManifest => {
    const names = Array.from({ length: clusters }, (_, c) => `r${c}`);
    const of = manifest.plan.items.map((_, i) => Math.floor((i * clusters) / manifest.plan.items.length));
    return { ...manifest, plan: { ...manifest.plan, clusters: [{ by: 'relation', names, of }], ...more } };
  },
});

describe('groups of clusters', () => {
  const plan = (of: (number | null)[], foldsBy?: string): RunManifest['plan'] =>
    ({
      items: of.map((_, i) => ({ id: `i${i}`, fold: 0 })),
      clusters: [{ by: 'relation', names: [...new Set(of)].filter((c) => c !== null).map(String), of }],
      ...(foldsBy !== undefined && { foldsBy }),
    }) as unknown as RunManifest['plan'];

  it('are the clusters where there are few, and an item of none is its own', () => {
    const groups = clusterGroups(plan([0, 0, 1, 1, null]))!;
    expect(groups).toMatchObject({ by: 'relation', clusters: 3, groups: 3 });
    const [a, b, c, d, e] = groups.groupOf;
    expect([a === b, c === d, new Set([a, c, e]).size]).toEqual([true, true, 3]);
  });

  it('are thirty of many, none of which is split', () => {
    const of = Array.from({ length: 500 }, (_, i) => (i * i) % 97);
    const names = [...new Set(of)];
    const groups = clusterGroups(plan(of.map((c) => names.indexOf(c))))!;
    expect(groups.groups).toBe(30);
    for (const name of names) {
      expect(new Set(groups.groupOf.filter((_, i) => of[i] === name)).size).toBe(1);
    }
  });

  it('are none of items that each stand alone, of one cluster, and where folds are clusters', () => {
    expect(clusterGroups(plan([0, 1, 2]))).toBeNull();
    expect(clusterGroups(plan([0, 0, 0]))).toBeNull();
    expect(clusterGroups(plan([0, 0, 1, 1], 'relation'))).toBeNull();
  });
});

test('of clusters of one size the test of a mean is the t test with CR2 errors', () => {
  const random = new Draws(5);
  for (const groups of [5, 10, 30]) {
    const sums = Array.from({ length: groups }, () => random.uniform() * 3 - 1);
    const total = sums.reduce((a, b) => a + b);
    const members = 4;
    const mean = total / (groups * members);
    const without = sums.map((sum) => (total - sum) / ((groups - 1) * members));
    const expected = clusterMean({ sizes: sums.map(() => members), sums });
    const { p, low, high } = clusterTest(mean, without, { by: 'relation', groups });
    expect(p).toBeCloseTo(expected.p, 10);
    expect(low).toBeCloseTo(expected.low, 10);
    expect(high).toBeCloseTo(expected.high, 10);
  }
});

test('four clusters, or a number that never varied, give no finding', () => {
  expect(clusterTest(1, [1, 2, 1, 2], { by: 'relation', groups: 4 })).toMatchObject({
    finding: 'not measured',
    note: '4 clusters; a test needs 5',
  });
  const still = clusterTest(-0.6, new Array(7).fill(-0.6), { by: 'relation', groups: 7 });
  expect(still).toMatchObject({ finding: 'not measured', p: null, low: null });
});

test('findings are said to be about more items of the same clusters, and means are asked of other ones', async () => {
  await writeSyntheticRun(at('a'), { folds: 20, ...inClusters(8) });
  await writeSyntheticRun(at('b'), { folds: 20, model: 2, ...inClusters(8) });
  const { changes, population } = await compareRuns([
    { folder: at('a'), label: 'a' },
    { folder: at('b'), label: 'b' },
  ]);
  expect(population).toMatchObject({ foldsBy: null, clusters: { by: 'relation', count: 8, groups: 8 } });
  expect(population!.words[0]).toMatch(/^Findings are about more items of the same 8 clusters by relation\./);
  expect(population!.words[1]).toMatch(/--folds-by relation/);
  const asked = new Set(
    changes.filter(({ clusters }) => clusters !== undefined).map(({ measure }) => measure),
  );
  expect([...asked]).toEqual(['mean_omega2_language']);
  for (const { clusters, change } of changes) {
    if (clusters?.p == null) continue;
    expect(clusters.low!).toBeLessThan(change.value!);
    expect(clusters.high!).toBeGreaterThan(change.value!);
    expect(clusters.adjusted!).toBeGreaterThanOrEqual(clusters.p);
  }
});

test('a change that one cluster alone makes is changed for more of its items, not for other clusters, and the first line says so', async () => {
  // In one run of two the items of the first of six clusters have lost what their languages share.
  const residual = (lost: number) => () => {
    const draws = new Draws(7);
    const values = new Float32Array(120 * 4 * 24);
    for (let i = 0; i < 120; i++) {
      const shared = Array.from({ length: 24 }, () => draws.gaussian());
      for (let at = 0; at < 4 * 24; at++)
        values[i * 4 * 24 + at] = (i < lost ? 0 : shared[at % 24]!) + 0.3 * draws.gaussian();
    }
    return values;
  };
  const options = { folds: 20, items: 120, layers: 2, ...inClusters(6) };
  await writeSyntheticRun(at('whole'), { ...options, residual: residual(0) });
  await writeSyntheticRun(at('part'), { ...options, residual: residual(20) });
  const { changes, population } = await compareRuns([
    { folder: at('whole'), label: 'whole' },
    { folder: at('part'), label: 'part' },
  ]);
  const differing = differingFindings(changes);
  expect(differing.map(({ test, clusters }) => [test.finding, clusters!.finding])).toContainEqual([
    'changed',
    'undecided',
  ]);
  expect(population!.words[0]).toMatch(
    /With another relation .* findings would be another one: .*undecided instead of changed/,
  );
});

test('where folds are clusters all findings are about other clusters', async () => {
  await writeSyntheticRun(at('by'), { folds: 20, ...inClusters(20, { foldsBy: 'relation' }) });
  const { changes, population } = await compareRuns([{ folder: at('by') }, { folder: at('by') }]);
  expect(population).toMatchObject({ foldsBy: 'relation', clusters: null });
  expect(population!.words).toEqual([
    'Findings are about other items with another relation: the 20 folds are clusters by relation.',
  ]);
  expect(changes.every(({ clusters }) => clusters === undefined)).toBe(true);
});

describe('a plan', () => {
  it("asks for the items whose error lets the change be found, from the pilot's", async () => {
    await writeSyntheticRun(at('pilot'), { folds: 20, ...inClusters(8) });
    await writeSyntheticRun(at('other'), { folds: 20, noise: 2, ...inClusters(8) });
    const plan = await planItems(at('pilot'), { against: at('other'), detect: 0.1, power: 0.9 });
    expect(plan).toMatchObject({
      items: 40,
      folds: 20,
      paired: true,
      clusters: { by: 'relation', count: 8 },
    });
    const measured = plan.measures.filter(({ items }) => items !== null);
    expect(measured.length).toBeGreaterThan(2);
    for (const { se, detect, items, detectable } of measured) {
      const found = (n: number) =>
        minimumDetectable(se! * Math.sqrt(40 / n), Math.min(n, 20) - 1, { power: 0.9, level: 0.05 });
      expect(found(items!)).toBeLessThanOrEqual(detect!);
      expect(items).toBeGreaterThanOrEqual(10);
      if (items! > 10) expect(found(items! - 1)).toBeGreaterThan(detect!);
      expect(detectable).toBeCloseTo(found(40), 10);
    }
    expect(plan.measures.find(({ measure }) => measure === 'mean_omega2_language')!.clusters).toBeGreaterThan(
      2,
    );
  });

  it('from one run supposes that the other shares nothing with it', async () => {
    const { measures, paired } = await planItems(at('pilot'), { detect: 0.1 });
    expect(paired).toBe(false);
    const { levels } = await compareRuns([{ folder: at('pilot') }, { folder: at('pilot') }]);
    const { value } = levels.find(({ measure, type }) => measure === 'mean_lape' && type === 'neuron')!;
    const { se } = measures.find(({ measure, type }) => measure === 'mean_lape' && type === 'neuron')!;
    expect(se).toBeCloseTo((Math.SQRT2 * (value.value! - value.low!)) / studentTQuantile(0.975, 19), 10);
  });
});
