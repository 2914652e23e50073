import type { ItemSums } from './item-sums.js';

/** Selected units are this share of all (Tang et al., ACL 2024). */
const FRACTION = 0.01;
const BAR = 0.95;
const BUCKETS = 4096;
/** ω² is averaged over every fourth unit: a mean of 1,280 units is as smooth as one of 5,120, and cheaper. */
const OMEGA_STRIDE = 4;

/** What a comparison says of one run over some items, and what it needs to say more of two. */
export interface Profile {
  /** [unit]: LAPE, nats; NaN for a unit that never fires. */
  readonly entropies: Float64Array;
  /** [unit]: highest rate. */
  readonly highest: Float64Array;
  readonly meanEntropy: number;
  readonly meanOmega2: number;
  readonly bar: number;
  /** LAPE of the last unit selected. */
  readonly cut: number;
}

/** Sums of runs that are made of items, and the numbers that follow from them: what the product computes, but faster. */
export class PseudoRuns {
  readonly units: number;
  readonly languages: number;
  /** Numbers a fold: firing counts [language, unit], tokens [language], items, then of every fourth unit Σx [language], Σ(mean)², Σx². */
  readonly width: number;
  readonly #omegaUnits: number;
  readonly #logs: Float64Array;
  readonly #counts = new Uint32Array(BUCKETS);
  readonly #rates: Float64Array;
  readonly #eligible: Float64Array;

  constructor({ units, languages }: ItemSums, mostTokens: number) {
    this.units = units;
    this.languages = languages;
    this.#omegaUnits = Math.ceil(units / OMEGA_STRIDE);
    this.width = languages * units + languages + 1 + (languages + 2) * this.#omegaUnits;
    this.#logs = Float64Array.from({ length: mostTokens + 1 }, (_, n) => (n === 0 ? 0 : Math.log(n)));
    this.#rates = new Float64Array(languages * units);
    this.#eligible = new Float64Array(units);
  }

  /** [item, width]. */
  itemRows({ fire, tokens, pooled, items }: ItemSums): Float32Array[] {
    const { languages, units } = this;
    const omegaStart = languages * units + languages + 1;
    const n = this.#omegaUnits;
    return Array.from({ length: items }, (_, item) => {
      const row = new Float32Array(this.width);
      const start = item * languages * units;
      row.set(fire.subarray(start, start + languages * units));
      row.set(tokens.subarray(item * languages, (item + 1) * languages), languages * units);
      row[omegaStart - 1] = 1;
      for (let o = 0; o < n; o++) {
        let [sum, squares] = [0, 0];
        for (let k = 0; k < languages; k++) {
          const x = pooled[start + k * units + o * OMEGA_STRIDE]!;
          row[omegaStart + k * n + o] = x;
          sum += x;
          squares += x * x;
        }
        row[omegaStart + languages * n + o] = (sum / languages) ** 2;
        row[omegaStart + (languages + 1) * n + o] = squares;
      }
      return row;
    });
  }

