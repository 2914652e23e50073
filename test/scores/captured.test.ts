import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { capture } from '../../src/capture/index.js';
import { scoreRun } from '../../src/scores/engine/score-run.js';
import { readScores } from '../../src/scores/tables/read-scores.js';
import type { ScoreSummary } from '../../src/scores/tables/summary.js';
import { openSafetensors } from '../../src/store/files/safetensors.js';
import type { Table } from '../../src/store/files/table.js';
import { layerPath } from '../../src/store/run/run-folder.js';
import { TINY_PROBES, writeTinyCheckpoint } from '../support/tiny-checkpoint.js';
import {
  type ByLanguage,
  column,
  distances,
  expectRanked,
  expectTwoWay,
  type Scored,
  TAGS,
} from './captured-scores.js';
import { statistics } from './reference-run.js';

/** [layer]; what test/reference/make_captured_scores.py computed from transformers' activations. */
const expected: readonly {
  readonly neuron: Scored;
  readonly head: Scored & {
    readonly pattern: Readonly<Record<'entropy' | 'first' | 'previous', ByLanguage>>;
  };
  readonly residual: Scored & { readonly mean: ByLanguage };
}[] = JSON.parse(readFileSync(new URL('../fixtures/scores/captured.json', import.meta.url), 'utf8'));

const TYPES = ['neuron', 'head', 'residual'] as const;

let folder: string;
let run: string;
let summary: ScoreSummary;
let units: Table;
let languages: Table;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'babelscope-captured-'));
  const checkpoint = join(folder, 'tiny');
  writeTinyCheckpoint(checkpoint);
  run = join(folder, 'run');
  await capture({
    checkpoint,
    probes: TINY_PROBES,
    out: run,
    threads: 1,
    pooling: 'max',
    extraHooks: ['attn.hook_pattern', 'hook_resid_post'],
  });
  summary = await scoreRun(run, { uncertainty: 'full', draws: 50, permutations: 50, splits: 6, threads: 2 });
  units = await readScores(run, 'units');
  languages = await readScores(run, 'unit_languages');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test.each(TYPES)(
  'from prompts to scores with --pooling max: AP and AUROC of %ss are scikit-learn’s on activations of transformers',
  (type) => {
    const exact = expected.flatMap((of, layer) => expectRanked(languages, type, layer, of[type]));
    expect(exact.filter(Boolean).length / exact.length).toBeGreaterThan(0.5);
  },
);

test.each(TYPES)(
  'from prompts to scores: η² of %ss on items without a gap are those of statsmodels’ analysis of variance',
  (type) => {
    expect(summary).toMatchObject({ items: 23, completeItems: 22, pooling: 'max' });
    for (const [layer, of] of expected.entries()) expectTwoWay(units, type, layer, of[type]);
  },
);

test('means of residual dimensions and of pattern summaries are NumPy’s over the counted tokens of a language', () => {
  for (const [layer, { head, residual }] of expected.entries()) {
    for (const [k, tag] of TAGS.entries()) {
      const mean = column(languages, 'mean', 'residual', layer, tag);
      expect(distances(mean, residual.mean[k]!).at(-1)).toBeLessThan(1e-4);
      for (const name of ['entropy', 'first', 'previous'] as const) {
        const found = column(languages, `pattern_${name}`, 'head', layer, tag);
        expect(distances(found, head.pattern[name][k]!).at(-1)).toBeLessThan(1e-5);
      }
    }
  }
});

/** A layer's sums [fold, language, unit] over its tokens [fold, language], each fold left out once. */
async function jackknifed(name: string, layer: number, k: number): Promise<{ value: number; se: number }[]> {
  const file = await openSafetensors(layerPath(run, layer));
  const sums = (await file.read(name)) as Float64Array;
  const tokens = (await file.read('tokens')) as Uint32Array;
  await file.close();
  const [K, folds] = [TAGS.length, tokens.length / TAGS.length];
  const width = sums.length / tokens.length;
  return Array.from({ length: width }, (_, u) => {
    const over = (chosen: readonly number[]) =>
      chosen.reduce((sum, f) => sum + sums[(f * K + k) * width + u]!, 0) /
      chosen.reduce((sum, f) => sum + tokens[f * K + k]!, 0);
    const every = Array.from({ length: folds }, (_, f) => f);
    const left = every.map((g) => over(every.filter((f) => f !== g)));
    const centre = left.reduce((sum, x) => sum + x, 0) / folds;
    const squares = left.reduce((sum, x) => sum + (x - centre) ** 2, 0);
    return { value: over(every), se: Math.sqrt(((folds - 1) / folds) * squares) };
  });
}

