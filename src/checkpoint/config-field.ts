import { join } from 'node:path';
import { z } from 'zod';
import { CheckpointError } from '../errors.js';
import type { Checkpoint } from './types.js';

/** Sizes and counts in config.json. */
export const positiveInteger = z.int().positive();
export const nonnegativeInteger = z.int().nonnegative();
/** Real numbers in config.json: epsilons, bases, factors. */
export const positiveNumber = z.number().positive();

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
