import { setImmediate } from 'node:timers/promises';
import { LAYER_ARRAYS } from '../store/manifest.js';
import type { ItemBlock, RunLayer } from '../store/open-run.js';
import type { AveragePrecision } from './average-precision.js';
import { type FoldShape, meanOverTokens } from './fold-sums.js';
import { lape, lapeInterval } from './lape.js';
import type { PooledGrid } from './pooled-grid.js';
import type { HalfScores } from './reliability.js';
import { twoWay, twoWaySums } from './two-way.js';
import type { ScoreName } from './types.js';
import type { UnitScores } from './unit-scores.js';
import { vectorShare } from './vector-share.js';

const TWO_WAY = ['eta2Language', 'eta2Item', 'omega2Language', 'omega2Item'] as const;
export type HalfScoreName =
  | 'lape'
  | (typeof TWO_WAY)[number]
  | 'ap'
  | 'apBest'
  | 'vectorShareLanguage'
  | 'vectorShareItem';

/** What scoring one type of unit needs, layer after layer. */
export interface TypeScoring {
  readonly scores: UnitScores;
  readonly halves: ReadonlyMap<HalfScoreName, HalfScores>;
  readonly has: (score: ScoreName) => boolean;
  readonly grid: PooledGrid | null;
  readonly averagePrecision: AveragePrecision | null;
  /** Called between pieces of work, some tens of milliseconds each; throws to stop. */
  readonly pause: () => Promise<void>;
}

/** Scores the units of one type in one layer. */
export async function scoreLayer(layer: RunLayer, scoring: TypeScoring, folds: number): Promise<void> {
  await scoreStatistics(layer, scoring, folds);
  const { has, grid, scores } = scoring;
  if (grid === null) return;
  const start = layer.layer * scores.width;
  if (has('twoWay') || has('ap')) {
    const name = scores.type === 'neuron' ? LAYER_ARRAYS.mlpItems : LAYER_ARRAYS.headNormItems;
    for await (const block of layer.itemBlocks(name)) {
      if (has('twoWay')) scoreTwoWay(block, start, scoring, grid);
      await scoring.pause();
      if (has('ap')) await scoreAveragePrecision(block, start, scoring, grid);
    }
  }
  if (has('vectorShare')) {
    for await (const block of layer.itemBlocks(LAYER_ARRAYS.headItems)) {
      scoreVectorShare(block, start, scoring, grid);
      await scoring.pause();
    }
  }
}

/** Rates, means and LAPE, from the sums by fold. */
async function scoreStatistics(layer: RunLayer, { scores, halves, has, pause }: TypeScoring, folds: number) {
  const { type, languages, width } = scores;
  const shape: FoldShape = { folds, languages, units: width };
  const start = layer.layer * width;
  const tokens = await layer.readTokens();
  const sums = await layer.readStatistic(type === 'neuron' ? LAYER_ARRAYS.mlpFire : LAYER_ARRAYS.headNormSum);
  scores.setLanguages(scores.rate, start, meanOverTokens(sums, tokens, shape));
  const valueSums = type === 'neuron' ? await layer.readStatistic(LAYER_ARRAYS.mlpSum) : sums;
  scores.setLanguages(scores.mean, start, meanOverTokens(valueSums, tokens, shape));
  if (!has('lape')) return;
  const { value, se, low, high } = lapeInterval(sums, tokens, shape);
  scores.lape.set(value, start);
  scores.lapeSe.set(se, start);
  scores.lapeLow.set(low, start);
  scores.lapeHigh.set(high, start);
  await pause();
  const half = halves.get('lape');
  half?.splits.forEach(({ first, second }, split) => {
    [first, second].forEach((chosen, side) => {
      half.setUnits(split, side, start, lape(meanOverTokens(sums, tokens, shape, chosen), languages));
    });
  });
}

