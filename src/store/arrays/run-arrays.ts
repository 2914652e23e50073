import { expertsOf, neuronsOf, type Statistic, type Tap } from '../../hooks/index.js';
import type { ArrayDescription } from '../files/safetensors.js';
import type { RunManifest, RunPlan } from '../run/manifest.js';
import type { ScoredType } from './unit-layout.js';

/** Everything there is to say of an array of `layers/{l}.safetensors`. */
interface RunArray {
  /** The tokens of a fold are added up, or the tokens of a prompt are pooled. Units come last, or before their vectors. */
  readonly axes: readonly ['fold' | 'item', 'language', ...UnitAxis[]];
  /** Counts are U32, sums F64, pooled values F32 or F16. */
  readonly dtype: 'F64' | 'U32' | 'F32' | 'F16';
  /** Kind of unit that has a value each; null for counted tokens, which all units share. */
  readonly units: ScoredType | null;
  /** The hook and reduction that fill it, by pooling for pooled values; counted tokens and imported values have neither. */
  readonly tap:
    | { readonly hook: Tap['hook']; readonly statistic: Statistic | Readonly<Record<Pooling, Statistic>> }
    | 'counted tokens'
    | 'imported';
  /** Unit in which its values are measured. */
  readonly measure: 'tokens' | 'activation' | 'activation²' | 'nats' | 'probability' | 'importance';
  readonly about: string;
}

type UnitAxis = 'neuron' | 'head' | 'headDim' | 'expert' | 'dimension';
type Pooling = RunPlan['pooling'];

const POOLED = { mean: 'sum', max: 'max', last: 'last' } as const;
const POOLED_NORM = { mean: 'norm.sum', max: 'norm.max', last: 'norm.last' } as const;
/** The largest value of each dimension is nothing a head ever put out: vectors are averaged instead. */
const POOLED_VECTOR = { mean: 'sum', max: 'sum', last: 'last' } as const;

const FOLD_NEURONS = { axes: ['fold', 'language', 'neuron'], units: 'neuron' } as const;
const FOLD_HEADS = { axes: ['fold', 'language', 'head'], units: 'head' } as const;
const FOLD_DIMENSIONS = { axes: ['fold', 'language', 'dimension'], units: 'residual' } as const;
const FOLD_EXPERTS = { axes: ['fold', 'language', 'expert'], units: 'expert' } as const;

/**
 * The arrays of a layer of a run, by name; those of experts only in layers that have any. In such a layer neuron j of
 * expert e is e × dExpert + j, shared experts' neurons come last, and sums run over the counted tokens routed to e. Arrays
 * of items exist with `--keep items` and `--keep expert-items`; an item that lacks a language, or has no counted token in
 * it, has NaN there.
 */