test.each([
  ['head', 'pattern_entropy', 'head.pattern.entropy.sum', 0, Infinity],
  ['head', 'pattern_first', 'head.pattern.first.sum', 0, 1],
  ['head', 'pattern_previous', 'head.pattern.previous.sum', 0, 1],
  ['residual', 'mean', 'resid.sum', -Infinity, Infinity],
] as const)(
  'intervals of %s %s are θ ± t₁₉ SE of the delete-one-fold jackknife of the layer’s sums',
  async (type, name, array, min, max) => {
    // 20 folds.
    const t = statistics.t.find(([p, df]) => p === 0.975 && df === 19)![2];
    for (const layer of expected.keys()) {
      for (const [k, tag] of TAGS.entries()) {
        const answers = await jackknifed(array, layer, k);
        const close = (end: string, of: (answer: (typeof answers)[number]) => number, tolerance: number) => {
          const found = column(languages, `${name}${end}`, type, layer, tag);
          expect(distances(found, answers.map(of)).at(-1)).toBeLessThan(tolerance);
        };
        close('', ({ value }) => value, 1e-12);
        close('_se', ({ se }) => se, 1e-6);
        close('_low', ({ value, se }) => Math.max(min, value - t * se), 1e-6);
        close('_high', ({ value, se }) => Math.min(max, value + t * se), 1e-6);
      }
    }
  },
);

test('residual dimensions have every score but those of rates and heads: intervals, p, q and reliabilities too', () => {
  const rows = units.columns.get('type')!.flatMap((type, row) => (type === 'residual' ? [row] : []));
  expect(rows).toHaveLength(3 * 24);
  const known = (table: Table, name: string, of: readonly number[]) =>
    of.filter((row) => !Number.isNaN(table.columns.get(name)![row])).length;
  for (const name of ['ap_best', 'auroc_best', 'selectivity_best', 'selectivity_second', 'eta2_language']) {
    expect(known(units, name, rows), name).toBe(rows.length);
  }
  for (const name of ['omega2_language', 'mi', 'selectivity_best']) {
    for (const end of ['p', 'q']) expect(known(units, `${name}_${end}`, rows)).toBe(rows.length);
  }
  for (const name of ['lape', 'lape_se', 'vector_share_language']) expect(known(units, name, rows)).toBe(0);
  for (const name of ['dead', 'top_language', 'selected_tang2024']) {
    expect(rows.every((row) => units.columns.get(name)![row] === null)).toBe(true);
  }
  const byLanguage = languages.columns
    .get('type')!
    .flatMap((type, row) => (type === 'residual' ? [row] : []));
  for (const name of ['ap', 'auroc', 'selectivity']) {
    for (const end of ['p', 'q']) {
      expect(known(languages, `${name}_${end}`, byLanguage)).toBe(byLanguage.length);
    }
    // Of a unit that hardly varies within languages some draws have no selectivity: then it has no interval.
    for (const end of ['se', 'low', 'high']) {
      const least = name === 'selectivity' ? 0.95 * byLanguage.length : byLanguage.length;
      expect(known(languages, `${name}_${end}`, byLanguage), `${name}_${end}`).toBeGreaterThanOrEqual(least);
    }
  }
  for (const name of ['rate', 'share', 'pattern_entropy']) expect(known(languages, name, byLanguage)).toBe(0);
  const ofHeads = summary.reliability.filter(({ type }) => type === 'head').map(({ score }) => score);
  expect(ofHeads.slice(-3)).toEqual(['pattern_entropy', 'pattern_first', 'pattern_previous']);
  const reliable = summary.reliability.filter(({ type }) => type === 'residual');
  expect(reliable.map(({ score }) => score)).toEqual([
    ...['mean', 'contrast', 'ap', 'ap_best', 'auroc'],
    ...['eta2_language', 'eta2_item', 'omega2_language', 'omega2_item', 'selectivity', 'mi', 'overlap'],
    // Of pairs of languages.
    ...['margin', 'mexa'],
  ]);
  const of = summary.languages.length;
  const aligned = (3 * of * (of - 1)) / 2;
  for (const { score, units: sampled, halves } of reliable) {
    expect(sampled).toBe(score === 'mexa' || score === 'margin' ? aligned : rows.length);
    expect(halves).toBeGreaterThan(-1);
  }
});
