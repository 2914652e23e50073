import type { HeadMap } from '../../compare/index.js';
import {
  cellMap,
  differences,
  diverging,
  type Grid,
  gridAxes,
  onDark,
  sequential,
  valueColour,
} from '../drawing/cell-map.js';
import { shortLabels } from '../drawing/labels.js';
import { specification, tooltip } from '../drawing/specification.js';
import { findingOf, labelsOf } from '../words/compared.js';
import { runsInWords } from '../words/measured-on.js';
import { number, plural, signed, wrap } from '../words/text.js';
import { defineFigure, ONE_RUN, sentences } from './figure.js';

/** Room for all panels of a row. */
const ROW_WIDTH = 780;
/** With more runs than this, the others are shown as differences alone. */
const MOST_WHOLE = 5;
/** Height of a map of many runs, and the font in low cells, in pixels. */
const LOW_MAP = 230;
const FONT = 9;

/** The number that is drawn of a head: ω², or where no run has it, entropy. */
const QUANTITIES = [
  {
    field: 'omega2Language',
    measure: 'mean_omega2_language',
    title: 'Language share of variance (ω²) of attention heads',
    legend: 'ω² of language',
    caption: () =>
      'Share of the variance of a head’s output norm that lies between languages rather than between items, each item in every language.',
  },
  {
    field: 'lape',
    measure: 'mean_lape',
    title: 'Language entropy (LAPE) of attention heads',
    legend: 'LAPE, nats (dark: tied to few languages)',
    caption: (rate: string, languages: number) =>
      `Entropy over languages of a head’s ${rate}, from 0 (one language) to ${number(Math.log(languages))} nats (all alike). ω² is not measured: it needs pooled items.`,
  },
] as const;

/** How tied to a language every attention head is: each run, and each run minus the reference. */
export const headMap = defineFigure({
  name: 'head-map',
  short: 'Head map',
  title: (comparison) => `${quantityOf(comparison.headMaps).title}: ${runsInWords(comparison)}`,
  needs: ({ headMaps: maps }) => {
    const [reference, ...others] = maps;
    const quantity = quantityOf(maps);
    const known = maps.flatMap((map) => finite(map[quantity.field]));
    return reference === undefined || known.length === 0
      ? 'not measured: no head has ω² (it needs pooled items: capture with --keep items) or LAPE'
      : { maps, reference, others, known, quantity };
  },
  build: (comparison, { maps, reference, others, known, quantity }) => {
    const { field, measure, legend } = quantity;
    const { layers } = comparison.shape;
    const heads = comparison.shape.heads ?? 0;
    const units = comparison.units.find(({ type }) => type === 'head');
    const cellWidth = Math.max(7, Math.min(40, Math.floor(ROW_WIDTH / 3 / heads)));
    const many = maps.length > MOST_WHOLE;
    const usual = layers > 16 ? 12 : 24;
    const cellHeight = many ? Math.max(4, Math.min(usual, Math.floor(LOW_MAP / layers))) : usual;
    const texts = cellHeight > FONT;
    const most = Math.max(...known, 0.01);
    const least = field === 'lape' ? Math.min(...known, most - 0.01) : 0;
    const changes = others.map((other) => differences(reference[field], other[field]));
    const widest = Math.max(...changes.flatMap(finite).map(Math.abs), 0.001);
    const titleWidth = Math.max(12, (cellWidth * heads) / 12);
    const short = shortLabels(labelsOf(maps), titleWidth);

    const panel = (grid: Grid, heading: string, isDifference: boolean) => {
      const light = (value: number) =>
        isDifference ? Math.abs(value) > 0.8 * widest : onDark(value, least, most);
      const sparse = (value: number) => (isDifference ? sign(value, widest) : '');
      const values = grid.flatMap((row, layer) =>
        row.map((value, head) => ({
          layer,
          head,
          value,
          text: !texts
            ? ''
            : value === null
              ? '×'
              : cellWidth >= 30
                ? inCell(value, isDifference)
                : sparse(value),
          light: value !== null && light(value),
          shown: value === null ? 'not measured' : isDifference ? signed(value) : number(value),
        })),
      );
      return cellMap({
        title: { text: wrap(heading, titleWidth), fontSize: 12, anchor: 'start', offset: 6 },
        values,
        ...gridAxes('head', heads, cellWidth, [...grid.keys()], layers),
        width: cellWidth * heads,
        height: cellHeight * layers,
        color: isDifference
          ? valueColour(diverging(widest), 'difference (blue: lower, orange: higher)', 200)
          : valueColour(sequential(least, most), legend, 200),
        tooltip: tooltip({ layer: 'layer', head: 'head', shown: isDifference ? 'difference' : legend }),
        fontSize: cellHeight < 20 ? FONT : FONT + 1,
      });
    };
    const whole = (many ? [reference] : maps).map((run, i) => panel(run[field], short[i]!, false));
    const minus = changes.map((change, i) => panel(change, `${short[i + 1]} − ${short[0]}`, true));
    const concat = [whole, minus]
      .filter((panels) => panels.length > 0)
      .map((panels) => ({ concat: panels, columns: 3, spacing: 24 }));
    const spec = specification({
      [others.length > 1 ? 'vconcat' : 'hconcat']: concat,
      spacing: 28,
      resolve: { scale: { color: 'independent' } },
    });
    const missing = maps.flatMap((map) => map[field].flat()).filter((value) => value === null).length;
    const caption = sentences([
      quantity.caption(units?.rate ?? 'norm', comparison.languages.length),
      many ? 'Of the other runs the differences alone are drawn.' : '',
      missing === 0 ? '' : `× and grey: not measured (${plural(missing, 'cell')}).`,
      ...others.map(
        ({ label }) =>
          `Mean over heads, ${label} against ${reference.label}: ${findingOf(comparison, 'head', measure, label)}.`,
      ),
      others.length === 0 ? ONE_RUN : 'Single heads: not measured against a floor.',
    ]);
    return {
      spec,
      caption,
      alt: `Maps of ${plural(layers, 'layer')} by ${plural(heads, 'head')}, coloured by ${legend}: ${
        others.length === 0 ? 'the run' : 'runs, and runs minus the reference'
      }.`,
    };
  },
});

function quantityOf(maps: readonly HeadMap[]) {
  const has = ({ field }: (typeof QUANTITIES)[number]) => maps.some((map) => finite(map[field]).length > 0);
  return QUANTITIES.find(has) ?? QUANTITIES[0];
}

function finite(grid: Grid): number[] {
  return grid.flat().filter((value) => value !== null);
}

/** Two decimals without the leading zero: what fits in a cell. */
function inCell(value: number, isDifference: boolean): string {
  const text = Math.abs(value).toFixed(2).replace(/^0/, '');
  if (text === '.00') return '0';
  return value < 0 ? `−${text}` : isDifference ? `+${text}` : text;
}

/** The direction of a difference that is at least a quarter of the largest. */
function sign(value: number, widest: number): string {
  if (Math.abs(value) < widest / 4) return '';
  return value < 0 ? '−' : '+';
}
