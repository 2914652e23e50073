import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lape } from '../../src/scores/definitions/lape.js';
import { deadUnits, topLanguage } from '../../src/scores/selection/of-rates.js';
import {
  policyCounts,
  referenceCut,
  selectByPolicies,
  selectPolyfact2026,
  selectTang2024,
} from '../../src/scores/selection/policies.js';
import { summarise } from '../../src/scores/selection/rate-summary.js';
import {
  countSelected,
  languagesOf,
  type Selection,
  selectReference,
} from '../../src/scores/selection/selection.js';
import { reference } from './reference-run.js';

const { languages, fraction } = reference;
const byUnit = reference.expected.flatMap(({ neuron }) =>
  neuron.rate[0]!.map((_, u) => neuron.rate.map((row) => row[u]!)),
);
const rates = languageMajor(byUnit as number[][]);
const entropies = Float64Array.from(
  reference.expected.flatMap(({ neuron }) => neuron.lape),
  (h) => h ?? Number.NaN,
);

/** [unit][language] → [language, unit] */
function languageMajor(rows: readonly (readonly number[])[]): Float64Array {
  return Float64Array.from(
    { length: languages * rows.length },
    (_, i) => rows[i % rows.length]![Math.floor(i / rows.length)]!,
  );
}

function membersOf(selection: Selection): [number, number[]][] {
  return [...selection.selected.keys()]
    .filter((unit) => selection.selected[unit] === 1)
    .map((unit) => [unit, languagesOf(selection, unit)]);
}

test('tang2024: lowest LAPE among units with a rate above the 95th percentile of all rates, until 1 % of all units', () => {
  const cut = referenceCut(rates, entropies, languages, { fraction });
  expect(cut.bar).toBeCloseTo(reference.tang2024.bar, 12);
  expect(cut.entropyCut).toBeCloseTo(reference.tang2024.entropyCut, 12);
  expect(cut.fraction).toBe(fraction);
  expect(membersOf(selectTang2024(rates, entropies, languages, { fraction }))).toEqual(
    reference.tang2024.members,
  );
});

test('tang2024: a selected unit belongs to every language whose rate exceeds the bar', () => {
  const shared = reference.tang2024.members.filter(([, own]) => own.length > 1);
  expect(shared.length).toBeGreaterThan(0);
});

test('polyfact2026: lowest LAPE of all units that fire, floor of 1 % of all, each in its top language alone', () => {
  expect(membersOf(selectPolyfact2026(rates, entropies, languages, { fraction }))).toEqual(
    reference.polyfact2026.members,
  );
});

test('the product 1 % × units is rounded under tang2024 and floored under polyfact2026: 3,523 and 3,522 of 352,256', () => {
  const units = 352_256;
  const many = new Float64Array(2 * units).map((_, i) => ((i * 7919) % 1009) / 1009);
  const h = lape(many, 2);
  expect(countSelected(selectTang2024(many, h, 2))).toBe(3523);
  expect(countSelected(selectPolyfact2026(many, h, 2))).toBe(3522);
});

test.each([
  [50, 0],
  [150, 2],
  [250, 2],
  [350, 4],
])('tang2024 rounds halves to the even number, as Python does: 1 %% of %i units is %i', (units, expected) => {
  const ofUnits = Float64Array.from({ length: 2 * units }, (_, at) => 1 / (1 + at));
  expect(countSelected(selectTang2024(ofUnits, lape(ofUnits, 2), 2))).toBe(expected);
});

test('reference: bar and entropy cut of the reference run, held fixed on another run', () => {
  const other = languageMajor(reference.otherRates);
  const { bar, entropyCut } = reference.tang2024;
  const selection = selectReference(other, lape(other, languages), languages, { bar, entropyCut, fraction });
  expect(membersOf(selection)).toEqual(reference.otherReference.members);
});

test('reference on the reference run itself selects what tang2024 does, and ties of the last unit', () => {
  const cut = referenceCut(rates, entropies, languages, { fraction });
  const tang = selectTang2024(rates, entropies, languages, { fraction });
  const own = selectReference(rates, entropies, languages, cut);
  for (const [unit, member] of membersOf(tang)) expect(languagesOf(own, unit)).toEqual(member);
  for (const [unit] of membersOf(own)) {
    expect(tang.selected[unit] === 1 || entropies[unit] === cut.entropyCut).toBe(true);
  }
});

test('units of equal LAPE are taken in order of index', () => {
  // Ten units alike, and a language in which one rate in twenty is above the 95th percentile of all.
  const alike = new Float64Array(20).fill(0.5, 0, 10).fill(0.25, 10);
  const selection = selectPolyfact2026(alike, lape(alike, 2), 2, { fraction: 0.3 });
  expect(membersOf(selection).map(([unit]) => unit)).toEqual([0, 1, 2]);
});

test('units that never fire are never selected, even when too few others are', () => {
  const mostlyDead = new Float64Array(20);
  mostlyDead[3] = 0.4;
  const h = lape(mostlyDead, 2);
  expect(membersOf(selectTang2024(mostlyDead, h, 2, { fraction: 0.5 }))).toEqual([[3, [0]]]);
  expect(membersOf(selectPolyfact2026(mostlyDead, h, 2, { fraction: 0.5 }))).toEqual([[3, [0]]]);
  const none = new Float64Array(20);
  const cut = referenceCut(none, lape(none, 2), 2, { fraction: 0.5 });
  expect(cut.entropyCut).toBeNaN();
  expect(countSelected(selectReference(none, lape(none, 2), 2, cut))).toBe(0);
});

