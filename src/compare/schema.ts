import { z } from 'zod';
import { runManifestSchema, UNIT_TYPES } from '../store/index.js';
import { ALIGNMENT_MEASURES } from './alignment-types.js';
import { type Comparison, MEASURE_NAMES, SEED_VERDICTS, VERDICTS } from './types.js';

const run = runManifestSchema.shape;
const value = z.number().nullable();
const count = z.number().int().nonnegative();
const unitType = z.enum(UNIT_TYPES);
const spread = z.tuple([z.number(), z.number(), z.number()]).nullable();

const estimate = z.object({ value, low: value, high: value });

const profile = z.object({
  label: z.string(),
  units: count,
  dead: count,
  selected: count,
  shared: count,
  counts: z.array(z.array(count)),
  selectedByLayer: z.array(count),
  cumulative: z.array(value),
  entropyHistogram: z.array(count),
  meanEntropy: z.array(value),
  meanOmega2: z.array(value),
});

const reallocation = z.object({
  from: z.string(),
  to: z.string(),
  matrix: z.array(z.array(count)),
  gained: count,
  lost: count,
  kept: count,
});

const measure = z.enum(MEASURE_NAMES);
const group = z.string().nullable();
const verdict = z.enum(VERDICTS);

const samplingFloor = z.object({
  withinFrom: spread,
  withinTo: spread,
  across: spread,
  shareOutside: value,
  verdict,
  note: z.string(),
});
const seeds = samplingFloor.extend({ verdict: z.enum(SEED_VERDICTS) });

const headline = samplingFloor.extend({
  type: unitType,
  measure,
  group,
  from: z.string(),
  to: z.string(),
  valueFrom: value,
  valueTo: value,
  change: estimate,
  seeds,
});

const differenceInDifferences = samplingFloor.extend({
  reference: z.string(),
  from: z.string(),
  to: z.string(),
  changesFrom: z.array(value),
  changesTo: z.array(value),
  difference: estimate,
  seeds,
});
const contrast = differenceInDifferences.extend({ type: unitType, measure, group });

const parts = z.array(z.object({ change: estimate, shareOutside: value, verdict }));
const pair = z.object({
  from: z.string(),
  to: z.string(),
  layers: z.object({ selected: parts, meanEntropy: parts, meanOmega2: parts }),
  selectedByLanguage: parts,
});

const trendTest = z.object({
  points: z.array(z.object({ step: z.number(), value: estimate })),
  s: value,
  tau: value,
  p: value,
  verdict: z.enum(['changed', 'not distinguishable from no trend', 'not measured']),
  note: z.string(),
});
const trend = trendTest.extend({ measure, group });

const place = z.object({ measure: z.enum(ALIGNMENT_MEASURES), group, layer: count.nullable() });
const alignment = z.object({
  pooling: z.string(),
  pairs: z.object({ measured: count, all: count }),
  items: z.tuple([count, count]),
  levels: z.array(place.extend({ label: z.string(), value: estimate })),
  changes: z.array(
    place.extend({ from: z.string(), to: z.string(), change: estimate, ...samplingFloor.shape, seeds }),
  ),
  contrasts: z.array(place.extend(differenceInDifferences.shape)),
  trends: z.array(place.extend(trendTest.shape)),
});

const grid = z.array(z.array(value));

/** What `readComparison` accepts: `Comparison` of types.ts, field by field. */
export const comparisonSchema = z.object({
  schema: z.literal('babelscope/comparison'),
  schemaVersion: z.number().int(),
  babelscope: z.string(),
  probe: run.probe,
  shape: run.shape,
  languages: z.array(z.object({ tag: z.string(), name: z.string(), script: z.string(), family: z.string() })),
  groups: z.array(z.object({ name: z.string(), languages: z.array(z.string()) })),
  completeItems: count,
  items: count,
  folds: count,
  splits: count,
  seed: z.number().int(),
  positions: z.string(),
  runs: z.array(
    z.object({
      label: z.string(),
      model: run.model,
      languages: z.array(
        z.object({ tag: z.string(), prompts: run.languages.element.shape.prompts, tokens: count }),
      ),
      planSha256: z.string(),
      seeds: z.array(z.object({ model: run.model, planSha256: z.string() })),
      step: value,
    }),
  ),
  units: z.array(
    z.object({
      type: unitType,
      rate: z.enum(['firing rate', 'norm', 'importance', 'selection frequency']),
      policy: z.object({ entropyCut: value, bar: value, fraction: z.number() }),
      entropyEdges: z.array(z.number()),
      profiles: z.array(profile),
      reallocations: z.array(reallocation),
      headlines: z.array(headline),
      levels: z.array(z.object({ label: z.string(), measure, group, value: estimate })),
      pairs: z.array(pair),
      contrasts: z.array(contrast),
      trends: z.array(trend),
    }),
  ),
  headMaps: z.array(
    z.object({ label: z.string(), omega2Language: grid, lape: grid, vectorShareLanguage: grid }),
  ),
  expertMaps: z.array(
    z.object({ label: z.string(), frequency: grid, exclusivity: grid, lape: grid, topLanguage: grid }),
  ),
  headOverlaps: z.array(z.object({ label: z.string(), n: count, heads: count, norm: grid, contrast: grid })),
  alignment: alignment.nullable(),
  reliability: z.array(
    z.object({ label: z.string(), type: unitType, score: z.string(), halves: value, stepUp: value }),
  ),
  warnings: z.array(z.string()),
}) satisfies z.ZodType<Comparison>;
