import { UsageError } from '../errors.js';

/** The sizes of a model that its hook points depend on. */
export interface HookSizes extends LayerSizes {
  readonly dModel: number;
  readonly heads: number;
  readonly headDim: number;
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
  readonly shape: (sizes: HookSizes, layer: number) => readonly (number | 'keys')[];
}

/** In the order in which a layer computes them. */
export const BLOCK_HOOKS = {
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
  'mlp.hook_router': {
    description: 'probability that the router gives each expert',
    shape: (sizes, layer) => [expertsOf(sizes, layer)],
  },
  'mlp.hook_pre': {
    description: "pre-activation of the MLP's gate, or of its only branch; a neuron fires where it is > 0",
    shape: (sizes, layer) => [neuronsOf(sizes, layer)],
  },
  'mlp.hook_post': {
    description:
      'act(gate)·up, or act alone without a gate, what down_proj reads: how strongly a neuron speaks',
    shape: (sizes, layer) => [neuronsOf(sizes, layer)],
  },
  hook_resid_post: {
    description: 'residual stream after the layer',
    shape: ({ dModel }) => [dModel],
  },
} as const satisfies Readonly<Record<string, HookDefinition>>;

/** A hook point inside a block, without its `blocks.{l}.` prefix (TransformerLens names). */
export type BlockHook = keyof typeof BLOCK_HOOKS;

/** Every hook point of a model, layer by layer; `passed` are those that each of its layers has. */
export function hookPoints(
  sizes: HookSizes,
  passed: readonly (readonly BlockHook[])[],
): readonly HookPoint[] {
  return passed.flatMap((hooks, layer) =>
    hooks.map((hook) => ({
      name: `blocks.${layer}.${hook}`,
      layer,
      hook,
      shape: BLOCK_HOOKS[hook].shape(sizes, layer),
      description: BLOCK_HOOKS[hook].description,
    })),
  );
}

export function isBlockHook(name: string): name is BlockHook {
  return Object.hasOwn(BLOCK_HOOKS, name);
}

/** How the experts of a mixture are laid out. */
export interface MixtureShape {
  /** Experts a token goes to, shared ones aside. */
  readonly perToken: number;
  /** Neurons of one expert. */
  readonly dExpert: number;
  /** Neurons of experts that every token passes, together; 0 where there are none. */
  readonly dShared: number;
  /** Layers that have experts, ascending; the others have an MLP of `dMlp` neurons. */
  readonly layers: readonly number[];
}

/** The sizes of a model that the widths of its layers follow from. */
export interface LayerSizes extends ExpertSizes {
  readonly dMlp: number;
}

/** The sizes of a model that tell which neurons are those of experts. */
export interface ExpertSizes {
  /** Experts of a layer that has any; null for a dense model. */
  readonly experts: number | null;
  readonly mixture: MixtureShape | null;
}

/** Experts of a layer; 0 where it has none. */
export function expertsOf({ experts, mixture }: ExpertSizes, layer: number): number {
  return mixture?.layers.includes(layer) ? (experts ?? 0) : 0;
}

/**
 * MLP neurons of a layer. In one with experts neuron j of expert e is number e × dExpert + j, and shared experts' neurons
 * come after all of them.
 */
export function neuronsOf(sizes: LayerSizes, layer: number): number {
  const experts = expertsOf(sizes, layer);
  if (experts === 0) return sizes.dMlp;
  return experts * sizes.mixture!.dExpert + sizes.mixture!.dShared;
}

/** The expert that an MLP neuron of a layer is of; null for one of a dense MLP or of an expert that all tokens pass. */
export function expertOfNeuron(sizes: ExpertSizes, layer: number, neuron: number): number | null {
  const experts = expertsOf(sizes, layer);
  if (experts === 0) return null;
  const expert = Math.floor(neuron / sizes.mixture!.dExpert);
  return expert < experts ? expert : null;
}

const NAMES_IN_ERROR = 3;

/** @throws UsageError for a name that no hook point of the model has, with the nearest ones */
export function requireHook(points: readonly HookPoint[], name: string): HookPoint {
  const found = points.find((point) => point.name === name);
  if (found !== undefined) return found;
  const nearest = points
    .map((point) => ({ name: point.name, distance: editDistance(name, point.name) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, NAMES_IN_ERROR);
  const kinds = [...new Set(points.map(({ hook }) => hook))];
  throw new UsageError({
    what: `the model has no hook ${JSON.stringify(name)}`,
    expected: nearest.map((each) => each.name).join(', '),
    remedy: `a name is blocks.{layer}. and one of ${kinds.join(', ')}`,
  });
}

/** Characters to insert, remove or replace until one text is the other (Levenshtein 1966). */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (let j = 0; j < to.length; j++) {
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + Number(letter !== to[j])));
    }
    row = next;
  }
  return row.at(-1)!;
}
