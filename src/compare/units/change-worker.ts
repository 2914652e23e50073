/** A thread that computes how scores of units differ between a run and the reference, layer by layer. */
import { workerData } from 'node:worker_threads';
import { answerTasks } from '../../runtime/index.js';
import {
  blockSums,
  type FoldScore,
  itemSamples,
  lape,
  leavingEachOut,
  loadDefinitions,
  type PromptScore,
  selectReference,
  sumsOfSquares,
  type TwoWaySums,
  unitValues,
  type VarianceScore,
} from '../../scores/index.js';
import {
  ITEM_ARRAYS,
  type ItemBlock,
  meanOverTokens,
  openRun,
  type RunLayer,
  readPooledGrid,
  readTokenCounts,
  type StatisticName,
  type UnitType,
} from '../../store/index.js';
import { assign } from '../inputs/layer-scores.js';
import type { ChangedScore, ChangeResult, ChangeSettings, ChangeTask } from './change-task.js';
import { ItemChanges } from './item-changes.js';
import { paired } from './paired-change.js';

/** Permutations that say what mutual information varies by where languages tell nothing: to a seventh of its variance. */
const PERMUTATIONS = 100;

answerTasks(start(workerData as ChangeSettings), ({ reference, other, se, miShift }) => [
  reference,
  other,
  se,
  miShift,
]);

