import { gammaln } from 'simple-statistics';
import { regularizedIncompleteBeta, studentTQuantile } from './distributions.js';

/** Terms of the Poisson mixture are left out once they are this small. */
const NEGLIGIBLE = 1e-17;

/**
 * P(F > f) of the noncentral F distribution: a Poisson(λ/2) mixture of central ones, Σ_j e^(−λ/2) (λ/2)^j/j! ·
 * (1 − I_x(d₁/2 + j, d₂/2)) with x = d₁ f/(d₁ f + d₂) (Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions 2,
 * 1995, ch. 30). Summed from the likeliest term outward.
 *
 * @param lambda Noncentrality λ ≥ 0; 0 is the central distribution.
 * @returns NaN for degrees of freedom that are not above 0, a negative λ or a NaN.
 */
export function noncentralFUpperTail(f: number, df1: number, df2: number, lambda: number): number {
  if (!(df1 > 0 && df2 > 0 && lambda >= 0) || Number.isNaN(f)) return Number.NaN;
  if (f <= 0) return 1;
  // P(F > f) = I_{1−x}(d₂/2, d₁/2 + j).
  const rest = df2 / (df1 * f + df2);
  const half = lambda / 2;
  const term = (j: number) => regularizedIncompleteBeta(rest, df2 / 2, df1 / 2 + j);
  if (half === 0) return term(0);
  const weight = (j: number) => Math.exp(-half + j * Math.log(half) - gammaln(j + 1));
  const likeliest = Math.floor(half);
  let sum = 0;
  for (let j = likeliest; j >= 0; j--) {
    const w = weight(j);
    if (w < NEGLIGIBLE) break;
    sum += w * term(j);
  }
  for (let j = likeliest + 1; ; j++) {
    const w = weight(j);
    if (w < NEGLIGIBLE) break;
    sum += w * term(j);
  }
  return Math.min(1, sum);
}

/**
 * Power of a two-sided t test at a level: the chance that |T| exceeds the level's quantile, where T has the noncentral t
 * distribution (T² is noncentral F with one degree of freedom above and noncentrality δ²).
 *
 * @param shift δ: the true value in standard errors of its estimate.
 */
export function powerOfT(shift: number, df: number, level: number): number {
  const critical = studentTQuantile(1 - level / 2, df);
  return noncentralFUpperTail(critical * critical, 1, df, shift * shift);
}
