import { type JackknifeBounds, jackknifeUnits, type UnitIntervals } from '../stats/index.js';
import {
  type FoldShape,
  liveFolds,
  meanOverTokens,
  pickColumns,
  pickTokens,
  type RunLayer,
  type ScoredType,
  type StatisticName,
  type TokenCounts,
} from '../store/index.js';
import { contrast } from './contrast.js';
import { exclusivity, exclusivityInterval } from './exclusivity.js';
import { lape, lapeInterval } from './lape.js';
import type { LanguageArray, UnitArray } from './score-arrays.js';
import type { ScoreTask } from './score-task.js';
import type { HalfScoreName, PieceHalves, ScoredPiece } from './scored-piece.js';
import type { ScoreName } from './types.js';

/** Sums that rates and means are made of. */
const STATISTICS: Readonly<
  Record<ScoredType, { readonly rate: StatisticName | null; readonly mean: StatisticName }>
> = {
  neuron: { rate: 'mlp.fire', mean: 'mlp.sum' },
  head: { rate: 'head.norm.sum', mean: 'head.norm.sum' },
  expert: { rate: 'expert.count', mean: 'expert.prob.sum' },
  residual: { rate: null, mean: 'resid.sum' },
};

/** Of heads whose importances were imported. */
const IMPORTANCE = { rate: 'head.importance.sum', mean: 'head.importance.sum' } as const;

/** Sums that rates and means of a type are made of, in a layer that may be imported. */
export function statisticsOf(
  type: ScoredType,
  names: RunLayer['names'],
): { readonly rate: StatisticName | null; readonly mean: StatisticName } {
  return type === 'head' && names.has('head.importance.sum') ? IMPORTANCE : STATISTICS[type];
}

/** What means over tokens lie between. */
const BOUNDS: Partial<Record<StatisticName, JackknifeBounds>> = {
  'mlp.fire': { min: 0, max: 1 },
  'head.norm.sum': { min: 0 },
  'expert.count': { min: 0, max: 1 },
  'expert.prob.sum': { min: 0, max: 1 },
};

/** Pattern summaries of a head, and what their reliability is called. */
export const PATTERNS = {
  pattern_entropy: { array: 'head.pattern.entropy.sum', half: 'patternEntropy' },
  pattern_first: { array: 'head.pattern.first.sum', half: 'patternFirst' },
  pattern_previous: { array: 'head.pattern.previous.sum', half: 'patternPrevious' },
} as const satisfies Partial<
  Record<LanguageArray, { readonly array: StatisticName; readonly half: HalfScoreName }>
>;

/**
 * What follows from sums by fold: rates, means, contrasts, LAPE, exclusivity and pattern summaries of a block of a
 * layer's units.
 *
 * @param tokens What their sums are divided by.
 */
export async function scoreFolds(
  layer: Pick<RunLayer, 'layer' | 'names' | 'readStatistic'>,
  { type, unitStart, unitEnd }: Pick<ScoreTask, 'type' | 'unitStart' | 'unitEnd'>,
  tokens: TokenCounts,
  shape: FoldShape,
  scores: ReadonlySet<ScoreName>,
  halves: PieceHalves,
): Promise<ScoredPiece> {
  const { languages } = shape;
  const read = (name: StatisticName) => layer.readStatistic(name, unitStart, unitEnd);
  const ofUnits: Partial<Record<UnitArray, Float64Array>> = {};
  const ofLanguages: Partial<Record<LanguageArray, Float64Array>> = {};
  const piece: ScoredPiece = { type, layer: layer.layer, unitStart, ofUnits, ofLanguages };
  const folds = liveFolds(tokens, shape);
  const set = (name: 'rate' | 'mean' | 'contrast' | keyof typeof PATTERNS, interval: UnitIntervals) => {
    ofLanguages[name] = interval.value;
    ofLanguages[`${name}_se`] = interval.se;
    ofLanguages[`${name}_low`] = interval.low;
    ofLanguages[`${name}_high`] = interval.high;
  };
  /** Each fold left out once. */
  const leaveOut = (sums: Float64Array) =>
    folds.map((left) =>
      meanOverTokens(
        sums,
        tokens,
        shape,
        folds.filter((fold) => fold !== left),
      ),
    );
  const means = (sums: Float64Array, bounds: JackknifeBounds) =>
    jackknifeUnits(meanOverTokens(sums, tokens, shape), leaveOut(sums), bounds);
  /** What is made of the means [language, unit] of the sampled units over each half of the folds. */
  const setHalves = (
    sums: Float64Array,
    made: Partial<Record<HalfScoreName, (means: Float64Array) => Float64Array>>,
  ) => {
    for (const [name, of] of Object.entries(made)) {
      const half = halves.get(name as HalfScoreName);
      if (half === undefined || half.sample.length === 0) continue;
      const sample = half.sample.map((unit) => unit - unitStart);
      const sampled = pickColumns(sums, shape.units, sample);
      const sampledTokens = pickTokens(tokens, sample);
      const sampledShape = { ...shape, units: sample.length };
      half.splits.forEach(({ first, second }, split) => {
        [first, second].forEach((chosen, side) => {
          half.setSampled(split, side, 0, of(meanOverTokens(sampled, sampledTokens, sampledShape, chosen)));
        });
      });
    }
  };

  const statistics = statisticsOf(type, layer.names);
  if (statistics.rate !== null) {
    const sums = await read(statistics.rate);
    const rate = means(sums, BOUNDS[statistics.rate] ?? {});
    set('rate', rate);
    if (scores.has('lape')) {
      const { value, se, low, high } = lapeInterval(sums, tokens, shape);
      Object.assign(ofUnits, { lape: value, lape_se: se, lape_low: low, lape_high: high });
    }
    if (scores.has('exclusivity')) {
      const { value, se, low, high } = exclusivityInterval(rate.value, leaveOut(sums), languages);
      Object.assign(ofUnits, {
        exclusivity: value,
        exclusivity_se: se,
        exclusivity_low: low,
        exclusivity_high: high,
      });
    }
    setHalves(sums, {
      rate: (rates) => rates,
      lape: (rates) => lape(rates, languages),
      exclusivity: (rates) => exclusivity(rates, languages),
    });
  }
  // Imported counts have rates alone.
  if (!layer.names.has(statistics.mean)) return piece;
  const sums = await read(statistics.mean);
  const mean = meanOverTokens(sums, tokens, shape);
  const replicates = leaveOut(sums);
  set('mean', jackknifeUnits(mean, replicates, BOUNDS[statistics.mean] ?? {}));
  set(
    'contrast',
    jackknifeUnits(
      contrast(mean, languages),
      replicates.map((replicate) => contrast(replicate, languages)),
    ),
  );
  setHalves(sums, { mean: (own) => own, contrast: (own) => contrast(own, languages) });
  if (scores.has('pattern')) {
    for (const [name, { array, half }] of Object.entries(PATTERNS)) {
      const bounds = name === 'pattern_entropy' ? { min: 0 } : { min: 0, max: 1 };
      const patterns = await read(array);
      set(name as keyof typeof PATTERNS, means(patterns, bounds));
      setHalves(patterns, { [half]: (own: Float64Array) => own });
    }
  }
  return piece;
}