test('1 % of few units is none: then no cut, and nothing is selected', () => {
  const few = Float64Array.of(0.1, 0.9, 0.5, 0.5);
  const { tang2024, polyfact2026 } = selectByPolicies(summarise(few, lape(few, 2), 2), 2, [
    { start: 0, rates: few },
  ]);
  expect(tang2024.entropyCut).toBeNaN();
  expect(countSelected(tang2024.selection)).toBe(0);
  expect(countSelected(polyfact2026.selection)).toBe(0);
});

/** Rates [language, unit] of 12 units in 3 languages, in twentieths, so that many tie and some never fire. */
const drawn = fc
  .array(fc.integer({ min: 0, max: 20 }), { minLength: 36, maxLength: 36 })
  .map((counts) => Float64Array.from(counts, (count) => count / 20));
const FRACTION = { fraction: 0.34 };

/** Members by policy, under the cut of the run itself. */
function members(own: Float64Array): Record<string, [number, number[]][]> {
  const h = lape(own, 3);
  return {
    tang2024: membersOf(selectTang2024(own, h, 3, FRACTION)),
    polyfact2026: membersOf(selectPolyfact2026(own, h, 3, FRACTION)),
    reference: membersOf(selectReference(own, h, 3, referenceCut(own, h, 3, FRACTION))),
  };
}

test('every policy: no unit that never fires, at most the share asked for (reference: and ties), each with a language', () => {
  fc.assert(
    fc.property(drawn, (own) => {
      const h = lape(own, 3);
      for (const [policy, selected] of Object.entries(members(own))) {
        if (policy !== 'reference') expect(selected.length).toBeLessThanOrEqual(4);
        for (const [unit, languagesOfUnit] of selected) {
          expect(h[unit]).not.toBeNaN();
          expect(languagesOfUnit.length).toBeGreaterThan(0);
          if (policy === 'polyfact2026') expect(languagesOfUnit).toHaveLength(1);
        }
      }
    }),
  );
});

test('every policy: halving all rates selects the same; permuting languages permutes the members of tang2024', () => {
  fc.assert(
    fc.property(drawn, (own) => {
      expect(members(own.map((rate) => rate / 2))).toEqual(members(own));
      // The first language last. Equal entropies may then differ in their last digit, and the order of ties with them.
      const h = lape(own, 3);
      if (new Set([...h].map((value) => value.toFixed(9))).size < h.length) return;
      const moved = Float64Array.of(...own.subarray(12), ...own.subarray(0, 12));
      expect(members(moved).tang2024).toEqual(
        members(own).tang2024!.map(([unit, tongues]) => [
          unit,
          tongues.map((k) => (k + 2) % 3).sort((a, b) => a - b),
        ]),
      );
    }),
  );
});

test('a rate that cannot be computed (a language without tokens) selects nothing', () => {
  fc.assert(
    fc.property(drawn, (own) => {
      const missing = own.map((rate, at) => (at < 12 ? Number.NaN : rate));
      const h = lape(missing, 3);
      expect(countSelected(selectPolyfact2026(missing, h, 3, FRACTION))).toBe(0);
      expect(countSelected(selectTang2024(missing, h, 3, FRACTION))).toBe(0);
    }),
  );
});

test('a unit is dead that fires in no language; one whose rates are unknown is not, and has no top language', () => {
  const rates = Float64Array.of(0, Number.NaN, 0.2, 0, 0, Number.NaN, 0.3, Number.NaN);
  expect([...deadUnits(rates, 2)]).toEqual([1, 0, 0, 1]);
  expect([...topLanguage(rates, 2)]).toEqual([-1, -1, 1, -1]);
});

test('counts tell how many units are selected, in each language, and in more than one', () => {
  const units = 400;
  const rates = new Float64Array(3 * units).map((_, i) => (((i * 7919) % 1009) / 1009) ** 4);
  const h = lape(rates, 3);
  const { tang2024, polyfact2026 } = selectByPolicies(summarise(rates, h, 3), 3, [{ start: 0, rates }]);
  for (const found of [tang2024, polyfact2026]) {
    const members = membersOf(found.selection).map(([, own]) => own);
    const { selected, shared, perLanguage } = policyCounts(found);
    expect(selected).toBe(4);
    expect(shared).toBe(members.filter((own) => own.length > 1).length);
    expect(perLanguage).toEqual([0, 1, 2].map((k) => members.filter((own) => own.includes(k)).length));
  }
});

test('where the share could only be had with units that fire alike in all languages, nothing is selected', () => {
  // Four languages with the same text: every unit has one rate, and ln 4 as its entropy, up to rounding.
  const units = 300;
  const same = new Float64Array(4 * units);
  for (let u = 0; u < units; u++) for (let k = 0; k < 4; k++) same[k * units + u] = (u + 1) / (units + 7);
  const entropies = lape(same, 4);
  for (const { selected } of [selectTang2024(same, entropies, 4), selectPolyfact2026(same, entropies, 4)]) {
    expect(selected.reduce((a, b) => a + b)).toBe(0);
  }
  const cut = referenceCut(same, entropies, 4);
  expect(cut).toMatchObject({ entropyCut: Number.NaN, reachesEven: true });
  // Three units that differ between languages are enough for 1 % of 300.
  for (const u of [297, 298, 299]) same[3 * units + u] = 0.1;
  expect(selectTang2024(same, lape(same, 4), 4).selected.reduce((a, b) => a + b)).toBe(3);
  expect(referenceCut(same, lape(same, 4), 4).reachesEven).toBeUndefined();
});
