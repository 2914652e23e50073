import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { InterruptedError, RunError, UsageError } from '../../src/errors.js';
import { scoreRun } from '../../src/scores/engine/score-run.js';
import { HalfScores } from '../../src/scores/samples/half-scores.js';
import { randomHalves } from '../../src/stats/sampling/resampling.js';
import { spearman } from '../../src/stats/tests/spearman.js';
import { openSafetensors } from '../../src/store/files/safetensors.js';
import { readTable, type Table } from '../../src/store/files/table.js';
import { layerPath } from '../../src/store/run/run-folder.js';
import { temporaryFolder } from '../store/temporary-folder.js';
import { sealRun } from '../support/seal-run.js';
import { writeSyntheticRun } from '../support/synthetic-run.js';
import { type NamedArray, writeSafetensors } from '../support/write-safetensors.js';
import {
  type Expected,
  expectValues,
  readArray,
  reference,
  TAGS,
  writeReferenceRun,
} from './reference-run.js';

const SNAKE = {
  lape: 'lape',
  lapeSe: 'lape_se',
  lapeLow: 'lape_low',
  lapeHigh: 'lape_high',
  eta2Language: 'eta2_language',
  eta2Item: 'eta2_item',
  omega2Language: 'omega2_language',
  omega2Item: 'omega2_item',
} as const;

function rowsOf(table: Table, type: string, layer: number): number[] {
  const types = table.columns.get('type')!;
  const layers = table.columns.get('layer')!;
  return [...types.keys()].filter((row) => types[row] === type && layers[row] === layer);
}

function pick(table: Table, column: string, rows: readonly number[]): number[] {
  return rows.map((row) => table.columns.get(column)![row] as number);
}

test('units.parquet holds every unit’s scores as NumPy, SciPy and scikit-learn compute them', async () => {
  const run = await temporaryFolder();
  await writeReferenceRun(run);
  await scoreRun(run);
  const units = await readTable(join(run, 'units.parquet'));
  expect(units.rows).toBe(reference.layers * (reference.neurons + reference.heads));
  for (const type of ['neuron', 'head'] as const) {
    for (let layer = 0; layer < reference.layers; layer++) {
      const rows = rowsOf(units, type, layer);
      const expected = reference.expected[layer]![type];
      expect(pick(units, 'index', rows)).toEqual(rows.map((_, index) => index));
      for (const [name, column] of Object.entries(SNAKE)) {
        // Ends of intervals are kept in single precision.
        const tolerance = /(Se|Low|High)$/.test(name) ? 1e-6 : 1e-9;
        expectValues(pick(units, column, rows), expected[name as keyof typeof SNAKE], tolerance);
      }
      const best = rows.map((_, u) => Math.max(...expected.ap.map((byLanguage) => byLanguage[u]!)));
      expectValues(pick(units, 'ap_best', rows), best);
      const share = reference.expected[layer]!.head.vectorShareLanguage;
      expectValues(
        pick(units, 'vector_share_language', rows),
        type === 'head' ? share : rows.map(() => null),
      );
      expect(rows.map((row) => units.columns.get('dead')![row])).toEqual(
        rows.map((_, u) => expected.rate.every((byLanguage) => byLanguage[u] === 0)),
      );
    }
  }
});

test('unit_languages.parquet holds rate, share, mean, contrast and average precision of every unit and language', async () => {
  const run = await temporaryFolder();
  await writeReferenceRun(run);
  await scoreRun(run);
  const table = await readTable(join(run, 'unit_languages.parquet'));
  for (const type of ['neuron', 'head'] as const) {
    for (let layer = 0; layer < reference.layers; layer++) {
      const { rate, mean, ap } = reference.expected[layer]![type];
      const rows = rowsOf(table, type, layer);
      const columns = (values: readonly Expected[]) =>
        rows.map((_, i) => values[i % TAGS.length]![Math.floor(i / TAGS.length)]!);
      expect(rows.map((row) => table.columns.get('language')![row])).toEqual(
        rows.map((_, i) => TAGS[i % TAGS.length]),
      );
      expectValues(pick(table, 'rate', rows), columns(rate));
      expectValues(pick(table, 'mean', rows), columns(mean), 1e-9);
      expectValues(pick(table, 'ap', rows), columns(ap));
      expectValues(
        pick(table, 'ap_chance', rows),
        rows.map((_, i) => reference.chance[i % TAGS.length]!),
      );
      const shares = rate.map((byLanguage) =>
        byLanguage.map((value, u) => {
          const sum = rate.reduce((total, other) => total + other[u]!, 0);
          return sum === 0 ? null : value! / sum;
        }),
      );
      expectValues(pick(table, 'share', rows), columns(shares));
      const contrasts = mean.map((byLanguage, k) =>
        byLanguage.map((value, u) => {
          const others = mean.filter((_, other) => other !== k).map((other) => other[u]!);
          return value! - others.reduce((a, b) => a + b, 0) / others.length;
        }),
      );
      expectValues(pick(table, 'contrast', rows), columns(contrasts), 1e-9);
    }
  }
});

