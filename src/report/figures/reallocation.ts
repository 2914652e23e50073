import type { Comparison, Measure, Reallocation } from '../../compare/index.js';
import { INK, RULE } from '../drawing/theme.js';
import { count, ellipsize, emWidth, percent } from '../words/text.js';
import {
  type AbsentFigure,
  type Figure,
  headlineOf,
  languageLabel,
  mainUnits,
  measuredOn,
  runsInWords,
  specification,
  UNIT_WORDS,
} from './figure.js';

/** The extra column and row: selected in one run only. */
const LOST = 'lost';
const GAINED = 'gained';
/** What a cell says, in the order of the legend. */
const KINDS = [
  'kept its language',
  'changed language',
  'gained (selected only after)',
  'lost (selected only before)',
] as const;
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#6e7781'];
/** Widest row label, in em. */
const LABEL_WIDTH = 22;

/** Where the units selected in either run went: a matrix of top languages, reference by other run. */
export function reallocation(comparison: Comparison): Figure | AbsentFigure {
  const units = mainUnits(comparison);
  const words = UNIT_WORDS[units?.type ?? 'neuron'];
  const name = 'reallocation';
  const title = `Where language-selective ${words.many} went: ${runsInWords(comparison)}`;
  const moves = units?.reallocations.filter(({ from }) => from === comparison.runs[0]?.label) ?? [];
  if (units === undefined || moves.length === 0) {
    return { name, title, reason: 'not measured: it needs two runs' };
  }
  const rows = [...comparison.languages.map((l) => ellipsize(languageLabel(l), LABEL_WIDTH)), GAINED];
  const columns = [...comparison.languages.map(({ tag }) => tag), LOST];
  const k = comparison.languages.length;
  const cell = k > 10 ? 32 : 46;
  const height = k > 10 ? 24 : 30;
  const slanted = columns.slice(0, k).some((tag) => emWidth(tag) * 11 > cell - 4);

  const panel = ({ from, to, matrix }: Reallocation) => {
    const most = Math.max(1, ...matrix.flat());
    const values = matrix.flatMap((row, a) =>
      row.flatMap((n, b) =>
        a === k && b === k
          ? []
          : [
              {
                from: rows[a]!,
                to: columns[b]!,
                fromText: a === k ? 'not selected' : languageLabel(comparison.languages[a]!),
                toText: b === k ? 'not selected' : languageLabel(comparison.languages[b]!),
                n,
                text: n === 0 ? '' : count(n),
                kind: KINDS[b === k ? 3 : a === k ? 2 : a === b ? 0 : 1],
                // Root scale: a cell of 4 is told from 1 where another holds 400.
                strength: n === 0 ? 0 : 0.12 + 0.88 * Math.sqrt(n / most),
              },
            ],
      ),
    );
    const x = {
      field: 'to',
      type: 'ordinal',
      scale: { domain: columns, paddingInner: 0.06 },
      title: ellipsize(`top language in ${to}`, (columns.length * cell) / 11),
      axis: {
        orient: 'top',
        labelAngle: slanted ? -45 : 0,
        labelAlign: slanted ? 'left' : 'center',
        domain: false,
        ticks: false,
        labelOverlap: false,
        labelPadding: 6,
        titlePadding: 8,
      },
    };
    const y = {
      field: 'from',
      type: 'ordinal',
      scale: { domain: rows, paddingInner: 0.06 },
      title: ellipsize(`top language in ${from}`, (rows.length * height) / 11),
      axis: { domain: false, ticks: false, labelOverlap: false, labelPadding: 6, titlePadding: 10 },
    };
    // Titles of a tooltip become code: no name of a user's may stand there.
    const tooltip = [
      { field: 'fromText', title: 'in the reference' },
      { field: 'toText', title: 'in the other run' },
      { field: 'n', title: words.many },
      { field: 'kind', title: 'that is' },
    ];
    return {
      data: { values },
      width: { step: cell },
      height: { step: height },
      layer: [
        {
          mark: { type: 'rect', stroke: RULE, strokeWidth: 0.6, cornerRadius: 2 },
          encoding: {
            x,
            y,
            color: {
              field: 'kind',
              type: 'nominal',
              title: null,
              scale: { domain: KINDS, range: COLOURS },
              legend: { orient: 'top', symbolType: 'square', symbolOpacity: 1, symbolSize: 110 },
            },
            fillOpacity: { field: 'strength', type: 'quantitative', scale: null, legend: null },
            tooltip,
          },
        },
        {
          mark: { type: 'text', fontSize: 11 },
          encoding: {
            x,
            y,
            tooltip,
            text: { field: 'text' },
            color: {
              condition: { test: 'datum.strength > 0.85', value: 'white' },
              value: INK,
            },
          },
        },
      ],
    };
  };
  const panels = moves.map(panel);
  const spec = specification(
    panels.length === 1 ? panels[0]! : { concat: panels, columns: k > 10 ? 1 : 2, spacing: 30 },
  );
  const caption = moves
    .map(({ from, to, matrix, gained, lost, kept }) => {
      const same = matrix.slice(0, k).reduce((sum, row, a) => sum + row[a]!, 0);
      return `${from} → ${to}: ${count(kept)} ${kept === 1 ? words.one : words.many} selected in both${
        kept === 0 ? '' : `, ${count(same)} of them (${percent(same / kept)}) with the same top language`
      }; ${count(gained)} gained, ${count(lost)} lost. ${verdicts(comparison, to)}`;
    })
    .join(' ');
  return { name, title, subtitle: measuredOn(comparison), caption, spec };
}

function verdicts(comparison: Comparison, label: string): string {
  const of = (measure: Measure) =>
    headlineOf(mainUnits(comparison), measure, label)?.verdict ?? 'not measured';
  return `Overlap of the selected sets: ${of('jaccard')}; languages kept: ${of('languageKept')}.`;
}
