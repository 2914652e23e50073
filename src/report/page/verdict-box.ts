import {
  againstReference,
  type Change,
  type Comparison,
  type Contrast,
  rowsOf,
  SEED_VERDICTS,
  type Verdict,
} from '../../compare/index.js';
import { changeSentence, contrastSentence, measureLabel, measureName } from '../words/measures.js';
import { escapeHtml, list, uncapital } from '../words/text.js';

const VERDICT_MARKS: Readonly<Record<Verdict, { readonly className: string; readonly mark: string }>> = {
  changed: { className: 'changed', mark: '●' },
  'not distinguishable from sampling': { className: 'same', mark: '◆' },
  'not measured': { className: 'none', mark: '✚' },
};

/** Foremost on the page: the verdicts in words, a line each; behind it every measure with its numbers. HTML. */
export function verdictBox(comparison: Comparison): string {
  const [reference, ...others] = comparison.runs;
  const headlines = comparison.units.flatMap(({ type }) => againstReference(comparison, type));
  if (others.length === 0 || headlines.length === 0) {
    const alone = others.length === 0 ? `One run, ${reference?.label ?? 'none'}: described below. ` : '';
    return `<section class="box" aria-labelledby="verdicts"><h2 id="verdicts">What changed</h2>
<p>${escapeHtml(`${alone}Changes: not measured.`)}</p></section>`;
  }
  const alignment = againstReference(comparison, null);
  const runs = others.map(({ label }) => {
    const own = rowsOf(headlines, { to: label });
    const aligned = rowsOf(alignment, { to: label }).map((change) =>
      item(change.verdict, escapeHtml(changeSentence(change))),
    );
    return `<h3>${escapeHtml(label)} against ${escapeHtml(reference!.label)}</h3>
${verdictList(byVerdict(own, (named, verdict) => `${strong(verdict, `${capital(verdict)}:`)} ${namesOf(named)}.`))}
${aligned.length === 0 ? '' : verdictList(aligned)}
${details('Each measure with its numbers', own.map(emphasised))}`;
  });
  return `<section class="box" aria-labelledby="verdicts">
<h2 id="verdicts">What changed, beside what sampling alone does</h2>
${runs.join('\n')}
${contrastBox(comparison)}
</section>`;
}

/** Differences in differences: what changed beside sampling, what beside training seeds too. */
function contrastBox({ contrasts }: Comparison): string {
  const pairOf = ({ from, to }: Contrast) => `${to} − ${from}`;
  const sentence = (contrast: Contrast) => item(contrast.verdict, escapeHtml(contrastSentence(contrast)));
  const measured = contrasts.filter(({ difference }) => difference.value !== null);
  return [...new Set(measured.map(pairOf))]
    .map((pair) => {
      const ofPair = contrasts.filter((contrast) => pairOf(contrast) === pair);
      const own = ofPair.filter(({ type }) => type !== null);
      const aligned = rowsOf(ofPair, { type: null, group: null, layer: null });
      const linesOf = (group: string | null) =>
        byVerdict(rowsOf(own, { group }), (named, verdict) => {
          const languages = group === null ? 'all languages' : `${escapeHtml(group)} languages`;
          const seeds = verdict === 'not measured' ? '' : besideSeeds(named);
          return `${strong(verdict, capital(verdict))}, ${languages}: ${namesOf(named)}.${seeds}`;
        });
      const groups = [...new Set(own.map(({ group }) => group))].filter((group) => group !== null);
      return `<h3>Difference in differences: ${escapeHtml(pair)}, against ${escapeHtml(own[0]!.reference)}</h3>
<ul class="verdicts">
${linesOf(null).join('\n')}
${aligned.map(sentence).join('\n')}
</ul>
${groups.length === 0 ? '' : details('In groups of languages', groups.flatMap(linesOf))}
${details('Each measure with its numbers', own.map(sentence))}`;
    })
    .join('\n');
}

function besideSeeds(contrasts: readonly Contrast[]): string {
  const parts = SEED_VERDICTS.flatMap((verdict) => {
    const of = contrasts.filter(({ seeds }) => seeds.verdict === verdict);
    if (of.length === 0) return [];
    return [of.length === contrasts.length ? verdict : `${verdict} (${namesOf(of)})`];
  });
  return ` Beside training seeds: ${parts.join('; ')}.`;
}

/** A line a verdict that some rows have. */
function byVerdict<Row extends Change | Contrast>(
  rows: readonly Row[],
  lineOf: (named: readonly Row[], verdict: Verdict) => string,
): string[] {
  return (Object.keys(VERDICT_MARKS) as Verdict[]).flatMap((verdict) => {
    const named = rows.filter((row) => row.verdict === verdict);
    return named.length === 0 ? [] : [item(verdict, lineOf(named, verdict))];
  });
}

function namesOf(rows: readonly (Change | Contrast)[]): string {
  return escapeHtml(list(rows.map((row) => uncapital(measureName(row)))));
}

/** The sentence of a change, its verdict set off. */
function emphasised(change: Change): string {
  const label = `${measureLabel(change)}: `;
  const rest = changeSentence(change).slice(label.length + change.verdict.length);
  return item(change.verdict, escapeHtml(label) + strong(change.verdict, change.verdict) + escapeHtml(rest));
}

function item(verdict: Verdict, html: string): string {
  const { className, mark } = VERDICT_MARKS[verdict];
  return `<li><span class="mark ${className}" aria-hidden="true">${mark}</span>${html}</li>`;
}

function strong(verdict: Verdict, text: string): string {
  return `<strong class="${VERDICT_MARKS[verdict].className}">${text}</strong>`;
}

function verdictList(items: readonly string[]): string {
  return `<ul class="verdicts">\n${items.join('\n')}\n</ul>`;
}

function details(summary: string, items: readonly string[]): string {
  return `<details><summary>${summary}</summary><ul>\n${items.join('\n')}\n</ul></details>`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
