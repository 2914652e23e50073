import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { gini } from '../../src/scores/definitions/gini.js';
import { expectValues } from './reference-run.js';

const expected: { languages: number; rates: number[]; gini: number[] } = JSON.parse(
  readFileSync(new URL('../fixtures/scores-gini.json', import.meta.url), 'utf8'),
);

test('the Gini coefficient of rates is Σ_i Σ_j |r_i − r_j| / (2 K² mean), as NumPy has it from the definition', () => {
  expectValues(gini(Float64Array.from(expected.rates), expected.languages), expected.gini, 1e-12);
});

test('it is 0 for a unit alike in all languages, 1 − 1/K for one of a single language; a dead unit has none', () => {
  const found = gini(Float64Array.of(0.5, 0.3, 0, 0.5, 0, 0), 2);
  expect([...found]).toEqual([0, 0.5, Number.NaN]);
});

test('importance that is negative in a language has no share, and so no coefficient', () => {
  expect([...gini(Float64Array.of(-0.1, 0.2, 0.5, 0.4), 2)]).toEqual([Number.NaN, expect.closeTo(1 / 6, 12)]);
});
