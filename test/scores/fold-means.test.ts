import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FoldScore } from '../../src/scores/definition.js';
import { contrast } from '../../src/scores/definitions/contrast.js';
import { SCORE_DEFINITIONS } from '../../src/scores/definitions/index.js';
import { scoreFolds } from '../../src/scores/engine/score-folds.js';
import { meanOverTokens } from '../../src/store/arrays/fold-sums.js';
import type { LayerArrayName } from '../../src/store/arrays/run-arrays.js';
import type { ScoredType } from '../../src/store/arrays/unit-layout.js';
import { expectValues } from './reference-run.js';

/** Sums of a statistic (a rate, a mean, a pattern summary) by fold and language, with the tokens they are over. */
const sums = fc
  .record({ languages: fc.integer({ min: 2, max: 5 }), units: fc.integer({ min: 1, max: 4 }) })
  .chain(({ languages, units }) =>
    fc.record({
      shape: fc.constant({ folds: 3, languages, units }),
      tokens: fc.uint32Array({ max: 50, minLength: 3 * languages, maxLength: 3 * languages }),
      values: fc
        .array(fc.integer({ min: -1000, max: 1000 }), {
          minLength: 3 * languages * units,
          maxLength: 3 * languages * units,
        })
        .map((values) => Float64Array.from(values)),
    }),
  );
const means = fc.integer({ min: 2, max: 5 }).chain((languages) =>
  fc.tuple(
    fc.constant(languages),
    fc.float64Array({
      min: -1e3,
      max: 1e3,
      noNaN: true,
      minLength: 2 * languages,
      maxLength: 2 * languages,
    }),
  ),
);

const nullOf = (value: number) => (Number.isNaN(value) ? null : value);

test('a mean over tokens is the sum over folds by the tokens of the same folds; without tokens it is NaN, never 0', () => {
  fc.assert(
    fc.property(sums, fc.subarray([0, 1, 2]), ({ shape, tokens, values }, chosen) => {
      const { languages, units } = shape;
      const found = meanOverTokens(values, tokens, shape, chosen);
      const expected = Array.from(found, (_, at) => {
        const [k, u] = [Math.floor(at / units), at % units];
        const count = chosen.reduce((sum, f) => sum + tokens[f * languages + k]!, 0);
        return count === 0
          ? null
          : chosen.reduce((sum, f) => sum + values[(f * languages + k) * units + u]!, 0) / count;
      });
      expectValues(found, expected, 1e-9);
    }),
  );
});

test('all data twice changes no mean; scaling the values scales it', () => {
  fc.assert(
    fc.property(sums, ({ shape, tokens, values }) => {
      const once = meanOverTokens(values, tokens, shape);
      const twice = meanOverTokens(
        values.map((value) => 2 * value),
        tokens.map((count) => 2 * count),
        shape,
      );
      expect(twice).toEqual(once);
      const scaled = meanOverTokens(
        values.map((value) => 4 * value),
        tokens,
        shape,
      );
      expect(scaled).toEqual(once.map((value) => 4 * value));
    }),
  );
});

test('contrast is the value of a language minus the mean of the others', () => {
  expect([...contrast(Float64Array.of(1, 10, 4, 10, 7, 10), 3)]).toEqual([-4.5, 0, 0, 0, 4.5, 0]);
});

test('contrasts of a unit sum to 0 over languages, move with no shift and scale; permuting languages permutes them', () => {
  fc.assert(
    fc.property(means, ([languages, values]) => {
      const units = values.length / languages;
      const once = contrast(values, languages);
      for (let u = 0; u < units; u++) {
        let sum = 0;
        for (let k = 0; k < languages; k++) sum += once[k * units + u]!;
        expect(Math.abs(sum)).toBeLessThan(1e-8);
      }
      expectValues(
        contrast(
          values.map((value) => 100 - 2 * value),
          languages,
        ),
        [...once].map((value) => -2 * value),
        1e-8,
      );
      const turned = (rows: Float64Array) => rows.map((_, at) => rows[(at + units) % rows.length]!);
      expectValues(contrast(turned(values), languages), [...turned(once)].map(nullOf), 1e-9);
    }),
  );
});

test('a unit alike in all languages has contrasts of 0; one language alone, or one that is missing, leaves none', () => {
  for (const value of contrast(new Float64Array(6).fill(0.3), 3)) expect(value).toBeCloseTo(0, 15);
  expect([...contrast(Float64Array.of(1), 1)]).toEqual([Number.NaN]);
  expect([...contrast(Float64Array.of(1, 2, Number.NaN, 3), 2)]).toEqual([Number.NaN, -1, Number.NaN, 1]);
});

test('intervals of means end where the means do: shares at 0 and 1, norms and entropies at 0, activations nowhere', async () => {
  // One unit, one language, ten tokens in each of two folds: 1 and 9 of them, so that 5 ± 12.7 · 4 tenths is beyond both ends.
  const tokens = Uint32Array.of(10, 10);
  const shape = { folds: 2, languages: 1, units: 1 };
  const endsOf = async (type: ScoredType, names: readonly LayerArrayName[]) => {
    const layer = { layer: 0, names: new Set(names), readStatistic: async () => Float64Array.of(1, 9) };
    const task = { type, unitStart: 0, unitEnd: 1 };
    const means = SCORE_DEFINITIONS.filter(
      (one): one is FoldScore => one.from === 'folds' && one.types.includes(type) && one.per === 'language',
    );
    const { ofLanguages } = await scoreFolds(layer, task, tokens, shape, means, new Map());
    return (name: string) => [ofLanguages[`${name}_low`]![0]!, ofLanguages[`${name}_high`]![0]!];
  };
  const beyond = [expect.closeTo(0.5 - 12.7062 * 0.4, 3), expect.closeTo(0.5 + 12.7062 * 0.4, 3)];
  const [SHARE, POSITIVE] = [
    [0, 1],
    [0, beyond[1]],
  ];
  const neuron = await endsOf('neuron', ['mlp.fire', 'mlp.sum']);
  expect([neuron('rate'), neuron('mean')]).toEqual([SHARE, beyond]);
  const head = await endsOf('head', [
    'head.norm.sum',
    'head.pattern.entropy.sum',
    'head.pattern.first.sum',
    'head.pattern.previous.sum',
  ]);
  expect([head('rate'), head('mean'), head('pattern_entropy')]).toEqual([POSITIVE, POSITIVE, POSITIVE]);
  expect([head('pattern_first'), head('pattern_previous')]).toEqual([SHARE, SHARE]);
  const expert = await endsOf('expert', ['expert.count', 'expert.prob.sum']);
  expect([expert('rate'), expert('mean')]).toEqual([SHARE, SHARE]);
  const residual = await endsOf('residual', ['resid.sum']);
  expect(residual('mean')).toEqual(beyond);
});
