import { type ExpertSizes, expertOfNeuron, expertsOf, neuronsOf } from '../../hooks/index.js';

/** Kinds of unit that a run scores and a comparison compares. */
export const UNIT_TYPES = ['neuron', 'head', 'expert'] as const;
export type UnitType = (typeof UNIT_TYPES)[number];

/** Kinds of unit that the tables of scores hold: residual dimensions are scored, but not compared. */
export type ScoredType = UnitType | 'residual';
export const SCORED_TYPES: readonly ScoredType[] = [...UNIT_TYPES, 'residual'];

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

/** The sizes of a model that the units of a run follow from; null where an imported run does not know them. */
export interface ModelSizes extends ExpertSizes {
  readonly layers: number;
  readonly heads: number | null;
  readonly dModel: number | null;
  readonly dMlp: number | null;
}

/** Units of a type, layer by layer; of a type whose number is not known a run has none. */
export function unitLayout(sizes: ModelSizes, type: ScoredType): UnitLayout {
  const width = {
    neuron: (layer: number) => neuronsOf({ ...sizes, dMlp: sizes.dMlp ?? 0 }, layer),
    head: () => sizes.heads ?? 0,
    expert: (layer: number) => expertsOf(sizes, layer),
    residual: () => sizes.dModel ?? 0,
  }[type];
  return new UnitLayout(Array.from({ length: sizes.layers }, (_, layer) => width(layer)));
}

/** The expert that a unit is, or that a neuron is of; null for any other unit, and for neurons that all tokens pass. */
export function expertOfUnit(
  sizes: ExpertSizes,
  type: ScoredType,
  layer: number,
  index: number,
): number | null {
  if (type === 'expert') return index;
  return type === 'neuron' ? expertOfNeuron(sizes, layer, index) : null;
}

/** Bytes of a run's arrays, and of what is worked out of them, that all threads hold together at a time. */
export const BLOCK_MEMORY_BYTES = 512 * 2 ** 20; // 512 MiB

/** Some adjacent units of a layer. */
export interface UnitRange {
  readonly unitStart: number;
  /** One past the last. */
  readonly unitEnd: number;
}

/**
 * Cuts units of a layer into the fewest blocks that fit into memory, of equal size so that no thread is left with a crumb.
 * How they are cut changes no number that is computed of them.
 *
 * @param bytesPerUnit everything that is held of a unit while its block is worked on: read, of every run, and computed
 * @param threads blocks that are worked on at the same time; they share the memory. Default 1.
 * @returns blocks of at most `BLOCK_MEMORY_BYTES / threads`, but of one unit at least; none of no units
 */
export function unitBlocks(
  { unitStart, unitEnd }: UnitRange,
  bytesPerUnit: number,
  threads = 1,
): UnitRange[] {
  const units = unitEnd - unitStart;
  const count = Math.min(units, Math.ceil((units * bytesPerUnit * threads) / BLOCK_MEMORY_BYTES) || 1);
  const edge = (block: number) => unitStart + Math.floor((block * units) / count);
  return Array.from({ length: count }, (_, block) => ({ unitStart: edge(block), unitEnd: edge(block + 1) }));
}
