import type { Comparison, HeadMap } from '../../compare/index.js';
import { MISSING } from '../drawing/theme.js';
import { cellText, gridAxes } from '../drawing/unit-grid.js';
import { ellipsize, number, plural, signed } from '../words/text.js';
import {
  type AbsentFigure,
  type Figure,
  headlineOf,
  measuredOn,
  runsInWords,
  specification,
} from './figure.js';

/** Room for all panels of a row. */
const ROW_WIDTH = 780;

type Grid = readonly (readonly (number | null)[])[];

/** What is drawn of a head: ω², or where no run has it, entropy. */
const QUANTITIES = [
  {
    field: 'omega2Language',
    measure: 'meanOmega2',
    title: 'Language share of variance (ω²) of attention heads',
    legend: 'ω² of language',
    caption: () =>
      'Share of the variance of a head’s output norm that lies between languages rather than between items, each item in every language.',
  },
  {
    field: 'lape',
    measure: 'meanEntropy',
    title: 'Language entropy (LAPE) of attention heads',
    legend: 'LAPE, nats (dark: tied to few languages)',
    caption: (rate: string, languages: number) =>
      `Entropy over languages of a head’s ${rate}, from 0 (one language) to ${number(Math.log(languages))} nats (all alike). ω² is not measured: it needs pooled items.`,
  },
] as const;

/** How tied to a language every attention head is: each run, and each run minus the reference. */
export function headMap(comparison: Comparison): Figure | AbsentFigure {
  const name = 'head-map';
  const [reference, ...others] = comparison.headMaps;
  const quantity =
    QUANTITIES.find(({ field }) => comparison.headMaps.some((map) => finite(map[field]).length > 0)) ??
    QUANTITIES[0];
  const { field, measure, legend } = quantity;
  const title = `${quantity.title}: ${runsInWords(comparison)}`;
  const known = comparison.headMaps.flatMap((map) => finite(map[field]));
  if (reference === undefined || known.length === 0) {
    return {
      name,
      title,
      reason: 'not measured: no head has ω² (it needs pooled items: capture with --keep items) or LAPE',
    };
  }
  const { layers, heads } = comparison.shape;
  const units = comparison.units.find(({ type }) => type === 'head');
  const rate = units?.rate ?? 'norm';
  const cellWidth = Math.max(7, Math.min(40, Math.floor(ROW_WIDTH / 3 / heads)));
  const cellHeight = layers > 16 ? 12 : 24;
  const most = Math.max(...known, 0.01);
  const least = field === 'lape' ? Math.min(...known, most - 0.01) : 0;
  const differences = others.map((other) => difference(reference[field], other[field]));
  const widest = Math.max(...differences.flatMap(finite).map(Math.abs), 0.001);

  const panel = (grid: Grid, heading: string, kind: 'value' | 'difference') => {
    const write = kind === 'value' ? number : signed;
    const values = grid.flatMap((row, layer) =>
      row.map((value, head) => ({
        layer,
        head,
        value,
        text:
          value === null
            ? '×'
            : cellWidth >= 30
              ? short(value, kind)
              : kind === 'difference'
                ? sign(value, widest)
                : '',
        light:
          value !== null && kind === 'value'
            ? (value - least) / (most - least) < 0.55
            : value !== null && Math.abs(value) > 0.8 * widest,
        shown: value === null ? 'not measured' : write(value),
      })),
    );
    const { x, y } = gridAxes('head', heads, cellWidth, [...grid.keys()], layers);
    const tooltip = [
      { field: 'layer', title: 'layer' },
      { field: 'head', title: 'head' },
      { field: 'shown', title: kind === 'value' ? legend : 'difference' },
    ];
    return {
      title: {
        text: ellipsize(heading, Math.max(12, (cellWidth * heads) / 13)),
        fontSize: 12,
        anchor: 'start',
        offset: 6,
      },
      data: { values },
      width: cellWidth * heads,
      height: cellHeight * layers,
      layer: [
        {
          mark: { type: 'rect', stroke: 'white', strokeWidth: 0.6, invalid: null },
          encoding: {
            x,
            y,
            color: {
              condition: { test: '!isValid(datum.value)', value: MISSING },
              field: 'value',
              type: 'quantitative',
              scale:
                kind === 'value'
                  ? { scheme: 'viridis', domain: [least, most], clamp: true }
                  : { scheme: 'blueorange', domain: [-widest, widest], domainMid: 0 },
              legend: {
                orient: 'bottom',
                direction: 'horizontal',
                title: kind === 'value' ? legend : `difference (blue: lower, orange: higher)`,
                gradientLength: 200,
                tickCount: 4,
                titleLimit: 320,
              },
            },
            tooltip,
          },
        },
        cellText({ x, y, tooltip }, cellHeight < 20 ? 9 : 10),
      ],
    };
  };
  const maps = (run: HeadMap) => panel(run[field], run.label, 'value');
  const contrasts = others.map((other, i) =>
    panel(differences[i]!, `${other.label} − ${reference.label}`, 'difference'),
  );
  const values = { concat: [maps(reference), ...others.map(maps)], columns: 3, spacing: 24 };
  const concat = others.length === 0 ? [values] : [values, { concat: contrasts, columns: 3, spacing: 24 }];
  const spec = specification({
    [others.length > 1 ? 'vconcat' : 'hconcat']: concat,
    spacing: 28,
    resolve: { scale: { color: 'independent' } },
  });
  const missing = comparison.headMaps.reduce(
    (sum, map) => sum + map[field].flat().filter((value) => value === null).length,
    0,
  );
  const caption = [
    quantity.caption(rate, comparison.languages.length),
    missing === 0 ? '' : `× and grey: not measured (${plural(missing, 'cell')}).`,
    ...others.map(({ label }) => {
      const headline = headlineOf(units, measure, label);
      return `Mean over heads, ${label} against ${reference.label}: ${headline?.verdict ?? 'not measured'}.`;
    }),
    others.length === 0
      ? 'One run: description only, no change is measured.'
      : 'Single heads: not measured against a floor.',
  ]
    .filter((part) => part !== '')
    .join(' ');
  return { name, title, subtitle: measuredOn(comparison), caption, spec };
}

function difference(a: Grid, b: Grid): Grid {
  return a.map((row, layer) =>
    row.map((value, head) => {
      const other = b[layer]?.[head] ?? null;
      return value === null || other === null ? null : other - value;
    }),
  );
}

function finite(grid: Grid): number[] {
  return grid.flat().filter((value): value is number => value !== null);
}

/** Two decimals without the leading zero: what fits in a cell. */
function short(value: number, kind: 'value' | 'difference'): string {
  const text = Math.abs(value).toFixed(2).replace(/^0/, '');
  if (text === '.00') return '0';
  return value < 0 ? `−${text}` : kind === 'difference' ? `+${text}` : text;
}

/** The direction of a difference that is at least a quarter of the largest. */
function sign(value: number, widest: number): string {
  if (Math.abs(value) < widest / 4) return '';
  return value < 0 ? '−' : '+';
}
