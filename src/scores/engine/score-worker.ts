/** A thread that computes pieces of a run's scores, one after another, reading what each needs from the run's files. */
import { workerData } from 'node:worker_threads';
import { answerTasks } from '../../runtime/index.js';
import { randomHalves } from '../../stats/index.js';
import {
  liveFolds,
  openRun,
  type RunLayer,
  readPooledGrid,
  readTokenCounts,
  unitLayout,
} from '../../store/index.js';
import type { FoldScore, ScoreDefinition, VarianceScore } from '../definition.js';
import { loadDefinitions } from '../definitions/index.js';
import { HalfScores } from '../samples/half-scores.js';
import { ItemEvaluator } from '../samples/item-evaluator.js';
import { itemSamples } from '../samples/item-samples.js';
import { definitionsOf } from './available.js';
import { scoreFolds } from './score-folds.js';
import { scoreItems } from './score-items.js';
import { scoreVariance } from './score-variance.js';
import {
  halfScoresOf,
  type PieceHalves,
  reliabilitySample,
  type ScoredPiece,
  type ScoreResult,
  type ScoreSettings,
  type ScoreTask,
} from './scored-piece.js';

answerTasks(start(workerData as ScoreSettings), arraysOf);

async function start({ folder, scores, seed, splits, resampling, definitions: module }: ScoreSettings) {
  const run = await openRun(folder, { checked: true });
  const { shape, plan } = run.manifest;
  const languages = plan.languages.length;
  let open = await run.layer(0);
  const folds = liveFolds(await open.readTokens(), plan);
  const definitions = await loadDefinitions(module);
  const grid = await readPooledGrid(run);
  const halvings = folds.length < 2 ? [] : randomHalves(folds, splits, seed);
  const samples = grid && itemSamples(grid, halvings, resampling);
  const evaluator = grid && new ItemEvaluator(grid);

  /** Tasks of a layer come one after another: its file stays open until another layer's turn. */
  async function layerOf(index: number): Promise<RunLayer> {
    if (open.layer !== index) {
      await open.close();
      open = await run.layer(index);
    }
    return open;
  }

  /** Scores a piece, with half scores for the sampled units among those of the task. */
  async function withHalves(
    { type, layer, unitStart, unitEnd }: ScoreTask,
    own: readonly ScoreDefinition[],
    score: (halves: PieceHalves) => Promise<ScoredPiece>,
  ): Promise<ScoreResult> {
    const layout = unitLayout(shape, type);
    const layerStart = layout.starts[layer]!;
    const halves = (halvings.length === 0 ? [] : halfScoresOf(own)).map((half) => {
      const sample = reliabilitySample(half, layout.units, seed);
      const [first, end] = new HalfScores([], sample).within(layerStart + unitStart, layerStart + unitEnd);
      // They stand relative to the layer, as the piece does.
      const units = sample.slice(first, end).map((unit) => unit - layerStart);
      const halfScores = new HalfScores(halvings, units, half.byLanguage ? languages : 1);
      return { name: half.name, first, scores: halfScores };
    });
    const piece = await score(new Map(halves.map(({ name, scores: values }) => [name, values])));
    return { ...piece, halves: halves.map(({ name, first, scores: { values } }) => [name, first, values]) };
  }

  async function runTask(task: ScoreTask): Promise<ScoreResult> {
    const layer = await layerOf(task.layer);
    const { type, unitStart, unitEnd } = task;
    const all = definitionsOf(definitions, type, new Set(scores[type] ?? []));
    if (task.kind === 'folds') {
      const own = all.filter((definition): definition is FoldScore => definition.from === 'folds');
      const block = { folds: plan.folds, languages, units: unitEnd - unitStart };
      const tokens = await readTokenCounts(layer, type, shape, unitStart, unitEnd);
      return withHalves(task, own, (halves) => scoreFolds(layer, task, tokens, block, own, halves));
    }
    const from = task.array === 'head.items' ? 'vectors' : 'values';
    const variance = all.filter((definition): definition is VarianceScore => definition.from === from);
    const prompts = from === 'vectors' ? [] : all.filter((definition) => definition.from === 'prompts');
    const block = await layer.readStoredItems(task.array, unitStart, unitEnd);
    return withHalves(task, [...prompts, ...variance], async (halves) => {
      const piece = { type, layer: task.layer, unitStart };
      const shares = scoreVariance(block, grid!, variance, halves);
      if (from === 'vectors') return { ...piece, ofUnits: shares, ofLanguages: {} };
      const scoring = { grid: grid!, samples: samples!, evaluator: evaluator!, full: resampling !== null };
      const { ofUnits, ofLanguages } = scoreItems(block, scoring, [...prompts, ...variance], halves);
      return { ...piece, ofUnits: { ...ofUnits, ...shares }, ofLanguages };
    });
  }

  return { run: runTask, close: () => open.close() };
}

/** They are handed over, not copied. */
function* arraysOf({ ofUnits, ofLanguages, halves }: ScoreResult) {
  for (const values of [...Object.values(ofLanguages), ...Object.values(ofUnits)]) if (values) yield values;
  for (const [, , values] of halves) yield values;
}
