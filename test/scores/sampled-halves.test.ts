import { expect, test } from 'vitest';
import { HalfScores } from '../../src/scores/reliability.js';
import { scoreTwoWay, scoreVectorShare } from '../../src/scores/score-two-way.js';
import type { HalfScoreName } from '../../src/scores/scored-piece.js';
import { toFloat16 } from '../../src/store/float16.js';
import { referenceGrid } from './prompt-grid.js';
import { type Expected, expectValues, readArray, reference } from './reference-run.js';

const other = [0, 1, 2, 3, 4, 5].filter((fold) => !reference.halfFolds.includes(fold));
const SPLIT = { first: reference.halfFolds, second: other };
const NAMES = ['eta2Language', 'eta2Item', 'omega2Language', 'omega2Item'] as const;

function halvesOf(names: readonly HalfScoreName[], sample: readonly number[]) {
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
  for (const stored of [cut, toFloat16(cut).bits]) {
    const halves = halvesOf(NAMES, sample);
    scoreTwoWay({ unitStart, unitEnd, values: stored }, referenceGrid, halves);
    for (const name of NAMES) {
      // [split, half, column, position]: the first half of the only split.
      const found = halves.get(name)!.values.subarray(0, sample.length);
      expectValues(found, [null, expected[name]![12]!, expected[name]![25]!, null]);
    }
  }
});

test('halves of vector shares are those of all dimensions of the sampled heads', async () => {
  const { heads } = reference;
  const values = (await readArray(0, 'head.items')) as Float32Array;
  const all = halvesOf(
    ['vectorShareLanguage', 'vectorShareItem'],
    Array.from({ length: heads }, (_, h) => h),
  );
  const last = halvesOf(['vectorShareLanguage', 'vectorShareItem'], [heads - 1]);
  const block = { unitStart: 0, unitEnd: heads, values };
  scoreVectorShare(block, referenceGrid, all);
  const whole = scoreVectorShare(block, referenceGrid, last);
  for (const [name, { values: found }] of last) {
    const ofAll = all.get(name)!.values;
    expectValues(found, [ofAll[heads - 1]!, ofAll[2 * heads - 1]!]);
    expect(found.every((value) => value > 0 && value < 1)).toBe(true);
  }
  expectValues(whole.vector_share_language!, reference.expected[0]!.head.vectorShareLanguage as Expected);
});
