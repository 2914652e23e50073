import { z } from 'zod';
import { CheckpointError } from '../../errors.js';

/** Rotary position embedding as config.json describes it; what stands there, with the defaults of transformers. */
export type Rope = RopeBase &
  (
    | { readonly type: 'default' }
    | { readonly type: 'linear'; readonly factor: number }
    | { readonly type: 'dynamic'; readonly factor: number; readonly originalMaxPositions: number | null }
    | {
        readonly type: 'llama3';
        readonly factor: number;
        readonly lowFreqFactor: number;
        readonly highFreqFactor: number;
        readonly originalMaxPositions: number;
      }
    | {
        readonly type: 'yarn';
        readonly factor: number;
        readonly originalMaxPositions: number | null;
        /** Null: to be computed from factor (and mscale, where given). */
        readonly attentionFactor: number | null;
        readonly betaFast: number;
        readonly betaSlow: number;
        readonly mscale: number | null;
        readonly mscaleAllDim: number | null;
        readonly truncate: boolean;
      }
    | {
        readonly type: 'longrope';
        readonly factor: number | null;
        readonly originalMaxPositions: number | null;
        readonly attentionFactor: number | null;
        readonly shortFactor: readonly number[];
        readonly longFactor: readonly number[];
      }
  );

interface RopeBase {
  /** Base of the geometric progression of wavelengths. */
  readonly theta: number;
  /** Share of a head's dimensions that is rotated. */
  readonly partialRotaryFactor: number;
}

/** Default of `rope_theta` in transformers. */
const DEFAULT_THETA = 10_000;

const positive = z.number().positive();
const positiveInt = z.int().positive();
const scalingSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('default') }),
  z.object({ type: z.literal('linear'), factor: positive }),
  z.object({
    type: z.literal('dynamic'),
    factor: positive,
    original_max_position_embeddings: positiveInt.nullish(),
  }),
  z.object({
    type: z.literal('llama3'),
    factor: positive,
    low_freq_factor: positive,
    high_freq_factor: positive,
    original_max_position_embeddings: positiveInt,
  }),
  z.object({
    type: z.literal('yarn'),
    factor: positive,
    original_max_position_embeddings: positiveInt.nullish(),
    attention_factor: positive.nullish(),
    beta_fast: positive.nullish(),
    beta_slow: positive.nullish(),
    mscale: positive.nullish(),
    mscale_all_dim: positive.nullish(),
    truncate: z.boolean().nullish(),
  }),
  z.object({
    type: z.literal('longrope'),
    factor: positive.nullish(),
    original_max_position_embeddings: positiveInt.nullish(),
    attention_factor: positive.nullish(),
    short_factor: z.array(positive).min(1),
    long_factor: z.array(positive).min(1),
  }),
]);

const baseSchema = z.object({
  rope_theta: positive.nullish(),
  partial_rotary_factor: z.number().positive().max(1).nullish(),
});

/**
 * Reads the rotary embedding of a configuration written by any version of transformers: `rope_theta` with
 * `rope_scaling: {type | rope_type, …}` (4.x), or `rope_parameters: {rope_type, rope_theta, …}` (5.x).
 *
 * @param where names the file in errors.
 * @param layerType whose parameters to read where `rope_parameters` has an entry for each type of layer.
 * @throws CheckpointError for an unknown type, unusable numbers, or two descriptions that contradict each other.
 */
