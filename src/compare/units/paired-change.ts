import { jackknifeUnits, studentTUpperTail, type UnitIntervals } from '../../stats/index.js';

type Numbers = Float64Array | Float32Array;

/**
 * Change b − a of units with its paired delete-one-fold jackknife: the same fold left out in both runs. Arrays are [unit].
 *
 * @param leftOutOfA, leftOutOfB [fold left out].
 */
export function paired(
  a: Float64Array,
  b: Float64Array,
  leftOutOfA: readonly Float64Array[],
  leftOutOfB: readonly Float64Array[],
): UnitIntervals {
  const minus = (q: Float64Array, p: Float64Array) => q.map((value, u) => value - p[u]!);
  return jackknifeUnits(
    minus(b, a),
    leftOutOfA.map((left, g) => minus(leftOutOfB[g]!, left)),
  );
}

/**
 * Two-sided p of Student's t = Δ/SE with G − 1 degrees of freedom, so that p < 0.05 is a 95 % interval without 0 (before
 * clipping); of a unit that no fold moves it is 1 if Δ = 0, else NaN.
 */
export function pairedP(delta: Numbers, se: Numbers, folds: number): Float64Array {
  const p = new Float64Array(delta.length).fill(Number.NaN);
  for (let u = 0; u < p.length; u++) {
    if (se[u]! > 0) p[u] = Math.min(1, 2 * studentTUpperTail(Math.abs(delta[u]!) / se[u]!, folds - 1));
    else if (se[u] === 0 && delta[u] === 0) p[u] = 1;
  }
  return p;
}
