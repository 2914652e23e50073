import { UsageError } from '../errors.js';
import type { BlockHook } from './taps.js';

/** The sizes of a model that its hook points depend on. */
export interface HookSizes {
  readonly layers: number;
  readonly dModel: number;
  readonly heads: number;
  readonly headDim: number;
  readonly dMlp: number;
}

export interface HookPoint {
  /** Full TransformerLens name, for example `blocks.3.mlp.hook_post`. */
  readonly name: string;
  readonly layer: number;
  readonly hook: BlockHook;
  /** Shape a token; `keys` is the number of positions a token may look at. */
  readonly shape: readonly (number | 'keys')[];
  readonly description: string;
}

interface HookDefinition {
  readonly description: string;
  readonly shape: (sizes: HookSizes) => readonly (number | 'keys')[];
}

/** In the order in which a layer computes them. */
export const BLOCK_HOOKS: Readonly<Record<BlockHook, HookDefinition>> = {
  hook_resid_pre: {
    description: 'residual stream before the layer',
    shape: ({ dModel }) => [dModel],
  },
  'attn.hook_pattern': {
    description: 'attention weights after softmax',
    shape: ({ heads }) => [heads, 'keys'],
  },
  'attn.hook_z': {
    description: 'output of each attention head before o_proj mixes them',
    shape: ({ heads, headDim }) => [heads, headDim],
  },
  hook_resid_mid: {
    description: 'residual stream between attention and MLP',
    shape: ({ dModel }) => [dModel],
  },
  'mlp.hook_pre': {
    description: "pre-activation of the MLP's gate; a neuron fires where it is > 0",
    shape: ({ dMlp }) => [dMlp],
  },
  'mlp.hook_post': {
    description: 'act(gate)·up, what down_proj reads: how strongly a neuron speaks',
    shape: ({ dMlp }) => [dMlp],
  },
  hook_resid_post: {
    description: 'residual stream after the layer',
    shape: ({ dModel }) => [dModel],
  },
};

/** Every hook point of a model, layer by layer. */
export function hookPoints(sizes: HookSizes): readonly HookPoint[] {
  return Array.from({ length: sizes.layers }, (_, layer) =>
    (Object.keys(BLOCK_HOOKS) as BlockHook[]).map((hook) => ({
      name: `blocks.${layer}.${hook}`,
      layer,
      hook,
      shape: BLOCK_HOOKS[hook].shape(sizes),
      description: BLOCK_HOOKS[hook].description,
    })),
  ).flat();
}

export function isBlockHook(name: string): name is BlockHook {
  return Object.hasOwn(BLOCK_HOOKS, name);
}

/**
 * Reads a hook name: `blocks.3.mlp.hook_post` is one layer, `mlp.hook_post` or `blocks.*.mlp.hook_post` every
 * layer (null).
 *
 * @throws UsageError naming the hooks, or the layers, that there are.
 */
export function parseHook(name: string, sizes: HookSizes): { hook: BlockHook; layer: number | null } {
  const match = /^blocks\.(\d+|\*)\.(.*)$/.exec(name);
  const hook = match?.[2] ?? name;
  if (!isBlockHook(hook)) {
    throw new UsageError({
      what: 'unknown hook',
      where: name,
      expected: Object.keys(BLOCK_HOOKS)
        .map((known) => `blocks.{l}.${known}`)
        .join(', '),
    });
  }
  const layer = match === null || match[1] === '*' ? null : Number(match[1]);
  if (layer !== null && layer >= sizes.layers) {
    throw new UsageError({
      what: `the model has no layer ${layer}`,
      where: name,
      expected: `a layer from 0 to ${sizes.layers - 1}`,
    });
  }
  return { hook, layer };
}
