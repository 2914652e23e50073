import { expect, test } from 'vitest';
import type { VarianceScore } from '../../src/scores/definition.js';
import { auroc } from '../../src/scores/definitions/auroc.js';
import { SCORE_DEFINITIONS } from '../../src/scores/definitions/index.js';
import { mutualInformation } from '../../src/scores/definitions/mutual-information.js';
import { selectivity } from '../../src/scores/definitions/selectivity.js';
import { scoreItems } from '../../src/scores/engine/score-items.js';
import { scoreVariance } from '../../src/scores/engine/score-variance.js';
import { HalfScores } from '../../src/scores/samples/half-scores.js';
import { ItemEvaluator } from '../../src/scores/samples/item-evaluator.js';
import { itemSamples } from '../../src/scores/samples/item-samples.js';
import { toFloat16 } from '../../src/store/files/float16.js';
import { referenceGrid } from './prompt-grid.js';
import { type Expected, expectValues, readArray, reference } from './reference-run.js';

const other = [0, 1, 2, 3, 4, 5].filter((fold) => !reference.halfFolds.includes(fold));
const SPLIT = { first: reference.halfFolds, second: other };
const NAMES = ['eta2Language', 'eta2Item', 'omega2Language', 'omega2Item'] as const;
/** As columns are called. */
const columnOf = (name: string) => name.replace(/[A-Z]/, (letter) => `_${letter.toLowerCase()}`);
const sharesOf = (from: VarianceScore['from']) =>
  SCORE_DEFINITIONS.filter((one): one is VarianceScore => one.from === from);

function halvesOf(names: readonly string[], sample: readonly number[]) {
  return new Map(names.map((name) => [name, new HalfScores([SPLIT], Uint32Array.from(sample))]));
}

test('halves of the two-way decomposition are those of the sampled units of the block, at their positions', async () => {
  const { neurons } = reference;
  const values = await readArray(0, 'mlp.items');
  // A block of units 10 … 29; of the sample, 12 and 25 lie in it.
  const [unitStart, unitEnd] = [10, 30];
  const rows = values.length / neurons;
  const cut = Float32Array.from(
    { length: rows * 20 },
    (_, i) => values[Math.floor(i / 20) * neurons + unitStart + (i % 20)]!,
  );
  const sample = [3, 12, 25, 40];
  const expected = reference.expected[0]!.neuron.half as unknown as Record<string, Expected>;
  for (const stored of [cut, toFloat16(cut)]) {
    const halves = halvesOf(NAMES.map(columnOf), sample);
    scoreVariance({ unitStart, unitEnd, values: stored }, referenceGrid, sharesOf('values'), halves);
    for (const name of NAMES) {
      // [split, half, column, position]: the first half of the only split.
      const found = halves.get(columnOf(name))!.values.subarray(0, sample.length);
      expectValues(found, [null, expected[name]![12]!, expected[name]![25]!, null]);
    }
  }
});

test('halves of scores of prompts are those of the prompts of their folds: of every language, and of the best', async () => {
  const { neurons, languages } = reference;
  const names = ['ap', 'ap_best', 'auroc', 'selectivity', 'mi', 'overlap'] as const;
  const sample = [12, 25];
  const halves = new Map(
    names.map((name) => {
      const columns = ['ap', 'auroc', 'selectivity'].includes(name) ? languages : 1;
      return [name, new HalfScores([SPLIT], Uint32Array.from(sample), columns)] as const;
    }),
  );
  const evaluator = new ItemEvaluator(referenceGrid);
  const samples = itemSamples(referenceGrid, [SPLIT], null);
  const block = { unitStart: 0, unitEnd: neurons, values: (await readArray(1, 'mlp.items')) as Float32Array };
  const scores = SCORE_DEFINITIONS.filter(({ from }) => from === 'prompts');
  scoreItems(block, { grid: referenceGrid, evaluator, samples, full: false }, scores, halves);
  const expected = reference.expected[1]!.neuron.half.ap;
  const ofSample = sample.map((unit) => expected.map((row) => row[unit]!));
  // [split, half, column, position]: the first half of the only split.
  const first = (name: (typeof names)[number], columns: number) =>
    halves.get(name)!.values.subarray(0, columns * sample.length);
  expectValues(
    first('ap', languages),
    expected.flatMap((_, k) => ofSample.map((row) => row[k]!)),
  );
  expectValues(
    first('ap_best', 1),
    ofSample.map((row) => Math.max(...row)),
  );
  // The others on the prompts of the half, by the functions of one unit; overlap has the edges of the whole run.
  const own = [...referenceGrid.item.keys()].filter((n) =>
    SPLIT.first.includes(referenceGrid.foldOf[referenceGrid.item[n]!]!),
  );
  for (const [position, unit] of sample.entries()) {
    const of = (n: number) => block.values[referenceGrid.row[n]! * neurons + unit]!;
    const [x, label] = [own.map(of), own.map((n) => referenceGrid.language[n]!)];
    const column = (name: (typeof names)[number], columns: number) =>
      first(name, columns).filter((_, at) => at % sample.length === position);
    expectValues(column('auroc', languages), [...auroc(x, label, languages)]);
    expectValues(column('selectivity', languages), [...selectivity(x, label, languages)]);
    expectValues(column('mi', 1), [mutualInformation(x, label, languages)]);
    expect(column('overlap', 1)[0]).toBeGreaterThan(0);
  }
});

test('halves of vector shares are those of all dimensions of the sampled heads', async () => {
  const { heads } = reference;
  const values = (await readArray(0, 'head.items')) as Float32Array;
  const all = halvesOf(
    ['vector_share_language', 'vector_share_item'],
    Array.from({ length: heads }, (_, h) => h),
  );
  const last = halvesOf(['vector_share_language', 'vector_share_item'], [heads - 1]);
  const block = { unitStart: 0, unitEnd: heads, values };
  scoreVariance(block, referenceGrid, sharesOf('vectors'), all);
  const whole = scoreVariance(block, referenceGrid, sharesOf('vectors'), last);
  for (const [name, { values: found }] of last) {
    const ofAll = all.get(name)!.values;
    expectValues(found, [ofAll[heads - 1]!, ofAll[2 * heads - 1]!]);
    expect(found.every((value) => value > 0 && value < 1)).toBe(true);
  }
  expectValues(whole.vector_share_language!, reference.expected[0]!.head.vectorShareLanguage as Expected);
});
