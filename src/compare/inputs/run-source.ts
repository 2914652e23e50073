import { modelLabel } from '../../checkpoint/index.js';
import { RunError } from '../../errors.js';
import type { DotProducts } from '../../runtime/index.js';
import { layerAlignment, type PairAlignment, type TwoWaySums, twoWaySums } from '../../scores/index.js';
import {
  arrayBytes,
  expectedLayerArrays,
  type FoldShape,
  type ItemsName,
  type LayerArrayName,
  languageAbsent,
  openRun,
  type PooledGrid,
  type Run,
  type RunLayer,
  type RunManifest,
  readPooledGrid,
  readTokenCounts,
  recordedArrays,
  rowReader,
  type StatisticName,
  tokensOf,
  UNIT_TYPES,
  type UnitLayout,
  type UnitRange,
  type UnitType,
  unitBlocks,
  unitLayout,
} from '../../store/index.js';
import type { UnitDescription } from '../comparison.js';
import type { Scope, UnitLayer } from './layer-scores.js';

/** Some adjacent units of a layer. */
export interface LayerUnits extends UnitRange {
  readonly layer: number;
}

const ARRAYS: Readonly<
  Record<
    UnitType,
    { readonly sums: readonly StatisticName[]; readonly items: ItemsName; readonly vectors: ItemsName | null }
  >
> = {
  neuron: { sums: ['mlp.fire', 'mlp.rate.sum'], items: 'mlp.items', vectors: null },
  head: { sums: ['head.norm.sum', 'head.importance.sum'], items: 'head.norm.items', vectors: 'head.items' },
  expert: { sums: ['expert.count'], items: 'expert.prob.items', vectors: null },
};

function sumsOf(names: ReadonlySet<LayerArrayName>, type: UnitType): StatisticName | undefined {
  return ARRAYS[type].sums.find((array) => names.has(array));
}

/** A run as a comparison reads it: some units of a layer at a time. */
export class RunSource {
  readonly label: string;
  readonly manifest: RunManifest;
  /** uint32 [fold, language]: counted tokens. */
  readonly tokens: Uint32Array;
  /** Unit types that were recorded. */
  readonly types: readonly UnitType[];
  /** Which items have which languages; null where nothing was kept per item. */
  readonly grid: PooledGrid | null;
  readonly #run: Run;
  /** Some layer holds these. */
  readonly names: ReadonlySet<LayerArrayName>;

  private constructor(
    label: string,
    run: Run,
    { tokens, types, grid, names }: Pick<RunSource, 'tokens' | 'types' | 'grid' | 'names'>,
  ) {
    this.#run = run;
    this.names = names;
    this.manifest = run.manifest;
    this.label = label;
    this.tokens = tokens;
    this.types = types;
    this.grid = grid;
  }

  /** Labelled by its model's name and revision. @throws RunError if the run is unreadable, or records neither neurons nor heads. */
  static async open(folder: string): Promise<RunSource> {
    const run = await openRun(folder);
    const { plan, model } = run.manifest;
    const names = await recordedArrays(run);
    return withLayer(run, 0, async (layer) => {
      const types = UNIT_TYPES.filter((type) => sumsOf(names, type) !== undefined);
      if (types.length === 0) {
        throw new RunError({
          what: 'the run records no unit that can be compared',
          where: folder,
          expected: `${ARRAYS.neuron.sums[0]} or ${ARRAYS.head.sums[0]}`,
          found: [...names].sort().join(', '),
          remedy: 'Capture with the default hooks.',
        });
      }
      const tokens = await layer.readTokens();
      const counted = tokensOf(tokens, { folds: plan.folds, languages: plan.languages.length });
      const absent = plan.languages.filter((_, k) => counted[k] === 0);
      if (absent.length > 0) throw languageAbsent(absent, folder);
      return new RunSource(modelLabel(model), run, { tokens, types, grid: await readPooledGrid(run), names });
    });
  }

