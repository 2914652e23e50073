/**
 * One-sample Kolmogorov–Smirnov test against the uniform distribution on (0, 1]: D = sup |F_n(x) − x| (Kolmogorov, 1933;
 * Smirnov, 1948), and its p-value by the asymptotic series with Stephens' correction for finite n (1970),
 * λ = (√n + 0.12 + 0.11/√n) D, p = 2 Σ_j (−1)^{j−1} exp(−2 j² λ²).
 */
export function kolmogorovSmirnov(values: ArrayLike<number>): { readonly d: number; readonly p: number } {
  const sorted = Float64Array.from(values).sort();
  const n = sorted.length;
  let d = 0;
  for (let i = 0; i < n; i++) {
    d = Math.max(d, (i + 1) / n - sorted[i]!, sorted[i]! - i / n);
  }
  const lambda = (Math.sqrt(n) + 0.12 + 0.11 / Math.sqrt(n)) * d;
  let p = 0;
  for (let j = 1; j <= 100; j++) {
    const term = 2 * (j % 2 === 1 ? 1 : -1) * Math.exp(-2 * j * j * lambda * lambda);
    p += term;
    if (Math.abs(term) < 1e-12) break;
  }
  return { d, p: Math.min(1, Math.max(0, lambda < 0.2 ? 1 : p)) };
}
