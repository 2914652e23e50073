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
    const words =
      others.length === 0
        ? `One run, ${reference?.label ?? 'none'}: described below. Changes: not measured.`
        : 'Changes: not measured.';
    return `<section class="box" aria-labelledby="verdicts"><h2 id="verdicts">What changed</h2>
<p>${escapeHtml(words)}</p></section>`;
  }
  const runs = others.map(({ label }) => {
    const own = headlines.filter((headline) => headline.to === label);
    const lines = own.map((headline) => `<li>${verdictMark(headline.verdict)}${emphasise(headline)}</li>`);
    return `<h3>${escapeHtml(label)} against ${escapeHtml(reference!.label)}</h3>
${verdictLines(own)}
${alignmentLines(comparison, label)}
<details><summary>Each measure with its numbers</summary><ul>
${lines.join('\n')}
</ul></details>`;
  });
  return `<section class="box" aria-labelledby="verdicts">
<h2 id="verdicts">What changed, beside what sampling alone does</h2>
${runs.join('\n')}
${contrastBox(comparison)}
</section>`;
}

/** Differences in differences: what changed beside sampling, what beside training seeds too. */
function contrastBox({ contrasts }: Comparison): string {
  const all = contrasts.filter(({ type }) => type !== null);
  const measured = contrasts.filter(({ difference }) => difference.value !== null);
  const pairs = [...new Set(measured.map(({ from, to }) => `${to} − ${from}`))];
  return pairs
    .map((pair) => {
      const own = all.filter(({ from, to }) => `${to} − ${from}` === pair);
      const linesOf = (group: string | null) =>
        contrastLines(
          group,
          own.filter((c) => c.group === group),
        );
      const groups = [...new Set(own.map(({ group }) => group))].filter((group) => group !== null);
      const aligned = rowsOf(contrasts, { type: null, group: null, layer: null }).filter(
        ({ from, to }) => `${to} − ${from}` === pair,
      );
      const sentences = own.map(
        (c) => `<li>${verdictMark(c.verdict)}${escapeHtml(contrastSentence(c))}</li>`,
      );
      return `<h3>Difference in differences: ${escapeHtml(pair)}, against ${escapeHtml(own[0]!.reference)}</h3>
<ul class="verdicts">
${linesOf(null).join('\n')}
${aligned.map((c) => `<li>${verdictMark(c.verdict)}${escapeHtml(contrastSentence(c))}</li>`).join('\n')}
</ul>
${groups.length === 0 ? '' : `<details><summary>In groups of languages</summary><ul>\n${groups.flatMap(linesOf).join('\n')}\n</ul></details>`}
<details><summary>Each measure with its numbers</summary><ul>
${sentences.join('\n')}
</ul></details>`;
    })
    .join('\n');
}

function contrastLines(group: string | null, contrasts: readonly Contrast[]): string[] {
  const names = (some: readonly Contrast[]) => list(some.map((c) => uncapital(measureName(c))));
  return (Object.keys(VERDICT_MARKS) as Verdict[]).flatMap((verdict) => {
    const named = contrasts.filter((contrast) => contrast.verdict === verdict);
    if (named.length === 0) return [];
    const seeds =
      verdict === 'not measured'
        ? ''
        : ` Beside training seeds: ${SEED_VERDICTS.flatMap((seedVerdict) => {
            const of = named.filter((contrast) => contrast.seeds.verdict === seedVerdict);
            if (of.length === 0) return [];
            return [of.length === named.length ? seedVerdict : `${seedVerdict} (${names(of)})`];
          }).join('; ')}.`;
    const { className } = VERDICT_MARKS[verdict];
    const languages = group === null ? 'all languages' : `${group} languages`;
    return [
      `<li>${verdictMark(verdict)}<strong class="${className}">${capital(verdict)}</strong>, ${escapeHtml(languages)}: ${escapeHtml(names(named))}.${escapeHtml(seeds)}</li>`,
    ];
  });
}

function verdictLines(headlines: readonly Change[]): string {
  const lines = (Object.keys(VERDICT_MARKS) as Verdict[]).flatMap((verdict) => {
    const named = headlines.filter((headline) => headline.verdict === verdict);
    if (named.length === 0) return [];
    const names = list(named.map((headline) => uncapital(measureName(headline))));
    const { className } = VERDICT_MARKS[verdict];
    return `<li>${verdictMark(verdict)}<strong class="${className}">${capital(verdict)}:</strong> ${escapeHtml(names)}.</li>`;
  });
  return `<ul class="verdicts">\n${lines.join('\n')}\n</ul>`;
}

/** Alignment of languages, mean over layers: a line a measure. */
function alignmentLines(comparison: Comparison, label: string): string {
  const lines = againstReference(comparison, null)
    .filter(({ to }) => to === label)
    .map((change) => `<li>${verdictMark(change.verdict)}${escapeHtml(changeSentence(change))}</li>`);
  return lines.length === 0 ? '' : `<ul class="verdicts">\n${lines.join('\n')}\n</ul>`;
}

function verdictMark(verdict: Verdict): string {
  const { className, mark } = VERDICT_MARKS[verdict];
  return `<span class="mark ${className}" aria-hidden="true">${mark}</span>`;
}

/** The sentence, its verdict set off. */
function emphasise(headline: Change): string {
  const sentence = changeSentence(headline);
  const label = `${measureLabel(headline)}: `;
  const rest = sentence.slice(label.length + headline.verdict.length);
  const { className } = VERDICT_MARKS[headline.verdict];
  return `${escapeHtml(label)}<strong class="${className}">${headline.verdict}</strong>${escapeHtml(rest)}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
