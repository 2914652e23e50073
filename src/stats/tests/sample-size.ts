import { powerOfT } from './noncentral-f.js';

export interface Power {
  /** Chance to call a change of that size. Default 0.8. */
  readonly power?: number;
  /** Of the two-sided test. Default 0.05. */
  readonly level?: number;
}

/** Steps of a bisection: to a part in 10¹⁵ of the bracket. */
const BISECTIONS = 50;

/**
 * The minimum detectable change: the least true change that a two-sided t test calls with the given power, (about
 * t_{1 − α/2} + t_{power}) SE, exactly by the noncentral t distribution.
 *
 * @returns in the unit of `se`; NaN without an error.
 */
export function minimumDetectable(se: number, df: number, { power = 0.8, level = 0.05 }: Power = {}): number {
  if (!(se >= 0) || !(df > 0)) return Number.NaN;
  let low = 0;
  let high = 1;
  while (powerOfT(high, df, level) < power) high *= 2;
  for (let n = 0; n < BISECTIONS; n++) {
    const middle = (low + high) / 2;
    if (powerOfT(middle, df, level) < power) low = middle;
    else high = middle;
  }
  return high * se;
}

export interface SampleSize extends Power {
  /** Standard error of the change in the pilot. */
  readonly se: number;
  /** Of what the pilot's error is of: items, or clusters. */
  readonly pilot: number;
  /** The change to be found, in the unit of `se`. */
  readonly detect: number;
  /** Groups that the error will be estimated from, at most: the folds; of clusters, all of them. Default: as many as there are. */
  readonly groups?: number;
}

/** More than anybody has. */
const MOST = 2 ** 40;

/**
 * The items (or clusters) that a run needs to call a change of a given size with the given power, if its error falls with the
 * root of their number: the least n whose minimum detectable change is at most `detect`.
 *
 * @returns NaN without an error in the pilot; 2 where it has none at all.
 */
export function sampleSize({ se, pilot, detect, groups = MOST, ...power }: SampleSize): number {
  if (!(se >= 0) || !(detect > 0)) return Number.NaN;
  const suffices = (n: number) =>
    minimumDetectable(se * Math.sqrt(pilot / n), Math.min(n, groups) - 1, power) <= detect;
  let high = 2;
  while (high < MOST && !suffices(high)) high *= 2;
  let low = high / 2;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (suffices(middle)) high = middle;
    else low = middle;
  }
  return high;
}
