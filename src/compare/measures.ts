import type { UnitType } from '../store/index.js';
import type { Direction } from './noise-floor.js';
import type { PairTally, RunTally } from './tally.js';
import type { Measure } from './types.js';

/** One side of a comparison: a run over a subset of its folds. */
export interface Side {
  readonly tally: RunTally;
  readonly subset: number;
}

/** Two sides and what was counted of their units together. */
export interface Pairing {
  readonly a: Side;
  readonly b: Side;
  readonly tally: PairTally;
  readonly pair: number;
}

export interface MeasureDefinition {
  readonly measure: Measure;
  readonly direction: Direction;
  /** The measure of one side; null for one that exists only between two. */
  readonly of: ((side: Side) => number) | null;
  /** Signed b − a, or the measure between the two; NaN where it cannot be computed. */
  readonly between: (pairing: Pairing) => number;
  /** Range of `between`: intervals are clipped to it. */
  readonly range: (languages: number) => readonly [number, number];
  /** Range of `of`. */
  readonly ofRange: (languages: number) => readonly [number, number];
  /** What is missing when the measure is NaN. */
  readonly needs: string;
  /** Whether it is about the units that the policy selects. */
  readonly ofSelected: boolean;
  /** Whether it is about the difference between languages, so that one language has none. */
  readonly amongLanguages: boolean;
  readonly headsOnly: boolean;
}

type Range = MeasureDefinition['range'];

const SHARE: Range = () => [0, 1];
const SHARE_DIFFERENCE: Range = () => [-1, 1];
const UNBOUNDED: Range = () => [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
const COUNT: Range = () => [0, Number.POSITIVE_INFINITY];

/** What is true of most measures. */
const PLAIN = { ofSelected: false, amongLanguages: false, headsOnly: false } as const;

/**
 * The headline measures of SCORES.md ("Comparing runs"). Means are over the units that have the score in that run:
 * `meanEntropy` over its live units, `meanOmega2` over units with ω²_language; `meanDepth` is the mean layer index
 * (from 0) of selected units; `headOverlap` the mean over pairs of languages of the overlap of their top heads by norm,
 * `headOverlapContrast` by that norm minus its mean over the other languages.
 */
export const MEASURES: readonly MeasureDefinition[] = [
  {
    ...signed('selected', selected, 'no units'),
    range: UNBOUNDED,
    ofRange: COUNT,
    ofSelected: true,
  },
  {
    ...between('jaccard', 'similarity', 'no unit is selected in either run'),
    between: ({ tally, pair }) => ratio(tally.both[pair]!, tally.either[pair]!),
  },
  {
    ...between('languageKept', 'similarity', 'no unit is selected in both runs'),
    between: ({ tally, pair }) => ratio(tally.sameLanguage[pair]!, tally.both[pair]!),
    amongLanguages: true,
  },
  {
    ...signed('meanEntropy', meanEntropy, 'no live unit'),
    range: (languages) => [-Math.log(languages), Math.log(languages)],
    ofRange: (languages) => [0, Math.log(languages)],
    amongLanguages: true,
  },
  {
    ...signed(
      'meanOmega2',
      meanOmega2,
      "no unit has ω²: it needs pooled items, which imports lack (capture with --keep items, of routed experts' neurons with --keep expert-items)",
    ),
    range: UNBOUNDED,
    ofRange: UNBOUNDED,
    amongLanguages: true,
  },
  {
    ...between('depthD', 'difference', 'no unit is selected in one of the runs'),
    between: ({ a, b }) => depthDistance(a, b),
  },
  {
    ...signed('meanDepth', meanDepth, 'no unit is selected in one of the runs'),
    range: UNBOUNDED,
    ofRange: COUNT,
    ofSelected: true,
  },
  {
    ...signed(
      'headOverlap',
      ({ tally, subset }) => tally.headOverlap?.[subset] ?? Number.NaN,
      'no top heads',
    ),
    range: SHARE_DIFFERENCE,
    ofRange: SHARE,
    amongLanguages: true,
    headsOnly: true,
  },
  {
    ...signed(
      'headOverlapContrast',
      ({ tally, subset }) => tally.headOverlapContrast?.[subset] ?? Number.NaN,
      'no top heads',
    ),
    range: SHARE_DIFFERENCE,
    ofRange: SHARE,
    amongLanguages: true,
    headsOnly: true,
  },
];

function signed(measure: Measure, of: (side: Side) => number, needs: string) {
  return {
    ...PLAIN,
    measure,
    direction: 'difference',
    of,
    between: ({ a, b }: Pairing) => of(b) - of(a),
    needs,
  } as const;
}

/** About selected units, a share between 0 and 1. */
function between(measure: Measure, direction: Direction, needs: string) {
  return { ...PLAIN, measure, direction, of: null, range: SHARE, ofRange: SHARE, needs, ofSelected: true };
}

/** The measures that exist for units of a type. */
export function measuresOf(type: UnitType): readonly MeasureDefinition[] {
  return MEASURES.filter(({ headsOnly }) => !headsOnly || type === 'head');
}

/** NaN instead of a division by zero. */
export function ratio(part: number, whole: number): number {
  return whole === 0 ? Number.NaN : part / whole;
}

/** [layer]: cumulative share of selected units up to and including the layer; NaN if none is selected. */
export function cumulativeShare(selectedByLayer: ArrayLike<number>): Float64Array {
  const shares = new Float64Array(selectedByLayer.length);
  let sum = 0;
  for (let l = 0; l < shares.length; l++) {
    sum += selectedByLayer[l]!;
    shares[l] = sum;
  }
  for (let l = 0; l < shares.length; l++) shares[l] = ratio(shares[l]!, sum);
  return shares;
}

/** A row of a [subset, layer] array. */
export function layersOf(values: Float64Array, { tally, subset }: Side): Float64Array {
  return values.subarray(subset * tally.layers, (subset + 1) * tally.layers);
}

function total(values: Float64Array, side: Side): number {
  let sum = 0;
  for (const value of layersOf(values, side)) sum += value;
  return sum;
}

function selected(side: Side): number {
  return total(side.tally.selected, side);
}

function meanEntropy(side: Side): number {
  return ratio(total(side.tally.entropySum, side), total(side.tally.live, side));
}

function meanOmega2(side: Side): number {
  return ratio(total(side.tally.omega2Sum, side), total(side.tally.omega2Units, side));
}

function meanDepth(side: Side): number {
  const byLayer = layersOf(side.tally.selected, side);
  let depth = 0;
  for (let l = 0; l < byLayer.length; l++) depth += l * byLayer[l]!;
  return ratio(depth, selected(side));
}

/** D = max over layers of |F_A − F_B|, F the cumulative share of selected units. */
function depthDistance(a: Side, b: Side): number {
  const shareA = cumulativeShare(layersOf(a.tally.selected, a));
  const shareB = cumulativeShare(layersOf(b.tally.selected, b));
  let distance = 0;
  for (let l = 0; l < shareA.length; l++) {
    const gap = Math.abs(shareA[l]! - shareB[l]!);
    if (Number.isNaN(gap)) return Number.NaN;
    if (gap > distance) distance = gap;
  }
  return distance;
}
