import { tapOutput } from '../hooks/index.js';
import type { Model } from '../models/index.js';
import { arrayBytes, type RunManifest, type RunPlan } from '../store/index.js';
import { layerArrays, recordable, runTaps } from './layout.js';

/** Bytes of a run's layers; its parts take as much besides until they are merged. */
export function runBytes(manifest: Pick<RunManifest, 'plan' | 'shape'>): number {
  return Array.from({ length: manifest.shape.layers }, (_, layer) => layerArrays(manifest, layer))
    .flat()
    .reduce((sum, array) => sum + arrayBytes(array), 0);
}

/** Of them those that every prompt adds, its pooled values, with the default hooks. */
export function bytesAPrompt(model: Model, keep: 'items' | 'expert-items'): number {
  const { shape } = model;
  const taps = runTaps({ keep, pooling: 'mean', extraHooks: [], mixture: shape.mixture !== null });
  const hooks = recordable(model, taps).map(tapOutput);
  return runBytes({ shape, plan: { ...ONE_PROMPT, keep, hooks } });
}

const ONE_PROMPT: RunPlan = {
  languages: [''],
  items: [{ id: '', fold: 0 }],
  folds: 0,
  seed: 0,
  positions: 'all',
  countFirst: false,
  bos: 'auto',
  keep: 'items',
  pooling: 'mean',
  chunks: [],
  hooks: [],
};