  labelled(label: string): RunSource {
    return new RunSource(label, this.#run, this);
  }

  /**
   * The same run with its items in other groups than its folds. Pooled values and alignment follow the groups; fold sums do not.
   *
   * @param groupOf [item].
   */
  regrouped(groupOf: readonly number[], groups: number): RunSource {
    const { plan } = this.manifest;
    const items = plan.items.map(({ id }, i) => ({ id, fold: groupOf[i]! }));
    const manifest = { ...this.manifest, plan: { ...plan, items, folds: groups } };
    const grid = this.grid && { ...this.grid, folds: groups, foldOf: Uint32Array.from(groupOf) };
    const { tokens, types, names } = this;
    return new RunSource(this.label, { ...this.#run, manifest }, { tokens, types, grid, names });
  }

  get folder(): string {
    return this.#run.folder;
  }

  /** Checks the bytes of all layers, for threads that open the run as checked. @throws DamagedError; InterruptedError */
  check(signal?: AbortSignal): Promise<void> {
    return this.#run.check(signal);
  }

  /** Whether it holds the pooled residual stream. */
  get keepsResidual(): boolean {
    return this.names.has('resid.items');
  }

  /** Units of a layer that have pooled values; null where none has. */
  unitsWithItems(type: UnitType, layer: number): UnitRange | null {
    const { items } = ARRAYS[type];
    const pooled = expectedLayerArrays(this.manifest, layer).get(items);
    if (pooled === undefined || !this.names.has(items)) return null;
    const unitEnd = this.layout(type).widths[layer]!;
    return { unitStart: unitEnd - pooled.shape[2]!, unitEnd };
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

  /** Names the rates of units. */
  rateOf(type: UnitType): UnitDescription['rate'] {
    if (type === 'neuron') return 'firing rate';
    if (type === 'expert') return 'selection frequency';
    return this.manifest.imported?.format === 'lahis' ? 'importance' : 'norm';
  }

  /** A layer's units in blocks that fit into memory, one at least. Of a block all units have pooled values or none. */
  blocks(type: UnitType, layer: number): LayerUnits[] {
    const { manifest, grid } = this;
    const units = this.layout(type).widths[layer]!;
    const cells = manifest.plan.folds * this.languages;
    const arrays = expectedLayerArrays(manifest, layer);
    const { items, vectors } = ARRAYS[type];
    const unitBytes = (name: ItemsName | null) => {
      const pooled = grid === null || name === null ? undefined : arrays.get(name);
      return pooled === undefined ? 0 : arrayBytes(pooled) / pooled.shape[2]!;
    };
    const first = this.unitsWithItems(type, layer)?.unitStart ?? units;
    // Beside the sums of a unit lie those of subsets of the folds, and beside its pooled values what they are reduced to.
    const sumBytes = 8 * cells * Float64Array.BYTES_PER_ELEMENT;
    const itemBytes = 2 * Math.max(unitBytes(items), unitBytes(vectors));
    const blocks = [
      ...unitBlocks({ unitStart: 0, unitEnd: first }, sumBytes),
      ...unitBlocks({ unitStart: first, unitEnd: units }, Math.max(sumBytes, itemBytes)),
    ].map((block) => ({ layer, ...block }));
    return blocks.length === 0 ? [{ layer, unitStart: 0, unitEnd: 0 }] : blocks;
  }

  /** Fold sums of some units, without the items. */
  async readSums(type: UnitType, { layer, unitStart, unitEnd }: LayerUnits): Promise<UnitLayer> {
    const units = unitEnd - unitStart;
    return withLayer(this.#run, layer, async (file) => ({
      type,
      layer,
      unitStart,
      shape: this.#shape(units),
      sums:
        units === 0
          ? new Float64Array(0)
          : await file.readStatistic(sumsOf(this.names, type)!, unitStart, unitEnd),
      tokens: await readTokenCounts(file, type, this.manifest.shape, unitStart, unitEnd),
      twoWay: [],
      vectors: null,
    }));
  }

  /**
   * Everything of some units, pooled items reduced to sums that add over folds. Items are those that every language has,
   * for a group too.
   *
   * @param scopes The first is of all languages.
   */
  async readUnits(
    type: UnitType,
    range: LayerUnits,
    scopes: readonly Scope[],
    { vectors: wanted = true } = {},
  ): Promise<UnitLayer> {
    const sums = await this.readSums(type, range);
    const { items, vectors } = ARRAYS[type];
    return withLayer(this.#run, range.layer, async (file) => {
      const ofVectors =
        vectors === null || !wanted ? [] : await this.#twoWay(file, vectors, range, scopes.slice(0, 1));
      return {
        ...sums,
        twoWay: await this.#twoWay(file, items, range, scopes),
        vectors: ofVectors[0] ?? null,
      };
    });
  }

  /** Sums of pooled values alone, [scope]; null of what has none. */
  async readTwoWay(
    type: UnitType,
    range: LayerUnits,
    scopes: readonly Scope[],
  ): Promise<(TwoWaySums | null)[]> {
    return withLayer(this.#run, range.layer, (file) => this.#twoWay(file, ARRAYS[type].items, range, scopes));
  }

  /** Alignment of every two languages, on the residual stream after the layer. @throws RunError without `keepsResidual`. */
  async readAlignment(layer: number, products: DotProducts): Promise<PairAlignment[]> {
    return withLayer(this.#run, layer, (file) => layerAlignment(file, this.manifest, products));
  }

  /** [scope]. The units of the sums are the values that an item and language has. */
  async #twoWay(
    file: RunLayer,
    name: ItemsName,
    { unitStart, unitEnd }: LayerUnits,
    scopes: readonly Scope[],
  ): Promise<(TwoWaySums | null)[]> {
    const { languages, grid } = this;
    const isKept = file.names.has(name) && unitStart >= file.unitsWith(name).unitStart;
    if (grid === null || !isKept || unitStart === unitEnd) return scopes.map(() => null);
    const units = (unitEnd - unitStart) * (name === 'head.items' ? (this.manifest.shape.headDim ?? 0) : 1);
    const readRow = rowReader(await file.readStoredItems(name, unitStart, unitEnd), grid.items * languages);
    return scopes.map(({ languages: own }) => {
      if (own.length < 2) return null;
      const ofScope = (item: number, k: number) => readRow(item * languages + own[k]!);
      return twoWaySums(ofScope, grid.complete, grid.foldOf, this.#shape(units, own.length));
    });
  }

  #shape(units: number, languages = this.languages): FoldShape {
    return { folds: this.manifest.plan.folds, languages, units };
  }
}

async function withLayer<T>(run: Run, index: number, use: (layer: RunLayer) => Promise<T>): Promise<T> {
  const layer = await run.layer(index);
  try {
    return await use(layer);
  } finally {
    await layer.close();
  }
}
