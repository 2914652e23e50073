import { z } from 'zod';
import { runManifestSchema } from '../store/manifest.js';
import type { Comparison } from './types.js';

const run = runManifestSchema.shape;
const value = z.number().nullable();
const count = z.number().int().nonnegative();
const unitType = z.enum(['neuron', 'head']);
const quantiles = z.tuple([z.number(), z.number(), z.number()]).nullable();

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

const headline = z.object({
  type: unitType,
  measure: z.enum([
    'selected',
    'jaccard',
    'languageKept',
    'meanEntropy',
    'meanOmega2',
    'depthD',
    'meanDepth',
  ]),
  label: z.string(),
  reference: value,
  other: value,
  change: estimate,
  withinReference: quantiles,
  withinOther: quantiles,
  across: quantiles,
  shareOutside: value,
  verdict: z.enum(['changed', 'not distinguishable from sampling', 'not measured']),
  note: z.string(),
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
      languages: z.array(z.object({ tag: z.string(), prompts: count, tokens: count })),
      planSha256: z.string(),
    }),
  ),
  units: z.array(
    z.object({
      type: unitType,
      policy: z.object({ entropyCut: value, bar: value, fraction: z.number() }),
      entropyEdges: z.array(z.number()),
      profiles: z.array(profile),
      reallocations: z.array(reallocation),
      headlines: z.array(headline),
    }),
  ),
  headMaps: z.array(
    z.object({ label: z.string(), omega2Language: grid, lape: grid, vectorShareLanguage: grid }),
  ),
  reliability: z.array(
    z.object({ label: z.string(), type: unitType, score: z.string(), halves: value, stepUp: value }),
  ),
  warnings: z.array(z.string()),
}) satisfies z.ZodType<Comparison>;
