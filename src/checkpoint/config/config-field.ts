import { join } from 'node:path';
import { z } from 'zod';
import { CheckpointError } from '../../errors.js';
import type { Checkpoint } from '../types.js';

/** No real size comes near it, and products of a few sizes stay exact. */
const MAX_SIZE = 2 ** 31 - 1;

/** The largest finite float32. */
const MAX_FLOAT32 = 2 ** 128 * (1 - 2 ** -24);

/** Sizes and counts in config.json. */
export const positiveInteger = z.int().positive().max(MAX_SIZE);
export const nonnegativeInteger = z.int().nonnegative();
/** Real numbers in config.json: epsilons, bases, factors. Graphs hold them as float32. */
export const positiveNumber = z.number().positive().max(MAX_FLOAT32);

/**
 * A field of config.json, checked against a schema. A field that is `null` counts as absent, as it does for
 * transformers; a schema with a default or `.optional()` accepts absence.
 *
 * @throws CheckpointError naming the file and the field.
 */
export function readConfigField<Schema extends z.ZodType>(
  checkpoint: Pick<Checkpoint, 'folder' | 'config'>,
  field: string,
  schema: Schema,
): z.output<Schema> {
  const parsed = schema.safeParse(checkpoint.config[field] ?? undefined);
  if (parsed.success) return parsed.data;
  const value = checkpoint.config[field] ?? undefined;
  throw new CheckpointError({
    what: value === undefined ? `field "${field}" is missing` : `field "${field}" is unusable`,
    where: join(checkpoint.folder, 'config.json'),
    expected: parsed.error.issues.map((issue) => [...issue.path, issue.message].join(': ')).join('; '),
    found: value === undefined ? 'nothing' : (JSON.stringify(value)?.slice(0, 200) ?? typeof value),
    remedy: 'download config.json again; if it is right, this version does not support the model',
  });
}

/**
 * As `readConfigField`, for a field that was renamed over the years: the first of its names that is there.
 *
 * @throws CheckpointError too where two of its names give two values
 */
export function readRenamedField<Schema extends z.ZodType>(
  checkpoint: Pick<Checkpoint, 'folder' | 'config'>,
  names: readonly [string, ...string[]],
  schema: Schema,
): z.output<Schema> {
  const present = names.filter((candidate) => (checkpoint.config[candidate] ?? undefined) !== undefined);
  const [name, ...others] = present;
  const other = others.find((candidate) => checkpoint.config[candidate] !== checkpoint.config[name!]);
  if (name !== undefined && other !== undefined) {
    throw new CheckpointError({
      what: `fields "${name}" and "${other}" are two names of one size, and differ`,
      where: join(checkpoint.folder, 'config.json'),
      found: [name, other].map((field) => `${field} ${JSON.stringify(checkpoint.config[field])}`).join(', '),
      remedy: 'remove the one that the weights do not have',
    });
  }
  return readConfigField(checkpoint, name ?? names[0], schema);
}

/**
 * The largest sizes that are believed, several times those of the largest models: what is read from these fields sets
 * how long lists are and how often something is done, so that a damaged file could ask for all memory and all time.
 */
const LIMITS: Readonly<Record<string, number>> = {
  // Layers: 126 in Llama 3.1 405B.
  ...limit(1_000, 'num_hidden_layers', 'n_layer', 'num_layers', 'n_layers'),
  // Width: 18,432 in PaLM.
  ...limit(2 ** 17, 'hidden_size', 'n_embd', 'n_embed', 'd_model'),
  // Heads: 128 in DeepSeek-V3 and Llama 3.1 405B.
  ...limit(
    2 ** 14,
    'num_attention_heads',
    'n_head',
    'attention_heads',
    'num_key_value_heads',
    'num_kv_heads',
  ),
  ...limit(2 ** 14, 'head_dim', 'qk_rope_head_dim', 'qk_nope_head_dim', 'v_head_dim'),
  // Experts a layer: 512 in Qwen3-Next.
  ...limit(2 ** 12, 'num_experts', 'num_local_experts', 'n_routed_experts'),
};

function limit(most: number, ...fields: string[]): Record<string, number> {
  return Object.fromEntries(fields.map((field) => [field, most]));
}

/** @throws CheckpointError for a size in config.json that no model comes near */
export function checkSizes({ folder, config }: Pick<Checkpoint, 'folder' | 'config'>): void {
  for (const [field, most] of Object.entries(LIMITS)) {
    const value = config[field];
    if (typeof value !== 'number' || value <= most) continue;
    throw new CheckpointError({
      what: `field "${field}" is larger than in any model`,
      where: join(folder, 'config.json'),
      expected: `at most ${most}`,
      found: String(value),
      remedy: 'download config.json again',
    });
  }
}
