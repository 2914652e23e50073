import { z } from 'zod';

/** The manifest that this version reads and writes. 2: it lists the run's files with their checksums, and has its own. */
export const RUN_SCHEMA_VERSION = 2;

/** Layers of a model: several times those of the deepest. Each is a file. */
export const MOST_LAYERS = 1024;
/** Tables hold indices as int32. */
const MOST_UNITS = 2 ** 31 - 1;
const count = z.number().int().nonnegative();
const units = count.max(MOST_UNITS);
/** Sizes that an imported run may not know. */
const size = units.nullable();
const parameters = count.nullable();

const modelIdentity = z.object({
  name: z.string(),
  revision: z.string().nullable(),
  /** Absent from runs of versions before `hf://`. */
  ref: z.string().nullable().default(null),
  architecture: z.string(),
  modelType: z.string(),
  parameters,
  /** null, like the hashes below, where an imported run does not know it. */
  dtype: z.enum(['F64', 'F32', 'F16', 'BF16', 'F8_E4M3', 'MXFP4', 'I8', 'I4']).nullable(),
  configSha256: z.string().nullable(),
  weightsSha256: z.string().nullable(),
  tokenizerSha256: z.string().nullable(),
  /** Absent from imported runs. */
  tokenizerFiles: z.record(z.string(), z.string()).optional(),
  /** The tokenizer of another folder that was used instead of the model's own. */
  tokenizer: z
    .object({ name: z.string(), revision: z.string().nullable(), ref: z.string().nullable() })
    .optional(),
  /**
   * The version of transformers whose rules the tokenizer follows, its class there, and the parts that the other version sets
   * up otherwise (null where that is not known). Absent from imported runs.
   */
  tokenizerRules: z
    .object({
      transformers: z.enum(['4.57', '5.24']).nullable(),
      class: z.string().nullable(),
      differences: z.array(z.string()).readonly().nullable(),
      /** The version was asked for, and did not follow from the files. */
      chosen: z.literal(true).optional(),
    })
    .optional(),
  /** Absent from runs of versions before adapters. */
  adapter: z
    .object({
      name: z.string(),
      revision: z.string().nullable(),
      ref: z.string().nullable(),
      configSha256: z.string(),
      weightsSha256: z.string(),
    })
    .nullable()
    .default(null),
});

const modelShape = z.object({
  family: z.string(),
  layers: count.max(MOST_LAYERS),
  dModel: size,
  heads: size,
  kvHeads: size,
  headDim: size,
  dMlp: size,
  experts: size,
  mixture: z
    .object({
      perToken: units,
      dExpert: units,
      dShared: units,
      layers: z
        .array(count.max(MOST_LAYERS - 1))
        .max(MOST_LAYERS)
        .readonly(),
    })
    .nullable()
    .default(null),
  vocab: size,
  maxPositions: size,
  parameters,
});

const probeIdentity = z.object({
  name: z.string(),
  version: z.string(),
  kind: z.enum(['text', 'fact']),
  licence: z.string(),
  source: z.string(),
  sha256: z.string(),
  /** False where the items of a language are its own; absent where they are the same in all. */
  parallel: z.literal(false).optional(),
});

/** Where an imported run came from. */
const imported = z.object({
  format: z.string(),
  files: z.array(z.object({ name: z.string(), language: z.string(), fold: count, sha256: z.string() })),
});

/** Folds: each holds an item at least, and a file at least of an imported run. */
const MOST_FOLDS = 100_000;

/** One way in which items are alike: clusters that stand or fall together. */
const clustering = z.object({
  /** What items of a cluster share: `relation`, `template`, `document`, `source`. */
  by: z.string(),
  names: z.array(z.string()),
  /** [item]: index of its cluster in `names`; null: it is in none, and stands alone. */
  of: z.array(count.nullable()),
});

/** Everything that decides which numbers a run holds. Runs whose plans differ are not merged. */
const runPlanSchema = z.object({
  languages: z.array(z.string()),
  /** Items in file order; `fold` in 0…folds−1. The item axis of `*.items` arrays is this list. */
  items: z.array(z.object({ id: z.string(), fold: count })),
  folds: count.max(MOST_FOLDS),
  /** As the probe set names them; absent where it names none. */
  clusters: z.array(clustering).optional(),
  /** Items that are alike in this lie in one fold; absent where items are dealt one by one. */
  foldsBy: z.string().optional(),
  seed: z.number().int(),
  positions: z.enum(['all', 'last', 'answer']),
  countFirst: z.boolean(),
  bos: z.enum(['auto', 'on', 'off']),
  /** Tokens of a sequence that text was packed into, special ones included; absent where prompts are run as they are. */
  sequenceLength: units.optional(),
  /** Counted tokens that every language was cut to; absent where it was not. */
  tokensPerLanguage: count.optional(),
  /** `items`: pooled values of all units but neurons of routed experts; `expert-items`: of those too. */
  keep: z.enum(['items', 'expert-items', 'folds']),
  /** How the counted tokens of a prompt become its one value in `*.items` arrays. */
  pooling: z.enum(['mean', 'max', 'last']).default('mean'),
  /** Each chunk: indices into `items`, all of one fold, all languages together. */
  chunks: z.array(z.array(count)),
  hooks: z.array(z.string()),
});

export const runManifestSchema = z.object({
  schema: z.literal('babelscope/run'),
  schemaVersion: z.number().int(),
  babelscope: z.string(),
  onnxruntime: z.string(),
  model: modelIdentity,
  shape: modelShape,
  probe: probeIdentity,
  languages: z.array(
    z.object({
      tag: z.string(),
      name: z.string(),
      script: z.string(),
      family: z.string(),
      prompts: size,
      /** Counted tokens; of imported importances, matrices. */
      tokens: count,
      /** Tokens cut off because a prompt was longer than the model's positions. */
      truncated: count,
      /** Counted tokens by context, which in a causal model decides what units do; absent from imported runs. */
      contexts: z
        .object({
          /** N² / Σ n², over distinct contexts that n of the N tokens have: as many as if all were as frequent. */
          effective: z.number().nonnegative(),
          /** Tokens whose context occurs in another prompt of the language too. */
          shared: count,
        })
        .optional(),
    }),
  ),
  /** Files that languages were read from, and how they are written there; absent where a probe.json says it. */
  languageSources: z
    .array(
      z.object({
        language: z.string(),
        written: z.string(),
        place: z.enum(['file name', 'folder', 'rows']),
        files: count,
        first: z.string(),
      }),
    )
    .readonly()
    .optional(),
  plan: runPlanSchema,
  /** Over model identity, probe identity, plan and the versions: what a part must have been made with. */
  planSha256: z.string(),
  warnings: z.array(z.string()),
  /** Absent from runs that were captured. */
  imported: imported.optional(),
});

export type Clustering = z.infer<typeof clustering>;
export type RunPlan = z.infer<typeof runPlanSchema>;
export type RunManifest = z.infer<typeof runManifestSchema>;