test('scores.json says what was counted, selected and left out, and tables say what they are', async () => {
  const run = await temporaryFolder();
  await writeReferenceRun(run);
  const summary = await scoreRun(run, { seed: 3 });
  expect(JSON.parse(await readFile(join(run, 'scores.json'), 'utf8'))).toMatchObject({ ...summary });
  expect(summary).toMatchObject({ seed: 3, splits: 50, folds: 6, items: 30, completeItems: 28, skipped: [] });
  const neurons = summary.units.find(({ type }) => type === 'neuron')!;
  const dead = reference.expected
    .flatMap(({ neuron }) => neuron.lape)
    .filter((value) => value === null).length;
  expect(dead).toBeGreaterThan(0);
  expect(neurons).toMatchObject({ layers: 2, units: 120, dead });
  expect(neurons.tang2024).toMatchObject({ fraction: 0.01, selected: 1 });
  expect(neurons.tang2024!.bar).toBeCloseTo(reference.tang2024.bar, 12);
  const units = await readTable(join(run, 'units.parquet'));
  expect(units.metadata).toMatchObject({ schema: 'babelscope/units', schema_version: '5', seed: '3' });
  expect(JSON.parse(units.metadata.columns!)).toHaveProperty('lape_se');
  const selected = units.columns.get('selected_tang2024')!.filter((tags) => tags !== '' && tags !== null);
  // 1 % of 120 neurons is one; 1 % of 6 heads is none.
  expect(selected).toHaveLength(1);
});

test('reliability is Spearman’s correlation over units of the score on two halves of the folds, mean over splits', () => {
  const splits = randomHalves(4, 2, 0);
  const half = new HalfScores(splits, Uint32Array.of(1, 3, 4, 6));
  const values = [
    [1, 2, 3, 4],
    [1, 3, 2, 4],
    [4, 3, 2, 1],
    [1, 2, 4, 3],
  ];
  values.forEach((row, i) => {
    const byUnit = new Float64Array(8);
    [1, 3, 4, 6].forEach((unit, p) => {
      byUnit[unit] = row[p]!;
    });
    half.setUnits(i >> 1, i % 2, 0, byUnit.subarray(0, 4));
    half.setUnits(i >> 1, i % 2, 4, byUnit.subarray(4));
  });
  const expected = (spearman(values[0]!, values[1]!) + spearman(values[2]!, values[3]!)) / 2;
  const { units, halves, stepUp } = half.reliability();
  expect(units).toBe(4);
  expect(halves).toBeCloseTo(expected, 12);
  expect(stepUp).toBeCloseTo((2 * expected) / (1 + expected), 12);
});

test('scores that follow the model are reliable; every score has a reliability', async () => {
  const run = await temporaryFolder();
  await writeSyntheticRun(run, { items: 80, neurons: 120 });
  const { reliability } = await scoreRun(run, { splits: 10 });
  const of = (type: string, score: string) =>
    reliability.find((row) => row.type === type && row.score === score)!;
  const shared = [
    ...['rate', 'mean', 'contrast', 'lape', 'gini', 'ap', 'ap_best', 'auroc'],
    ...['eta2_language', 'eta2_item', 'omega2_language', 'omega2_item', 'selectivity', 'mi', 'overlap'],
  ];
  expect(reliability.map(({ type, score }) => `${type} ${score}`)).toEqual([
    ...shared.map((score) => `neuron ${score}`),
    ...[...shared, 'vector_share_language', 'vector_share_item'].map((score) => `head ${score}`),
  ]);
  for (const score of shared) {
    const { halves, stepUp, units } = of('neuron', score);
    expect(units).toBe(480);
    expect(halves).toBeGreaterThan(0.1);
    expect(stepUp).toBeGreaterThan(halves!);
  }
  expect(of('neuron', 'ap').halves).toBeGreaterThan(0.8);
});

