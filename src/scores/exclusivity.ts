/**
 * Exclusivity of an expert, max_k f_k / Σ_k f_k over languages: the share that its foremost language has of its selection
 * frequencies (as a share of the commonest kind the index of Berger & Parker, Science 1970). 1/K: all languages alike; 1:
 * one language alone.
 *
 * @param frequencies [language, expert], not negative.
 * @returns [expert]; NaN for an expert that is never chosen, or with a NaN frequency.
 */
export function exclusivity(frequencies: Float64Array, languages: number): Float64Array {
  const units = frequencies.length / languages;
  const share = new Float64Array(units);
  for (let u = 0; u < units; u++) {
    let sum = 0;
    let most = 0;
    for (let k = 0; k < languages; k++) {
      const own = frequencies[k * units + u]!;
      sum += own;
      most = Math.max(most, own);
    }
    share[u] = sum > 0 ? most / sum : Number.NaN;
  }
  return share;
}
