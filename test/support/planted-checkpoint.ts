import { fileURLToPath } from 'node:url';

export { TINY_PROBES, temporaryFolder, tinyCheckpoint, writeTinyCheckpoint } from './tiny-checkpoint.js';

/** The tiny checkpoint with planted units, as `validation/make-planted.ts` wrote it. */
export const PLANTED_FIXTURE = fileURLToPath(new URL('../fixtures/planted', import.meta.url));

/** How the fixture was planted: four neurons and one head a strength; all other neurons are levelled. */
export const TINY_PLANT = {
  units: { neurons: 4, heads: 1, strengths: [0, 0.75, 1.5] },
  level: ['neuron'],
  seed: 1,
  threads: 1,
} as const;
