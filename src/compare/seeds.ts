import { findingOf, studentTest, type Tested, welchTest } from '../stats/index.js';
import type { Estimate, SeedTest } from './comparison.js';
import type { Uncertainty } from './estimates.js';
import { finiteOrNull } from './numbers.js';

/** Level of the test. */
const LEVEL = 0.05;

/**
 * Welch's t test of the values of two regimes' training seeds, second mean − first, all at full size: whether the change would be
 * there with another training. A reference of one seed is taken as the checkpoint that the others were trained from, which
 * no training moves.
 *
 * @param first [seed], as is `second`.
 * @param sampling What other items would do to the change; with it the second interval is for another training and other items.
 * @param note The reason why there is nothing to test; null if there is.
 */
export function testSeeds(
  first: readonly number[],
  second: readonly number[],
  sampling: Uncertainty,
  { isFixed, note }: { readonly isFixed: boolean; readonly note: string | null },
): SeedTest {
  const seeds = [first.length, second.length] as const;
  const start = isFixed && first.length === 1 ? first[0]! : first;
  const tested = welchTest(start, second);
  const reason =
    note ??
    (second.length < 2 || (typeof start !== 'number' && start.length < 2)
      ? 'one training seed a regime'
      : Number.isNaN(tested.p)
        ? 'the seeds do not differ, or one of them has no value'
        : '');
  if (reason !== '') {
    return {
      seeds,
      p: null,
      adjusted: null,
      finding: 'not measured',
      training: NOTHING,
      both: NOTHING,
      note: reason,
    };
  }
  const ofItems = studentTest(tested.value, sampling.se, sampling.df);
  return {
    seeds,
    p: tested.p,
    adjusted: tested.p,
    finding: findingOf(tested.p, Number.NaN, LEVEL),
    training: intervalOf(tested),
    both: intervalOf(withBoth(tested, ofItems)),
    note: typeof start === 'number' ? 'the reference is taken as fixed' : '',
  };
}

/**
 * The sum of two independent errors: half the width is the root of the sum of squares of the two half widths (Zou & Donner, 2008), so
 * that it is never narrower than either.
 */
function withBoth({ value, ...training }: Tested, items: Tested): Pick<Tested, 'value' | 'low' | 'high'> {
  const half = Math.hypot(training.high - value, items.high - value);
  return { value, low: value - half, high: value + half };
}

const NOTHING: Estimate = { value: null, low: null, high: null };

function intervalOf({ value, low, high }: Pick<Tested, 'value' | 'low' | 'high'>): Estimate {
  return { value: finiteOrNull(value), low: finiteOrNull(low), high: finiteOrNull(high) };
}
