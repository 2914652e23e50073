import { join } from 'node:path';
import { z } from 'zod';
import { CheckpointError } from '../errors.js';
import type { ProbeSet } from '../probes/index.js';
import { readJsonObject } from '../read-json.js';

const unitType = z.enum(['neuron', 'head']);
/** Kinds of unit that can be planted: experts are chosen by a router, not written to. */
export type PlantedType = z.infer<typeof unitType>;

const plantedUnit = z.object({
  type: unitType,
  layer: z.number().int(),
  index: z.number().int(),
  language: z.string(),
  /** Mean in the language minus the mean in all others, in standard deviations within languages. */
  strength: z.number(),
  /**
   * The same of the weights as they are stored, on the calibration tokens: against the mean over the other languages,
   * and how far those are apart (standard deviations within languages).
   */
  realised: z.number(),
  othersRange: z.number(),
});

/** `planted.json` beside the weights: what was planted. */
export const plantedManifestSchema = z.object({
  schema: z.literal('babelscope/planted'),
  schemaVersion: z.literal(1),
  babelscope: z.string(),
  source: z.object({ name: z.string(), weightsSha256: z.string() }),
  probe: z.object({ name: z.string(), version: z.string(), sha256: z.string() }),
  languages: z.array(z.string()),
  /** Items the directions were found on; measure on the others. */
  calibrationItems: z.array(z.string()),
  /** Calibration tokens of each language. */
  calibrationTokens: z.array(z.number().int()),
  seed: z.number().int(),
  /** Unit types of which every other unit was levelled: rewritten as if planted with strength 0. */
  levelled: z.array(unitType),
  units: z.array(plantedUnit),
  /**
   * The largest strength that could be planted for each language, where units were: of all neurons of a layer
   * (`index` null), which read the same, and of each head. null: not even 0.
   */
  reach: z.array(
    z.object({
      type: unitType,
      layer: z.number().int(),
      index: z.number().int().nullable(),
      strength: z.array(z.number().nullable()),
    }),
  ),
});

export type PlantedManifest = z.infer<typeof plantedManifestSchema>;
export type PlantedUnit = PlantedManifest['units'][number];

export const PLANTED_FILE = 'planted.json';

/** @throws CheckpointError if the folder is not one that `plantUnits` made */
export async function readPlanted(checkpoint: string): Promise<PlantedManifest> {
  const path = join(checkpoint, PLANTED_FILE);
  const remedy = 'plant the units again';
  const parsed = plantedManifestSchema.safeParse(await readJsonObject(path, remedy));
  if (parsed.success) return parsed.data;
  const { path: field, message } = parsed.error.issues[0]!;
  throw new CheckpointError({
    what: 'not a manifest of planted units',
    where: `${path}, ${field.join('.')}`,
    found: message,
    remedy,
  });
}

/** The items that planting did not see: what units do there was not fitted. */
export function itemsNotSeen(probes: ProbeSet, { calibrationItems }: PlantedManifest): ProbeSet {
  const seen = new Set(calibrationItems);
  return { ...probes, items: probes.items.filter(({ id }) => !seen.has(id)) };
}