export const RUN_ARRAYS = {
  'mlp.fire': {
    ...FOLD_NEURONS,
    dtype: 'U32',
    tap: { hook: 'mlp.hook_pre', statistic: 'fire' },
    measure: 'tokens',
    about: 'counted tokens with hook_pre > 0',
  },
  'mlp.rate.sum': {
    ...FOLD_NEURONS,
    dtype: 'F64',
    tap: 'imported',
    measure: 'probability',
    about:
      'sum over sequences of firing rates that another program recorded; imported runs only, whose `tokens` then count sequences',
  },
  'mlp.sum': {
    ...FOLD_NEURONS,
    dtype: 'F64',
    tap: { hook: 'mlp.hook_post', statistic: 'sum' },
    measure: 'activation',
    about: 'sum of hook_post',
  },
  'mlp.sumsq': {
    ...FOLD_NEURONS,
    dtype: 'F64',
    tap: { hook: 'mlp.hook_post', statistic: 'sumsq' },
    measure: 'activation²',
    about: 'sum of the squares of hook_post',
  },
  /**
   * In a neuron of expert e every counted token has a value, 0 where it was not routed to e: what the neuron adds to the
   * residual stream then.
   */
  'mlp.items': {
    axes: ['item', 'language', 'neuron'],
    units: 'neuron',
    dtype: 'F16',
    tap: { hook: 'mlp.hook_post', statistic: POOLED },
    measure: 'activation',
    about:
      "hook_post, pooled; of a layer with experts the shared experts' neurons alone (the last ones), all with `--keep expert-items`",
  },
  'head.norm.sum': {
    ...FOLD_HEADS,
    dtype: 'F64',
    tap: { hook: 'attn.hook_z', statistic: 'norm.sum' },
    measure: 'activation',
    about: "sum of the norm of the head's contribution to the residual stream, ‖z_h W_O,h‖₂",
  },
  'head.norm.sumsq': {
    ...FOLD_HEADS,
    dtype: 'F64',
    tap: { hook: 'attn.hook_z', statistic: 'norm.sumsq' },
    measure: 'activation²',
    about: 'sum of the squares of that norm',
  },
  'head.norm.items': {
    axes: ['item', 'language', 'head'],
    units: 'head',
    dtype: 'F32',
    tap: { hook: 'attn.hook_z', statistic: POOLED_NORM },
    measure: 'activation',
    about: 'that norm, pooled',
  },
  'head.items': {
    axes: ['item', 'language', 'head', 'headDim'],
    units: 'head',
    dtype: 'F16',
    tap: { hook: 'attn.hook_z', statistic: POOLED_VECTOR },
    measure: 'activation',
    about: 'hook_z, pooled; its mean where pooling is `max`',
  },
  'head.importance.sum': {
    ...FOLD_HEADS,
    dtype: 'F64',
    tap: 'imported',
    measure: 'importance',
    about:
      'sum of importances that another program computed; imported runs only, whose `tokens` count matrices',
  },
  'head.pattern.entropy.sum': {
    ...FOLD_HEADS,
    dtype: 'F64',
    tap: { hook: 'attn.hook_pattern', statistic: 'entropy.sum' },
    measure: 'nats',
    about: "sum of the entropy of each counted token's attention pattern; with `--hooks attn.hook_pattern`",
  },
  'head.pattern.first.sum': {
    ...FOLD_HEADS,
    dtype: 'F64',
    tap: { hook: 'attn.hook_pattern', statistic: 'first.sum' },
    measure: 'probability',
    about: "sum of that pattern's mass on the first token of the sequence",
  },
  'head.pattern.previous.sum': {
    ...FOLD_HEADS,
    dtype: 'F64',
    tap: { hook: 'attn.hook_pattern', statistic: 'previous.sum' },
    measure: 'probability',
    about: "sum of that pattern's mass on the token before",
  },
  'resid.sum': {
    ...FOLD_DIMENSIONS,
    dtype: 'F64',
    tap: { hook: 'hook_resid_post', statistic: 'sum' },
    measure: 'activation',
    about: 'sum of hook_resid_post; with `--hooks hook_resid_post`',
  },
  'resid.sumsq': {
    ...FOLD_DIMENSIONS,
    dtype: 'F64',
    tap: { hook: 'hook_resid_post', statistic: 'sumsq' },
    measure: 'activation²',
    about: 'sum of the squares of hook_resid_post',
  },
  /** Beyond half precision in some models, hence F32. */
  'resid.items': {
    axes: ['item', 'language', 'dimension'],
    units: 'residual',
    dtype: 'F32',
    tap: { hook: 'hook_resid_post', statistic: POOLED },
    measure: 'activation',
    about: 'hook_resid_post, pooled',
  },
  'expert.count': {
    ...FOLD_EXPERTS,
    dtype: 'U32',
    tap: { hook: 'mlp.hook_router', statistic: 'count' },
    measure: 'tokens',
    about:
      'counted tokens routed to the expert; only in layers with experts, where the sums of its neurons are over these tokens',
  },
  'expert.prob.sum': {
    ...FOLD_EXPERTS,
    dtype: 'F64',
    tap: { hook: 'mlp.hook_router', statistic: 'sum' },
    measure: 'probability',
    about: 'sum of hook_router',
  },
  'expert.prob.items': {
    axes: ['item', 'language', 'expert'],
    units: 'expert',
    dtype: 'F32',
    tap: { hook: 'mlp.hook_router', statistic: POOLED },
    measure: 'probability',
    about: 'hook_router, pooled',
  },
  tokens: {
    axes: ['fold', 'language'],
    units: null,
    dtype: 'U32',
    tap: 'counted tokens',
    measure: 'tokens',
    about: 'counted tokens',
  },
} as const satisfies Readonly<Record<string, RunArray>>;

