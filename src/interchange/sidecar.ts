import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { z } from 'zod';
import { ImportError, UsageError } from '../errors.js';
import { readJsonObject } from '../read-json.js';
import { FACTS, type FactName, type Facts, optionOf, type Said } from './formats/facts.js';
import type { ImportFormat } from './formats/format.js';
import type { SourceFile } from './source-files.js';

const REMEDY = 'mend the JSON beside the file, or move it away';

/** The sidecar of a file: what the file does not say, as JSON. */
export function sidecarPath(path: string): string {
  return `${path}.json`;
}

const fields = Object.fromEntries(
  Object.entries(FACTS).map(([name, { schema }]) => [name, schema.optional()]),
) as { [Name in FactName]: z.ZodOptional<(typeof FACTS)[Name]['schema']> };

// Exports of earlier versions call the rule `policy`.
const sidecarSchema = z.strictObject({ ...fields, policy: FACTS.rule.schema.optional() });

/** Files with the languages that sidecars name, and what sidecars and options say together. */
export interface Described {
  readonly files: readonly SourceFile[];
  readonly said: Said;
  /** Sidecars that were read. */
  readonly sidecars: readonly string[];
  /** `--neurons overrides mask.pt.json: neurons`, where the two differ. */
  readonly overridden: readonly string[];
}

/**
 * Reads the sidecar of every file. Options override it. Where a file holds one language, its sidecar may name that one.
 *
 * @throws ImportError if a sidecar is malformed or says what the format has no use for; UsageError if two disagree.
 */
export async function describeFiles(
  format: ImportFormat,
  files: readonly SourceFile[],
  options: Facts,
): Promise<Described> {
  const facts: Record<string, unknown> = {};
  const places = new Map<FactName, string>();
  const sidecars: string[] = [];
  const described: SourceFile[] = [];
  for (const file of files) {
    const path = sidecarPath(file.path);
    if (!existsSync(path) || files.some((other) => other.path === path)) {
      described.push(file);
      continue;
    }
    const said: Partial<Record<FactName, unknown>> = await readSidecar(path, format);
    sidecars.push(path);
    let { language } = file;
    if (format.languages === 'each' && said.languages !== undefined) {
      const own = said.languages as readonly string[];
      if (own.length !== 1) {
        throw unusable(path, 'languages', 'one language, as the file holds one', own.join(', '));
      }
      language ??= own[0]!;
      delete said.languages;
    }
    described.push({ ...file, language });
    for (const [name, value] of Object.entries(said) as [FactName, unknown][]) {
      const place = `${basename(path)}: ${name}`;
      const overridden = options[name] !== undefined;
      if (!overridden && name in facts && JSON.stringify(facts[name]) !== JSON.stringify(value)) {
        throw new UsageError({
          what: 'two sidecars contradict each other',
          where: place,
          expected: `${JSON.stringify(facts[name])}, as in ${places.get(name)}`,
          found: JSON.stringify(value),
          remedy: `mend one of them, or say it with ${optionOf(name)}`,
        });
      }
      facts[name] = value;
      places.set(name, place);
    }
  }
  const overridden: string[] = [];
  for (const [name, value] of Object.entries(options) as [FactName, unknown][]) {
    if (value === undefined) continue;
    if (name in facts && JSON.stringify(facts[name]) !== JSON.stringify(value))
      overridden.push(`${optionOf(name)} overrides ${places.get(name)}`);
    facts[name] = value;
    places.set(name, optionOf(name));
  }
  const where = (name: FactName) => places.get(name) ?? optionOf(name);
  return { files: described, said: { facts: facts as Facts, where }, sidecars, overridden };
}

async function readSidecar(path: string, format: ImportFormat): Promise<Facts> {
  const value = await readJsonObject(path, REMEDY, ImportError);
  const parsed = sidecarSchema.safeParse(value);
  if (!parsed.success) {
    const { message, path: field } = parsed.error.issues[0]!;
    throw unusable(path, field.join('.') || null, `fields ${Object.keys(FACTS).join(', ')}`, message);
  }
  const { policy, ...said } = parsed.data;
  if (policy !== undefined && said.rule !== undefined && policy !== said.rule) {
    throw unusable(path, 'rule', `${policy}, as policy says`, said.rule);
  }
  const facts: Facts = { ...said, ...(policy !== undefined && { rule: policy }) };
  const own: readonly string[] = [
    'model',
    ...(format.languages === 'each' ? ['languages'] : []),
    ...format.options,
  ];
  const idle = Object.keys(facts).find((name) => !own.includes(name));
  if (idle !== undefined) {
    throw unusable(path, idle, `what files of ${format.name} do not say: ${own.join(', ')}`, idle);
  }
  return facts;
}

function unusable(path: string, field: string | null, expected: string, found: string) {
  return new ImportError({
    what: 'the sidecar is unusable',
    where: field === null ? path : `${path}: ${field}`,
    expected,
    found,
    remedy: REMEDY,
  });
}