test('reliability of a rate is that of its halves by plain sums, mean over languages and splits', async () => {
  const run = await temporaryFolder();
  await writeReferenceRun(run);
  const { reliability } = await scoreRun(run, { splits: 4, seed: 9 });
  const [fire, tokens] = [
    await Promise.all(reference.expected.map((_, layer) => readArray(layer, 'mlp.fire'))),
    await readArray(0, 'tokens'),
  ];
  const K = TAGS.length;
  const rates = (chosen: readonly number[], k: number) =>
    fire.flatMap((own) =>
      Array.from({ length: reference.neurons }, (_, u) => {
        const counted = chosen.reduce((sum, f) => sum + tokens[f * K + k]!, 0);
        return chosen.reduce((sum, f) => sum + own[(f * K + k) * reference.neurons + u]!, 0) / counted;
      }),
    );
  const correlations = randomHalves(reference.folds, 4, 9).flatMap(({ first, second }) =>
    TAGS.map((_, k) => spearman(rates(first, k), rates(second, k))),
  );
  const expected = correlations.reduce((sum, r) => sum + r, 0) / correlations.length;
  const row = reliability.find(({ type, score }) => type === 'neuron' && score === 'rate')!;
  expect(row.units).toBe(120);
  expect(row.halves).toBeCloseTo(expected, 12);
});

test('a run without pooled values gives LAPE alone and says what it cannot give, and why', async () => {
  const run = await temporaryFolder();
  await writeSyntheticRun(run, { keep: 'folds', layers: 2, neurons: 20 });
  const { skipped, reliability, completeItems } = await scoreRun(run, { splits: 5 });
  const needItems = ['ap', 'auroc', 'twoWay', 'selectivity', 'mi', 'overlap'];
  expect(skipped.map(({ type, score }) => `${type} ${score}`)).toEqual([
    ...needItems.map((score) => `neuron ${score}`),
    ...[...needItems, 'vectorShare'].map((score) => `head ${score}`),
  ]);
  expect(skipped[0]!.reason).toContain('--keep items');
  expect(completeItems).toBeNull();
  expect(reliability.map(({ type, score }) => `${type} ${score}`)).toEqual([
    ...['rate', 'mean', 'contrast', 'lape', 'gini'].map((score) => `neuron ${score}`),
    ...['rate', 'mean', 'contrast', 'lape', 'gini'].map((score) => `head ${score}`),
  ]);
  const units = await readTable(join(run, 'units.parquet'));
  expect(units.columns.get('ap_best')!.every((value) => Number.isNaN(value))).toBe(true);
  expect(units.columns.get('lape')!.every((value) => Number.isFinite(value))).toBe(true);
});

test('only the scores asked for are computed; an unknown one is refused with the list', async () => {
  const run = await temporaryFolder();
  await writeSyntheticRun(run, { layers: 1, neurons: 20 });
  const { reliability, units } = await scoreRun(run, { scores: ['ap'], splits: 3 });
  const given = ['rate', 'mean', 'contrast', 'ap', 'ap_best'];
  expect(new Set(reliability.map(({ score }) => score))).toEqual(new Set(given));
  expect(units.every(({ tang2024 }) => tang2024 === null)).toBe(true);
  await expect(scoreRun(run, { scores: ['lape', 'lap'] })).rejects.toThrow(UsageError);
  await expect(scoreRun(run, { scores: ['lap'] })).rejects.toThrow(
    /lape, gini, exclusivity, ap, auroc, twoWay/,
  );
});

test('a language without a counted token is an error that names it', async () => {
  const run = await temporaryFolder();
  await writeSyntheticRun(run, { layers: 1, neurons: 8 });
  await replaceArray(run, 'tokens', (values) => values.map((value, i) => (i % 4 === 2 ? 0 : value)));
  await expect(scoreRun(run)).rejects.toThrow(RunError);
  await expect(scoreRun(run)).rejects.toThrow(/no token was counted in fr/);
});

test('without an item that every language has there is no two-way decomposition, and the reason is said; all else is there', async () => {
  const run = await temporaryFolder();
  await writeSyntheticRun(run, { layers: 1, neurons: 8, items: 20, heads: 2 });
  // Item i lacks language i mod 4; an item's value in a language is [item, language, head].
  await replaceArray(run, 'head.norm.items', (values) =>
    values.map((value, i) => ((i >> 3) % 4 === (i >> 1) % 4 ? Number.NaN : value)),
  );
  const { skipped, completeItems } = await scoreRun(run);
  expect(completeItems).toBe(0);
  expect(skipped.map(({ type, score }) => `${type} ${score}`)).toEqual([
    'neuron twoWay',
    'head twoWay',
    'head vectorShare',
  ]);
  expect(skipped[0]!.reason).toBe('fewer than two items have every language (0)');
  const units = await readTable(join(run, 'units.parquet'));
  for (const column of ['ap_best', 'auroc_best', 'selectivity_best', 'mi', 'overlap', 'lape']) {
    expect(units.columns.get(column)!.every((value) => Number.isFinite(value))).toBe(true);
  }
  expect(units.columns.get('eta2_item')!.every((value) => Number.isNaN(value))).toBe(true);
});

