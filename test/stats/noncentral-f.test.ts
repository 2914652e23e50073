import { describe, expect, test } from 'vitest';
import { minimumEffectPValues, noncentralFUpperTail, softCount } from '../../src/stats/index.js';
import { Draws } from '../../src/stats/sampling/random.js';
import { inference } from './inference-fixture.js';

test.each(inference.noncentralF)('P(F > $f) with $df1, $df2, λ $lambda is SciPy’s', (of) => {
  expect(noncentralFUpperTail(of.f, of.df1, of.df2, of.lambda)).toBeCloseTo(of.upper, 9);
});

test('no distribution, no probability', () => {
  expect(noncentralFUpperTail(1, 0, 5, 1)).toBeNaN();
  expect(noncentralFUpperTail(1, 2, 5, -1)).toBeNaN();
  expect(noncentralFUpperTail(Number.NaN, 2, 5, 1)).toBeNaN();
  expect(noncentralFUpperTail(0, 2, 5, 1)).toBe(1);
});

describe('smallest effect of interest', () => {
  test.each(inference.minimumEffect)('p that ω² exceeds $smallest is SciPy’s', (of) => {
    const p = minimumEffectPValues(
      { ...of, total: [of.total], language: [of.language], item: [of.item] },
      of.smallest,
    );
    expect(p[0]).toBeCloseTo(of.p, 9);
  });

  test('a constant unit has none; a unit of nothing but languages exceeds any bound', () => {
    const squares = { items: 5, languages: 3, total: [0, 2], language: [0, 2], item: [0, 0] };
    expect([...minimumEffectPValues(squares, 0.1)]).toEqual([Number.NaN, 0]);
    expect(minimumEffectPValues({ ...squares, items: 1 }, 0.1)[1]).toBeNaN();
  });

  test('of units whose ω² is the bound at most 6 % are called, of a smaller bound most', () => {
    const [items, languages, units, itemSpread] = [60, 4, 2000, 1];
    const draws = new Draws(9);
    // The variance of two effects ±δ and two zeros over languages is δ²/2.
    const bound = 0.05;
    const delta = Math.sqrt((2 * bound * (1 + itemSpread ** 2)) / (1 - bound));
    const total = new Float64Array(units);
    const language = new Float64Array(units);
    const item = new Float64Array(units);
    for (let u = 0; u < units; u++) {
      const byLanguage = new Float64Array(languages);
      let [grand, squares, byItem] = [0, 0, 0];
      for (let i = 0; i < items; i++) {
        const own = itemSpread * draws.gaussian();
        let row = 0;
        for (let k = 0; k < languages; k++) {
          const x = own + [delta, -delta, 0, 0][k]! + draws.gaussian();
          byLanguage[k]! += x;
          row += x;
          squares += x * x;
        }
        grand += row;
        byItem += row ** 2 / languages;
      }
      const correction = grand ** 2 / (items * languages);
      total[u] = squares - correction;
      language[u] = byLanguage.reduce((sum, own) => sum + own * own, 0) / items - correction;
      item[u] = byItem - correction;
    }
    const called = (smallest: number) =>
      minimumEffectPValues({ items, languages, total, language, item }, smallest).filter((p) => p <= 0.05)
        .length / units;
    expect(called(bound)).toBeGreaterThan(0.035);
    expect(called(bound)).toBeLessThan(0.065);
    expect(called(bound / 20)).toBeGreaterThan(0.9);
  });
});

describe('soft count', () => {
  test("the sum of SciPy's normal probabilities", () => {
    const { values, se, cut, count } = inference.softCount;
    expect(softCount(values, se, cut)).toBeCloseTo(count, 10);
  });

  test('without errors it is the hard count, with a half on the cut; NaN counts for nothing', () => {
    expect(softCount([1, 2, 3, Number.NaN, 0], [0, 0, 0, 0, Number.NaN], 2)).toBe(1.5);
  });
});
