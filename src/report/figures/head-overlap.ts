import type { Comparison, HeadOverlap } from '../../compare/index.js';
import { INK, MISSING } from '../drawing/theme.js';
import { changeInWords } from '../words/measures.js';
import { ellipsize, plural } from '../words/text.js';
import {
  type AbsentFigure,
  type Figure,
  headlineOf,
  measuredOn,
  runsInWords,
  specification,
} from './figure.js';

const KINDS = ['norm', 'contrast'] as const;
/** With more runs than this, the others are shown as differences alone. */
const MOST_WHOLE = 2;

type Matrix = readonly (readonly (number | null)[])[];

/** How far languages share their top heads: each run, and each run minus the reference. */
export function headOverlap(comparison: Comparison): Figure | AbsentFigure {
  const name = 'head-overlap';
  const title = `Top heads that languages share: ${runsInWords(comparison)}`;
  const [reference, ...others] = comparison.headOverlaps;
  if (reference === undefined || comparison.languages.length < 2) {
    return { name, title, reason: 'not measured: it needs heads and two languages' };
  }
  const rate = comparison.units.find(({ type }) => type === 'head')?.rate ?? 'norm';
  const words = { norm: `by ${rate}`, contrast: `by ${rate} − other languages` } as const;
  const tags = comparison.languages.map(({ tag }) => tag);
  const cell = tags.length > 10 ? 17 : 24;
  const slanted = tags.length > 10 || tags.some((tag) => tag.length > 3);

  const panel = (matrix: Matrix, heading: string, isDifference: boolean) => {
    const values = matrix.flatMap((row, a) =>
      row.map((value, b) => ({
        a: tags[a]!,
        b: tags[b]!,
        value: a === b ? null : value,
        text: a === b ? '' : value === null ? '×' : isDifference ? sign(value) : '',
        shown: value === null ? 'not measured' : value.toFixed(2),
      })),
    );
    const axis = { domain: false, ticks: false, labelOverlap: false, labelPadding: 4, labelFontSize: 10 };
    return {
      title: {
        text: ellipsize(heading, Math.max(16, (cell * tags.length) / 11)),
        fontSize: 11,
        anchor: 'start',
        offset: 6,
      },
      data: { values },
      width: { step: cell },
      height: { step: cell },
      layer: [
        {
          mark: { type: 'rect', stroke: 'white', strokeWidth: 0.6, invalid: null },
          encoding: {
            x: {
              field: 'b',
              type: 'ordinal',
              scale: { domain: tags },
              title: null,
              axis: { ...axis, orient: 'bottom', labelAngle: slanted ? -90 : 0 },
            },
            y: { field: 'a', type: 'ordinal', scale: { domain: tags }, title: null, axis },
            color: {
              condition: { test: '!isValid(datum.value)', value: MISSING },
              field: 'value',
              type: 'quantitative',
              scale: isDifference
                ? { scheme: 'blueorange', domain: [-1, 1], domainMid: 0 }
                : { scheme: 'viridis', domain: [0, 1] },
              legend: {
                orient: 'bottom',
                direction: 'horizontal',
                title: isDifference
                  ? 'difference (blue −: less shared, orange +: more)'
                  : `share of the top ${plural(reference.n, 'head')} in common`,
                gradientLength: 180,
                tickCount: 4,
                titleLimit: 340,
              },
            },
            tooltip: [
              { field: 'a', title: 'language' },
              { field: 'b', title: 'and' },
              { field: 'shown', title: isDifference ? 'difference' : 'share' },
            ],
          },
        },
        {
          mark: { type: 'text', fontSize: 10 },
          encoding: {
            x: { field: 'b', type: 'ordinal' },
            y: { field: 'a', type: 'ordinal' },
            text: { field: 'text' },
            color: { condition: { test: 'abs(datum.value) > 0.5', value: 'white' }, value: INK },
          },
        },
      ],
    };
  };
  const whole = (run: HeadOverlap, kind: (typeof KINDS)[number]) =>
    panel(run[kind], `${run.label}, ${words[kind]}`, false);
  const minus = (run: HeadOverlap, kind: (typeof KINDS)[number]) =>
    panel(difference(reference[kind], run[kind]), `${run.label} − ${reference.label}`, true);
  const runs = comparison.headOverlaps;
  const row = (kind: (typeof KINDS)[number]) => ({
    spacing: 26,
    hconcat: [
      {
        spacing: 20,
        hconcat: (runs.length > MOST_WHOLE ? [reference] : runs).map((run) => whole(run, kind)),
      },
      ...(others.length === 0
        ? []
        : [{ spacing: 20, columns: 4, concat: others.map((run) => minus(run, kind)) }]),
    ],
    resolve: { scale: { color: 'independent' } },
  });
  const spec = specification({
    vconcat: KINDS.map(row),
    spacing: 26,
    resolve: { scale: { color: 'independent' } },
  });
  const heads = comparison.units.find(({ type }) => type === 'head');
  const change = (measure: 'headOverlap' | 'headOverlapContrast', label: string) => {
    const headline = headlineOf(heads, measure, label);
    if (headline === undefined || headline.verdict === 'not measured') return 'not measured';
    return `${changeInWords(headline)}, ${headline.verdict}`;
  };
  const { n, heads: all } = reference;
  const caption = [
    `|top-n(a) ∩ top-n(b)|/n for languages a and b, n = ${n} of ${plural(all, 'head')} (2\u00a0%${
      0.02 * all < 1 ? ', rounded up to one: a share is 0 or 1' : ''
    }). Top by the ${
      rate === 'norm'
        ? 'mean norm of a head’s contribution to the residual stream'
        : 'imported importance of a head'
    }, and by that ${rate} minus its mean over the other languages.`,
    ...others.map(
      ({ label }) =>
        `Mean over pairs of languages, ${label} against ${reference.label}: by ${rate} ${change('headOverlap', label)}; by contrast ${change('headOverlapContrast', label)}.`,
    ),
    others.length === 0
      ? 'One run: description only, no change is measured.'
      : 'Single pairs of languages: not measured against a floor.',
  ].join(' ');
  return { name, title, subtitle: measuredOn(comparison), caption, spec };
}

function difference(a: Matrix, b: Matrix): Matrix {
  return a.map((row, i) =>
    row.map((value, j) => {
      const other = b[i]?.[j] ?? null;
      return value === null || other === null ? null : other - value;
    }),
  );
}

function sign(value: number): string {
  return value === 0 ? '' : value < 0 ? '−' : '+';
}
