import { expertOfNeuron, expertsOf, type LayerSizes, neuronsOf } from '../hooks/index.js';
import type { ScoredType } from './unit-types.js';

/** Where the units of a type stand among all of it: layer by layer. Layers of a mixture differ in width, or have none. */
export class UnitLayout {
  /** [layer] */
  readonly widths: readonly number[];
  /** [layer]: number of its first unit, and one past the last of all. */
  readonly starts: readonly number[];

  constructor(widths: readonly number[]) {
    const starts = [0];
    for (const width of widths) starts.push(starts.at(-1)! + width);
    this.widths = widths;
    this.starts = starts;
  }

  /** Units of all layers. */
  get units(): number {
    return this.starts.at(-1)!;
  }

  /** Layers that have any. */
  get layers(): number {
    return this.widths.filter((width) => width > 0).length;
  }

  /** The layer that a unit is in. */
  layerOf(unit: number): number {
    let low = 0;
    let high = this.widths.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.starts[middle]! <= unit) low = middle;
      else high = middle;
    }
    return low;
  }

  /** The number that a unit has within its layer. */
  indexOf(unit: number): number {
    return unit - this.starts[this.layerOf(unit)]!;
  }
}

/** What the widths of a model's layers follow from. */
export interface ModelSizes extends LayerSizes {
  readonly layers: number;
  readonly heads: number;
  readonly dModel: number;
}

/** Units of a type, layer by layer. */
export function unitLayout(sizes: ModelSizes, type: ScoredType): UnitLayout {
  const width = {
    neuron: (layer: number) => neuronsOf(sizes, layer),
    head: () => sizes.heads,
    expert: (layer: number) => expertsOf(sizes, layer),
    residual: () => sizes.dModel,
  }[type];
  return new UnitLayout(Array.from({ length: sizes.layers }, (_, layer) => width(layer)));
}

/** The expert that a unit is, or that a neuron is of; null for any other unit, and for neurons that all tokens pass. */
export function expertOfUnit(
  sizes: LayerSizes,
  type: ScoredType,
  layer: number,
  index: number,
): number | null {
  if (type === 'expert') return index;
  return type === 'neuron' ? expertOfNeuron(sizes, layer, index) : null;
}