function scoreTwoWay(
  { unitStart, unitEnd, values }: ItemBlock,
  start: number,
  scoring: TypeScoring,
  grid: PooledGrid,
) {
  const { scores, halves } = scoring;
  const { languages, folds } = grid;
  const units = unitEnd - unitStart;
  const row = (item: number, k: number) => {
    const at = (item * languages + k) * units;
    return values.subarray(at, at + units);
  };
  const sums = twoWaySums(row, grid.complete, grid.foldOf, { folds, languages, units });
  const whole = twoWay(sums);
  for (const name of TWO_WAY) scores[name].set(whole[name], start + unitStart);
  const splits = halves.get('eta2Language')?.splits ?? [];
  splits.forEach(({ first, second }, split) => {
    [first, second].forEach((chosen, side) => {
      const part = twoWay(sums, chosen);
      for (const name of TWO_WAY) halves.get(name)?.setUnits(split, side, start + unitStart, part[name]);
    });
  });
}

function scoreVectorShare(
  { unitStart, unitEnd, values }: ItemBlock,
  start: number,
  { scores, halves }: TypeScoring,
  grid: PooledGrid,
) {
  const { languages, folds } = grid;
  const heads = unitEnd - unitStart;
  const units = values.length / (grid.foldOf.length * languages);
  const headDim = units / heads;
  const row = (item: number, k: number) => {
    const at = (item * languages + k) * units;
    return values.subarray(at, at + units);
  };
  const sums = twoWaySums(row, grid.complete, grid.foldOf, { folds, languages, units });
  const whole = vectorShare(sums, headDim);
  scores.vectorShareLanguage.set(whole.language, start + unitStart);
  scores.vectorShareItem.set(whole.item, start + unitStart);
  const language = halves.get('vectorShareLanguage');
  const item = halves.get('vectorShareItem');
  language?.splits.forEach(({ first, second }, split) => {
    [first, second].forEach((chosen, side) => {
      const part = vectorShare(sums, headDim, chosen);
      language.setUnits(split, side, start + unitStart, part.language);
      item?.setUnits(split, side, start + unitStart, part.item);
    });
  });
}

/** Units whose values are brought together at once, so that rows are read in runs of 256 bytes. */
const TILE_UNITS = 64;

async function scoreAveragePrecision(
  { unitStart, unitEnd, values }: ItemBlock,
  start: number,
  { scores, halves, averagePrecision, pause }: TypeScoring,
  { row }: PooledGrid,
) {
  if (averagePrecision === null) return;
  const units = unitEnd - unitStart;
  const { languages } = scores;
  const prompts = row.length;
  const tile = new Float32Array(TILE_UNITS * prompts);
  const whole = new Float64Array(languages);
  for (let tileStart = 0; tileStart < units; tileStart += TILE_UNITS) {
    const tileUnits = Math.min(TILE_UNITS, units - tileStart);
    for (let n = 0; n < prompts; n++) {
      const at = row[n]! * units + tileStart;
      for (let j = 0; j < tileUnits; j++) tile[j * prompts + n] = values[at + j]!;
    }
    for (let j = 0; j < tileUnits; j++) {
      const unit = start + unitStart + tileStart + j;
      if (!averagePrecision.rank(tile.subarray(j * prompts, (j + 1) * prompts))) continue;
      averagePrecision.ofAll(whole);
      for (let k = 0; k < languages; k++) scores.ap[k * scores.units + unit] = whole[k]!;
      halfAveragePrecision(averagePrecision, unit, halves.get('ap'), halves.get('apBest'));
    }
    await pause();
  }
}

function halfAveragePrecision(
  averagePrecision: AveragePrecision,
  unit: number,
  each: HalfScores | undefined,
  best: HalfScores | undefined,
) {
  if (each === undefined) return;
  const [position, end] = each.within(unit, unit + 1);
  if (position === end) return;
  const { languages } = averagePrecision;
  const both = new Float64Array(2 * languages);
  for (let split = 0; split < each.splits.length; split++) {
    averagePrecision.ofHalves(split, both);
    for (let side = 0; side < 2; side++) {
      let highest = Number.NaN;
      for (let k = 0; k < languages; k++) {
        const value = both[side * languages + k]!;
        each.set(split, side, k, position, value);
        if (!(value <= highest)) highest = Number.isNaN(value) ? highest : value;
      }
      best?.set(split, side, 0, position, highest);
    }
  }
}

/** Lets timers and signals be served. */
export async function breathe(signal: AbortSignal | undefined, onAbort: () => Error): Promise<void> {
  await setImmediate();
  if (signal?.aborted) throw onAbort();
}
