import { jackknifeUnits } from '../../stats/index.js';
import {
  type FoldShape,
  liveFolds,
  meanOverTokens,
  pickColumns,
  pickTokens,
  type RunLayer,
  type StatisticName,
  type TokenCounts,
} from '../../store/index.js';
import type { FoldScore } from '../definition.js';
import { leavingEachOut } from '../samples/half-scores.js';
import { type PieceHalves, type ScoredPiece, type ScoreTask, setInterval } from './scored-piece.js';

/**
 * Scores of means over tokens, of a block of a layer's units. Sums that several scores are made of are read, and their
 * means taken without each fold, once.
 *
 * @param tokens What their sums are divided by.
 */
export async function scoreFolds(
  layer: Pick<RunLayer, 'layer' | 'names' | 'readStatistic'>,
  { type, unitStart, unitEnd }: Pick<ScoreTask, 'type' | 'unitStart' | 'unitEnd'>,
  tokens: TokenCounts,
  shape: FoldShape,
  definitions: readonly FoldScore[],
  halves: PieceHalves,
): Promise<ScoredPiece> {
  const { languages } = shape;
  const ofUnits: Record<string, Float64Array> = {};
  const ofLanguages: Record<string, Float64Array> = {};
  const folds = liveFolds(tokens, shape);
  const bySums = new Map<StatisticName, FoldScore[]>();
  for (const definition of definitions) {
    const name = definition.sums(type, layer.names);
    if (name !== null) bySums.set(name, [...(bySums.get(name) ?? []), definition]);
  }
  for (const [name, own] of bySums) {
    const sums = await layer.readStatistic(name, unitStart, unitEnd);
    const means = meanOverTokens(sums, tokens, shape);
    const leftOut = leavingEachOut(folds).map((chosen) => meanOverTokens(sums, tokens, shape, chosen));
    for (const definition of own) {
      const { interval, evaluate, bounds, per } = definition;
      setInterval(
        per === 'unit' ? ofUnits : ofLanguages,
        definition.name,
        interval?.(means, leftOut, languages) ??
          jackknifeUnits(
            evaluate(means, languages),
            leftOut.map((replicate) => evaluate(replicate, languages)),
            bounds(name),
          ),
      );
      setHalves(definition, sums);
    }
  }
  return { type, layer: layer.layer, unitStart, ofUnits, ofLanguages };

  /** Evaluates the sampled units over each half of the folds. */
  function setHalves({ name, evaluate }: FoldScore, sums: Float64Array): void {
    const half = halves.get(name);
    if (half === undefined || half.sample.length === 0) return;
    const sample = half.sample.map((unit) => unit - unitStart);
    const sampled = pickColumns(sums, shape.units, sample);
    const sampledTokens = pickTokens(tokens, sample);
    const sampledShape = { ...shape, units: sample.length };
    half.eachHalf((chosen, split, side) => {
      const means = meanOverTokens(sampled, sampledTokens, sampledShape, chosen);
      half.setSampled(split, side, 0, evaluate(means, languages));
    });
  }
}
