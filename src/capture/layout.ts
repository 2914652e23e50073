import { CheckpointError } from '../errors.js';
import { type BlockHook, type Statistic, type Tap, tapOutput } from '../hooks/index.js';
import { hides, type Model } from '../models/index.js';
import {
  expectedLayerArrays,
  LAYER_ARRAYS,
  type LayerArrayName,
  neuronsWithoutItems,
  type RunManifest,
  type RunPlan,
} from '../store/index.js';

/** Hooks that every run records. */
export const DEFAULT_HOOKS = ['mlp.hook_pre', 'mlp.hook_post', 'attn.hook_z'] as const;
/** Hooks that a run records where asked to. */
export const EXTRA_HOOKS = ['attn.hook_pattern', 'hook_resid_post'] as const satisfies readonly BlockHook[];
export type ExtraHook = (typeof EXTRA_HOOKS)[number];

/** What decides which statistics a run records. */
export interface Recording {
  readonly keep: RunPlan['keep'];
  readonly pooling: RunPlan['pooling'];
  readonly extraHooks: readonly ExtraHook[];
  /** The model has experts. */
  readonly mixture: boolean;
}

const FIRE: Tap = { hook: 'mlp.hook_pre', statistic: 'fire' };
const POST_SUM: Tap = { hook: 'mlp.hook_post', statistic: 'sum' };
const POST_SUMSQ: Tap = { hook: 'mlp.hook_post', statistic: 'sumsq' };
const Z_SUM: Tap = { hook: 'attn.hook_z', statistic: 'sum' };
const NORM_SUM: Tap = { hook: 'attn.hook_z', statistic: 'norm.sum' };
const NORM_SUMSQ: Tap = { hook: 'attn.hook_z', statistic: 'norm.sumsq' };
const RESID_SUM: Tap = { hook: 'hook_resid_post', statistic: 'sum' };
const RESID_SUMSQ: Tap = { hook: 'hook_resid_post', statistic: 'sumsq' };
const ROUTER_COUNT: Tap = { hook: 'mlp.hook_router', statistic: 'count' };
const ROUTER_SUM: Tap = { hook: 'mlp.hook_router', statistic: 'sum' };
const PATTERN_ENTROPY: Tap = { hook: 'attn.hook_pattern', statistic: 'entropy.sum' };
const PATTERN_FIRST: Tap = { hook: 'attn.hook_pattern', statistic: 'first.sum' };
const PATTERN_PREVIOUS: Tap = { hook: 'attn.hook_pattern', statistic: 'previous.sum' };

/** What a run records at every layer that has the hook. */
export function runTaps({ keep, pooling, extraHooks, mixture }: Recording): readonly Tap[] {
  const hooks: readonly string[] = [...DEFAULT_HOOKS, ...extraHooks, ...(mixture ? ['mlp.hook_router'] : [])];
  const taps = sources(pooling).flatMap(([, tap, per]) =>
    tap !== null && hooks.includes(tap.hook) && (per === 'fold' || keep !== 'folds') ? [tap] : [],
  );
  return [...new Map(taps.map((tap) => [tapOutput(tap), tap])).values()];
}

/** What of these taps a model shows. Hooks that a user named stay, hidden or not, for the model to refuse by name. */
export function recordable(model: Model, taps: readonly Tap[]): readonly Tap[] {
  if (model.kind === 'layered') return taps;
  const named: readonly string[] = EXTRA_HOOKS;
  return taps.filter((tap) => named.includes(tap.hook) || !model.hidden.some((each) => hides(each, tap)));
}

/** @throws CheckpointError where a graph hides both what neurons and what heads are scored by */
export function requireUnits(model: Model, taps: readonly Tap[]): void {
  const units = [FIRE, NORM_SUM].map(tapOutput);
  if (model.kind === 'layered' || taps.some((tap) => units.includes(tapOutput(tap)))) return;
  throw new CheckpointError({
    what: 'the graph hides what neurons and heads are scored by',
    where: model.path,
    expected: 'mlp.hook_pre, or norms at attn.hook_z',
    found: model.hidden.map(({ hook, why }) => `${hook}: ${why}`).join('; '),
    remedy: 'export the model without fusing operators, or give its safetensors folder',
  });
}

