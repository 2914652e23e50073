/** A sample can be evaluated for these. */
export interface ItemParts {
  /** `ap` and `auroc`. */
  readonly ranks: boolean;
  readonly mi: boolean;
  readonly selectivity: boolean;
  readonly overlap: boolean;
}

/** Scores of one unit in one sample of prompts; those not asked for are left as they were. */
export interface ItemValues {
  /** [language] each. */
  readonly ap: Float64Array;
  readonly auroc: Float64Array;
  readonly selectivity: Float64Array;
  /** With the other languages, on average. */
  readonly overlap: Float64Array;
  /** Over all pairs of languages, on average. */
  overlapMean: number;
  /** Nats. */
  mi: number;
  /** The correction of Miller and Madow that is in `mi`, of the whole sample and others like it, nats. */
  miCorrection: number;
  /** With selectivity: Σ_k (Σ_i x)² over complete items; rises with SS_language when languages are permuted within items; NaN if they are all equal. */
  languageSquares: number;
}

/** Nothing known yet: all NaN. */
export function newItemValues(languages: number): ItemValues {
  const perLanguage = () => new Float64Array(languages).fill(Number.NaN);
  return {
    ap: perLanguage(),
    auroc: perLanguage(),
    selectivity: perLanguage(),
    overlap: perLanguage(),
    overlapMean: Number.NaN,
    mi: Number.NaN,
    miCorrection: Number.NaN,
    languageSquares: Number.NaN,
  };
}

/** A standard error and the ends of a 95 % interval. */
export interface Spread {
  readonly se: number;
  readonly low: number;
  readonly high: number;
}

/** How far one unit's item scores can be trusted; arrays are [language]. Absent: not asked for. */
export interface ItemUncertainty {
  readonly ap?: readonly Spread[];
  readonly auroc?: readonly Spread[];
  readonly selectivity?: readonly Spread[];
  readonly overlap?: readonly Spread[];
  readonly overlapMean?: Spread;
  readonly mi?: Spread;
  readonly p: PermutationP;
}

/** Permutation p-values; NaN where nothing could be permuted. */
export interface PermutationP {
  /** One-sided: is it higher than where languages are exchangeable? */
  readonly ap: Float64Array;
  readonly selectivity: Float64Array;
  /** Two-sided: is it further from 0.5? */
  readonly auroc: Float64Array;
  /** p of the highest selectivity over languages, against the highest under permutation. */
  selectivityBest: number;
  mi: number;
  /** p of SS_language, hence of η², ω² and F of language. */
  twoWay: number;
}
