import {
  againstReference,
  type Change,
  type Comparison,
  type Contrast,
  FINDINGS,
  type Finding,
  findingDetail,
  findingInWords,
  rowsOf,
} from '../../compare/index.js';
import {
  changeSentence,
  contrastSentence,
  measureLabel,
  measureName,
  perCentInWords,
} from '../words/measures.js';
import { escapeHtml, list, uncapital } from '../words/text.js';

const MARKS: Readonly<Record<Finding, { readonly className: string; readonly mark: string }>> = {
  changed: { className: 'changed', mark: '●' },
  unchanged: { className: 'unchanged', mark: '■' },
  undecided: { className: 'same', mark: '◆' },
  'not measured': { className: 'none', mark: '✚' },
};

/** Foremost on the page: the findings in words, a line each; behind it every measure with its numbers. HTML. */
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
      item(change.test.finding, escapeHtml(changeSentence(change))),
    );
    return `<h3>${escapeHtml(label)} against ${escapeHtml(reference!.label)}</h3>
${verdictList(byFinding(own, (named, finding) => `${strong(finding, `${capital(finding)}:`)} ${detailedNames(named)}.`))}
${aligned.length === 0 ? '' : verdictList(aligned)}
${details('Each measure with its numbers', own.map(emphasised))}`;
  });
  return `<section class="box" aria-labelledby="verdicts">
<h2 id="verdicts">What changed, as other items of the same kind would show</h2>
${runs.join('\n')}
${contrastBox(comparison)}
</section>`;
}

/** Differences in differences: what other items would show, what another training too. */
function contrastBox({ contrasts }: Comparison): string {
  const pairOf = ({ from, to }: Contrast) => `${to} − ${from}`;
  const sentence = (contrast: Contrast) =>
    item(contrast.test.finding, escapeHtml(contrastSentence(contrast)));
  const measured = contrasts.filter(({ difference }) => difference.value !== null);
  return [...new Set(measured.map(pairOf))]
    .map((pair) => {
      const ofPair = contrasts.filter((contrast) => pairOf(contrast) === pair);
      const own = ofPair.filter(({ type }) => type !== null);
      const aligned = rowsOf(ofPair, { type: null, group: null, layer: null });
      const linesOf = (group: string | null) =>
        byFinding(rowsOf(own, { group }), (named, finding) => {
          const languages = group === null ? 'all languages' : `${escapeHtml(group)} languages`;
          const seeds = finding === 'not measured' ? '' : withSeeds(named);
          return `${strong(finding, capital(finding))}, ${languages}: ${namesOf(named)}.${seeds}`;
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

function withSeeds(contrasts: readonly Contrast[]): string {
  const parts = FINDINGS.flatMap((finding) => {
    const of = contrasts.filter(({ seeds }) => seeds.test.finding === finding);
    if (of.length === 0) return [];
    return [of.length === contrasts.length ? finding : `${finding} (${namesOf(of)})`];
  });
  return ` With another training: ${parts.join('; ')}.`;
}

/** A line a finding that some rows have. */
function byFinding<Row extends Change | Contrast>(
  rows: readonly Row[],
  lineOf: (named: readonly Row[], finding: Finding) => string,
): string[] {
  return FINDINGS.flatMap((finding) => {
    const named = rows.filter((row) => row.test.finding === finding);
    return named.length === 0 ? [] : [item(finding, lineOf(named, finding))];
  });
}

function namesOf(rows: readonly (Change | Contrast)[]): string {
  return escapeHtml(list(rows.map((row) => uncapital(measureName(row)))));
}

/** Names with the change as per cent of its level; of what is undecided, with what would have been found. */
function detailedNames(rows: readonly Change[]): string {
  return escapeHtml(
    list(
      rows.map((row) => {
        const beside = [perCentInWords(row), row.test.finding === 'changed' ? '' : findingDetail(row.test)];
        const words = beside.filter((part) => part !== '').join(', ');
        return uncapital(measureName(row)) + (words === '' ? '' : ` (${words})`);
      }),
    ),
  );
}

/** The sentence of a change, its finding set off. */
function emphasised(change: Change): string {
  const label = `${measureLabel(change)}: `;
  const { finding } = change.test;
  const words = findingInWords(change.test);
  const rest = changeSentence(change).slice(label.length + words.length);
  return item(finding, escapeHtml(label) + strong(finding, escapeHtml(words)) + escapeHtml(rest));
}

function item(finding: Finding, html: string): string {
  const { className, mark } = MARKS[finding];
  return `<li><span class="mark ${className}" aria-hidden="true">${mark}</span>${html}</li>`;
}

function strong(finding: Finding, text: string): string {
  return `<strong class="${MARKS[finding].className}">${text}</strong>`;
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
