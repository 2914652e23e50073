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

/** What a family takes for fields that its configurations may leave out. */
export interface RopeOptions {
  /** Whose parameters to read where there is an entry for each type of layer. Default: there is one rope for all layers. */
  readonly layerType?: string | null;
  /** Base where the file gives none. Default 10,000. */
  readonly theta?: number;
  /** Share of a head's dimensions that is rotated where the file gives none. Default: all. */
  readonly partialRotaryFactor?: number;
}

/**
 * Reads the rotary embedding of a configuration written by any version of transformers: `rope_theta` with
 * `rope_scaling: {type | rope_type, …}` (4.x), or `rope_parameters: {rope_type, rope_theta, …}` (5.x), also one for each type
 * of layer. What is described twice must agree: which of two different descriptions is followed depends on the version.
 *
 * @param where names the file in errors.
 * @throws CheckpointError for an unknown type, unusable numbers, or two descriptions that contradict each other.
 */
export function readRope(
  config: Readonly<Record<string, unknown>>,
  where = 'config.json',
  { layerType = null, theta = DEFAULT_THETA, partialRotaryFactor = 1 }: RopeOptions = {},
): Rope {
  const legacy = normalised(readObject(config.rope_scaling, 'rope_scaling', where), 'rope_scaling', where);
  const all = readObject(config.rope_parameters, 'rope_parameters', where);
  const own = ofLayerType(all, layerType, where);
  const modern = normalised(own, 'rope_parameters', where);
  const beside = withoutNulls({
    rope_theta: config.rope_theta,
    partial_rotary_factor: config.partial_rotary_factor,
  });
  // A rope for each type of layer is described whole; one for all may be described beside too, in the older words.
  const shared = own === all;
  if (legacy !== null) checkAgreement('rope_scaling and the fields beside it', beside, legacy, where);
  if (modern !== null && shared) {
    checkAgreement('rope_parameters and the fields beside it', beside, modern, where);
    checkAgreement('rope_parameters and rope_scaling', legacy ?? {}, modern, where);
  }
  const field = modern === null ? 'rope_scaling' : 'rope_parameters';
  const entry: Record<string, unknown> = {
    ...beside,
    ...(modern === null || shared ? legacy : {}),
    ...modern,
  };
  const scaling = parse(
    scalingSchema,
    { ...entry, type: entry.rope_type ?? 'default' },
    `${where}, ${field}`,
  );
  const base = parse(baseSchema, entry, where);
  return {
    theta: base.rope_theta ?? theta,
    partialRotaryFactor: base.partial_rotary_factor ?? partialRotaryFactor,
    ...withTrainedLength(scaling, config.original_max_position_embeddings),
  };
}

/** The parameters of one type of layer, or of all where they are the same. @throws CheckpointError where they differ */
function ofLayerType(
  parameters: Record<string, unknown> | null,
  layerType: string | null,
  where: string,
): Record<string, unknown> | null {
  const byType = Object.entries(parameters ?? {}).filter(([, value]) => isObject(value));
  if (parameters === null || byType.length === 0) return parameters;
  if (layerType !== null) {
    return readObject(parameters[layerType], `rope_parameters.${layerType}`, where) ?? {};
  }
  const [first, ...others] = byType.map(([, value]) => value as Record<string, unknown>);
  if (others.every((other) => canonicalJson(other) === canonicalJson(first!))) return first!;
  throw new CheckpointError({
    what: 'rotary parameters that differ between layer types are not supported',
    where: `${where}, rope_parameters`,
    found: Object.keys(parameters).join(', '),
    remedy: 'this version reads models of this family with one rotary embedding for all layers',
  });
}

/** The entry with its type under one name. @throws CheckpointError where `type` and `rope_type` name two types */
function normalised(
  entry: Readonly<Record<string, unknown>> | null,
  field: string,
  where: string,
): Record<string, unknown> | null {
  if (entry === null) return null;
  const { type, rope_type, ...others } = withoutNulls(entry);
  if (
    type !== undefined &&
    rope_type !== undefined &&
    typeOf({ ...others, type }) !== typeOf({ ...others, rope_type })
  ) {
    throw contradiction(
      `the types in ${field}`,
      `type ${JSON.stringify(type)}, rope_type ${JSON.stringify(rope_type)}`,
      where,
    );
  }
  return { ...others, rope_type: typeOf(entry) };
}

/** Fields that both give, of which one version of transformers follows the one and another version the other. */
function checkAgreement(
  what: string,
  a: Readonly<Record<string, unknown>>,
  b: Readonly<Record<string, unknown>>,
  where: string,
): void {
  const [own, other] = [withoutNulls(a), withoutNulls(b)];
  for (const [field, value] of Object.entries(own)) {
    const second = other[field];
    if (second === undefined || canonicalJson(value) === canonicalJson(second)) continue;
    throw contradiction(what, `${field} ${JSON.stringify(value)} and ${JSON.stringify(second)}`, where);
  }
}

function contradiction(what: string, found: string, where: string): CheckpointError {
  return new CheckpointError({
    what: `${what} contradict each other`,
    where,
    found: found.slice(0, 400),
    remedy:
      'remove the one the model was not trained with: versions 4 and 5 of transformers read different ones',
  });
}

function withoutNulls(entry: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => (value ?? undefined) !== undefined));
}

/** One text for equal values, whatever the order of their fields. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
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

/**
 * `rope_type`, its older name `type`, and the older names of longrope: the first Phi-3 called it su and yarn. The three
 * positions of a token of text in a model that sees images (mrope) are one.
 */
function typeOf(entry: Readonly<Record<string, unknown>>): unknown {
  const type = entry.rope_type ?? entry.type ?? 'default';
  if (type === 'mrope') return 'default';
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
