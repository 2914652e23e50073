import type {
  Contrast,
  DifferenceInDifferences,
  Headline,
  Measure,
  SeedFloor,
  Spread,
} from '../../compare/index.js';
import { UNIT_WORDS } from './measured-on.js';
import { decimal, number, percent } from './text.js';

interface MeasureWords {
  /** `units` is "neurons" or "heads". */
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
  languageKept: {
    ...words((units) => `Selected ${units} keeping language`, 'share of those selected in both'),
    similarity: true,
    between: true,
  },
  meanEntropy: words((units) => `Mean entropy of ${units}`, 'LAPE, nats'),
  meanOmega2: words((units) => `Mean ω² of ${units}`, 'language share of variance'),
  headOverlap: words(() => 'Top heads that languages share', 'share, 0–1'),
  headOverlapContrast: words(() => 'Top heads shared by contrast', 'share, 0–1; minus other languages'),
  depthD: { ...words((units) => `Depth distance D of ${units}`, 'max |ΔF| over layers, 0–1'), between: true },
  meanDepth: words((units) => `Mean depth of selected ${units}`, 'layers'),
};

function words(name: MeasureWords['name'], unit: string): MeasureWords {
  return { name, unit, similarity: false, between: false };
}

/** `Selected neurons (count)`. */
export function measureLabel({ type, measure }: Pick<Headline, 'type' | 'measure'>): string {
  const { name, unit } = MEASURE_WORDS[measure];
  return `${name(UNIT_WORDS[type].many)} (${unit})`;
}

/** `77 → 68`; for a measure that exists only between runs, the measure itself. */
export function sidesInWords(headline: Headline): string {
  const { valueFrom, valueTo, change } = headline;
  const write = writer(headline);
  return isSigned(headline) ? `${write(valueFrom)} → ${write(valueTo)}` : write(change.value);
}

/** Whether the change is a signed difference, other − reference. */
export function isSigned({ measure }: Headline): boolean {
  return !MEASURE_WORDS[measure].between;
}

/** `−9` or `0.74`: the change, or the between-run measure. */
export function changeInWords(headline: Headline): string {
  return withSign(headline, writer(headline))(headline.change.value);
}

/** `−12.1 to −6.3`, or empty where there is no interval. */
export function intervalInWords(headline: Headline): string {
  const { low, high } = headline.change;
  if (low === null || high === null) return '';
  const write = withSign(headline, writer(headline, false));
  return `${write(low)} to ${write(high)}`;
}

type Writer = (value: number | null) => string;

/** Relative width of an interval that is rounding error alone. */
const ROUNDING = 1e-12;

/** As many decimals as give the interval two digits; counts are whole. */
function writer(
  { measure, change: { low, high } }: Pick<Headline, 'measure' | 'change'>,
  whole = measure === 'selected',
): Writer {
  if (whole) return (value) => (value === null ? '–' : decimal(value, 0));
  const width = low === null || high === null ? 0 : high - low;
  // What only rounding moves has no width.
  if (!(width > ROUNDING * Math.max(Math.abs(low ?? 0), Math.abs(high ?? 0)))) return number;
  const decimals = Math.min(8, Math.max(0, 1 - Math.floor(Math.log10(width))));
  return (value) => (value === null ? '–' : decimal(value, decimals));
}

function withSign(headline: Headline, write: Writer): Writer {
  return isSigned(headline) ? plus(write) : write;
}

function plus(write: Writer): Writer {
  return (value) => (value !== null && value > 0 ? `+${write(value)}` : write(value));
}

/**
 * The across and within distributions of a headline as distances in units of the noise floor: 1 is the within bound
 * that compare judged by (the larger 95th percentile of the two runs; of a similarity s, the distance 1 − s). Null if
 * not measured. A floor of zero makes any difference infinite.
 */
export interface Standardised {
  /** 5 %, 50 %, 95 % of the across values. */
  readonly across: readonly [number, number, number];
  /** From the smallest 5th percentile within a run to the bound, 1. */
  readonly within: readonly [number, number];
}

export function standardise(headline: Headline): Standardised | null {
  const { withinFrom, withinTo } = headline;
  if (withinFrom === null || withinTo === null) return null;
  return standardiseFloor(headline, MEASURE_WORDS[headline.measure].similarity);
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
export function differenceInWords(contrast: Contrast): { readonly value: string; readonly interval: string } {
  const { value, low, high } = contrast.difference;
  const write = plus(writer({ measure: contrast.measure, change: contrast.difference }, false));
  return {
    value: write(value),
    interval: low === null || high === null ? '' : `${write(low)} to ${write(high)}`,
  };
}

/** One sentence: what was set against what, and both verdicts, word for word. */
export function contrastSentence(contrast: Contrast): string {
  const { value, interval } = differenceInWords(contrast);
  const difference = `${value}${interval === '' ? '' : ` (95\u00a0% interval ${interval})`}`;
  return `${measureLabel(contrast)}: ${contrastInWords(contrast, contrast.group, difference)}.`;
}

/** Whose difference, how much, and both verdicts. */
export function contrastInWords(
  contrast: DifferenceInDifferences,
  group: string | null,
  difference: string,
): string {
  const { from, to, verdict, shareOutside, note, seeds } = contrast;
  const parts = [
    `${to} − ${from}${group === null ? '' : `, ${group} languages`}`,
    contrast.difference.value === null ? '' : difference,
    verdict === 'not measured'
      ? `beside sampling: not measured, ${note}`
      : `beside sampling: ${verdict} (${percent(shareOutside)} of split halves beyond the floor)`,
    seeds.verdict === 'not measured'
      ? `beside training seeds: not measured, ${seeds.note}`
      : `beside training seeds: ${seeds.verdict} (${percent(seeds.shareOutside)} of pairs of seeds beyond the floor)`,
  ].filter((part) => part !== '');
  return parts.join('; ');
}

/** `Mean entropy of neurons`. */
export function measureName({ type, measure }: Pick<Headline, 'type' | 'measure'>): string {
  return MEASURE_WORDS[measure].name(UNIT_WORDS[type].many);
}

/** One sentence of the report's headline box. The verdict is compare's, word for word. */
export function headlineSentence(headline: Headline): string {
  const { verdict, shareOutside, note } = headline;
  const interval = intervalInWords(headline);
  const parts = [
    change(headline) + (interval === '' ? '' : ` (95\u00a0% interval ${interval})`),
    shareOutside === null ? '' : `${percent(shareOutside)} of split halves beyond the noise floor`,
    verdict === 'not measured' ? note : '',
  ].filter((part) => part !== '');
  return `${measureLabel(headline)}: ${verdict}${parts.length === 0 ? '' : `; ${parts.join('; ')}`}.`;
}

function change(headline: Headline): string {
  if (headline.change.value === null) return '';
  const sides = sidesInWords(headline);
  return isSigned(headline) ? `${sides}, difference ${changeInWords(headline)}` : sides;
}
