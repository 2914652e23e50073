import { join } from 'node:path';
import { CheckpointError } from '../errors.js';
import type { MixtureShape } from '../hooks/index.js';
import type { ConfigFile } from './family.js';

/**
 * The sizes of a mixture of experts.
 *
 * @throws CheckpointError where a token would go to more experts than there are.
 */
export function readMixture(
  { folder }: ConfigFile,
  experts: number,
  layers: number,
  sizes: Omit<MixtureShape, 'layers'>,
  hasExperts: (layer: number) => boolean = () => true,
): { readonly experts: number; readonly mixture: MixtureShape } {
  if (sizes.perToken > experts) {
    throw new CheckpointError({
      what: 'a token would go to more experts than a layer has',
      where: join(folder, 'config.json'),
      found: `${sizes.perToken} experts a token, ${experts} experts`,
      remedy: 'download config.json again',
    });
  }
  return {
    experts,
    mixture: { ...sizes, layers: Array.from({ length: layers }, (_, layer) => layer).filter(hasExperts) },
  };
}
