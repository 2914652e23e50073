import { Random } from '../src/stats/sampling/random.js';

/** Items × languages × units, units last, without holes. */
export interface CompleteGrid {
  /** [item, language, unit] */
  readonly values: ArrayLike<number>;
  readonly items: number;
  readonly languages: number;
  readonly units: number;
}

export interface PermutationOptions {
  /** Default 1000. */
  readonly permutations?: number;
  readonly seed: number;
}

/**
 * Permutation p-values of Σ_k (Σ_i x_{i,k} − x̄_i)², one a unit: are the units' means over items more different between
 * languages than they would be if languages were exchangeable within an item? p = (1 + #{null ≥ observed}) / (1 +
 * permutations) (Phipson & Smyth, 2010), one-sided, never 0.
 *
 * Shuffling languages within items leaves SS_total and SS_item as they are, so this is at once the test of
 * SS_language, of η²_language, of ω²_language and of the F of a two-way layout (Friedman's design, 1937, on values
 * instead of ranks). One shuffle serves all units, which keeps what ties them to each other.
 *
 * The null is that languages are alike in everything, variance included. Where one is merely noisier than another, p is
 * too small more often than it should be; `itemSignFlip` tests the means alone.
 *
 * @returns [unit]; NaN for a unit that is constant within every item, or with a value that is not finite
 */
export function withinItemPermutation(grid: CompleteGrid, options: PermutationOptions): Float64Array {
  const { items, languages, units } = grid;
  const random = new Random(options.seed);
  const centred = centreItems(grid);
  const labels = Uint32Array.from({ length: languages }, (_, k) => k);
  return pValues(grid, centred, options, (sums, shuffle) => {
    for (let i = 0; i < items; i++) {
      if (shuffle) random.shuffle(labels);
      for (let k = 0; k < languages; k++) {
        const from = (i * languages + k) * units;
        const to = labels[k]! * units;
        for (let u = 0; u < units; u++) sums[to + u]! += centred[from + u]!;
      }
    }
  });
}

/**
 * As `withinItemPermutation`, but what is shuffled is the sign of each item's differences between languages, all of them
 * together (Fisher's randomisation for pairs, 1935, for more than two; the wild bootstrap with Rademacher weights). That
 * keeps how much each language varies and how languages vary together, so the null is only that all means are equal: exact
 * if the differences are symmetric about 0, else for many items.
 */
export function itemSignFlip(grid: CompleteGrid, options: PermutationOptions): Float64Array {
  const { items, languages, units } = grid;
  const random = new Random(options.seed);
  const centred = centreItems(grid);
  const row = languages * units;
  return pValues(grid, centred, options, (sums, shuffle) => {
    for (let i = 0; i < items; i++) {
      const at = i * row;
      if (shuffle && random.integer(2) === 1) for (let j = 0; j < row; j++) sums[j]! -= centred[at + j]!;
      else for (let j = 0; j < row; j++) sums[j]! += centred[at + j]!;
    }
  });
}

/** @param addUp Adds the items to `sums` [language, unit]: as they are, or shuffled. */
function pValues(
  { languages, units }: CompleteGrid,
  centred: Float64Array,
  { permutations = 1000 }: PermutationOptions,
  addUp: (sums: Float64Array, shuffle: boolean) => void,
): Float64Array {
  const sums = new Float64Array(languages * units);
  const statistic = (shuffle: boolean): Float64Array => {
    addUp(sums.fill(0), shuffle);
    const squares = new Float64Array(units);
    for (let k = 0; k < languages; k++) {
      for (let u = 0; u < units; u++) squares[u]! += sums[k * units + u]! ** 2;
    }
    return squares;
  };
  // A shuffle that changes nothing gives the observed value but for the order of additions.
  const bar = statistic(false).map((value) => value * (1 - 1e-12));
  const atLeast = new Float64Array(units);
  for (let n = 0; n < permutations; n++) {
    const shuffled = statistic(true);
    for (let u = 0; u < units; u++) if (shuffled[u]! >= bar[u]!) atLeast[u]! += 1;
  }
  const testable = variesWithinItems(centred, units);
  return atLeast.map((count, u) => (testable[u] === 1 ? (1 + count) / (1 + permutations) : Number.NaN));
}

/** Values less their item's mean: item effects say nothing about languages. */
function centreItems({ values, items, languages, units }: CompleteGrid): Float64Array {
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
