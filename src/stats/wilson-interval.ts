/** Of a standard normal, two-sided 95 %. */
const Z = 1.959963984540054;

/** 95 % interval of a proportion (Wilson, 1927); [0, 1] of nothing. */
export function wilsonInterval(successes: number, trials: number): readonly [number, number] {
  if (trials === 0) return [0, 1];
  const p = successes / trials;
  const centre = p + (Z * Z) / (2 * trials);
  const half = Z * Math.sqrt((p * (1 - p)) / trials + (Z * Z) / (4 * trials * trials));
  const scale = 1 + (Z * Z) / trials;
  return [
    successes === 0 ? 0 : Math.max(0, (centre - half) / scale),
    successes === trials ? 1 : Math.min(1, (centre + half) / scale),
  ];
}
