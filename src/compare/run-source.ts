import { modelLabel } from '../checkpoint/model-label.js';
import { RunError } from '../errors.js';
import type { DotProducts } from '../runtime/dot-products.js';
import { type FoldShape, tokensOf } from '../scores/fold-sums.js';
import { layerAlignment, type PairAlignment } from '../scores/layer-alignment.js';
import { languageAbsent, type PooledGrid, readPooledGrid } from '../scores/pooled-grid.js';
import { readTokenCounts } from '../scores/read-token-counts.js';
import { type TwoWaySums, twoWaySums } from '../scores/two-way.js';
import { UNIT_TYPES, type UnitType } from '../scores/types.js';
import { type UnitLayout, unitLayout } from '../scores/unit-layout.js';
import { LAYER_ARRAYS, type RunManifest } from '../store/manifest.js';
import {
  type ItemsName,
  openRun,
  type Run,
  type RunLayer,
  rowReader,
  type StatisticName,
} from '../store/open-run.js';
import type { Scope, UnitLayer } from './layer-scores.js';
import type { UnitComparison } from './types.js';

/** Pooled values held at a time: of Qwen2.5-7B's layer (1000 items, 12 languages) two blocks. */
const ITEM_BLOCK_BYTES = 256 * 2 ** 20; // 256 MiB

const ARRAYS: Readonly<
  Record<
    UnitType,
    { readonly sums: readonly StatisticName[]; readonly items: ItemsName; readonly vectors: ItemsName | null }
  >
> = {
  neuron: { sums: ['mlp.fire'], items: 'mlp.items', vectors: null },
  head: { sums: ['head.norm.sum', 'head.importance.sum'], items: 'head.norm.items', vectors: 'head.items' },
  expert: { sums: ['expert.count'], items: 'expert.prob.items', vectors: null },
};

function sumsOf({ names }: RunLayer, type: UnitType): StatisticName | undefined {
  return ARRAYS[type].sums.find((array) => names.has(array));
}

/** A run as a comparison reads it: one layer of one unit type at a time. */
export class RunSource {
  readonly label: string;
  readonly manifest: RunManifest;
  /** uint32 [fold, language]: counted tokens. */
  readonly tokens: Uint32Array;
  /** Unit types that were recorded. */
  readonly types: readonly UnitType[];
  /** Which items have which languages; null where nothing was kept per item. */
  readonly grid: PooledGrid | null;
  /** Whether it holds the pooled residual stream. */
  readonly keepsResidual: boolean;
  readonly #run: Run;

  private constructor(
    label: string,
    run: Run,
    tokens: Uint32Array,
    types: readonly UnitType[],
    grid: PooledGrid | null,
    keepsResidual: boolean,
  ) {
    this.#run = run;
    this.keepsResidual = keepsResidual;
    this.manifest = run.manifest;
    this.label = label;
    this.tokens = tokens;
    this.types = types;
    this.grid = grid;
  }

  /** Labelled by its model's name and revision. @throws RunError if the run is unreadable, or records neither neurons nor heads. */
  static async open(folder: string): Promise<RunSource> {
    const run = await openRun(folder);
    const { plan, shape, model } = run.manifest;
    // The first layers of a mixture may have no experts.
    const experts = shape.mixture?.layers[0];
    const routes =
      experts !== undefined &&
      (await withLayer(run, experts, async (layer) => sumsOf(layer, 'expert') !== undefined));
    return withLayer(run, 0, async (layer) => {
      const types = UNIT_TYPES.filter(
        (type) => sumsOf(layer, type) !== undefined || (type === 'expert' && routes),
      );
      if (types.length === 0) {
        throw new RunError({
          what: 'the run records no unit that can be compared',
          where: folder,
          expected: `${ARRAYS.neuron.sums[0]} or ${ARRAYS.head.sums[0]}`,
          found: [...layer.names].sort().join(', '),
          remedy: 'Capture with the default hooks.',
        });
      }
      const tokens = await layer.readTokens();
      const counted = tokensOf(tokens, { folds: plan.folds, languages: plan.languages.length });
      const absent = plan.languages.filter((_, k) => counted[k] === 0);
      if (absent.length > 0) throw languageAbsent(absent, folder);
      const keepsResidual = layer.names.has(LAYER_ARRAYS.residItems);
      return new RunSource(modelLabel(model), run, tokens, types, await readPooledGrid(run), keepsResidual);
    });
  }

