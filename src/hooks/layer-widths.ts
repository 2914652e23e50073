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
export interface LayerSizes {
  readonly dMlp: number;
  /** Experts of a layer that has any; null for a dense model. */
  readonly experts: number | null;
  readonly mixture: MixtureShape | null;
}

/** Experts of a layer; 0 where it has none. */
export function expertsOf({ experts, mixture }: LayerSizes, layer: number): number {
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
export function expertOfNeuron(sizes: LayerSizes, layer: number, neuron: number): number | null {
  const experts = expertsOf(sizes, layer);
  if (experts === 0) return null;
  const expert = Math.floor(neuron / sizes.mixture!.dExpert);
  return expert < experts ? expert : null;
}
