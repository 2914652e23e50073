import type { ModelIdentity } from '../checkpoint/types.js';
import type { ModelShape } from '../models/types.js';
import type { ProbeIdentity } from '../probes/types.js';
import type { UnitType } from '../scores/types.js';

export const COMPARISON_SCHEMA_VERSION = 1;

/** An estimate with its 95 % interval. null: cannot be computed. */
export interface Estimate {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** One run as the comparison saw it. */
export interface ComparedRun {
  readonly label: string;
  readonly model: ModelIdentity;
  readonly languages: readonly { readonly tag: string; readonly prompts: number; readonly tokens: number }[];
  readonly planSha256: string;
}

/** What one run shows of one unit type under the comparison's fixed cut. */
export interface RunProfile {
  readonly label: string;
  readonly units: number;
  readonly dead: number;
  /** Units selected under the `reference` policy. */
  readonly selected: number;
  /** Selected units that belong to two or more languages. */
  readonly shared: number;
  /** [layer][language]: selected units of the layer that belong to the language. */
  readonly counts: readonly (readonly number[])[];
  /** [layer]: selected units, each once. */
  readonly selectedByLayer: readonly number[];
  /** [layer]: cumulative share of selected units up to and including the layer; null if none is selected. */
  readonly cumulative: readonly (number | null)[];
  /** [bin]: live units by LAPE, on `entropyEdges`. */
  readonly entropyHistogram: readonly number[];
  /** [layer]. */
  readonly meanEntropy: readonly (number | null)[];
  readonly meanOmega2: readonly (number | null)[];
}

/** Where the units selected in either run went. Index K (one past the languages) is "not selected". */
export interface Reallocation {
  readonly from: string;
  readonly to: string;
  /** [K + 1][K + 1]: units by their top language in `from` (row) and `to` (column). */
  readonly matrix: readonly (readonly number[])[];
  readonly gained: number;
  readonly lost: number;
  /** Selected in both, whatever their language. */
  readonly kept: number;
}

export type Measure =
  | 'selected'
  | 'jaccard'
  | 'languageKept'
  | 'meanEntropy'
  | 'meanOmega2'
  | 'depthD'
  | 'meanDepth';

export type Verdict = 'changed' | 'not distinguishable from sampling' | 'not measured';

/** A headline number for reference against another run, beside what sampling alone does to it. */
export interface Headline {
  readonly type: UnitType;
  readonly measure: Measure;
  readonly label: string;
  /** In the reference and in the other run; null for measures that exist only between runs (Jaccard, D). */
  readonly reference: number | null;
  readonly other: number | null;
  /** other − reference, or the between-run measure itself; paired jackknife over folds. */
  readonly change: Estimate;
  /** [5 %, 50 %, 95 %] of the measure over split halves, at half size. Differences are absolute. */
  readonly withinReference: readonly [number, number, number] | null;
  readonly withinOther: readonly [number, number, number] | null;
  readonly across: readonly [number, number, number] | null;
  /**
   * Share of across values (two a split: A₁ with B₂ and A₂ with B₁) strictly beyond the within bound: the 95th
   * percentile (for similarities the 5th) within each run, the more lenient of the two.
   */
  readonly shareOutside: number | null;
  readonly verdict: Verdict;
  /** Why it was not measured; empty otherwise. */
  readonly note: string;
}

/** Everything about one unit type. */
export interface UnitComparison {
  readonly type: UnitType;
  /**
   * The reference policy's fixed numbers, from the reference run. `entropyCut` is null if the fraction of the units
   * rounds to none (few heads): then nothing is selected, in any run.
   */
  readonly policy: {
    readonly entropyCut: number | null;
    readonly bar: number | null;
    readonly fraction: number;
  };
  readonly entropyEdges: readonly number[];
  /** In the order of `runs`; the first is the reference. */
  readonly profiles: readonly RunProfile[];
  readonly reallocations: readonly Reallocation[];
  readonly headlines: readonly Headline[];
}

/** [layer][head] of one run. */
export interface HeadMap {
  readonly label: string;
  readonly omega2Language: readonly (readonly (number | null)[])[];
  readonly lape: readonly (readonly (number | null)[])[];
  readonly vectorShareLanguage: readonly (readonly (number | null)[])[];
}

/** `comparison.json`: one run described, or several compared with the first. */
export interface Comparison {
  readonly schema: 'babelscope/comparison';
  readonly schemaVersion: number;
  readonly babelscope: string;
  readonly probe: ProbeIdentity;
  readonly shape: ModelShape;
  readonly languages: readonly {
    readonly tag: string;
    readonly name: string;
    readonly script: string;
    readonly family: string;
  }[];
  /** Items on the full grid, and all items. */
  readonly completeItems: number;
  readonly items: number;
  readonly folds: number;
  readonly splits: number;
  readonly seed: number;
  readonly positions: string;
  readonly runs: readonly ComparedRun[];
  readonly units: readonly UnitComparison[];
  readonly headMaps: readonly HeadMap[];
  /** Reliability of each score in each run: Spearman of halves and its Spearman–Brown step-up. */
  readonly reliability: readonly {
    readonly label: string;
    readonly type: UnitType;
    readonly score: string;
    readonly halves: number | null;
    readonly stepUp: number | null;
  }[];
  readonly warnings: readonly string[];
}
