import {
  type Change,
  type Contrast,
  type Estimate,
  findingInWords,
  type Measure,
  perCentOfLevel,
  pInWords,
  type QuantityKey,
  type SeedFloor,
  type Spread,
} from '../../compare/index.js';
import { UNIT_WORDS } from './measured-on.js';
import { decimal, number } from './text.js';

interface MeasureWords {
  /** `units` is "neurons" or "heads"; measures of the residual stream have no units. */
  readonly name: (units: string) => string;
  readonly unit: string;
  /** A similarity shrinks as runs differ more; everything else grows. */
  readonly similarity: boolean;
  /** Exists only between two runs; everything else is a signed difference, other − reference. */
  readonly between: boolean;
}

export const MEASURE_WORDS: Readonly<Record<Measure, MeasureWords>> = {
  selected: words((units) => `Selected ${units}`, 'count'),
  jaccard: {
    ...words((units) => `Overlap of selected ${units}`, 'Jaccard, 0–1'),
    similarity: true,
    between: true,
  },
  language_kept: {
    ...words((units) => `Selected ${units} keeping language`, 'share of those selected in both'),
    similarity: true,
    between: true,
  },
  mean_lape: words((units) => `Mean entropy of ${units}`, 'LAPE, nats'),
  mean_omega2_language: words((units) => `Mean ω² of ${units}`, 'language share of variance'),
  depth_distance: {
    ...words((units) => `Depth distance D of ${units}`, 'max |ΔF| over layers, 0–1'),
    between: true,
  },
  mean_depth: words((units) => `Mean depth of selected ${units}`, 'layers'),
  head_overlap: words(() => 'Top heads that languages share', 'share, 0–1'),
  head_overlap_contrast: words(() => 'Top heads shared by contrast', 'share, 0–1; minus other languages'),
  same_language_top_heads: {
    ...words(() => 'Top heads that a language keeps', 'share, 0–1'),
    similarity: true,
    between: true,
  },
  alignment_margin: words(() => 'Alignment of languages', 'mean cosine, same item − other items'),
  alignment_mexa: words(() => 'Items retrieved across languages', 'share of items, MEXA'),
};

function words(name: MeasureWords['name'], unit: string): MeasureWords {
  return { name, unit, similarity: false, between: false };
}

/** `Mean entropy of neurons`. */
export function measureName({ type, measure }: Pick<QuantityKey, 'type' | 'measure'>): string {
  return MEASURE_WORDS[measure].name(type === null ? '' : UNIT_WORDS[type].many);
}

/** `Selected neurons (count)`, and the layer or language that it is of. */
export function measureLabel(quantity: QuantityKey): string {
  const { type, measure, layer, language } = quantity;
  const of = [
    layer === null ? '' : `layer ${layer}`,
    language ?? '',
    // Every other measure is over all layers together.
    type === null && layer === null ? 'mean over layers' : '',
  ].filter((part) => part !== '');
  return [`${measureName(quantity)} (${MEASURE_WORDS[measure].unit})`, ...of].join(', ');
}

/** `77 → 68`; for a measure that exists only between runs, the measure itself. */
export function sidesInWords(change: Change): string {
  const write = writer(change);
  return isSigned(change)
    ? `${write(change.valueFrom)} → ${write(change.valueTo)}`
    : write(change.change.value);
}

/** Whether the change is a signed difference, other − reference. */
export function isSigned({ measure }: Pick<Change, 'measure'>): boolean {
  return !MEASURE_WORDS[measure].between;
}

/** `−9` or `0.74`: the change, or the between-run measure. */
export function changeInWords(change: Change): string {
  return withSign(change, writer(change))(change.change.value);
}

/** `−12.1 to −6.3`, or empty where there is no interval. */
export function intervalInWords(change: Change): string {
  return ends(change.change, withSign(change, writer(change, false)));
}

function ends({ low, high }: Estimate, write: Writer): string {
  return low === null || high === null ? '' : `${write(low)} to ${write(high)}`;
}

type Writer = (value: number | null) => string;

/** Relative width of an interval that is rounding error alone. */
const ROUNDING = 1e-12;

/** As many decimals as give the interval two digits; counts are whole. */
function writer(
  { measure, change: { low, high } }: Pick<Change, 'measure' | 'change'>,
  whole = measure === 'selected',
): Writer {
  if (whole) return (value) => (value === null ? '–' : decimal(value, 0));
  const width = low === null || high === null ? 0 : high - low;
  // What only rounding moves has no width.
  if (!(width > ROUNDING * Math.max(Math.abs(low ?? 0), Math.abs(high ?? 0)))) return number;
  const decimals = Math.min(8, Math.max(0, 1 - Math.floor(Math.log10(width))));
  return (value) => (value === null ? '–' : decimal(value, decimals));
}

function withSign(change: Change, write: Writer): Writer {
  return isSigned(change) ? plus(write) : write;
}

