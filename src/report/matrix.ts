import type { TopLevelSpec } from 'vega-lite';
import type { LanguageMatrix } from '../interchange/index.js';
import { cellMap, diverging, onDark, plainAxis, sequential, valueColour } from './drawing/cell-map.js';
import { specification, tooltip } from './drawing/specification.js';
import { INK, INK_SOFT } from './drawing/theme.js';
import { count, number, plainStrings, signed, wrap, wrapParts } from './words/text.js';
import { type Drawings, writeDrawings } from './write-drawings.js';
import type { WriteReportOptions } from './write-report.js';

/** Lines of titles break at this width, in em. */
const WIDTH = 62;
const CELL = 44;

const CHANGES: Readonly<Record<LanguageMatrix['quantity'], string>> = {
  perplexity: 'change of loss, nats a token: ln(perplexity after / before)',
  nll: 'change of loss, nats a token',
  'log-ratio': 'change of loss, nats a token: ln(perplexity after / before)',
  difference: 'difference of perplexities',
};

/** A heat map: language whose units were intervened on (rows) × tested language (columns). */
export function matrixFigure(given: LanguageMatrix): TopLevelSpec {
  const matrix = plainStrings(given);
  const { intervened, languages, values, changes, quantity, model, rule } = matrix;
  const changed = changes.flat().some((change) => change !== null);
  // Perplexities without a baseline differ between languages by orders of magnitude.
  const level = (value: number | null) =>
    value === null ? null : quantity === 'perplexity' ? Math.log(value) : value;
  const shown = changed ? changes : values.map((row) => row.map(level));
  const known = shown.flat().filter((value) => value !== null);
  const widest = Math.max(0.001, ...known.map(Math.abs));
  const [least, most] = [Math.min(...known), Math.max(...known, Math.min(...known) + 0.001)];
  const cells = shown.flatMap((row, i) =>
    row.map((value, j) => ({
      intervened: intervened[i]!,
      tested: languages[j]!,
      value,
      own: intervened[i] === languages[j],
      text: value === null ? '×' : value.toPrecision(2).replace(/e\+?/, 'e'),
      light: value !== null && (changed ? Math.abs(value) > 0.8 * widest : onDark(value, least, most)),
      shown: value === null ? 'missing' : changed ? signed(value) : number(value),
      raw: number(values[i]![j] ?? null),
    })),
  );
  const x = plainAxis('tested', languages, { title: ['tested language'], axis: { orient: 'top' } });
  const y = plainAxis('intervened', intervened, { title: ['language intervened on'] });
  const legend = changed
    ? CHANGES[quantity]
    : quantity === 'perplexity'
      ? 'loss, nats a token: ln perplexity'
      : 'loss, nats a token';
  return specification({
    title: {
      text: wrap(`Interventions on the units of one language, tested in each: ${model}`, 46),
      subtitle: wrapParts(
        [...summary(matrix, changed), ...(rule === null ? [] : [`units: ${rule}`])].join(' · '),
        WIDTH,
      ),
      subtitleColor: INK_SOFT,
    },
    ...cellMap({
      values: cells,
      x,
      y,
      width: { step: CELL },
      height: { step: 24 },
      color: valueColour(changed ? diverging(widest) : sequential(least, most), legend, 200),
      tooltip: tooltip({
        intervened: 'language intervened on',
        tested: 'tested language',
        shown: changed ? 'change' : 'loss',
        raw: quantity,
      }),
      fontSize: 10,
      frames: [
        {
          transform: [{ filter: 'datum.own' }],
          mark: { type: 'rect', filled: false, stroke: INK, strokeWidth: 1.6 },
          encoding: { x, y },
        },
      ],
    }),
  });
}

/** The sentences below the title. */
function summary(
  { quantity, own, others, rowLargest, columnLargest, both }: LanguageMatrix,
  changed: boolean,
): string[] {
  if (!changed) {
    return [
      'no baseline: what the intervention changes is not known; compare within a column',
      'frame: the language itself',
    ];
  }
  const unit = quantity === 'difference' ? '' : ' nats';
  return [
    `mean change in the language itself ${signed(own)}${unit}, in others ${signed(others)}${unit}`,
    ...(rowLargest === null || columnLargest === null
      ? []
      : [
          `the own language has the largest change of its row in ${count(rowLargest)} of ${count(both)}, of its column in ${count(columnLargest)}`,
        ]),
    'frame: the language itself',
    'single numbers: no interval, no random control',
  ];
}

/** The drawings of an imported matrix. */
export function matrixDrawings(given: LanguageMatrix): Drawings {
  const { intervened, languages, values, baseline, changes, quantity } = plainStrings(given);
  return {
    figures: { matrix: matrixFigure(given) },
    tables: {
      matrix: [
        ['intervened', 'tested', 'quantity', 'value', 'baseline', 'change'],
        ...values.flatMap((row, i) =>
          row.map((value, j) => [
            intervened[i]!,
            languages[j]!,
            quantity,
            value,
            baseline?.[j] ?? null,
            changes[i]![j] ?? null,
          ]),
        ),
      ],
    },
  };
}

/** Writes `figures/matrix.svg`, `figures/matrix.png` and `tables/matrix.csv`. Returns their paths. @throws OutputError */
export function writeMatrixReport(
  matrix: LanguageMatrix,
  outFolder: string,
  options: WriteReportOptions = {},
): Promise<{ readonly files: string[] }> {
  return writeDrawings(matrixDrawings(matrix), outFolder, options);
}