  /** @param sums [width]: of all folds of a run. */
  profile(sums: Float64Array): Profile {
    const { languages, units } = this;
    const entropies = new Float64Array(units);
    const highest = new Float64Array(units);
    const rates = this.#rates;
    const total = new Float64Array(units);
    const plogp = new Float64Array(units);
    for (let k = 0; k < languages; k++) {
      const tokens = sums[languages * units + k]!;
      const logTokens = Math.log(tokens);
      for (let u = 0; u < units; u++) {
        const count = sums[k * units + u]!;
        const p = count / tokens;
        rates[k * units + u] = p;
        total[u]! += p;
        plogp[u]! += p * (this.#logs[count]! - logTokens);
        if (p > highest[u]!) highest[u] = p;
      }
    }
    let [entropySum, live] = [0, 0];
    for (let u = 0; u < units; u++) {
      const sum = total[u]!;
      const h = sum > 0 ? Math.max(0, Math.log(sum) - plogp[u]! / sum) : Number.NaN;
      entropies[u] = h;
      if (sum > 0) {
        entropySum += h;
        live++;
      }
    }
    const position = (rates.length - 1) * BAR;
    const below = Math.floor(position);
    const [low, high] = [this.#orderStatistic(rates, below, 1), this.#orderStatistic(rates, below + 1, 1)];
    const bar = low + (position - below) * (high - low);
    let eligible = 0;
    for (let u = 0; u < units; u++) {
      if (highest[u]! > bar && total[u]! > 0) this.#eligible[eligible++] = entropies[u]!;
    }
    const wanted = Math.min(eligible, Math.round(units * FRACTION));
    const cut =
      wanted === 0
        ? Number.NaN
        : this.#orderStatistic(this.#eligible.subarray(0, eligible), wanted - 1, Math.log(languages));
    return { entropies, highest, meanEntropy: entropySum / live, meanOmega2: this.#omega2(sums), bar, cut };
  }

  /** The value of a rank, from 0, of values between 0 and `most`: those of its bucket alone are sorted. */
  #orderStatistic(values: Float64Array, rank: number, most: number): number {
    const counts = this.#counts.fill(0);
    const scale = (BUCKETS - 1) / most;
    for (let i = 0; i < values.length; i++) counts[(values[i]! * scale) | 0]! += 1;
    let [bucket, before] = [0, 0];
    while (before + counts[bucket]! <= rank) before += counts[bucket++]!;
    const own = new Float64Array(counts[bucket]!);
    let found = 0;
    for (let i = 0; i < values.length; i++) {
      if (((values[i]! * scale) | 0) === bucket) own[found++] = values[i]!;
    }
    return own.sort()[rank - before]!;
  }

  #omega2(sums: Float64Array): number {
    const { languages, units } = this;
    const n = this.#omegaUnits;
    const start = languages * units + languages + 1;
    const items = sums[start - 1]!;
    let [mean, counted] = [0, 0];
    for (let o = 0; o < n; o++) {
      let [grand, ofLanguages] = [0, 0];
      for (let k = 0; k < languages; k++) {
        const own = sums[start + k * n + o]!;
        grand += own;
        ofLanguages += own * own;
      }
      const correction = (grand * grand) / (items * languages);
      const total = sums[start + (languages + 1) * n + o]! - correction;
      if (!(total > 0)) continue;
      const language = ofLanguages / items - correction;
      const item = sums[start + languages * n + o]! * languages - correction;
      const meanRest = Math.max(0, total - language - item) / ((items - 1) * (languages - 1));
      mean += (language - (languages - 1) * meanRest) / (total + meanRest);
      counted++;
    }
    return mean / counted;
  }
}

/** Units whose LAPE is at most the cut and that have a rate above the bar, [unit]. */
export function selectedBy(
  { entropies, highest }: Profile,
  { bar, cut }: Pick<Profile, 'bar' | 'cut'>,
): Uint8Array {
  const selected = new Uint8Array(entropies.length);
  for (let u = 0; u < selected.length; u++) {
    if (entropies[u]! <= cut && highest[u]! > bar) selected[u] = 1;
  }
  return selected;
}

export function countOf(selected: Uint8Array): number {
  let count = 0;
  for (let u = 0; u < selected.length; u++) count += selected[u]!;
  return count;
}

/** |A ∩ B| / |A ∪ B|. */
export function jaccard(a: Uint8Array, b: Uint8Array): number {
  let [both, either] = [0, 0];
  for (let u = 0; u < a.length; u++) {
    both += a[u]! & b[u]!;
    either += a[u]! | b[u]!;
  }
  return either === 0 ? Number.NaN : both / either;
}

/** D: the largest distance over layers of one width between cumulative shares of selected units. */
export function depthDistance(a: Uint8Array, b: Uint8Array, layers: number): number {
  const width = a.length / layers;
  const [all, others] = [countOf(a), countOf(b)];
  if (all === 0 || others === 0) return Number.NaN;
  let [most, ofA, ofB] = [0, 0, 0];
  for (let l = 0; l < layers; l++) {
    ofA += countOf(a.subarray(l * width, (l + 1) * width));
    ofB += countOf(b.subarray(l * width, (l + 1) * width));
    most = Math.max(most, Math.abs(ofA / all - ofB / others));
  }
  return most;
}
