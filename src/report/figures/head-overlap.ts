import { findingInWords, type HeadOverlap } from '../../compare/index.js';
import {
  cellMap,
  differences,
  diverging,
  type Grid,
  plainAxis,
  sequential,
  valueColour,
} from '../drawing/cell-map.js';
import { shortLabels } from '../drawing/labels.js';
import { panelTitle, specification, tooltip } from '../drawing/specification.js';
import { changeOf, labelsOf } from '../words/compared.js';
import { runsInWords } from '../words/measured-on.js';
import { changeInWords } from '../words/measures.js';
import { plural, wrap } from '../words/text.js';
import { defineFigure, ONE_RUN, sentences } from './figure.js';

const KINDS = ['norm', 'contrast'] as const;
type Kind = (typeof KINDS)[number];
/** With more runs than this, the others are shown as differences alone. */
const MOST_WHOLE = 2;
/** With more runs than this, cells are smaller. */
const MOST_LARGE = 4;
const MOST_COLUMNS = 4;
/** Cells of a darker colour than this have white text. */
const DARK = 0.5;

/** How far languages share their top heads: each run, and each run minus the reference. */
export const headOverlap = defineFigure({
  name: 'head-overlap',
  short: 'Top heads',
  title: (comparison) => `Top heads that languages share: ${runsInWords(comparison)}`,
  needs: ({ headOverlaps: runs, languages }) => {
    const [reference, ...others] = runs;
    return reference === undefined || languages.length < 2
      ? 'not measured: it needs heads and two languages'
      : { runs, reference, others };
  },
  build: (comparison, { runs, reference, others }) => {
    const rate = comparison.units.find(({ type }) => type === 'head')?.rate ?? 'norm';
    const words = { norm: `by ${rate}`, contrast: `by ${rate} − other languages` } as const;
    const tags = comparison.languages.map(({ tag }) => tag);
    const cell = tags.length > 10 ? (runs.length > MOST_LARGE ? 12 : 17) : 24;
    const font = cell < 14 ? 9 : 10;
    const slanted = tags.length > 10 || tags.some((tag) => tag.length > 3);
    const titleWidth = Math.max(14, (cell * tags.length) / 10);
    const short = shortLabels(labelsOf(runs), titleWidth);

    const panel = (matrix: Grid, heading: string, kind: Kind, isDifference: boolean) => {
      const values = matrix.flatMap((row, a) =>
        row.map((value, b) => ({
          a: tags[a]!,
          b: tags[b]!,
          value: a === b ? null : value,
          text: a === b ? '' : value === null ? '×' : isDifference ? sign(value) : '',
          light: value !== null && Math.abs(value) > DARK,
          shown: value === null ? 'not measured' : value.toFixed(2),
        })),
      );
      const axis = { labelPadding: 4, labelFontSize: font };
      return cellMap({
        title: {
          ...panelTitle(wrap(heading, titleWidth), wrap(words[kind], titleWidth)),
          offset: 6,
        },
        values,
        x: plainAxis('b', tags, { axis: { ...axis, orient: 'bottom', labelAngle: slanted ? -90 : 0 } }),
        y: plainAxis('a', tags, { axis }),
        width: { step: cell },
        height: { step: cell },
        color: isDifference
          ? valueColour(diverging(1), 'difference (blue −: less shared, orange +: more)', 180)
          : valueColour(sequential(0, 1), `share of the top ${plural(reference.n, 'head')} in common`, 180),
        tooltip: tooltip({ a: 'language', b: 'and', shown: isDifference ? 'difference' : 'share' }),
        fontSize: font,
      });
    };
    const whole = (run: HeadOverlap, kind: Kind, i: number) => panel(run[kind], short[i]!, kind, false);
    const minus = (run: HeadOverlap, kind: Kind, i: number) =>
      panel(differences(reference[kind], run[kind]), `${short[i + 1]} − ${short[0]}`, kind, true);
    const row = (kind: Kind) => ({
      spacing: 26,
      hconcat: [
        {
          spacing: 20,
          hconcat: (runs.length > MOST_WHOLE ? [reference] : runs).map((run, i) => whole(run, kind, i)),
        },
        ...(others.length === 0
          ? []
          : [
              {
                spacing: 20,
                columns: Math.ceil(others.length / Math.ceil(others.length / MOST_COLUMNS)),
                concat: others.map((run, i) => minus(run, kind, i)),
              },
            ]),
      ],
      resolve: { scale: { color: 'independent' } },
    });
    const spec = specification({
      vconcat: KINDS.map(row),
      spacing: 26,
      resolve: { scale: { color: 'independent' } },
    });
    const change = (measure: 'head_overlap' | 'head_overlap_contrast', label: string) => {
      const headline = changeOf(comparison, 'head', measure, label);
      if (headline === undefined || headline.test.finding === 'not measured') return 'not measured';
      return `${changeInWords(headline)}, ${findingInWords(headline.test)}`;
    };
    const { n, heads: all } = reference;
    const caption = sentences([
      `|top-n(a) ∩ top-n(b)|/n for languages a and b, n = ${n} of ${plural(all, 'head')} (2\u00a0%${
        0.02 * all < 1 ? ', rounded up to one: a share is 0 or 1' : ''
      }). Top by the ${
        rate === 'norm'
          ? 'mean norm of a head’s contribution to the residual stream'
          : 'imported importance of a head'
      }, and by that ${rate} minus its mean over the other languages.`,
      ...others.map(
        ({ label }) =>
          `Mean over pairs of languages, ${label} against ${reference.label}: by ${rate} ${change('head_overlap', label)}; by contrast ${change('head_overlap_contrast', label)}.`,
      ),
      runs.length > MOST_WHOLE ? 'Of the other runs the differences alone are drawn.' : '',
      others.length === 0 ? ONE_RUN : 'Single pairs of languages: not measured against a floor.',
    ]);
    return {
      spec,
      caption,
      alt: `Matrices of ${plural(tags.length, 'language')} by language: the share of top heads that two languages have in common${
        others.length === 0 ? '' : ', and its differences from the reference'
      }.`,
    };
  },
});

function sign(value: number): string {
  return value === 0 ? '' : value < 0 ? '−' : '+';
}