type Table = typeof RUN_ARRAYS;

/** Name of an array of a layer. */
export type LayerArrayName = keyof Table;
/** Arrays of pooled values: [item, language, unit], and of `head.items` [item, language, head, headDim]. */
export type ItemsName = {
  [N in LayerArrayName]: Table[N]['axes'][0] extends 'item' ? N : never;
}[LayerArrayName];
/** Arrays of sums over the tokens of a fold: [fold, language, unit]. */
export type StatisticName = Exclude<LayerArrayName, ItemsName | 'tokens'>;

/** By falling element size, so that all are aligned in the file; within a size in the order of the table. */
const DTYPES = ['F64', 'U32', 'F32', 'F16'] as const;
/** Names of the arrays in the order in which a layer's file has them. */
export const ARRAYS_AS_WRITTEN: readonly LayerArrayName[] = DTYPES.flatMap((dtype) =>
  (Object.keys(RUN_ARRAYS) as LayerArrayName[]).filter((name) => RUN_ARRAYS[name].dtype === dtype),
);

/** The array of one pooled value a unit, by kind of unit. */
export const ITEM_ARRAYS: Readonly<Record<ScoredType, ItemsName>> = {
  neuron: 'mlp.items',
  head: 'head.norm.items',
  expert: 'expert.prob.items',
  residual: 'resid.items',
};

/** Whether an array has one value, or vector, an item. */
export function isItemsName(name: LayerArrayName): name is ItemsName {
  return RUN_ARRAYS[name].axes[0] === 'item';
}

/** The tap that fills an array of a run that is pooled so; null where none does. */
export function tapOf(name: LayerArrayName, pooling: Pooling): Tap | null {
  const { tap }: RunArray = RUN_ARRAYS[name];
  if (typeof tap === 'string') return null;
  const { hook, statistic } = tap;
  return { hook, statistic: typeof statistic === 'string' ? statistic : statistic[pooling] };
}

/** The parts of a manifest that decide the shapes of its arrays. */
export type Shaped = Pick<RunManifest, 'plan' | 'shape'>;

/**
 * Neurons of a layer that come before those whose pooled values a run keeps: those of experts that only some tokens pass.
 * 0 with `--keep expert-items`.
 */
export function neuronsWithoutItems({ plan, shape }: Shaped, layer: number): number {
  return plan.keep === 'expert-items' ? 0 : expertsOf(shape, layer) * (shape.mixture?.dExpert ?? 0);
}

/** Type and shape that each array of a layer must have, in the order written. An array without units, or of units whose number the run does not know, is none. */
export function expectedLayerArrays(
  run: Shaped,
  layer: number,
): ReadonlyMap<LayerArrayName, ArrayDescription> {
  const { plan, shape } = run;
  const sizes = {
    fold: plan.folds,
    item: plan.items.length,
    language: plan.languages.length,
    neuron: neuronsOf({ ...shape, dMlp: shape.dMlp ?? 0 }, layer),
    head: shape.heads ?? 0,
    headDim: shape.headDim ?? 0,
    expert: expertsOf(shape, layer),
    dimension: shape.dModel ?? 0,
  };
  const pooled = { ...sizes, neuron: sizes.neuron - neuronsWithoutItems(run, layer) };
  return new Map(
    ARRAYS_AS_WRITTEN.flatMap((name): [LayerArrayName, ArrayDescription][] => {
      const { axes, dtype }: RunArray = RUN_ARRAYS[name];
      const described = axes.map((axis) => (isItemsName(name) ? pooled : sizes)[axis]);
      return described[2] === 0 ? [] : [[name, { dtype, shape: described }]];
    }),
  );
}
