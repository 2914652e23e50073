import type { Comparison, Measure, Reallocation } from '../../compare/index.js';
import { cellMap, plainAxis } from '../drawing/cell-map.js';
import { labelExpression, shortLabels } from '../drawing/labels.js';
import { nominal, numeric, specification, tooltip } from '../drawing/specification.js';
import { RULE } from '../drawing/theme.js';
import {
  findingOf,
  labelsOf,
  mainUnits,
  mainWords,
  referenceOf,
  selectableUnits,
} from '../words/compared.js';
import { languageLabel, runsInWords, UNIT_WORDS } from '../words/measured-on.js';
import { count, emWidth, percent, wrap } from '../words/text.js';
import { defineFigure } from './figure.js';

/** The extra column and row: selected in one run only. */
const LOST = 'lost';
const GAINED = 'gained';
/** The kinds of cells, in the order of the legend. */
const KINDS = [
  'kept its language',
  'changed language',
  'gained (selected only after)',
  'lost (selected only before)',
] as const;
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#6e7781'];
/** Widest row label, in em. */
const LABEL_WIDTH = 22;
/** Cells in pixels, with the size of their numbers: of few languages, of many, and of many runs. */
const LARGE = { width: 46, height: 30, font: 11 };
const MEDIUM = { width: 32, height: 24, font: 11 };
const SMALL = { width: 20, height: 15, font: 8 };
const MANY_LANGUAGES = 10;
/** With more panels than this, cells are small: three panels stand side by side, and rows have tags alone. */
const MOST_LARGE = 4;

/** Where the units selected in either run went: a matrix of top languages, reference by other run. */
export const reallocation = defineFigure({
  name: 'reallocation',
  short: 'Reallocation',
  title: (comparison) =>
    `Where language-selective ${mainWords(comparison).many} went: ${runsInWords(comparison)}`,
  needs: (comparison) => {
    const units = selectableUnits(comparison);
    if (typeof units === 'string') return units;
    const moves = units.reallocations.filter(({ from }) => from === referenceOf(comparison));
    return moves.length === 0 ? 'not measured: it needs two runs' : { units, moves };
  },
  build: (comparison, { units, moves }) => {
    const words = UNIT_WORDS[units.type];
    const { languages } = comparison;
    const k = languages.length;
    const manyLanguages = k > MANY_LANGUAGES;
    const small = moves.length > (manyLanguages ? MOST_LARGE / 2 : MOST_LARGE);
    const cell = [LARGE, MEDIUM, SMALL][Number(small) + Number(manyLanguages)]!;
    const columns = [...languages.map(({ tag }) => tag), LOST];
    const rows = [...(small ? columns.slice(0, k) : languages.map(languageLabel)), GAINED];
    const slanted = columns.slice(0, k).some((tag) => emWidth(tag) * 11 > cell.width - 4);
    const axis = { labelPadding: 6, ...(small && { labelFontSize: 9 }) };
    const labels = labelsOf(comparison.runs);
    const short = shortLabels(labels, (columns.length * cell.width) / 11);
    const named = (label: string) => short[labels.indexOf(label)]!;

    const panel = ({ from, to, matrix }: Reallocation) => {
      const most = Math.max(1, ...matrix.flat());
      const values = matrix.flatMap((row, a) =>
        row.flatMap((n, b) => {
          if (a === k && b === k) return [];
          // Root scale: a cell of 4 is told from 1 where another holds 400.
          const strength = n === 0 ? 0 : 0.12 + 0.88 * Math.sqrt(n / most);
          return [
            {
              from: rows[a]!,
              to: columns[b]!,
              fromText: a === k ? 'not selected' : languageLabel(languages[a]!),
              toText: b === k ? 'not selected' : languageLabel(languages[b]!),
              n,
              text: n === 0 ? '' : count(n),
              kind: KINDS[b === k ? 3 : a === k ? 2 : a === b ? 0 : 1],
              strength,
              light: strength > 0.85,
            },
          ];
        }),
      );
      return cellMap({
        values,
        x: plainAxis('to', columns, {
          scale: { paddingInner: 0.06 },
          title: wrap(`top language in ${named(to)}`, (columns.length * cell.width) / 11),
          axis: {
            ...axis,
            orient: 'top',
            labelAngle: slanted ? -45 : 0,
            labelAlign: slanted ? 'left' : 'center',
            titlePadding: 8,
          },
        }),
        y: plainAxis('from', rows, {
          scale: { paddingInner: 0.06 },
          title: wrap(`top language in ${named(from)}`, (rows.length * cell.height) / 11),
          axis: { ...axis, titlePadding: 10, ...labelExpression(rows, LABEL_WIDTH) },
        }),
        width: { step: cell.width },
        height: { step: cell.height },
        color: nominal('kind', {
          title: null,
          scale: { domain: KINDS, range: COLOURS },
          legend: { orient: 'top', symbolType: 'square', symbolOpacity: 1, symbolSize: 110 },
        }),
        tooltip: tooltip({
          fromText: 'in the reference',
          toText: 'in the other run',
          n: words.many,
          kind: 'that is',
        }),
        fontSize: cell.font,
        mark: { stroke: RULE, cornerRadius: 2 },
        channels: { fillOpacity: numeric('strength', { scale: null, legend: null }) },
      });
    };
    const panels = moves.map(panel);
    const inARow = small ? 3 : manyLanguages ? 1 : 2;
    const spec = specification(
      panels.length === 1 ? panels[0]! : { concat: panels, columns: inARow, spacing: 30 },
    );
    const caption = moves
      .map(({ from, to, matrix, gained, lost, kept }) => {
        const same = matrix.slice(0, k).reduce((sum, row, a) => sum + row[a]!, 0);
        return `${from} → ${to}: ${count(kept)} ${kept === 1 ? words.one : words.many} selected in both${
          kept === 0 ? '' : `, ${count(same)} of them (${percent(same / kept)}) with the same top language`
        }; ${count(gained)} gained, ${count(lost)} lost. ${findings(comparison, to)}`;
      })
      .join(' ');
    return {
      spec,
      caption,
      alt: `A matrix of languages by language for each run: how many ${words.many} of one top language in the reference have which in the run; the diagonal kept theirs.`,
    };
  },
});

function findings(comparison: Comparison, label: string): string {
  const of = (measure: Measure) => findingOf(comparison, mainUnits(comparison)?.type, measure, label);
  return `Overlap of the selected sets: ${of('jaccard')}; languages kept: ${of('language_kept')}.`;
}
