/**
 * Units that never fire (neurons) or contribute nothing (heads): no rate is above 0 and none is NaN.
 *
 * @param rates [language, unit].
 * @returns [unit]: 1 if dead.
 */
export function deadUnits(rates: Float64Array, languages: number): Uint8Array {
  const units = rates.length / languages;
  const dead = new Uint8Array(units).fill(1);
  for (let k = 0; k < languages; k++) {
    for (let u = 0; u < units; u++) if (rates[k * units + u] !== 0) dead[u] = 0;
  }
  return dead;
}
