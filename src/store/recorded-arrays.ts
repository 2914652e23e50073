import { expertsOf } from '../hooks/index.js';
import type { LayerArrayName, Run } from './open-run.js';

/** What some layer of the run holds. Layers of a mixture are of two kinds: with experts and without. */
export async function recordedArrays({ manifest: { shape }, layer }: Run): Promise<Set<LayerArrayName>> {
  const layers = Array.from({ length: shape.layers }, (_, index) => index);
  const isMixture = (index: number): boolean => expertsOf(shape, index) > 0;
  const kinds = [layers.find(isMixture), layers.find((index) => !isMixture(index))];
  const names = new Set<LayerArrayName>();
  for (const index of kinds) {
    if (index === undefined) continue;
    const opened = await layer(index);
    for (const name of opened.names) names.add(name);
    await opened.close();
  }
  return names;
}