test('AP, AUROC, selectivity, mutual information and overlap need no full grid: what is there is scored, as by scikit-learn', async () => {
  const run = await temporaryFolder();
  await writeReferenceRun(run);
  const { absent, ...expected } = reference.sparse;
  const lacks = new Set(absent.map(([item, k]) => item * TAGS.length + k));
  const blank = (values: Stored, nothing: number) => {
    const perCell = values.length / (reference.items * TAGS.length);
    return values.map((value, at) => (lacks.has(Math.floor(at / perCell)) ? nothing : value));
  };
  for (let layer = 0; layer < reference.layers; layer++) {
    // 0x7e00 is half precision's NaN.
    await replaceArray(run, 'mlp.items', (values) => blank(values, 0x7e00), layer);
    await replaceArray(run, 'head.items', (values) => blank(values, 0x7e00), layer);
    await replaceArray(run, 'head.norm.items', (values) => blank(values, Number.NaN), layer);
  }
  const { skipped, completeItems, reliability } = await scoreRun(run, {
    uncertainty: 'full',
    draws: 60,
    permutations: 20,
  });
  expect(completeItems).toBe(0);
  expect(new Set(skipped.map(({ score }) => score))).toEqual(new Set(['twoWay', 'vectorShare']));
  const table = await readTable(join(run, 'unit_languages.parquet'));
  const rows = rowsOf(table, 'neuron', 0);
  for (const name of ['ap', 'auroc', 'selectivity', 'overlap'] as const) {
    const answers = rows.map((_, i) => expected[name][i % TAGS.length]![Math.floor(i / TAGS.length)]!);
    expectValues(pick(table, name, rows), answers, 1e-7);
  }
  const units = await readTable(join(run, 'units.parquet'));
  expectValues(pick(units, 'mi', rowsOf(units, 'neuron', 0)), expected.mi);
  // A third of the draws have none of the one item in French: no interval, rather than one of the others.
  const french = rows.filter((row) => table.columns.get('language')![row] === 'fr');
  const english = rows.filter((row) => table.columns.get('language')![row] === 'en');
  for (const name of ['ap_se', 'ap_low', 'ap_high', 'auroc_se']) {
    expectValues(
      pick(table, name, french),
      french.map(() => null),
    );
    expect(pick(table, name, english).every((value) => !Number.isNaN(value))).toBe(true);
  }
  // Halves of the folds are without French in turn; a correlation that exists in no split is null.
  expect(reliability.find(({ type, score }) => type === 'neuron' && score === 'selectivity')).toMatchObject({
    halves: null,
    stepUp: null,
  });
});

test('a language without a pooled value is an error that names it', async () => {
  const run = await temporaryFolder();
  await writeSyntheticRun(run, { layers: 1, neurons: 8, items: 20, heads: 2 });
  await replaceArray(run, 'head.norm.items', (values) =>
    values.map((value, i) => ((i >> 1) % 4 === 1 ? Number.NaN : value)),
  );
  await expect(scoreRun(run)).rejects.toThrow(/no token was counted in de/);
});

test('a single fold has no interval and no reliability', async () => {
  const run = await temporaryFolder();
  await writeSyntheticRun(run, { layers: 1, neurons: 8, folds: 1, items: 10 });
  const { reliability, folds, splits } = await scoreRun(run);
  expect([folds, splits, reliability]).toEqual([1, 0, []]);
  const units = await readTable(join(run, 'units.parquet'));
  expect(units.columns.get('lape_se')!.every((value) => Number.isNaN(value))).toBe(true);
});

test('aborting stops with InterruptedError and writes nothing; progress counts layers', async () => {
  const run = await temporaryFolder();
  await writeSyntheticRun(run, { layers: 3, neurons: 20 });
  const stop = new AbortController();
  const seen: number[] = [];
  const scoring = scoreRun(run, {
    signal: stop.signal,
    onProgress: ({ done, layers }) => {
      seen.push(done);
      expect(layers).toBe(3);
      if (done === 2) stop.abort();
    },
  });
  await expect(scoring).rejects.toThrow(InterruptedError);
  expect(seen).toEqual([1, 2]);
  await expect(readFile(join(run, 'units.parquet'))).rejects.toThrow();
});

type Stored = Uint32Array | Uint16Array | Float32Array;

async function replaceArray(run: string, name: string, change: (values: Stored) => Stored, layer = 0) {
  const path = layerPath(run, layer);
  const file = await openSafetensors(path);
  const arrays: NamedArray[] = [];
  for (const [own, { dtype, shape }] of file.arrays) {
    const data = await file.read(own);
    const kept = own === name ? change(data as Stored) : data;
    arrays.push({ name: own, dtype, shape, data: kept } as NamedArray);
  }
  await file.close();
  await writeSafetensors(path, arrays);
  await sealRun(run);
}
