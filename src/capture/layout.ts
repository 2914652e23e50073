import { type Tap, tapOutput } from '../hooks/taps.js';
import { LAYER_ARRAYS, type RunManifest, type RunPlan } from '../store/manifest.js';
import { expectedLayerArrays, type LayerArrayName } from '../store/open-run.js';

const FIRE: Tap = { hook: 'mlp.hook_pre', statistic: 'fire' };
const POST_SUM: Tap = { hook: 'mlp.hook_post', statistic: 'sum' };
const POST_SUMSQ: Tap = { hook: 'mlp.hook_post', statistic: 'sumsq' };
const Z_SUM: Tap = { hook: 'attn.hook_z', statistic: 'sum' };
const NORM_SUM: Tap = { hook: 'attn.hook_z', statistic: 'norm.sum' };
const NORM_SUMSQ: Tap = { hook: 'attn.hook_z', statistic: 'norm.sumsq' };

/** What a run records at every layer. Pooled hook_z exists an item only. */
export function runTaps(keep: RunPlan['keep']): readonly Tap[] {
  const sums = [FIRE, POST_SUM, POST_SUMSQ, NORM_SUM, NORM_SUMSQ];
  return keep === 'items' ? [...sums, Z_SUM] : sums;
}

/** Types that arrays of a layer have. */
export type LayerDtype = 'U32' | 'F64' | 'F32' | 'F16';

/** One array of a layer: the reading it is made of, and how. */
export interface LayerArray {
  readonly name: LayerArrayName;
  readonly dtype: LayerDtype;
  /** As it stands in `layers/{l}.safetensors`: [fold or item, language, …]. */
  readonly shape: readonly number[];
  /** Output name of the tap; null: the number of counted tokens. */
  readonly reading: string | null;
  /** `fold`: sum over the prompts of a fold; `item`: mean over a prompt's counted tokens. */
  readonly per: 'fold' | 'item';
}

const SOURCES: readonly (readonly [LayerArrayName, Tap | null, LayerArray['per']])[] = [
  [LAYER_ARRAYS.mlpSum, POST_SUM, 'fold'],
  [LAYER_ARRAYS.mlpSumsq, POST_SUMSQ, 'fold'],
  [LAYER_ARRAYS.headNormSum, NORM_SUM, 'fold'],
  [LAYER_ARRAYS.headNormSumsq, NORM_SUMSQ, 'fold'],
  [LAYER_ARRAYS.mlpFire, FIRE, 'fold'],
  [LAYER_ARRAYS.tokens, null, 'fold'],
  [LAYER_ARRAYS.headNormItems, NORM_SUM, 'item'],
  [LAYER_ARRAYS.mlpItems, POST_SUM, 'item'],
  [LAYER_ARRAYS.headItems, Z_SUM, 'item'],
];

/** The arrays of every layer of a run, in the order they are written: by falling element size, so that all are aligned. */
export function layerArrays(manifest: RunManifest): LayerArray[] {
  const expected = expectedLayerArrays(manifest);
  return SOURCES.filter(([, , per]) => per === 'fold' || manifest.plan.keep === 'items').map(
    ([name, tap, per]) => {
      const { dtype, shape } = expected.get(name)!;
      return { name, dtype: dtype as LayerDtype, shape, reading: tap === null ? null : tapOutput(tap), per };
    },
  );
}

/** Values one item or fold has in one language. */
export function widthOf({ shape }: Pick<LayerArray, 'shape'>): number {
  return shape.slice(2).reduce((a, b) => a * b, 1);
}

/**
 * Shape inside a part: a chunk belongs to one fold, [language, …], or holds some items, [item of the chunk, language, …].
 */
export function partShape({ shape, per }: LayerArray, chunkItems: number): number[] {
  return per === 'fold' ? shape.slice(1) : [chunkItems, ...shape.slice(1)];
}

/** Name of a layer's array inside a part, which holds all layers. */
export function partArrayName(layer: number, array: string): string {
  return `blocks.${layer}.${array}`;
}
