import { mannKendall } from '../stats/index.js';
import type { UnitType } from '../store/index.js';
import { measuresOf } from './measures.js';
import { finiteOrNull } from './numbers.js';
import type { Estimate, Headline, LanguageGroup, Level, Trend, TrendTest } from './types.js';

/** Nominal level of a trend's test. */
const LEVEL = 0.05;

/**
 * How each measure goes with training: its values by step and the Mann–Kendall test of a monotone trend. A measure that
 * exists only between runs is taken between the reference and every other run.
 *
 * @param steps By label.
 */
export function trends(
  type: UnitType,
  steps: ReadonlyMap<string, number>,
  groups: readonly LanguageGroup[],
  levels: readonly Level[],
  headlines: readonly Headline[],
): Trend[] {
  const reference = steps.keys().next().value;
  return [null, ...groups.map(({ name }) => name)].flatMap((group) =>
    measuresOf(type).map(({ measure, of }): Trend => {
      const values: readonly (readonly [string, Estimate])[] =
        of === null
          ? headlines
              .filter((h) => h.measure === measure && h.group === group && h.from === reference)
              .map(({ to, change }) => [to, change])
          : levels
              .filter((level) => level.measure === measure && level.group === group)
              .map(({ label, value }) => [label, value]);
      return { measure, group, ...trendOf(steps, values) };
    }),
  );
}

/** The Mann–Kendall test of values by label. */
export function trendOf(
  steps: ReadonlyMap<string, number>,
  values: readonly (readonly [string, Estimate])[],
): TrendTest {
  const points = values
    .map(([label, value]) => ({ step: steps.get(label)!, value }))
    .sort((a, b) => a.step - b.step);
  const { s, tau, p, leastP } = mannKendall(points.map(({ value }) => value.value ?? Number.NaN));
  const tested = { points, s: finiteOrNull(s), tau: finiteOrNull(tau), p: finiteOrNull(p) };
  if (tested.p === null) {
    return { ...tested, verdict: 'not measured', note: 'a trend needs three values that differ' };
  }
  if (leastP >= LEVEL) {
    const note = `no order of ${points.length} values has a p below ${LEVEL}`;
    return { ...tested, verdict: 'not measured', note };
  }
  return { ...tested, verdict: p < LEVEL ? 'changed' : 'not distinguishable from no trend', note: '' };
}
