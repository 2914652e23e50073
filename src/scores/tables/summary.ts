import type { ScoredType } from '../../store/index.js';

/** The layout of `units.parquet`, `unit_languages.parquet` and `scores.json`. 5: `scores.json` lists the tables with their checksums. */
export const SCORES_SCHEMA_VERSION = 5;

/** The record of a scored run: it lists the tables. */
export const SCORES_FILE = 'scores.json';

/** A name that `--scores` takes: `asked` of a definition. */
export type ScoreName = string;

/** A score that was asked for and could not be computed. */
export interface SkippedScore {
  readonly type: ScoredType;
  readonly score: ScoreName;
  readonly reason: string;
}

/** Split-half reliability of a score; of one that languages have, the mean over languages. */
export interface ReliabilityRow {
  readonly type: ScoredType;
  readonly score: string;
  /** Units it was estimated on; a seeded sample when the run has more. */
  readonly units: number;
  /** Spearman of the halves, mean over splits; null if it cannot be computed. */
  readonly halves: number | null;
  /** Spearman–Brown step-up. */
  readonly stepUp: number | null;
}

/** The counts that a selection policy gave. null: there is none, because nothing is selected. */
export interface PolicyCounts {
  /** Highest LAPE selected, nats. */
  readonly entropyCut: number | null;
  /** Rate that a language must exceed; null for a policy without a bar. */
  readonly bar: number | null;
  readonly fraction: number;
  readonly selected: number;
  /** Selected units that belong to two or more languages. */
  readonly shared: number;
  /** Selected units that belong to each language, in the order of `languages`. */
  readonly perLanguage: readonly number[];
}

/** `scores.json`: how the tables beside it came about, and how far to trust them. */
export interface ScoreSummary {
  readonly schema: 'babelscope/scores';
  readonly schemaVersion: number;
  readonly babelscope: string;
  readonly planSha256: string;
  readonly model: string;
  readonly probe: string;
  readonly positions: string;
  readonly pooling: string;
  readonly seed: number;
  readonly splits: number;
  /** The scores that were asked for by name; null: all that the run has data for. */
  readonly asked: readonly ScoreName[] | null;
  /** Folds in which tokens were counted: the groups of the jackknife. */
  readonly folds: number;
  readonly items: number;
  /** Items that every language has, on which η², ω² and vector shares are computed; null if none are kept. */
  readonly completeItems: number | null;
  readonly languages: readonly {
    readonly tag: string;
    readonly prompts: number | null;
    readonly tokens: number;
  }[];
  /** H(language), nats, which `mi` is a part of; null if no pooled values are kept. */
  readonly languageEntropy: number | null;
  /** How intervals and p-values of item scores were drawn; null with `uncertainty: 'basic'`. */
  readonly resampling: {
    readonly draws: number;
    readonly permutations: number;
    readonly seed: number;
  } | null;
  readonly units: readonly {
    readonly type: ScoredType;
    /** Layers that have any. */
    readonly layers: number;
    readonly units: number;
    readonly dead: number;
    /** Names of the scores that were computed, in alphabetical order. */
    readonly scores: readonly ScoreName[];
    readonly tang2024: PolicyCounts | null;
    readonly polyfact2026: PolicyCounts | null;
  }[];
  /** Pairs of languages whose alignment is in `alignment.parquet`, and its layers; null: not computed. */
  readonly alignment: { readonly pairs: number; readonly layers: number } | null;
  readonly reliability: readonly ReliabilityRow[];
  readonly skipped: readonly SkippedScore[];
}
