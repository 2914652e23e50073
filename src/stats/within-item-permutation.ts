import { Random } from './random.js';

/** Items × languages × units, units last, without holes. */
export interface CompleteGrid {
  /** [item, language, unit] */
  readonly values: ArrayLike<number>;
  readonly items: number;
  readonly languages: number;
  readonly units: number;
}

export interface PermutationOptions {
  /** Default 1000 (SCORES.md). */
  readonly permutations?: number;
  readonly seed: number;
}

/**
 * Permutation p-values of Σ_k (Σ_i x_{i,k})², one a unit: are the units' means over items more different between
 * languages than they would be if languages were exchangeable within an item? p = (1 + #{null ≥ observed}) / (1 +
 * permutations) (Phipson & Smyth, 2010), one-sided, never 0.
 *
 * Shuffling languages within items leaves SS_total and SS_item as they are, so this is at once the test of
 * SS_language, of η²_language, of ω²_language and of the F of a two-way layout (Friedman's design, 1937, on values
 * instead of ranks). One shuffle serves all units, which keeps what ties them to each other.
 *
 * @returns [unit]; NaN for a unit that is constant within every item, or with a value that is not finite
 */
export function withinItemPermutation(
  { values, items, languages, units }: CompleteGrid,
  { permutations = 1000, seed }: PermutationOptions,
): Float64Array {
  const centred = centreItems(values, items, languages, units);
  const random = new Random(seed);
  const labels = Uint32Array.from({ length: languages }, (_, k) => k);
  const sums = new Float64Array(languages * units);
  const statistic = (shuffle: boolean): Float64Array => {
    sums.fill(0);
    for (let i = 0; i < items; i++) {
      if (shuffle) random.shuffle(labels);
      for (let k = 0; k < languages; k++) {
        const from = (i * languages + k) * units;
        const to = labels[k]! * units;
        for (let u = 0; u < units; u++) sums[to + u]! += centred[from + u]!;
      }
    }
    const squares = new Float64Array(units);
    for (let k = 0; k < languages; k++) {
      for (let u = 0; u < units; u++) squares[u]! += sums[k * units + u]! ** 2;
    }
    return squares;
  };
  const observed = statistic(false);
  const atLeast = new Float64Array(units);
  // A shuffle that only renames languages gives the observed value but for the order of additions.
  const bar = observed.map((value) => value * (1 - 1e-12));
  for (let n = 0; n < permutations; n++) {
    const shuffled = statistic(true);
    for (let u = 0; u < units; u++) if (shuffled[u]! >= bar[u]!) atLeast[u]! += 1;
  }
  const testable = variesWithinItems(centred, units);
  return atLeast.map((count, u) => (testable[u] === 1 ? (1 + count) / (1 + permutations) : Number.NaN));
}

/** Values less their item's mean: item effects cancel in the statistic and would only cost digits. */
function centreItems(
  values: ArrayLike<number>,
  items: number,
  languages: number,
  units: number,
): Float64Array {
  const centred = Float64Array.from(values);
  for (let i = 0; i < items; i++) {
    const start = i * languages * units;
    for (let u = 0; u < units; u++) {
      let mean = 0;
      for (let k = 0; k < languages; k++) mean += values[start + k * units + u]!;
      mean /= languages;
      for (let k = 0; k < languages; k++) centred[start + k * units + u]! -= mean;
    }
  }
  return centred;
}

/** [unit]: 1 if all values are finite and some item's differ. */
function variesWithinItems(centred: Float64Array, units: number): Uint8Array {
  const varies = new Uint8Array(units);
  const finite = new Uint8Array(units).fill(1);
  for (let at = 0; at < centred.length; at += units) {
    for (let u = 0; u < units; u++) {
      const value = centred[at + u]!;
      if (!Number.isFinite(value)) finite[u] = 0;
      else if (value !== 0) varies[u] = 1;
    }
  }
  return varies.map((does, u) => does & finite[u]!);
}
