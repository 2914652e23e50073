import type { ProbeIdentity } from '../probes/index.js';
import type { RunManifest, UnitType } from '../store/index.js';
import type { AlignmentComparison } from './alignment-types.js';

export type * from './alignment-types.js';

/**
 * 2: headlines of every pair of runs and of groups of languages, second floors from training seeds, contrasts,
 * trajectories, overlaps of top heads. 3: alignment of languages by layer. 4: its contrasts and trends. Files of earlier versions
 * hold less than a reader of 4 needs and are refused.
 */
export const COMPARISON_SCHEMA_VERSION = 4;

/** An estimate with its 95 % interval. null: cannot be computed. */
export interface Estimate {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** One run as the comparison saw it. */
export interface ComparedRun {
  readonly label: string;
  readonly model: RunManifest['model'];
  readonly languages: readonly {
    readonly tag: string;
    readonly prompts: number | null;
    readonly tokens: number;
  }[];
  readonly planSha256: string;
  /** Further training seeds of the same regime, which make its seed floor. */
  readonly seeds: readonly { readonly model: RunManifest['model']; readonly planSha256: string }[];
  /** Training step, in a trajectory. */
  readonly step: number | null;
}

/** Languages that measures are also given for apart from the rest. */
export interface LanguageGroup {
  readonly name: string;
  readonly languages: readonly string[];
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

export const MEASURE_NAMES = [
  'selected',
  'jaccard',
  'languageKept',
  'meanEntropy',
  'meanOmega2',
  'depthD',
  'meanDepth',
  'headOverlap',
  'headOverlapContrast',
] as const;
export type Measure = (typeof MEASURE_NAMES)[number];

export const VERDICTS = ['changed', 'not distinguishable from sampling', 'not measured'] as const;
export type Verdict = (typeof VERDICTS)[number];

export const SEED_VERDICTS = ['changed', 'not distinguishable from training seeds', 'not measured'] as const;
export type SeedVerdict = (typeof SEED_VERDICTS)[number];

/** Three numbers of a distribution, ascending. */
export type Spread = readonly [number, number, number];

/** A number between two runs beside what sampling alone does to it, at half size. Differences are absolute. */
export interface SamplingFloor {
  /** [5 %, 50 %, 95 %] over split halves; null if not measured. */
  readonly withinFrom: Spread | null;
  readonly withinTo: Spread | null;
  readonly across: Spread | null;
  /**
   * Share of across values (two a split: A₁ with B₂ and A₂ with B₁) strictly beyond the within bound: the 95th
   * percentile (for similarities the 5th) within each run, the more lenient of the two.
   */
  readonly shareOutside: number | null;
  readonly verdict: Verdict;
  /** Why it was not measured; empty otherwise. */
  readonly note: string;
}

/** The same number beside what another training seed alone does to it, at full size. Differences are absolute. */
export interface SeedFloor {
  /** [least, median, most] over pairs of seeds of one regime; null of a regime with a single seed. */
  readonly withinFrom: Spread | null;
  readonly withinTo: Spread | null;
  /** Over all pairs of a seed of one regime and a seed of the other. */
  readonly across: Spread | null;
  /** Share of across values strictly beyond the most (for similarities the least) of the within values. */
  readonly shareOutside: number | null;
  readonly verdict: SeedVerdict;
  readonly note: string;
}

/** A headline number between two runs, beside what sampling alone, and another training seed alone, does to it. */
export interface Headline extends SamplingFloor {
  readonly type: UnitType;
  readonly measure: Measure;
  /** Name of the group of languages; null: all of them. */
  readonly group: string | null;
  readonly from: string;
  readonly to: string;
  /** In each run; null for measures that exist only between runs (Jaccard, D). */
  readonly valueFrom: number | null;
  readonly valueTo: number | null;
  /** to − from, or the between-run measure itself; paired jackknife over folds. */
  readonly change: Estimate;
  readonly seeds: SeedFloor;
}

/**
 * A difference in differences: how much further `to` is from the reference than `from` is. The change of a regime is
 * the mean over its training seeds.
 */
export interface DifferenceInDifferences extends SamplingFloor {
  readonly reference: string;
  readonly from: string;
  readonly to: string;
  /** Change against the reference of each training seed, the compared run first. */
  readonly changesFrom: readonly (number | null)[];
  readonly changesTo: readonly (number | null)[];
  /** Mean of `changesTo` − mean of `changesFrom`; paired jackknife over folds. */
  readonly difference: Estimate;
  readonly seeds: SeedFloor;
}

/** Of a headline measure. */
export interface Contrast extends DifferenceInDifferences {
  readonly type: UnitType;
  readonly measure: Measure;
  readonly group: string | null;
}

/** A measure of one run with its jackknife interval; measures that exist only between runs have none. */
export interface Level {
  readonly label: string;
  readonly measure: Measure;
  readonly group: string | null;
  readonly value: Estimate;
}

/** A part of a headline number: of one layer, or of one language. */
export interface PartChange {
  readonly change: Estimate;
  readonly shareOutside: number | null;
  readonly verdict: Verdict;
}

/** What differs between two runs layer by layer and language by language. */
export interface PairParts {
  readonly from: string;
  readonly to: string;
  /** [layer]. */
  readonly layers: {
    readonly selected: readonly PartChange[];
    readonly meanEntropy: readonly PartChange[];
    readonly meanOmega2: readonly PartChange[];
  };
  /** [language]: selected units that belong to it. */
  readonly selectedByLanguage: readonly PartChange[];
}

/** Whether a number rises or falls with training: Mann–Kendall over the runs of a trajectory. */
export interface TrendTest {
  /** By step; of a measure that exists only between runs, against the reference, which has none itself. */
  readonly points: readonly { readonly step: number; readonly value: Estimate }[];
  /** S = Σ_{i<j} sign(x_j − x_i) and Kendall's τ_b of the values with the step; null with fewer than three values. */
  readonly s: number | null;
  readonly tau: number | null;
  /** Two-sided. */
  readonly p: number | null;
  /** `changed` if p < 0.05; `not measured` where no order of the values could reach that. */
  readonly verdict: 'changed' | 'not distinguishable from no trend' | 'not measured';
  readonly note: string;
}

/** Of a headline measure. */
export interface Trend extends TrendTest {
  readonly measure: Measure;
  readonly group: string | null;
}

/** Everything about one unit type. */
export interface UnitComparison {
  readonly type: UnitType;
  /** What a unit has of each language: how often it fires, the mean norm of its contribution, or an imported importance. */
  readonly rate: 'firing rate' | 'norm' | 'importance' | 'selection frequency';
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
  /** Of every pair of runs, those with the reference first. */
  readonly reallocations: readonly Reallocation[];
  /** Of every pair of runs, those with the reference first; all languages, then each group. */
  readonly headlines: readonly Headline[];
  readonly levels: readonly Level[];
  readonly pairs: readonly PairParts[];
  readonly contrasts: readonly Contrast[];
  /** Empty without a trajectory. */
  readonly trends: readonly Trend[];
}

/** How far languages share their top heads, in one run. */
export interface HeadOverlap {
  readonly label: string;
  /** Heads that are called top: 2 % of all, at least one. */
  readonly n: number;
  readonly heads: number;
  /** [language][language]: |top-n(a) ∩ top-n(b)|/n by mean norm of the head's contribution; null: cannot be computed. */
  readonly norm: readonly (readonly (number | null)[])[];
  /** The same by that norm minus its mean over the other languages. */
  readonly contrast: readonly (readonly (number | null)[])[];
}

/** [layer][head] of one run. */
export interface HeadMap {
  readonly label: string;
  readonly omega2Language: readonly (readonly (number | null)[])[];
  readonly lape: readonly (readonly (number | null)[])[];
  readonly vectorShareLanguage: readonly (readonly (number | null)[])[];
}

/** [layer][expert] of one run; empty for layers without experts. */
export interface ExpertMap {
  readonly label: string;
  /** Share of counted tokens whose choice includes the expert, mean over languages. */
  readonly frequency: readonly (readonly (number | null)[])[];
  /** Highest selection frequency over languages / their sum; null for an expert that is never chosen. */
  readonly exclusivity: readonly (readonly (number | null)[])[];
  readonly lape: readonly (readonly (number | null)[])[];
  /** Language of the highest selection frequency, as an index; null for an expert that is never chosen. */
  readonly topLanguage: readonly (readonly (number | null)[])[];
}

/** `comparison.json`: one run described, or several compared with each other. */
export interface Comparison {
  readonly schema: 'babelscope/comparison';
  readonly schemaVersion: number;
  readonly babelscope: string;
  readonly probe: ProbeIdentity;
  readonly shape: RunManifest['shape'];
  readonly languages: readonly {
    readonly tag: string;
    readonly name: string;
    readonly script: string;
    readonly family: string;
  }[];
  readonly groups: readonly LanguageGroup[];
  /** Items on the full grid, and all items. */
  readonly completeItems: number;
  readonly items: number;
  readonly folds: number;
  readonly splits: number;
  readonly seed: number;
  readonly positions: string;
  /** The first is the reference. */
  readonly runs: readonly ComparedRun[];
  readonly units: readonly UnitComparison[];
  readonly headMaps: readonly HeadMap[];
  /** Empty for a model without experts. */
  readonly expertMaps: readonly ExpertMap[];
  readonly headOverlaps: readonly HeadOverlap[];
  /** null: the runs keep no pooled residual stream, or have no two languages with the same items. */
  readonly alignment: AlignmentComparison | null;
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