  labelled(label: string): RunSource {
    return new RunSource(label, this.#run, this.tokens, this.types, this.grid, this.keepsResidual);
  }

  get folder(): string {
    return this.#run.folder;
  }

  get layers(): number {
    return this.manifest.shape.layers;
  }

  get languages(): number {
    return this.manifest.plan.languages.length;
  }

  layout(type: UnitType): UnitLayout {
    return unitLayout(this.manifest.shape, type);
  }

  /** What the rates of units are. */
  rateOf(type: UnitType): UnitComparison['rate'] {
    if (type === 'neuron') return 'firing rate';
    if (type === 'expert') return 'selection frequency';
    return this.manifest.imported?.format === 'lahis' ? 'importance' : 'norm';
  }

  /** Fold sums of a layer, without the items. */
  async readSums(type: UnitType, layer: number): Promise<UnitLayer> {
    const units = this.layout(type).widths[layer]!;
    return withLayer(this.#run, layer, async (file) => ({
      type,
      layer,
      shape: this.#shape(units),
      sums: units === 0 ? new Float64Array(0) : await file.readStatistic(sumsOf(file, type)!),
      tokens: await readTokenCounts(file, type, this.manifest.shape, 0, units),
      twoWay: [],
      vectors: null,
    }));
  }

  /**
   * Everything of a layer's units, pooled items reduced to sums that add over folds, `blockBytes` of them at a time.
   * Items are those that every language has, for a group too.
   *
   * @param scopes The first is of all languages.
   */
  async readLayer(
    type: UnitType,
    layer: number,
    scopes: readonly Scope[],
    { vectors: wanted = true, blockBytes = ITEM_BLOCK_BYTES } = {},
  ): Promise<UnitLayer> {
    const sums = await this.readSums(type, layer);
    const { items, vectors } = ARRAYS[type];
    const { units } = sums.shape;
    return withLayer(this.#run, layer, async (file) => {
      const columns = units * this.manifest.shape.headDim;
      const ofVectors =
        vectors === null || !wanted
          ? []
          : await this.#twoWay(file, vectors, columns, scopes.slice(0, 1), blockBytes);
      return {
        ...sums,
        twoWay: await this.#twoWay(file, items, units, scopes, blockBytes),
        vectors: ofVectors[0] ?? null,
      };
    });
  }

  /** Of every two languages, on the residual stream after the layer. @throws RunError without `keepsResidual`. */
  async readAlignment(layer: number, products: DotProducts): Promise<PairAlignment[]> {
    return withLayer(this.#run, layer, (file) => layerAlignment(file, this.manifest, products));
  }

  /** [scope]. `columns`: values an item and language has, which are the units of the sums. */
  async #twoWay(
    file: RunLayer,
    name: ItemsName,
    columns: number,
    scopes: readonly Scope[],
    blockBytes: number,
  ): Promise<(TwoWaySums | null)[]> {
    const { languages, grid } = this;
    if (grid === null || !file.names.has(name)) return scopes.map(() => null);
    const { shape } = this.manifest;
    const width = name === 'head.items' ? shape.headDim : 1;
    const blocks: { readonly start: number; readonly sums: TwoWaySums }[][] = scopes.map(() => []);
    for await (const block of file.itemBlocks(name, blockBytes)) {
      const { unitStart, unitEnd } = block;
      const units = (unitEnd - unitStart) * width;
      const readRow = rowReader(block, grid.items * languages);
      for (const [s, { languages: own }] of scopes.entries()) {
        if (own.length < 2) continue;
        const ofScope = (item: number, k: number) => readRow(item * languages + own[k]!);
        const sums = twoWaySums(ofScope, grid.complete, grid.foldOf, this.#shape(units, own.length));
        blocks[s]!.push({ start: unitStart * width, sums });
      }
    }
    return blocks.map((ofScope, s) => {
      if (ofScope.length === 0) return null;
      const shape = this.#shape(columns, scopes[s]!.languages.length);
      return ofScope.length === 1 ? ofScope[0]!.sums : joinUnits(ofScope, shape);
    });
  }

  #shape(units: number, languages = this.languages): FoldShape {
    return { folds: this.manifest.plan.folds, languages, units };
  }
}

/** Sums of blocks of units as the sums of all of them. */
function joinUnits(
  blocks: readonly { readonly start: number; readonly sums: TwoWaySums }[],
  shape: FoldShape,
): TwoWaySums {
  const { folds, languages, units } = shape;
  const joined = {
    ...shape,
    items: blocks[0]!.sums.items,
    sum: new Float64Array(folds * languages * units),
    itemSquare: new Float64Array(folds * units),
    square: new Float64Array(folds * units),
  };
  for (const { start, sums } of blocks) {
    const copyRows = (from: Float64Array, to: Float64Array) => {
      for (let row = 0; row * sums.units < from.length; row++) {
        to.set(from.subarray(row * sums.units, (row + 1) * sums.units), row * units + start);
      }
    };
    copyRows(sums.sum, joined.sum);
    copyRows(sums.itemSquare, joined.itemSquare);
    copyRows(sums.square, joined.square);
  }
  return joined;
}

async function withLayer<T>(run: Run, index: number, use: (layer: RunLayer) => Promise<T>): Promise<T> {
  const layer = await run.layer(index);
  try {
    return await use(layer);
  } finally {
    await layer.close();
  }
}