/** The taps of a run that is planned. */
export function plannedTaps(manifest: Pick<RunManifest, 'plan' | 'shape'>): readonly Tap[] {
  return runTaps(recordingOf(manifest)).filter((tap) => manifest.plan.hooks.includes(tapOutput(tap)));
}

/** What a manifest says of its recording. */
export function recordingOf({
  plan: { keep, pooling, hooks },
  shape,
}: Pick<RunManifest, 'plan' | 'shape'>): Recording {
  const extraHooks = EXTRA_HOOKS.filter((hook) => hooks.some((output) => output.startsWith(`${hook}/`)));
  return { keep, pooling, extraHooks, mixture: shape.mixture !== null };
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
  /** `fold`: sum over the prompts of a fold; `item`: one value a prompt. */
  readonly per: 'fold' | 'item';
  /** The reading is a sum, to be divided by the prompt's counted tokens. Only where `per` is `item`. */
  readonly mean: boolean;
  /** Values of a row of the reading that come before those the array keeps. */
  readonly skipped: number;
}

type Source = readonly [LayerArrayName, Tap | null, LayerArray['per']];

/** Where each array comes from, by falling element size. */
function sources(pooling: RunPlan['pooling']): readonly Source[] {
  const pooled = (sum: Tap, statistic: Statistic): Tap =>
    pooling === 'mean' ? sum : { hook: sum.hook, statistic };
  return [
    [LAYER_ARRAYS.mlpSum, POST_SUM, 'fold'],
    [LAYER_ARRAYS.mlpSumsq, POST_SUMSQ, 'fold'],
    [LAYER_ARRAYS.headNormSum, NORM_SUM, 'fold'],
    [LAYER_ARRAYS.headNormSumsq, NORM_SUMSQ, 'fold'],
    [LAYER_ARRAYS.patternEntropySum, PATTERN_ENTROPY, 'fold'],
    [LAYER_ARRAYS.patternFirstSum, PATTERN_FIRST, 'fold'],
    [LAYER_ARRAYS.patternPreviousSum, PATTERN_PREVIOUS, 'fold'],
    [LAYER_ARRAYS.residSum, RESID_SUM, 'fold'],
    [LAYER_ARRAYS.residSumsq, RESID_SUMSQ, 'fold'],
    [LAYER_ARRAYS.expertProbSum, ROUTER_SUM, 'fold'],
    [LAYER_ARRAYS.mlpFire, FIRE, 'fold'],
    [LAYER_ARRAYS.expertCount, ROUTER_COUNT, 'fold'],
    [LAYER_ARRAYS.tokens, null, 'fold'],
    [LAYER_ARRAYS.headNormItems, pooled(NORM_SUM, `norm.${pooling === 'max' ? 'max' : 'last'}`), 'item'],
    [LAYER_ARRAYS.residItems, pooled(RESID_SUM, pooling === 'max' ? 'max' : 'last'), 'item'],
    [LAYER_ARRAYS.expertProbItems, pooled(ROUTER_SUM, pooling === 'max' ? 'max' : 'last'), 'item'],
    [LAYER_ARRAYS.mlpItems, pooled(POST_SUM, pooling === 'max' ? 'max' : 'last'), 'item'],
    // The largest value of each dimension is nothing a head ever put out: vectors are averaged instead.
    [LAYER_ARRAYS.headItems, pooling === 'last' ? { hook: 'attn.hook_z', statistic: 'last' } : Z_SUM, 'item'],
  ];
}

/** The arrays of a layer of a run, in the order they are written: by falling element size, so that all are aligned. */
export function layerArrays(manifest: Pick<RunManifest, 'plan' | 'shape'>, layer: number): LayerArray[] {
  const { plan } = manifest;
  const expected = expectedLayerArrays(manifest, layer);
  return sources(plan.pooling).flatMap(([name, tap, per]): LayerArray[] => {
    const reading = tap === null ? null : tapOutput(tap);
    if (reading !== null && !plan.hooks.includes(reading)) return [];
    if (per === 'item' && plan.keep === 'folds') return [];
    const described = expected.get(name);
    if (described === undefined) return [];
    const { dtype, shape } = described;
    const mean = per === 'item' && (tap?.statistic.endsWith('sum') ?? false);
    const skipped = name === LAYER_ARRAYS.mlpItems ? neuronsWithoutItems(manifest, layer) : 0;
    return [{ name, dtype: dtype as LayerDtype, shape, reading, per, mean, skipped }];
  });
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
