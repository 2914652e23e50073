import { basename } from 'node:path';
import { z } from 'zod';
import { CheckpointError } from '../../errors.js';
import { readJsonObject } from '../../read-json.js';

/** The way out of a file that save_pretrained() cannot have written. */
export const RESAVE = 'download the checkpoint again, or write it with save_pretrained()';

/** Weights in one file. */
export const SINGLE_FILE = 'model.safetensors';
/** Names the file of each tensor where there are several. */
export const INDEX_FILE = 'model.safetensors.index.json';

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/**
 * File name of each tensor's shard, from the index of a checkpoint of several weight files.
 *
 * @throws CheckpointError if it is malformed or names files outside the folder
 */
export async function readWeightMap(path: string): Promise<ReadonlyMap<string, string>> {
  const parsed = indexSchema.safeParse(await readJsonObject(path, RESAVE));
  if (!parsed.success) {
    throw new CheckpointError({
      what: 'the index of shards has no usable weight_map',
      where: path,
      expected: '"weight_map": {tensor name: file name, …}',
      remedy: RESAVE,
    });
  }
  const weightMap = new Map(Object.entries(parsed.data.weight_map));
  for (const [tensor, file] of weightMap) {
    if (file === '' || file !== basename(file) || file.includes('\\') || file === '..') {
      throw new CheckpointError({
        what: `the index puts tensor ${JSON.stringify(tensor)} into a file outside the folder`,
        where: path,
        expected: 'plain file names',
        found: JSON.stringify(file),
        remedy: RESAVE,
      });
    }
  }
  return weightMap;
}