async function start(settings: ChangeSettings) {
  const { folds: live, seed, changes, cuts } = settings;
  const openChecked = (folder: string) => openRun(folder, { checked: true });
  const reference = await openChecked(settings.reference);
  const { plan, shape } = reference.manifest;
  /** All folds, then each left out once. */
  const subsets = [live, ...leavingEachOut(live)];
  const definitions = (await loadDefinitions(settings.definitions)).filter(
    ({ change }) => change === 'basic' || (change === 'full' && changes === 'full'),
  );
  // Their prompts are the same: `assertMatch`.
  const grid = await readPooledGrid(reference);
  const prompts = definitions.filter((one): one is PromptScore => one.from === 'prompts');
  const resampling = { draws: 0, permutations: PERMUTATIONS, seed };
  const items =
    grid === null || prompts.length === 0
      ? null
      : new ItemChanges(grid, itemSamples(grid, [], resampling), prompts);
  let open: readonly RunLayer[] = [];
  let openOf = '';

  /** Tasks of a layer come one after another: its files stay open until another layer's, or another run's, turn. */
  async function layersOf({ layer, other }: ChangeTask): Promise<readonly RunLayer[]> {
    const wanted = `${layer} ${other}`;
    if (openOf === wanted) return open;
    await close();
    for (const run of [reference, await openChecked(other)]) open = [...open, await run.layer(layer)];
    openOf = wanted;
    return open;
  }

  async function close(): Promise<void> {
    const layers = open;
    [open, openOf] = [[], ''];
    await Promise.all(layers.map((layer) => layer.close()));
  }

  /** Scores of means over tokens of some units, and which of the units are selected. */
  async function ofFolds(
    { type, unitStart, unitEnd }: ChangeTask,
    layers: readonly RunLayer[],
  ): Promise<ChangeResult> {
    const { languages: tags, folds } = plan;
    const languages = tags.length;
    const made = definitions.flatMap((definition) => {
      if (definition.from !== 'folds' || !definition.types.includes(type)) return [];
      const sums = definition.sums(type, layers[0]!.names);
      if (sums === null || !layers.every(({ names }) => names.has(sums))) return [];
      return [{ definition, sums }];
    });
    const scores = made.flatMap(({ definition: { name, per } }): ChangedScore[] =>
      per === 'unit'
        ? [{ score: name, language: null }]
        : tags.map((_, language) => ({ score: name, language })),
    );
    const foldShape = { folds, languages, units: unitEnd - unitStart };
    const names = new Set(made.map(({ sums }) => sums));
    const selected: Int16Array[] = [];
    const ofRun = async (layer: RunLayer, run: number): Promise<Float64Array[]> => {
      const tokens = await readTokenCounts(layer, type, shape, unitStart, unitEnd);
      const values = subsets.map(() => new Map<FoldScore, Float64Array>());
      for (const name of names) {
        const own = made.filter(({ sums }) => sums === name);
        const isRates = name === ratesOf(made);
        const read = await layer.readStatistic(name, unitStart, unitEnd);
        for (const [s, chosen] of subsets.entries()) {
          const means = meanOverTokens(read, tokens, foldShape, chosen);
          for (const { definition } of own) {
            values[s]!.set(definition, definition.evaluate(means, languages));
          }
          if (s === 0 && isRates) selected[run] = selectedOf(type, means, languages);
        }
      }
      return values.map((own) => joined(made.map(({ definition }) => own.get(definition)!)));
    };
    const [a, b] = await Promise.all(layers.map(ofRun));
    return { ...change(scores, a!, b!), selected };
  }

  /** [unit]: top language of a unit that the `reference` policy selects. */
  function selectedOf(type: UnitType, rates: Float64Array, languages: number): Int16Array {
    const { entropyCut, bar } = cuts[type] ?? { entropyCut: null, bar: null };
    const cut = { entropyCut: entropyCut ?? Number.NaN, bar: bar ?? Number.NaN, fraction: Number.NaN };
    const selection = selectReference(rates, lape(rates, languages), languages, cut);
    return assign(
      rates,
      selection,
      Array.from({ length: languages }, (_, k) => k),
    );
  }

  /** Scores of the pooled values of some units. */
  async function ofItems(
    { type, unitStart, unitEnd }: ChangeTask,
    layers: readonly RunLayer[],
  ): Promise<ChangeResult> {
    const blocks = await Promise.all(
      layers.map((layer) => layer.readStoredItems(ITEM_ARRAYS[type], unitStart, unitEnd)),
    );
    const shares = await ofShares(type, layers, blocks);
    if (items === null) return shares;
    const ranked = items.scores;
    const units = unitEnd - unitStart;
    const after = (of: Float64Array) => joined([new Float64Array(ranked.length * units), of]);
    const result = {
      scores: [...ranked, ...shares.scores],
      reference: after(shares.reference),
      other: after(shares.other),
      se: after(shares.se),
      miShift: new Float64Array(units),
      selected: [],
    };
    const [a, b] = blocks.map((block) => unitValues(block, grid!.row));
    for (const { unit, values } of a!) {
      const { reference, other, se, miShift } = items.of(values, b!.next().value!.values);
      for (let score = 0, at = unit; score < ranked.length; score++, at += units) {
        result.reference[at] = reference[score]!;
        result.other[at] = other[score]!;
        result.se[at] = se[score]!;
      }
      result.miShift[unit] = miShift;
    }
    return result;
  }

  /** Shares of variance among the items that every language has. */
  async function ofShares(
    type: UnitType,
    layers: readonly RunLayer[],
    blocks: readonly ItemBlock[],
  ): Promise<ChangeResult> {
    const { unitStart, unitEnd } = blocks[0]!;
    const hasVectors = type === 'head' && layers.every((layer) => layer.names.has('head.items'));
    const shares = definitions.filter(
      (one): one is VarianceScore =>
        one.types.includes(type) && (one.from === 'values' || (one.from === 'vectors' && hasVectors)),
    );
    const [a, b] = await Promise.all(
      layers.map(async (layer, run) => {
        const values = blockSums(blocks[run]!, grid!);
        const vectors = shares.some(({ from }) => from === 'vectors')
          ? blockSums(await layer.readStoredItems('head.items', unitStart, unitEnd), grid!)
          : null;
        return subsets.map((chosen) => {
          const squares = (sums: TwoWaySums | null) => sums && sumsOfSquares(sums, chosen);
          const of = { values: squares(values), vectors: squares(vectors) };
          const size = { values: 1, vectors: (vectors?.units ?? 0) / values.units };
          return joined(shares.map(({ from, evaluate }) => evaluate(of[from]!, size[from])));
        });
      }),
    );
    return change(
      shares.map(({ name }) => ({ score: name, language: null })),
      a!,
      b!,
    );
  }

  return {
    run: async (task: ChangeTask): Promise<ChangeResult> => {
      const layers = await layersOf(task);
      return task.kind === 'folds' ? ofFolds(task, layers) : ofItems(task, layers);
    },
    close,
  };
}

/** Sums that rates are made of: those of LAPE. */
function ratesOf(
  made: readonly { readonly definition: FoldScore; readonly sums: StatisticName }[],
): StatisticName | undefined {
  return made.find(({ definition }) => definition.name === 'lape')?.sums;
}

/** @param a, b Values [score, unit] over all folds, then with each left out. */
function change(
  scores: readonly ChangedScore[],
  [reference, ...leftOutOfA]: readonly Float64Array[],
  [other, ...leftOutOfB]: readonly Float64Array[],
): ChangeResult {
  const { se } = paired(reference!, other!, leftOutOfA, leftOutOfB);
  return { scores, reference: reference!, other: other!, se, miShift: new Float64Array(), selected: [] };
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
