import { z } from 'zod';
import { positiveInteger, readConfigField } from '../checkpoint/index.js';
import type { ConfigFile } from './family.js';

/**
 * The window of each layer, how many of the latest positions a token sees there, itself included; null: all.
 *
 * @param slides whether a layer has a window where the file has no `layer_types`.
 * @throws CheckpointError for `layer_types` of another length, or without the `sliding_window` they need.
 */
export function readWindows(
  file: ConfigFile,
  layers: number,
  slides: (layer: number) => boolean,
): readonly (number | null)[] {
  const layerTypes = z.array(z.enum(['full_attention', 'sliding_attention'])).length(layers);
  const types = readConfigField(file, 'layer_types', layerTypes.optional());
  const sliding = Array.from({ length: layers }, (_, layer) =>
    types === undefined ? slides(layer) : types[layer] === 'sliding_attention',
  );
  if (!sliding.includes(true)) return sliding.map(() => null);
  const window = readConfigField(file, 'sliding_window', positiveInteger);
  return sliding.map((has) => (has ? window : null));
}
