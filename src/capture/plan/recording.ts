import { CheckpointError } from '../../errors.js';
import { type BlockHook, type Tap, tapOutput } from '../../hooks/index.js';
import { hides, type Model } from '../../models/index.js';
import {
  ARRAYS_AS_WRITTEN,
  type ArrayDescription,
  expectedLayerArrays,
  isItemsName,
  type LayerArrayName,
  neuronsWithoutItems,
  type RunManifest,
  type RunPlan,
  tapOf,
} from '../../store/index.js';

/** Hooks that every run records. */
export const DEFAULT_HOOKS = ['mlp.hook_pre', 'mlp.hook_post', 'attn.hook_z'] as const;
/** Hooks that a run records where asked to. */
export const EXTRA_HOOKS = ['attn.hook_pattern', 'hook_resid_post'] as const satisfies readonly BlockHook[];
export type ExtraHook = (typeof EXTRA_HOOKS)[number];

/** The choices that decide which statistics a run records. */
export interface Recording {
  readonly keep: RunPlan['keep'];
  readonly pooling: RunPlan['pooling'];
  readonly extraHooks: readonly ExtraHook[];
  /** The model has experts. */
  readonly mixture: boolean;
}

/** Taps of every layer that has the hook, in the order of the arrays that they fill. */
export function runTaps({ keep, pooling, extraHooks, mixture }: Recording): readonly Tap[] {
  const hooks: readonly string[] = [...DEFAULT_HOOKS, ...extraHooks, ...(mixture ? ['mlp.hook_router'] : [])];
  return tapsWhere(
    pooling,
    (tap, name) => hooks.includes(tap.hook) && (keep !== 'folds' || !isItemsName(name)),
  );
}

/** The taps of a run that is planned. */
export function plannedTaps({ plan }: Pick<RunManifest, 'plan'>): readonly Tap[] {
  return tapsWhere(plan.pooling, (tap) => plan.hooks.includes(tapOutput(tap)));
}

/** The taps that fill some arrays, once each where several arrays are filled by one. */
function tapsWhere(
  pooling: RunPlan['pooling'],
  isWanted: (tap: Tap, name: LayerArrayName) => boolean,
): readonly Tap[] {
  const taps = ARRAYS_AS_WRITTEN.flatMap((name) => {
    const tap = tapOf(name, pooling);
    return tap !== null && isWanted(tap, name) ? [tap] : [];
  });
  return [...new Map(taps.map((tap) => [tapOutput(tap), tap])).values()];
}

/** Drops the taps that a model hides. Hooks that a user named stay, for the model to refuse by name. */
export function recordable(model: Model, taps: readonly Tap[]): readonly Tap[] {
  if (model.kind === 'layered') return taps;
  const named: readonly string[] = EXTRA_HOOKS;
  return taps.filter((tap) => named.includes(tap.hook) || !model.hidden.some((each) => hides(each, tap)));
}

/** @throws CheckpointError where a graph hides both what neurons and what heads are scored by */
export function requireUnits(model: Model, taps: readonly Tap[]): void {
  const scored = ['mlp.hook_pre/fire', 'attn.hook_z/norm.sum'];
  if (model.kind === 'layered' || taps.some((tap) => scored.includes(tapOutput(tap)))) return;
  throw new CheckpointError({
    what: 'the graph hides what neurons and heads are scored by',
    where: model.path,
    expected: 'mlp.hook_pre, or norms at attn.hook_z',
    found: model.hidden.map(({ hook, why }) => `${hook}: ${why}`).join('; '),
    remedy: 'export the model without fusing operators, or give its safetensors folder',
  });
}

/** One array of a layer: the reading it is made of, and how. */
export interface LayerArray extends ArrayDescription {
  readonly name: LayerArrayName;
  /** Output name of the tap; null: the number of counted tokens. */
  readonly reading: string | null;
  /** Sum over the prompts of a fold, or one value a prompt. */
  readonly per: 'fold' | 'item';
  /** The reading is a sum, to be divided by the prompt's counted tokens. Only where `per` is `item`. */
  readonly mean: boolean;
  /** Values of a row of the reading that come before those the array keeps. */
  readonly skipped: number;
}

/** The arrays of a layer that a run captures, in the order they are written. */
export function layerArrays(run: Pick<RunManifest, 'plan' | 'shape'>, layer: number): LayerArray[] {
  const { plan } = run;
  return [...expectedLayerArrays(run, layer)].flatMap(([name, described]): LayerArray[] => {
    const tap = tapOf(name, plan.pooling);
    const reading = tap === null ? null : tapOutput(tap);
    const isCaptured = reading === null ? name === 'tokens' : plan.hooks.includes(reading);
    const per = isItemsName(name) ? 'item' : 'fold';
    if (!isCaptured || (per === 'item' && plan.keep === 'folds')) return [];
    const mean = per === 'item' && (tap?.statistic.endsWith('sum') ?? false);
    const skipped = name === 'mlp.items' ? neuronsWithoutItems(run, layer) : 0;
    return [{ name, ...described, reading, per, mean, skipped }];
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
