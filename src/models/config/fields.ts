import { join } from 'node:path';
import { z } from 'zod';
import {
  positiveInteger,
  positiveNumber,
  readConfigField,
  readRenamedField,
} from '../../checkpoint/index.js';
import { CheckpointError } from '../../errors.js';
import type { ConfigFile } from '../family.js';
import { ACTIVATIONS, type ActivationName } from '../layers/mlp.js';

/** Fields of config.json by their kind. Each throws CheckpointError for a field of another kind, or that is missing. */

/** A field's name, or every name that it has had: the first that is there is read. */
export type FieldNames = string | readonly [string, ...string[]];

/** @param absent stands for a field that is not there. */
export function readSize(file: ConfigFile, names: FieldNames, absent?: number): number {
  const schema = absent === undefined ? positiveInteger : positiveInteger.default(absent);
  return readRenamedField(file, typeof names === 'string' ? [names] : names, schema);
}

/** @param absent stands for a field that is not there. */
export function readNumber(file: ConfigFile, field: string, absent?: number): number {
  const schema = absent === undefined ? positiveNumber : positiveNumber.default(absent);
  return readConfigField(file, field, schema);
}

export function readFlag(file: ConfigFile, field: string, absent = false): boolean {
  return readConfigField(file, field, z.boolean().default(absent));
}

/** null where the field is absent. */
export function readOptionalSize(file: ConfigFile, field: string): number | null {
  return readConfigField(file, field, positiveInteger.optional()) ?? null;
}

/** null where the field is absent. */
export function readOptionalNumber(file: ConfigFile, field: string): number | null {
  return readConfigField(file, field, positiveNumber.optional()) ?? null;
}

export function readActivation(file: ConfigFile, field: string, absent?: ActivationName): ActivationName {
  const known = z.enum(Object.keys(ACTIVATIONS) as [ActivationName, ...ActivationName[]]);
  return readConfigField(file, field, absent === undefined ? known : known.default(absent));
}

/** The file with what transformers takes for fields that are absent; `null` stays null. */
export function withDefaults<File extends ConfigFile>(
  file: File,
  defaults: Readonly<Record<string, unknown>>,
): File {
  return { ...file, config: { ...defaults, ...file.config } };
}

/** Refuses a configuration that contradicts itself, or asks for what is not supported. */
export function unusable(
  { folder }: ConfigFile,
  what: string,
  found: string,
  remedy = 'download config.json again',
): CheckpointError {
  return new CheckpointError({ what, where: join(folder, 'config.json'), found, remedy });
}