export function readRope(
  config: Readonly<Record<string, unknown>>,
  where = 'config.json',
  layerType: string | null = null,
): Rope {
  const legacy = readObject(config.rope_scaling, 'rope_scaling', where);
  const parameters = readObject(config.rope_parameters, 'rope_parameters', where);
  const ofLayers =
    layerType === null ? null : readObject(parameters?.[layerType], `rope_parameters.${layerType}`, where);
  const modern = ofLayers ?? parameters;
  if (legacy !== null && modern !== null && typeOf(legacy) !== typeOf(modern)) {
    throw new CheckpointError({
      what: 'rope_scaling and rope_parameters contradict each other',
      where,
      found: `types ${JSON.stringify(typeOf(legacy))} and ${JSON.stringify(typeOf(modern))}`,
      remedy: 'remove the one the model was not trained with',
    });
  }
  const field = modern === null ? 'rope_scaling' : 'rope_parameters';
  const entry = modern ?? legacy ?? {};
  if (modern !== null && Object.values(modern).some((value) => isObject(value))) {
    throw new CheckpointError({
      what: 'rotary parameters that differ between layer types are not supported',
      where: `${where}, rope_parameters`,
      found: Object.keys(modern).join(', '),
      remedy: 'this version reads models with one rotary embedding for all layers',
    });
  }
  const scaling = parse(scalingSchema, { ...entry, type: typeOf(entry) }, `${where}, ${field}`);
  const base = parse(
    baseSchema,
    {
      rope_theta: entry.rope_theta ?? config.rope_theta,
      partial_rotary_factor: entry.partial_rotary_factor ?? config.partial_rotary_factor,
    },
    where,
  );
  // Phi-3 keeps the trained length beside rope_scaling rather than in it.
  const outside = positiveInt.safeParse(config.original_max_position_embeddings);
  return {
    theta: base.rope_theta ?? DEFAULT_THETA,
    partialRotaryFactor: base.partial_rotary_factor ?? 1,
    ...named(scaling, outside.success ? outside.data : null),
  };
}

type RopeScaling = Rope extends infer R ? (R extends RopeBase ? Omit<R, keyof RopeBase> : never) : never;

function named(scaling: z.output<typeof scalingSchema>, outside: number | null): RopeScaling {
  switch (scaling.type) {
    case 'default':
      return { type: 'default' };
    case 'linear':
      return { type: 'linear', factor: scaling.factor };
    case 'dynamic':
      return {
        type: 'dynamic',
        factor: scaling.factor,
        originalMaxPositions: scaling.original_max_position_embeddings ?? outside,
      };
    case 'llama3':
      return {
        type: 'llama3',
        factor: scaling.factor,
        lowFreqFactor: scaling.low_freq_factor,
        highFreqFactor: scaling.high_freq_factor,
        originalMaxPositions: scaling.original_max_position_embeddings,
      };
    case 'yarn':
      return {
        type: 'yarn',
        factor: scaling.factor,
        originalMaxPositions: scaling.original_max_position_embeddings ?? outside,
        attentionFactor: scaling.attention_factor ?? null,
        betaFast: scaling.beta_fast ?? 32,
        betaSlow: scaling.beta_slow ?? 1,
        mscale: scaling.mscale ?? null,
        mscaleAllDim: scaling.mscale_all_dim ?? null,
        truncate: scaling.truncate ?? true,
      };
    case 'longrope':
      return {
        type: 'longrope',
        factor: scaling.factor ?? null,
        originalMaxPositions: outside ?? scaling.original_max_position_embeddings ?? null,
        attentionFactor: scaling.attention_factor ?? null,
        shortFactor: scaling.short_factor,
        longFactor: scaling.long_factor,
      };
  }
}

/** `rope_type`, its older name `type`, and the older names of longrope: the first Phi-3 called it su and yarn. */
function typeOf(entry: Readonly<Record<string, unknown>>): unknown {
  const type = entry.rope_type ?? entry.type ?? 'default';
  return type === 'su' || (type === 'yarn' && entry.short_factor !== undefined) ? 'longrope' : type;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readObject(value: unknown, field: string, where: string): Record<string, unknown> | null {
  if (value === undefined || value === null) return null;
  if (isObject(value)) return value;
  throw new CheckpointError({
    what: `field "${field}" is unusable`,
    where,
    expected: 'an object or null',
    found: JSON.stringify(value),
    remedy: 'download config.json again',
  });
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown, where: string): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const unknownType = issue.code === 'invalid_union';
  throw new CheckpointError({
    what: unknownType ? 'rotary embedding of an unknown type' : `field "${issue.path.join('.')}" is unusable`,
    where,
    expected: unknownType ? 'default, linear, dynamic, llama3, yarn or longrope' : issue.message,
    found: JSON.stringify(value).slice(0, 200),
    remedy: 'check config.json; if it is right, this version does not support the model',
  });
}