function plus(write: Writer): Writer {
  return (value) => (value !== null && value > 0 ? `+${write(value)}` : write(value));
}

/**
 * The across and within distributions of a headline as distances in units of the noise floor: 1 is the within bound
 * of the picture (the larger 95th percentile of the two runs; of a similarity s, the distance 1 − s). Null if
 * not measured. A floor of zero makes any difference infinite.
 */
export interface Standardised {
  /** 5 %, 50 %, 95 % of the across values. */
  readonly across: readonly [number, number, number];
  /** From the smallest 5th percentile within a run to the bound, 1. */
  readonly within: readonly [number, number];
}

export function standardise(change: Change): Standardised | null {
  const { withinFrom, withinTo } = change;
  if (withinFrom === null || withinTo === null) return null;
  return standardiseFloor(change, MEASURE_WORDS[change.measure].similarity);
}

/** The same of any floor; a regime without a floor of its own (a single training seed) is left out. */
export function standardiseFloor(
  { withinFrom, withinTo, across }: Pick<SeedFloor, 'withinFrom' | 'withinTo' | 'across'>,
  similarity: boolean,
): Standardised | null {
  const distances = ([low, middle, high]: Spread): Spread =>
    similarity ? [1 - high, 1 - middle, 1 - low] : [low, middle, high];
  const within = [withinFrom, withinTo].filter((spread) => spread !== null).map(distances);
  if (within.length === 0 || across === null) return null;
  const x = distances(across);
  const floor = Math.max(...within.map((spread) => spread[2]));
  const ratio = (distance: number): number =>
    distance <= 0 ? 0 : floor <= 0 ? Number.POSITIVE_INFINITY : distance / floor;
  return {
    across: [ratio(x[0]), ratio(x[1]), ratio(x[2])],
    within: [ratio(Math.min(...within.map((spread) => spread[0]))), 1],
  };
}

/** `−0.021` and `−0.030 to −0.012`: a difference in differences and its interval. */
export function differenceInWords({ measure, difference }: Contrast): {
  readonly value: string;
  readonly interval: string;
} {
  const write = plus(writer({ measure, change: difference }, false));
  return { value: write(difference.value), interval: ends(difference, write) };
}

/** One sentence: what was set against what, and both findings, word for word. */
export function contrastSentence(contrast: Contrast): string {
  const { value, interval } = differenceInWords(contrast);
  const difference = `${value}${interval === '' ? '' : ` (95\u00a0% interval ${interval})`}`;
  const { from, to, group, test, seeds } = contrast;
  const parts = [
    `${to} − ${from}${group === null ? '' : `, ${group} languages`}`,
    contrast.difference.value === null ? '' : difference,
    test.finding === 'not measured'
      ? `with other items: not measured, ${test.note}`
      : `with other items: ${findingInWords(test)}${pOf(test)}`,
    seedsInWords(seeds.test),
  ].filter((part) => part !== '');
  return `${measureLabel(contrast)}: ${parts.join('; ')}.`;
}

function pOf({ adjusted }: Pick<Change['test'], 'adjusted'>): string {
  return adjusted === null ? '' : `, ${pInWords(adjusted)}`;
}

/** `with another training: changed, p 0.003, +2.3 (0.2 to 4.5)`. */
export function seedsInWords(test: SeedFloor['test']): string {
  const { finding, note, training } = test;
  if (finding === 'not measured') return `with another training: not measured, ${note}`;
  const write = plus(number);
  const interval = training.low === null ? '' : ` (${ends(training, write)})`;
  return `with another training: ${finding}${pOf(test)}, ${write(training.value)}${interval}${note === '' ? '' : `; ${note}`}`;
}

/** One sentence on a change. The finding is the comparison's, word for word. */
export function changeSentence(change: Change): string {
  const { test } = change;
  const parts = [
    numbersInWords(change),
    test.finding === 'not measured' ? test.note : pOf(test).slice(2),
  ].filter((part) => part !== '');
  return `${measureLabel(change)}: ${findingInWords(test)}${parts.length === 0 ? '' : `; ${parts.join('; ')}`}.`;
}

/** `−47 %` of the first run's level; empty where there is none. */
export function perCentInWords(change: Change): string {
  const share = perCentOfLevel(change);
  if (share === null) return '';
  return `${plus(number)(Number(share.toPrecision(2)))}\u00a0%`;
}

/** `0.21 → 0.19, difference −0.020 (95 % interval −0.031 to −0.011)`; empty where there is no number. */
export function numbersInWords(change: Change): string {
  if (change.change.value === null) return '';
  const sides = sidesInWords(change);
  const interval = intervalInWords(change);
  const numbers = isSigned(change) ? `${sides}, difference ${changeInWords(change)}` : sides;
  const beside = [perCentInWords(change), interval === '' ? '' : `95\u00a0% interval ${interval}`].filter(
    (part) => part !== '',
  );
  return beside.length === 0 ? numbers : `${numbers} (${beside.join(', ')})`;
}
