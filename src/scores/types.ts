/** Kinds of unit that a run scores. */
export type UnitType = 'neuron' | 'head';

/** One row of `units.parquet`. A value that cannot be computed is NaN in memory and null in the table. */
export interface UnitRow {
  readonly type: UnitType;
  readonly layer: number;
  readonly index: number;
  /** True if the unit never fires (neurons) or contributes nothing (heads) in any language. */
  readonly dead: boolean;
  /** Language activation probability entropy, nats, 0 … ln K; of firing rates (neurons) or mean norms (heads). */
  readonly lape: number;
  /** Delete-one-fold jackknife: standard error and 95 % interval, clipped to 0 … ln K. */
  readonly lapeSe: number;
  readonly lapeLow: number;
  readonly lapeHigh: number;
  /** argmax_k q_k, a language tag; null for a dead unit. */
  readonly topLanguage: string | null;
  /** Languages the unit belongs to under a policy, comma-separated; empty if not selected. */
  readonly selectedTang2024: string;
  readonly selectedPolyfact2026: string;
  /** Two-way decomposition of pooled values on the full grid. */
  readonly eta2Language: number;
  readonly eta2Item: number;
  readonly omega2Language: number;
  readonly omega2Item: number;
  /** Highest average precision over languages, and its language. */
  readonly apBest: number;
  readonly apBestLanguage: string | null;
  /** Heads only (NaN for neurons): shares of variance of pooled hook_z. */
  readonly vectorShareLanguage: number;
  readonly vectorShareItem: number;
}

/** One row of `unit_languages.parquet`. */
export interface UnitLanguageRow {
  readonly type: UnitType;
  readonly layer: number;
  readonly index: number;
  readonly language: string;
  /** Firing rate p_k (neurons) or mean contribution norm (heads). */
  readonly rate: number;
  /** q_k = p_k / Σ p. */
  readonly share: number;
  /** Mean pooled value over counted tokens: hook_post (neurons) or norm (heads). */
  readonly mean: number;
  /** `mean` minus the average of the other languages' means. */
  readonly contrast: number;
  readonly ap: number;
  readonly apChance: number;
}
