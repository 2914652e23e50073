import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lape, lapeInterval } from '../../src/scores/definitions/lape.js';
import { deadUnits, topLanguage } from '../../src/scores/selection/of-rates.js';
import {
  type FoldShape,
  liveFolds,
  meanOverTokens,
  type Numbers,
  tokensOf,
} from '../../src/store/arrays/fold-sums.js';
import { expectValues, readArray, reference, shape } from './reference-run.js';

const counts = fc
  .record({ languages: fc.integer({ min: 2, max: 5 }), units: fc.integer({ min: 1, max: 4 }) })
  .chain(({ languages, units }) =>
    fc.record({
      shape: fc.constant({ folds: 4, languages, units }),
      tokens: fc.uint32Array({ min: 1, max: 50, minLength: 4 * languages, maxLength: 4 * languages }),
      fire: fc.uint32Array({ max: 50, minLength: 4 * languages * units, maxLength: 4 * languages * units }),
    }),
  );

/** LAPE and its interval, each fold with tokens left out once. */
function intervalOf(sums: Numbers, tokens: Uint32Array, own: FoldShape) {
  const folds = liveFolds(tokens, own);
  const leftOut = folds.map((left) =>
    meanOverTokens(
      sums,
      tokens,
      own,
      folds.filter((fold) => fold !== left),
    ),
  );
  return lapeInterval(meanOverTokens(sums, tokens, own), leftOut, own.languages);
}

test('firing rate is the share of counted tokens with hook_pre > 0: counts / tokens, summed over folds', async () => {
  for (let layer = 0; layer < reference.layers; layer++) {
    const rate = meanOverTokens(await readArray(layer, 'mlp.fire'), await readArray(layer, 'tokens'), shape);
    expectValues(rate, reference.expected[layer]!.neuron.rate.flat(), 1e-15);
  }
});

test('a language without tokens has NaN rates, and units none of a LAPE', () => {
  const rates = meanOverTokens(Uint32Array.of(1, 0), Uint32Array.of(4, 0), {
    folds: 1,
    languages: 2,
    units: 1,
  });
  expect([...rates]).toEqual([0.25, Number.NaN]);
  expect([...lape(rates, 2)]).toEqual([Number.NaN]);
});

test('LAPE is SciPy’s entropy of the firing rates over languages, in nats', async () => {
  for (let layer = 0; layer < reference.layers; layer++) {
    const fire = await readArray(layer, 'mlp.fire');
    const tokens = await readArray(layer, 'tokens');
    const { lape: expected, half } = reference.expected[layer]!.neuron;
    expectValues(lape(meanOverTokens(fire, tokens, shape), shape.languages), expected);
    expectValues(lape(meanOverTokens(fire, tokens, shape, reference.halfFolds), shape.languages), half.lape);
  }
});

test('LAPE has the jackknife’s standard error and the interval of its distance from ln K, as SciPy solves for it', async () => {
  for (let layer = 0; layer < reference.layers; layer++) {
    const tokens = (await readArray(layer, 'tokens')) as Uint32Array;
    const { neuron, head } = reference.expected[layer]!;
    for (const [array, units, expected] of [
      ['mlp.fire', reference.neurons, neuron],
      ['head.norm.sum', reference.heads, head],
    ] as const) {
      const found = intervalOf(await readArray(layer, array), tokens, { ...shape, units });
      expectValues(found.value, expected.lape);
      expectValues(found.se, expected.lapeSe);
      expectValues(found.low, expected.lapeLow, 1e-6);
      expectValues(found.high, expected.lapeHigh, 1e-6);
    }
  }
});

test('0 ln 0 = 0: a unit of one language has LAPE 0; one alike in all has ln K; one that never fires has none', () => {
  const rates = Float64Array.of(0.3, 0.2, 0, 0, 0.2, 0, 0, 0.2, 0);
  expect([...lape(rates, 3)]).toEqual([0, Math.log(3), Number.NaN]);
  expect([...topLanguage(rates, 3)]).toEqual([0, 0, -1]);
  expect([...deadUnits(rates, 3)]).toEqual([0, 0, 1]);
});

test('a rate below 0, which importances of heads may be, leaves the unit without LAPE, whatever the sum', () => {
  // Of [language, unit]: the second unit's rates sum to 1.
  expect([...lape(Float64Array.of(0.5, -0.5, 0.5, 1.5), 2)]).toEqual([Math.LN2, Number.NaN]);
});

test('a unit is dead that has a rate of 0 and none above; without any rate it is not known to be', () => {
  const nan = Number.NaN;
  expect([...deadUnits(Float64Array.of(0, 0, nan, nan, 0, 0.1, nan, 0), 2)]).toEqual([1, 0, 0, 1]);
});

test('LAPE lies in 0 … ln K', () => {
  fc.assert(
    fc.property(counts, ({ shape: own, fire, tokens }) => {
      for (const value of lape(meanOverTokens(fire, tokens, own), own.languages)) {
        expect(Number.isNaN(value) || (value >= 0 && value <= Math.log(own.languages))).toBe(true);
      }
    }),
  );
});

test('doubling all counts, or all tokens of all languages, changes no LAPE and no interval', () => {
  fc.assert(
    fc.property(counts, ({ shape: own, fire, tokens }) => {
      const once = intervalOf(fire, tokens, own);
      const doubled = intervalOf(
        fire.map((count) => 2 * count),
        tokens,
        own,
      );
      const twiceTheTokens = intervalOf(
        fire,
        tokens.map((count) => 2 * count),
        own,
      );
      expect(doubled).toEqual(once);
      expect(twiceTheTokens).toEqual(once);
    }),
  );
});

test('permuting languages changes no LAPE', () => {
  fc.assert(
    fc.property(counts, ({ shape: own, fire, tokens }) => {
      const { languages, units } = own;
      const reversed = (cell: number) => cell - (cell % languages) + languages - 1 - (cell % languages);
      const permuted = lape(
        meanOverTokens(
          fire.map((_, i) => fire[reversed(Math.floor(i / units)) * units + (i % units)]!),
          tokens.map((_, i) => tokens[reversed(i)]!),
          own,
        ),
        languages,
      );
      expectValues(permuted, [...lape(meanOverTokens(fire, tokens, own), languages)].map(nullOf), 1e-12);
    }),
  );
});

test('folds without a token are no groups of the jackknife', () => {
  const own = { folds: 3, languages: 2, units: 1 };
  const withEmpty = intervalOf(Uint32Array.of(1, 3, 0, 0, 2, 2), Uint32Array.of(5, 5, 0, 0, 5, 5), own);
  const without = intervalOf(Uint32Array.of(1, 3, 2, 2), Uint32Array.of(5, 5, 5, 5), { ...own, folds: 2 });
  expect(withEmpty).toEqual(without);
  expect(liveFolds(Uint32Array.of(5, 5, 0, 0, 5, 5), own)).toEqual([0, 2]);
  expect([...tokensOf(Uint32Array.of(5, 5, 0, 0, 5, 5), own)]).toEqual([10, 10]);
});

function nullOf(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
