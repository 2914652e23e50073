import { z } from 'zod';
import { CheckpointError } from '../../errors.js';
import { isObject } from '../../read-json.js';

/** Default of `rope_theta` in transformers. */
const DEFAULT_THETA = 10_000;

const positive = z.number().positive();
const positiveInt = z.int().positive();

/** Scalings by type, under the names of config.json; what is absent is null, or the default of transformers. */
const scalingSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('default') }),
  z.object({ type: z.literal('linear'), factor: positive }),
  z
    .object({
      type: z.literal('dynamic'),
      factor: positive,
      original_max_position_embeddings: positiveInt.nullish(),
    })
    .transform(({ type, factor, original_max_position_embeddings: original }) => ({
      type,
      factor,
      originalMaxPositions: original ?? null,
    })),
  z
    .object({
      type: z.literal('llama3'),
      factor: positive,
      low_freq_factor: positive,
      high_freq_factor: positive,
      original_max_position_embeddings: positiveInt,
    })
    .transform(({ type, factor, ...own }) => ({
      type,
      factor,
      lowFreqFactor: own.low_freq_factor,
      highFreqFactor: own.high_freq_factor,
      originalMaxPositions: own.original_max_position_embeddings,
    })),
  z
    .object({
      type: z.literal('yarn'),
      factor: positive,
      original_max_position_embeddings: positiveInt.nullish(),
      attention_factor: positive.nullish(),
      beta_fast: positive.nullish(),
      beta_slow: positive.nullish(),
      mscale: positive.nullish(),
      mscale_all_dim: positive.nullish(),
      truncate: z.boolean().nullish(),
    })
    .transform(({ type, factor, ...own }) => ({
      type,
      factor,
      originalMaxPositions: own.original_max_position_embeddings ?? null,
      /** Null: to be computed from factor (and mscale, where given). */
      attentionFactor: own.attention_factor ?? null,
      betaFast: own.beta_fast ?? 32,
      betaSlow: own.beta_slow ?? 1,
      mscale: own.mscale ?? null,
      mscaleAllDim: own.mscale_all_dim ?? null,
      truncate: own.truncate ?? true,
    })),
  z
    .object({
      type: z.literal('longrope'),
      factor: positive.nullish(),
      original_max_position_embeddings: positiveInt.nullish(),
      attention_factor: positive.nullish(),
      short_factor: z.array(positive).min(1).readonly(),
      long_factor: z.array(positive).min(1).readonly(),
    })
    .transform(({ type, factor, ...own }) => ({
      type,
      factor: factor ?? null,
      originalMaxPositions: own.original_max_position_embeddings ?? null,
      attentionFactor: own.attention_factor ?? null,
      shortFactor: own.short_factor,
      longFactor: own.long_factor,
    })),
]);

/** Rotary position embedding as config.json describes it, with the defaults of transformers. */
export type Rope = Readonly<z.output<typeof scalingSchema>> & {
  /** Base of the geometric progression of wavelengths. */
  readonly theta: number;
  /** Share of a head's dimensions that is rotated. */
  readonly partialRotaryFactor: number;
};

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
  return {
    theta: base.rope_theta ?? DEFAULT_THETA,
    partialRotaryFactor: base.partial_rotary_factor ?? 1,
    ...withTrainedLength(scaling, config.original_max_position_embeddings),
  };
}

/** Phi-3 keeps the trained length beside rope_scaling rather than in it; for longrope what stands there goes first. */
function withTrainedLength(
  scaling: z.output<typeof scalingSchema>,
  beside: unknown,
): z.output<typeof scalingSchema> {
  const length = positiveInt.safeParse(beside).data;
  if (length === undefined || !('originalMaxPositions' in scaling)) return scaling;
  if (scaling.originalMaxPositions !== null && scaling.type !== 'longrope') return scaling;
  return { ...scaling, originalMaxPositions: length };
}

/** `rope_type`, its older name `type`, and the older names of longrope: the first Phi-3 called it su and yarn. */
function typeOf(entry: Readonly<Record<string, unknown>>): unknown {
  const type = entry.rope_type ?? entry.type ?? 'default';
  return type === 'su' || (type === 'yarn' && entry.short_factor !== undefined) ? 'longrope' : type;
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
