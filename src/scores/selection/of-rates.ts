/**
 * Units that never fire (neurons), contribute nothing (heads) or are never chosen (experts): some rate is 0 and none is
 * above. A neuron of an expert that is never chosen has no rate, and is none of them.
 *
 * @param rates [language, unit].
 * @returns [unit]: 1 if dead.
 */
export function deadUnits(rates: Float64Array, languages: number): Uint8Array {
  const units = rates.length / languages;
  const dead = new Uint8Array(units);
  for (let u = 0; u < units; u++) {
    let most = Number.NaN;
    for (let k = 0; k < languages; k++) {
      const rate = rates[k * units + u]!;
      if (!(rate <= most) && !Number.isNaN(rate)) most = rate;
    }
    if (most === 0) dead[u] = 1;
  }
  return dead;
}

/**
 * argmax_k of p_k, which is argmax_k of q_k: the language a unit is most tied to. Ties go to the earlier language.
 *
 * @param rates [language, unit].
 * @returns [unit]: index of the language; −1 for a unit whose rates are all 0 or NaN.
 */
export function topLanguage(rates: Float64Array, languages: number): Int32Array {
  const units = rates.length / languages;
  const top = new Int32Array(units).fill(-1);
  for (let u = 0; u < units; u++) {
    let best = 0;
    for (let k = 0; k < languages; k++) {
      if (rates[k * units + u]! > best) {
        best = rates[k * units + u]!;
        top[u] = k;
      }
    }
  }
  return top;
}
