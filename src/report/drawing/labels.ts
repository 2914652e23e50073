import { emWidth, prefix } from '../words/text.js';

/** Where a label may be taken apart without tearing a word. */
const SEPARATORS = /[/@:_\-\s.]/;
/** Sums of the same widths in another order differ by less, in em. */
const ROUNDING = 1e-9;
/** How a label that has to be torn is shared between its beginning and its end. */
const SHARES_OF_BEGINNING = [0.5, 0.35, 0.65, 0.2, 0.8, 0];

/**
 * Labels as they stand in a figure, at most `maxWidth` em wide. What has no room loses its middle, first what the labels have
 * in common, so that no two of different labels are drawn alike.
 */
export function shortLabels(labels: readonly string[], maxWidth: number): string[] {
  const wide = labels.filter((label) => emWidth(label) > maxWidth);
  if (wide.length === 0) return [...labels];
  const common = commonBeginning(wide);
  const apart = (short: readonly string[]) => new Set(short).size === new Set(labels).size;
  const candidates = [
    (label: string) => withoutMiddle(label, maxWidth, emWidth(label.slice(common))),
    ...SHARES_OF_BEGINNING.map(
      (share) => (label: string) => withoutMiddle(label, maxWidth, (1 - share) * (maxWidth - 1)),
    ),
  ].map((shorten) => labels.map((label) => (emWidth(label) <= maxWidth ? label : shorten(label))));
  const numbered = candidates[0]!.map((label, i) => {
    const place = ` (${i + 1})`;
    return wide.includes(labels[i]!) ? withoutMiddle(label, maxWidth - emWidth(place)) + place : label;
  });
  return candidates.find(apart) ?? numbered;
}

/** Draws short labels on an axis, header or legend whose categories are the labels themselves. */
export function labelExpression(labels: readonly string[], maxWidth: number): { labelExpr?: string } {
  const short = shortLabels(labels, maxWidth);
  if (short.every((label, i) => label === labels[i])) return {};
  return { labelExpr: `${literal(short)}[indexof(${literal(labels)}, datum.value)]` };
}

/** Labels as code that is data: vega-lite would put its own code where it reads `datum.label`. */
function literal(labels: readonly string[]): string {
  return JSON.stringify(labels).replaceAll('datum', '\\u0064atum');
}

/** One text without its middle. @param ending Room for its end, in em: by default half. */
export function withoutMiddle(text: string, maxWidth: number, ending = (maxWidth - 1) / 2): string {
  if (emWidth(text) <= maxWidth) return text;
  const end = reverse(prefix(reverse(text), Math.min(ending, maxWidth - 1) + ROUNDING));
  const beginning = maxWidth - 1 - emWidth(end);
  return `${beginning < 1 ? '' : prefix(text, beginning).trimEnd()}…${end.trimStart()}`;
}

/** Length of what all texts begin with, up to a place where words part. */
function commonBeginning(texts: readonly string[]): number {
  const [first = ''] = texts;
  let same = 0;
  while (same < first.length && texts.every((text) => text[same] === first[same])) same += 1;
  while (same > 0 && !SEPARATORS.test(first[same - 1]!)) same -= 1;
  return same;
}

function reverse(text: string): string {
  return [...new Intl.Segmenter('en').segment(text)]
    .map(({ segment }) => segment)
    .reverse()
    .join('');
}
