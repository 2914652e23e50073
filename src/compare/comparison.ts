import { z } from 'zod';
import { FINDINGS } from '../stats/index.js';
import { runManifestSchema, UNIT_TYPES } from '../store/index.js';

/**
 * Newest layout of comparison.json. 8: contrasts, trends and training seeds are tested too. 7: changes are tested, and `tests` declares how. 6: it lists its tables with their
 * checksums, and has its own. Files of earlier versions are refused with the command that makes them anew.
 */
export const COMPARISON_SCHEMA_VERSION = 8;

/** Every measure of a comparison, as comparison.json, the tables and the terminal spell it. */
export const MEASURES = [
  'selected',
  'jaccard',
  'language_kept',
  'mean_lape',
  'mean_omega2_language',
  'depth_distance',
  'mean_depth',
  'head_overlap',
  'head_overlap_contrast',
  'same_language_top_heads',
  'alignment_margin',
  'alignment_mexa',
] as const;
export type Measure = (typeof MEASURES)[number];

export const VERDICTS = ['changed', 'not distinguishable from sampling', 'not measured'] as const;
export const SEED_VERDICTS = ['changed', 'not distinguishable from training seeds', 'not measured'] as const;

const list = <T extends z.ZodType>(of: T) => z.array(of).readonly();

const run = runManifestSchema.shape;
/** null: it cannot be computed. */
const value = z.number().nullable();
const count = z.number().int().nonnegative();
const unitType = z.enum(UNIT_TYPES);
/** [layer][unit], or [language][language]. */
const grid = list(list(value));

/** An estimate with its 95 % interval. */
const estimate = z.object({ value, low: value, high: value });

/** Three numbers of a distribution, ascending. */
const spread = z.tuple([z.number(), z.number(), z.number()]).readonly();

const languageGroup = z.object({ name: z.string(), languages: list(z.string()) });

const comparedRun = z.object({
  label: z.string(),
  model: run.model,
  languages: list(z.object({ tag: z.string(), prompts: run.languages.element.shape.prompts, tokens: count })),
  planSha256: z.string(),
  /** Further training seeds of the same regime, which make its seed floor. */
  seeds: list(z.object({ model: run.model, planSha256: z.string() })),
  /** Training step, in a trajectory. */
  step: value,
});

/** One run's units of a type under the comparison's fixed cut. */
const profile = z.object({
  label: z.string(),
  units: count,
  dead: count,
  /** Units selected under the `reference` policy. */
  selected: count,
  /** Selected units that belong to two or more languages. */
  shared: count,
  /** [n − 1]: selected units that belong to n languages. */
  multiplicity: list(count),
  /** [layer][language]: selected units of the layer that belong to the language. */
  counts: list(list(count)),
  /** [layer]: selected units, each once. */
  selectedByLayer: list(count),
  /** [layer]: cumulative share of selected units up to and including the layer; null if none is selected. */
  cumulative: list(value),
  /** [bin]: live units by LAPE, on `entropyEdges`. */
  entropyHistogram: list(count),
  /** [layer]: over live units. */
  meanLape: list(value),
  /** [layer]: over units with ω² of language. */
  meanOmega2Language: list(value),
});

/** Where the units selected in either run went. Index K (one past the languages) is "not selected". */
const reallocation = z.object({
  from: z.string(),
  to: z.string(),
  /** [K + 1][K + 1]: units by their top language in `from` (row) and `to` (column). */
  matrix: list(list(count)),
  gained: count,
  lost: count,
  /** Selected in both, whatever their language. */
  kept: count,
});

/** The description of one unit type beside its quantities. */
const unitDescription = z.object({
  type: unitType,
  /** The rate of a unit in a language: how often it fires, the mean norm of its contribution, or an imported importance. */
  rate: z.enum(['firing rate', 'norm', 'importance', 'selection frequency']),
  /**
   * The reference policy's fixed numbers, from the reference run. `entropyCut` is null if the fraction of the units
   * rounds to none (few heads): then nothing is selected, in any run.
   */
  policy: z.object({ entropyCut: value, bar: value, fraction: z.number() }),
  entropyEdges: list(z.number()),
  /** In the order of `runs`. */
  profiles: list(profile),
  /** A row for every pair of runs, those with the reference first. */
  reallocations: list(reallocation),
});

/** Which number it is: a measure, of which units, over which languages, of all layers or one. */
const key = z.object({
  measure: z.enum(MEASURES),
  /** null: of the residual stream. */
  type: unitType.nullable(),
  /** Name of the group of languages that it is over; null: all of them. */
  group: z.string().nullable(),
  /** null: over all layers. */
  layer: count.nullable(),
  /** The one language that it is about; null: no single one. */
  language: z.string().nullable(),
});

/** A quantity of one run, with its interval over folds. */
const level = key.extend({ label: z.string(), value: estimate });

