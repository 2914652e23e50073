import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exclusivity } from '../../src/scores/definitions/exclusivity.js';
import { lape } from '../../src/scores/definitions/lape.js';
import { scoreRun } from '../../src/scores/engine/score-run.js';
import { selectTang2024 } from '../../src/scores/selection/policies.js';
import { languagesOf } from '../../src/scores/selection/selection.js';
import type { ScoreSummary } from '../../src/scores/tables/summary.js';
import { meanOverTokens } from '../../src/store/arrays/fold-sums.js';
import { unitLayout } from '../../src/store/arrays/unit-layout.js';
import { readTable, type Table } from '../../src/store/files/table.js';
import { openRun } from '../../src/store/run/open-run.js';
import { experts, writeExpertRun } from './expert-run.js';
import { type Expected, type ExpectedByLanguage, expectValues, TAGS } from './reference-run.js';

const K = TAGS.length;
const NEURONS = experts.experts * experts.width + experts.shared;
/** Ends of intervals are kept in single precision. */
const SINGLE = 1e-6;
const ENDS = ['value', 'se', 'low', 'high'] as const;

let folder: string;
let summary: ScoreSummary;
let units: Table;
let languages: Table;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'babelscope-experts-'));
  await writeExpertRun(folder);
  summary = await scoreRun(folder, { splits: 10 });
  units = await readTable(join(folder, 'units.parquet'));
  languages = await readTable(join(folder, 'unit_languages.parquet'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function rowsOf(table: Table, type: string, layer: number): number[] {
  const [types, layers] = [table.columns.get('type')!, table.columns.get('layer')!];
  return [...types.keys()].filter((row) => types[row] === type && layers[row] === layer);
}

function column(table: Table, name: string, rows: readonly number[]): number[] {
  return rows.map((row) => table.columns.get(name)![row] as number);
}

/** [language][unit] as rows of unit_languages.parquet run. */
function byRow(values: ExpectedByLanguage): Expected {
  return values[0]!.flatMap((_, unit) => values.map((ofLanguage) => ofLanguage[unit]!));
}

const named = (name: string, end: (typeof ENDS)[number]) => (end === 'value' ? name : `${name}_${end}`);

test('experts: selection frequency, router mass, LAPE, exclusivity and item scores of router probabilities are those of NumPy, SciPy and scikit-learn', () => {
  for (const layer of [1, 2]) {
    const expected = experts.expected[layer]!.expert!;
    const rows = rowsOf(units, 'expert', layer);
    expect(column(units, 'index', rows)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(column(units, 'expert', rows)).toEqual([0, 1, 2, 3, 4, 5]);
    const inLanguages = rowsOf(languages, 'expert', layer);
    for (const end of ENDS) {
      for (const name of ['lape', 'exclusivity'] as const) {
        expectValues(column(units, named(name, end), rows), expected[name][end], SINGLE);
      }
      for (const name of ['rate', 'mean'] as const) {
        expectValues(column(languages, named(name, end), inLanguages), byRow(expected[name][end]), SINGLE);
      }
    }
    for (const name of ['ap', 'auroc', 'selectivity', 'overlap'] as const) {
      expectValues(column(languages, name, inLanguages), byRow(expected[name]), 1e-7);
    }
    for (const [name, own] of [
      ['mi', 'mi'],
      ['overlap', 'overlapMean'],
      ['eta2_language', 'eta2Language'],
      ['eta2_item', 'eta2Item'],
      ['omega2_language', 'omega2Language'],
      ['omega2_item', 'omega2Item'],
    ] as const) {
      expectValues(column(units, name, rows), expected[own], 1e-7);
    }
  }
});

test('a layer without experts has no rows of them; an expert that is never chosen is dead and has no LAPE and no exclusivity', () => {
  expect(rowsOf(units, 'expert', 0)).toEqual([]);
  expect(summary.units.find(({ type }) => type === 'expert')).toMatchObject({
    layers: 2,
    units: 12,
    dead: 2,
  });
  const row = rowsOf(units, 'expert', 1)[experts.never]!;
  expect(units.columns.get('dead')![row]).toBe(true);
  for (const name of ['lape', 'lape_se', 'exclusivity', 'exclusivity_low']) {
    expect(units.columns.get(name)![row]).toBeNaN();
  }
  expect(units.columns.get('top_language')![row]).toBeNull();
});

test('a neuron of an expert is averaged over the tokens routed to it, one of a shared expert over all', () => {
  for (let layer = 0; layer < experts.layers; layer++) {
    const { neuron } = experts.expected[layer]!;
    const rows = rowsOf(units, 'neuron', layer);
    expect(rows).toHaveLength(layer === 0 ? experts.dense : NEURONS);
    const inLanguages = rowsOf(languages, 'neuron', layer);
    for (const end of ENDS) {
      expectValues(column(units, named('lape', end), rows), neuron.lape[end], SINGLE);
      for (const name of ['rate', 'mean', 'contrast'] as const) {
        expectValues(column(languages, named(name, end), inLanguages), byRow(neuron[name][end]), SINGLE);
      }
    }
  }
});

test('a language that never reaches an expert has no rate in its neurons, and they no LAPE: NaN, not 0', () => {
  const of = (expert: number) => {
    const first = rowsOf(units, 'neuron', 1)[expert * experts.width + 1]!;
    const rates = rowsOf(languages, 'neuron', 1).slice((expert * experts.width + 1) * K);
    return {
      lape: units.columns.get('lape')![first],
      lapeSe: units.columns.get('lape_se')![first],
      dead: units.columns.get('dead')![first],
      rates: column(languages, 'rate', rates.slice(0, K)),
    };
  };
  expect(of(experts.notInLanguage2).rates.map(Number.isNaN)).toEqual([false, false, true, false]);
  expect(of(experts.notInLanguage2).lape).toBeNaN();
  expect(of(experts.never).rates.every(Number.isNaN)).toBe(true);
  expect(of(experts.never).dead).toBeNull();
  // Only one fold has the language: there is a rate, and nothing to tell how sure it is.
  expect(of(experts.onceInLanguage1).lape).not.toBeNaN();
  expect(of(experts.onceInLanguage1).lapeSe).toBeNaN();
});

test('rows of neurons say which expert they belong to; those of dense layers and of shared experts none', () => {
  const first = rowsOf(units, 'neuron', 0);
  expect(first.every((row) => units.columns.get('expert')![row] === null)).toBe(true);
  const rows = rowsOf(units, 'neuron', 1);
  expect(rows.map((row) => units.columns.get('expert')![row])).toEqual(
    rows.map((_, j) => (j < experts.experts * experts.width ? Math.floor(j / experts.width) : null)),
  );
  expect(rowsOf(units, 'head', 1).every((row) => units.columns.get('expert')![row] === null)).toBe(true);
});

test('policies run over the units of all layers, whatever their widths', () => {
  const rates: number[][] = TAGS.map(() => []);
  const entropies: number[] = [];
  for (const { neuron } of experts.expected) {
    neuron.rate.value.forEach((ofLanguage, k) => {
      rates[k]!.push(...ofLanguage.map((rate) => rate ?? Number.NaN));
    });
    entropies.push(...neuron.lape.value.map((entropy) => entropy ?? Number.NaN));
  }
  const { fraction, members } = experts.tang2024;
  const selection = selectTang2024(Float64Array.from(rates.flat()), Float64Array.from(entropies), K, {
    fraction,
  });
  const own = [...selection.selected.keys()].filter((unit) => selection.selected[unit] === 1);
  expect(own.map((unit) => [unit, languagesOf(selection, unit)])).toEqual(members);
  expect(summary.units.find(({ type }) => type === 'neuron')).toMatchObject({
    layers: 3,
    units: experts.dense + 2 * NEURONS,
    tang2024: { selected: 1, bar: experts.tang2024.bar },
  });
});

test('every score of experts has a reliability; item scores of neurons are refused with the reason', () => {
  const scores = summary.reliability.filter(({ type }) => type === 'expert').map(({ score }) => score);
  expect(scores).toEqual([
    ...['rate', 'mean', 'contrast', 'lape', 'gini', 'exclusivity', 'ap', 'ap_best', 'auroc'],
    ...['eta2_language', 'eta2_item', 'omega2_language', 'omega2_item'],
    ...['selectivity', 'mi', 'overlap'],
  ]);
  expect(summary.skipped.map(({ type, score }) => `${type} ${score}`)).toEqual([
    ...['ap', 'auroc', 'twoWay', 'selectivity', 'mi', 'overlap'].map((score) => `neuron ${score}`),
    'head vectorShare',
  ]);
  expect(summary.skipped[0]!.reason).toContain('keeps no pooled values of neurons of routed experts');
});

test('units read in blocks of a layer give what the whole layer gives', async () => {
  const run = await openRun(folder);
  const layer = await run.layer(1);
  const whole = await layer.readStatistic('mlp.fire');
  const rows = whole.length / NEURONS;
  const part = await layer.readStatistic('mlp.fire', 4, 17);
  expect([...part]).toEqual(
    Array.from({ length: rows }, (_, row) => [
      ...whole.subarray(row * NEURONS + 4, row * NEURONS + 17),
    ]).flat(),
  );
  await expect(layer.readStatistic('mlp.fire', 4, NEURONS + 1)).rejects.toThrow(RangeError);
  await layer.close();
});

test('a layout of layers of different widths finds the layer and index of every unit', () => {
  const layout = unitLayout(
    {
      layers: 4,
      heads: 2,
      dModel: 8,
      dMlp: 3,
      experts: 2,
      mixture: { perToken: 1, dExpert: 2, dShared: 1, layers: [1, 3] },
    },
    'neuron',
  );
  expect(layout.widths).toEqual([3, 5, 3, 5]);
  const found = Array.from({ length: layout.units }, (_, unit) => [
    layout.layerOf(unit),
    layout.indexOf(unit),
  ]);
  expect(found).toEqual(
    layout.widths.flatMap((width, layer) => Array.from({ length: width }, (_, i) => [layer, i])),
  );
  const none = { layers: 3, heads: 1, dModel: 4, dMlp: 2, experts: 2 };
  const sparse = unitLayout(
    { ...none, mixture: { perToken: 1, dExpert: 1, dShared: 0, layers: [2] } },
    'expert',
  );
  expect([sparse.layerOf(0), sparse.indexOf(1), sparse.layers, sparse.units]).toEqual([2, 1, 1, 2]);
});

/** Counts of tokens routed to experts: [fold, language, expert], and the tokens they are a share of. */
const routed = fc
  .record({
    folds: fc.integer({ min: 1, max: 4 }),
    languages: fc.integer({ min: 1, max: 4 }),
    units: fc.integer({ min: 1, max: 5 }),
  })
  .chain((shape) =>
    fc
      .record({
        tokens: fc.array(fc.integer({ min: 0, max: 30 }), {
          minLength: shape.folds * shape.languages,
          maxLength: shape.folds * shape.languages,
        }),
        share: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
          minLength: shape.folds * shape.languages * shape.units,
          maxLength: shape.folds * shape.languages * shape.units,
        }),
      })
      .map(({ tokens, share }) => ({
        shape,
        tokens: Uint32Array.from(tokens),
        count: Uint32Array.from(share, (part, i) => Math.round(part * tokens[Math.floor(i / shape.units)]!)),
      })),
  );

test('frequencies and exclusivity do not change when every token counts twice, and lie in their ranges', () => {
  fc.assert(
    fc.property(routed, ({ shape, tokens, count }) => {
      const once = meanOverTokens(count, tokens, shape);
      const twice = meanOverTokens(
        count.map((n) => 2 * n),
        tokens.map((n) => 2 * n),
        shape,
      );
      expect(twice).toEqual(once);
      for (const [at, rate] of once.entries()) {
        const counted = tokens.some((n, i) => n > 0 && i % shape.languages === Math.floor(at / shape.units));
        expect(Number.isNaN(rate)).toBe(!counted);
        if (counted) expect(rate >= 0 && rate <= 1).toBe(true);
      }
      for (const share of exclusivity(once, shape.languages)) {
        if (!Number.isNaN(share)) {
          expect(share).toBeGreaterThanOrEqual(1 / shape.languages - 1e-12);
          expect(share).toBeLessThanOrEqual(1);
        }
      }
    }),
  );
});

test('permuting languages permutes frequencies and leaves LAPE and exclusivity; scaling frequencies leaves both', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 3, maxLength: 3 }), {
        minLength: 2,
        maxLength: 5,
      }),
      (byLanguage) => {
        const own = byLanguage.length;
        const flat = (rows: readonly (readonly number[])[]) => Float64Array.from(rows.flat());
        const rates = flat(byLanguage).map((n) => n / 1000);
        const reversed = flat([...byLanguage].reverse()).map((n) => n / 1000);
        const scaled = rates.map((rate) => rate / 4);
        for (const score of [lape, exclusivity]) {
          const values = [...score(rates, own)].map((value) => (Number.isNaN(value) ? null : value));
          expectValues(score(reversed, own), values, 1e-12);
          expectValues(score(scaled, own), values, 1e-12);
        }
      },
    ),
  );
});

test('exclusivity: 1/K for languages alike, 1 for one alone, NaN for none and for a frequency that does not exist', () => {
  const rates = Float64Array.of(0.2, 0.5, 0, 0.1, 0.2, 0, 0, Number.NaN, 0.2, 0, 0, 0.4);
  expectValues(exclusivity(rates, 3), [1 / 3, 1, null, null]);
});

test('means over routed tokens: each unit by the tokens of its group; a group without tokens has none', () => {
  const tokens = { counts: Uint32Array.of(2, 0, 4, 1, 0, 4), groups: 3, groupOf: [0, 1, 2, 2] };
  const sums = Float64Array.of(1, 0, 8, 4, 3, 0, 4, 2);
  const shape = { folds: 2, languages: 1, units: 4 };
  expectValues(meanOverTokens(sums, tokens, shape), [4 / 3, null, 12 / 8, 6 / 8]);
  expectValues(meanOverTokens(sums, tokens, shape, [0]), [0.5, null, 2, 1]);
});
