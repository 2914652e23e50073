import type {
  AlignmentChange,
  AlignmentComparison,
  AlignmentContrast,
  AlignmentMeasure,
  AlignmentPlace,
  Estimate,
} from '../../compare/index.js';
import { contrastInWords } from './measures.js';
import { number, percent, signed } from './text.js';

export const ALIGNMENT_WORDS: Readonly<
  Record<AlignmentMeasure, { readonly name: string; readonly unit: string }>
> = {
  margin: { name: 'Alignment of languages', unit: 'mean cosine, same item − other items' },
  mexa: { name: 'Items retrieved across languages', unit: 'share of items, MEXA' },
};

/** Changes of all languages against the first run; `layer` null: mean over layers. */
export function alignmentChanges(
  { changes, levels }: AlignmentComparison,
  layer: number | null,
): AlignmentChange[] {
  const reference = levels[0]?.label;
  return changes.filter((c) => c.group === null && c.layer === layer && c.from === reference);
}

export function alignmentLevel(
  { levels }: AlignmentComparison,
  label: string,
  { measure, group, layer }: AlignmentPlace,
): Estimate {
  const nothing = { value: null, low: null, high: null };
  const found = levels.find(
    (l) => l.label === label && l.measure === measure && l.group === group && l.layer === layer,
  );
  return found?.value ?? nothing;
}

/** `0.21 → 0.19, difference −0.02 (95 % interval −0.03 to −0.01)`. */
export function alignmentInWords(alignment: AlignmentComparison, change: AlignmentChange): string {
  const { from, to } = change;
  const { value, low, high } = change.change;
  const [before, after] = [from, to].map((label) => alignmentLevel(alignment, label, change).value);
  return `${number(before!)} → ${number(after!)}, difference ${withInterval({ value, low, high })}`;
}

/** `−0.02 (95 % interval −0.03 to −0.01)`. */
function withInterval({ value, low, high }: Estimate): string {
  const interval =
    low === null || high === null ? '' : ` (95\u00a0% interval ${signed(low)} to ${signed(high)})`;
  return `${signed(value)}${interval}`;
}

/** One sentence, with the verdict of the comparison word for word. */
export function alignmentSentence(alignment: AlignmentComparison, change: AlignmentChange): string {
  const { name, unit } = ALIGNMENT_WORDS[change.measure];
  const { verdict, shareOutside, note } = change;
  const numbers =
    verdict === 'not measured'
      ? note
      : `${alignmentInWords(alignment, change)}; ${percent(shareOutside)} of split halves beyond the noise floor`;
  return `${name} (${unit}), mean over layers: ${verdict}; ${numbers}.`;
}

/** One sentence: what was set against what, and both verdicts, word for word. */
export function alignmentContrastSentence(contrast: AlignmentContrast): string {
  const { name, unit } = ALIGNMENT_WORDS[contrast.measure];
  const words = contrastInWords(contrast, contrast.group, withInterval(contrast.difference));
  return `${name} (${unit}), mean over layers: ${words}.`;
}