/** A number between two runs beside the sampling floor, at half size. Differences are absolute. */
const samplingFloor = z.object({
  /** [5 %, 50 %, 95 %] over split halves; null if not measured. */
  withinFrom: spread.nullable(),
  withinTo: spread.nullable(),
  across: spread.nullable(),
  /**
   * Share of across values (two a split: A₁ with B₂ and A₂ with B₁) strictly beyond the within bound: the 95th
   * percentile (for similarities the 5th) within each run, the more lenient of the two.
   */
  shareOutside: value,
  verdict: z.enum(VERDICTS),
  /** The reason why it was not measured; empty otherwise. */
  note: z.string(),
});

/**
 * Whether a change would be there with other items of the same kind. The adjusted p-value is that of its family, which `tests`
 * declares; `finding` follows from it and from the margin.
 */
const changeTest = z.object({
  /** Exchange of the two runs' labels over folds, or the t test with the error of the paired jackknife or of halves. */
  by: z.enum(['exchange', 'jackknife', 'half-samples']),
  p: value,
  adjusted: value,
  finding: z.enum(FINDINGS),
  /** Changes up to it do not matter, in the unit of the change; null if none was set, and of what is no difference. */
  margin: value,
  /** The smallest margin within which the change is shown to lie. */
  leastMargin: value,
  /** The smallest true change that this comparison calls with a chance of 80 %, uncorrected. */
  detectable: value,
  /** The reason why it was not measured; empty otherwise. */
  note: z.string(),
});

/**
 * Whether a change would be there with other clusters of items (other templates, other documents): the jackknife that leaves
 * out a cluster at a time, and the wild cluster bootstrap.
 */
const clusterTest = z.object({
  /** What items of a cluster share. */
  by: z.string(),
  /** Clusters, or groups of them where there are more than 30. */
  groups: count,
  low: value,
  high: value,
  /** Of t, with one degree of freedom fewer than there are groups. */
  p: value,
  /** Of the wild cluster bootstrap, not corrected. */
  wild: value,
  adjusted: value,
  finding: z.enum(FINDINGS),
  note: z.string(),
});

/** Whether a change would be there with another training: Welch's t test of the values of training seeds. */
const seedTest = z.object({
  /** Training seeds of either regime. */
  seeds: z.tuple([count, count]).readonly(),
  p: value,
  /** In the same family as the test of the change. */
  adjusted: value,
  finding: z.enum(FINDINGS),
  /** Difference of the means over seeds, with its interval for another training. */
  training: estimate,
  /** The same with the interval for another training and other items. */
  both: estimate,
  /** The reason why it was not measured, or what was supposed; empty otherwise. */
  note: z.string(),
});

/**
 * The same number beside the seed floor, at full size: [least, median, most] over pairs of seeds of one regime (null of
 * a regime with a single seed), and across over pairs of a seed of one regime and a seed of the other.
 */
const seedFloor = samplingFloor.extend({ verdict: z.enum(SEED_VERDICTS), test: seedTest });

/** A quantity between two runs, of every pair of runs, beside both floors. */
const change = key.extend({
  from: z.string(),
  to: z.string(),
  /** In each run; null for a quantity that exists only between runs. */
  valueFrom: value,
  valueTo: value,
  /** to − from, or the quantity between the two; its interval comes from the same folds of both. */
  change: estimate,
  test: changeTest,
  /** Absent where it is no mean of pooled values, or the probe set names no clusters, or the folds are clusters themselves. */
  clusters: clusterTest.optional(),
  ...samplingFloor.shape,
  seeds: seedFloor,
});

/** How the changes of a comparison are tested. */
const tests = z.object({
  /** Of every test, after correction. */
  level: z.number(),
  /** Share of the first run's level up to which a change does not matter; null: none was set. */
  margin: value,
  /** Arrangements of labels over the folds, the observed one among them; 0 where none were made. */
  arrangements: count,
  /** All arrangements there are. */
  exact: z.boolean(),
  families: list(
    z.object({
      name: z.enum(['headlines', 'parts', 'trends']),
      method: z.enum(['holm', 'benjamini-hochberg']),
      about: z.string(),
    }),
  ),
});

/** What findings generalise to. */
const population = z.object({
  /** What items of a fold share, where folds are clusters; null: items were dealt one by one. */
  foldsBy: z.string().nullable(),
  /** What `changes[].clusters` are by, and how many there are; null: the probe set names none that could be used. */
  clusters: z.object({ by: z.string(), count, groups: count }).nullable(),
  /** Whole sentences: more items of which kind, and whether other clusters would give other findings. */
  words: list(z.string()),
});

/**
 * A difference in differences: how much further `to` is from the reference than `from` is. The change of a regime is
 * the mean over its training seeds.
 */
const contrast = key.extend({
  reference: z.string(),
  from: z.string(),
  to: z.string(),
  /** Change against the reference of each training seed, the compared run first. */
  changesFrom: list(value),
  changesTo: list(value),
  /** Mean of `changesTo` − mean of `changesFrom`; its interval comes from the same folds of all runs. */
  difference: estimate,
  test: changeTest,
  ...samplingFloor.shape,
  seeds: seedFloor,
});

