import type { Change, ChangeTest } from './comparison.js';

/** Two digits say how large a margin or an error is. */
function twoDigits(value: number): string {
  return Number(value.toPrecision(2)).toString();
}

/** A finding with the margin it holds within, or the change that would have been found. */
export function findingInWords(test: ChangeTest): string {
  const { finding } = test;
  if (finding === 'unchanged' && test.margin !== null) return `unchanged within ±${twoDigits(test.margin)}`;
  if (finding === 'undecided' && test.detectable !== null) {
    return `undecided (would find ±${twoDigits(test.detectable)})`;
  }
  return finding;
}

/** The same without its word: `p 0.03`, `within ±0.1`, `would find ±8`; empty where nothing was measured. */
export function findingDetail(test: ChangeTest): string {
  const { finding, margin, detectable, adjusted } = test;
  if (finding === 'not measured') return '';
  if (finding === 'unchanged' && margin !== null) return `within ±${twoDigits(margin)}`;
  if (finding === 'undecided' && detectable !== null) return `would find ±${twoDigits(detectable)}`;
  return adjusted === null ? '' : pInWords(adjusted);
}

/** `p 0.012`, or `p < 0.001`. */
export function pInWords(p: number): string {
  return p < 0.001 ? 'p < 0.001' : `p ${twoDigits(p)}`;
}

/** The change as per cent of what it is a change from; null where that is nothing, or the number exists only between two runs. */
export function perCentOfLevel({ valueFrom, change }: Pick<Change, 'valueFrom' | 'change'>): number | null {
  if (valueFrom === null || valueFrom === 0 || change.value === null) return null;
  return (100 * change.value) / Math.abs(valueFrom);
}
