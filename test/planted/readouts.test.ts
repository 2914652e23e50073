import { expect, test } from 'vitest';
import { LanguageMoments } from '../../src/planted/language-moments.js';
import { Readouts } from '../../src/planted/readouts.js';
import { activationFunction, meanOverNormal, TokenSample } from '../../src/planted/token-sample.js';
import { Draws } from '../../src/stats/sampling/random.js';

const [LANGUAGES, WIDTH] = [3, 8];
const TOKENS = [400, 150, 900];

/** Correlated tokens whose mean depends on the language; [language] → rows. */
function tokens(seed: number): Float32Array[][] {
  const draws = new Draws(seed);
  const mixing = Array.from({ length: WIDTH * WIDTH }, () => draws.gaussian());
  return TOKENS.map((count, k) =>
    Array.from({ length: count }, () => {
      const z = Float64Array.from({ length: WIDTH }, () => draws.gaussian());
      return Float32Array.from({ length: WIDTH }, (_, a) => {
        let x = 1 + (a === k ? 2 : 0);
        for (let b = 0; b < WIDTH; b++) x += 0.4 * mixing[a * WIDTH + b]! * z[b]!;
        return x;
      });
    }),
  );
}

function momentsOf(rows: readonly (readonly Float32Array[])[]): LanguageMoments {
  const moments = new LanguageMoments(LANGUAGES, WIDTH);
  rows.forEach((own, k) => {
    for (const row of own) moments.add(k, row);
  });
  return moments;
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Mean in each language, and the root of the mean over languages of the variances, of w·x token by token. */
function measured(w: ArrayLike<number>, rows: readonly (readonly Float32Array[])[]) {
  const values = rows.map((own) => own.map((row) => dot(w, row)));
  const means = values.map((own) => own.reduce((a, b) => a + b, 0) / own.length);
  const variances = values.map(
    (own, k) => own.reduce((sum, y) => sum + (y - means[k]!) ** 2, 0) / own.length,
  );
  return { means, spread: Math.sqrt(variances.reduce((a, b) => a + b, 0) / LANGUAGES) };
}

test('a readout has the means and the spread that were asked for, token by token', () => {
  const rows = tokens(1);
  const readouts = new Readouts(momentsOf(rows));
  const own = Float64Array.from({ length: WIDTH }, (_, a) => Math.sin(a));
  const w = readouts.readout([-1, 1, -1], 1, own)!;
  const { means, spread } = measured(w, rows);
  for (const [k, mean] of [-1, 1, -1].entries()) expect(means[k]).toBeCloseTo(mean, 4);
  expect(spread).toBeCloseTo(1, 2); // the ridge counts as spread
  const described = readouts.describe(w);
  expect(described.spread).toBeCloseTo(spread, 6);
  for (const [k, mean] of means.entries()) expect(described.means[k]).toBeCloseTo(mean, 6);
});

test('no readout with the same means has less spread, and the reach is where the least spread is 1', () => {
  const rows = tokens(2);
  const readouts = new Readouts(momentsOf(rows));
  const least = readouts.leastSpread([0, 0.5, 0]);
  const draws = new Draws(3);
  for (let n = 0; n < 50; n++) {
    const own = Float64Array.from({ length: WIDTH }, () => draws.gaussian());
    expect(readouts.readout([0, 0.5, 0], least * 0.999, own)).toBeNull();
    const w = readouts.readout([0, 0.5, 0], least * (1 + draws.uniform()), own)!;
    expect(measured(w, rows).spread).toBeGreaterThan(least * 0.99);
  }
  for (let k = 0; k < LANGUAGES; k++) {
    const means = [-0.5, -0.5, -0.5];
    means[k]! += readouts.reach(k, -0.5);
    expect(readouts.leastSpread(means)).toBeCloseTo(1, 9);
  }
  expect(readouts.reach(0, -1000)).toBeNaN();
});

test('levelling vectors get the products that were asked for', () => {
  const readouts = new Readouts(momentsOf(tokens(4)));
  const draws = new Draws(5);
  const vectors = Float64Array.from({ length: 3 * WIDTH }, () => draws.gaussian());
  const w = readouts.least(vectors, [1, -2, 0.5]);
  for (const [v, product] of [1, -2, 0.5].entries()) {
    expect(dot(vectors.subarray(v * WIDTH, (v + 1) * WIDTH), w)).toBeCloseTo(product, 6);
  }
});

test('gated means of a sample that holds all tokens are those of the tokens', () => {
  const rows = tokens(6);
  const sample = new TokenSample(TOKENS, WIDTH);
  rows.forEach((own, k) => {
    for (const row of own) sample.add(k, row, 0);
  });
  const gate = Float64Array.from({ length: WIDTH }, (_, a) => Math.cos(a));
  const silu = activationFunction('silu');
  const { act, gated } = sample.gatedMeans(gate, silu);
  for (const [k, own] of rows.entries()) {
    const values = own.map((row) => silu(dot(gate, row)));
    expect(act[k]).toBeCloseTo(values.reduce((a, b) => a + b, 0) / own.length, 9);
    const last = own.reduce((sum, row, t) => sum + values[t]! * row[WIDTH - 1]!, 0) / own.length;
    expect(gated[k * WIDTH + WIDTH - 1]).toBeCloseTo(last, 6);
  }
});

test('means over a normal distribution: E max(0, z) = 1/√(2π), E silu is between 0 and that', () => {
  expect(meanOverNormal(activationFunction('relu'), 0, 1)).toBeCloseTo(1 / Math.sqrt(2 * Math.PI), 3);
  expect(meanOverNormal((x) => x, 3, 2)).toBeCloseTo(3, 6);
  expect(activationFunction('gelu')(1)).toBeCloseTo(0.8413, 3); // Φ(1)
  expect(() => activationFunction('snake')).toThrow(/does not know this activation/);
});