/** Whether a quantity rises or falls with training: Mann–Kendall over the runs of a trajectory. */
const trend = key.extend({
  /** By step; of a quantity that exists only between runs, against the reference, which has none itself. */
  points: list(z.object({ step: z.number(), value: estimate })),
  /** S = Σ_{i<j} sign(x_j − x_i) and Kendall's τ_b of the values with the step; null with fewer than three values. */
  s: value,
  tau: value,
  /** Two-sided. */
  p: value,
  /** In the family of all trends. */
  adjusted: value,
  /** `not measured` where no order of the values has a p below 0.05. */
  finding: z.enum(FINDINGS),
  note: z.string(),
});

/** How far languages share their top heads, in one run. */
const headOverlap = z.object({
  label: z.string(),
  /** Heads that are called top: 2 % of all, at least one. */
  n: count,
  heads: count,
  /** [language][language]: |top-n(a) ∩ top-n(b)|/n by mean norm of the head's contribution. */
  norm: grid,
  /** The same by that norm minus its mean over the other languages. */
  contrast: grid,
});

/** [layer][head] of one run. */
const headMap = z.object({ label: z.string(), omega2Language: grid, lape: grid, vectorShareLanguage: grid });

/** [layer][expert] of one run; empty for layers without experts. */
const expertMap = z.object({
  label: z.string(),
  /** Share of counted tokens whose choice includes the expert, mean over languages. */
  frequency: grid,
  /** Highest selection frequency over languages / their sum; null for an expert that is never chosen. */
  exclusivity: grid,
  lape: grid,
  /** Language of the highest selection frequency, as an index; null for an expert that is never chosen. */
  topLanguage: grid,
});

/** The alignment of languages on the residual stream is computed from this. */
const alignment = z.object({
  /** How the tokens of a prompt became one vector. */
  pooling: z.string(),
  /** Pairs of languages that share two items or more, of all there are. */
  pairs: z.object({ measured: count, all: count }),
  /** Items of a pair: fewest and most. MEXA by chance, and by skill, depends on them. */
  items: z.tuple([count, count]).readonly(),
});

/** `comparison.json`: one run described, or several compared with each other. */
export const comparisonSchema = z.object({
  schema: z.literal('babelscope/comparison'),
  schemaVersion: z.number().int(),
  babelscope: z.string(),
  probe: run.probe,
  shape: run.shape,
  languages: list(z.object({ tag: z.string(), name: z.string(), script: z.string(), family: z.string() })),
  groups: list(languageGroup),
  /** Items on the full grid, and all items. */
  completeItems: count,
  items: count,
  folds: count,
  splits: count,
  seed: z.number().int(),
  positions: z.string(),
  /** The first is the reference. */
  runs: list(comparedRun),
  units: list(unitDescription),
  levels: list(level),
  tests,
  changes: list(change),
  /** The items that findings are about. Absent from comparisons of versions before clusters. */
  population: population.optional(),
  contrasts: list(contrast),
  /** Empty without a trajectory. */
  trends: list(trend),
  headMaps: list(headMap),
  /** Empty for a model without experts. */
  expertMaps: list(expertMap),
  headOverlaps: list(headOverlap),
  /** null: the runs keep no pooled residual stream, or have no two languages with the same items. */
  alignment: alignment.nullable(),
  /** Reliability of each score in each run: Spearman of halves and its Spearman–Brown step-up. */
  reliability: list(
    z.object({ label: z.string(), type: unitType, score: z.string(), halves: value, stepUp: value }),
  ),
  warnings: list(z.string()),
});

export type Comparison = Readonly<z.infer<typeof comparisonSchema>>;
export type ComparedRun = Comparison['runs'][number];
export type LanguageGroup = Readonly<z.infer<typeof languageGroup>>;
export type UnitDescription = Readonly<z.infer<typeof unitDescription>>;
export type RunProfile = Readonly<z.infer<typeof profile>>;
export type Reallocation = Readonly<z.infer<typeof reallocation>>;
export type Estimate = Readonly<z.infer<typeof estimate>>;
export type Spread = z.infer<typeof spread>;
export type SamplingFloor = Readonly<z.infer<typeof samplingFloor>>;
export type SeedFloor = Readonly<z.infer<typeof seedFloor>>;
export type QuantityKey = Readonly<z.infer<typeof key>>;
export type Level = Readonly<z.infer<typeof level>>;
export type Change = Readonly<z.infer<typeof change>>;
export type ClusterTest = Readonly<z.infer<typeof clusterTest>>;
export type Population = Readonly<z.infer<typeof population>>;
export type ChangeTest = Readonly<z.infer<typeof changeTest>>;
export type SeedTest = Readonly<z.infer<typeof seedTest>>;
export type Contrast = Readonly<z.infer<typeof contrast>>;
export type Trend = Readonly<z.infer<typeof trend>>;
export type Verdict = (typeof VERDICTS)[number];
export type SeedVerdict = (typeof SEED_VERDICTS)[number];
export type HeadOverlap = Readonly<z.infer<typeof headOverlap>>;
export type HeadMap = Readonly<z.infer<typeof headMap>>;
export type ExpertMap = Readonly<z.infer<typeof expertMap>>;
