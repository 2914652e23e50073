import { SEED_VERDICTS, VERDICTS } from '../../compare/index.js';
import { FLOOR_LOW, GAP, powersOfTwo, TEXT_START, VERDICT_WIDTH } from './forest-rows.js';
import { INK_SOFT, VERDICT_COLOURS } from './theme.js';

/** Right of the floor axis, for the arrow of what lies beyond its end. */
const ARROW_ROOM = 14;

/** Every verdict of either floor. */
const ALL_VERDICTS = [...new Set([...VERDICTS, ...SEED_VERDICTS])];

const colour = (field: string) => ({
  field,
  type: 'nominal',
  scale: { domain: ALL_VERDICTS, range: ALL_VERDICTS.map((verdict) => VERDICT_COLOURS[verdict]) },
  legend: null,
});
const shape = (field: string) => ({
  field,
  type: 'nominal',
  scale: {
    domain: ALL_VERDICTS,
    range: ALL_VERDICTS.map((v) => (v === 'changed' ? 'circle' : v === 'not measured' ? 'cross' : 'diamond')),
  },
  legend: null,
});

/**
 * The columns that forests are built from; a row of data is one line of all of them.
 *
 * @param rows Values of the field `row`, from the top.
 * @param step Height of a row in pixels.
 */
export function forestColumns(rows: readonly number[], step: number, tooltip: readonly object[]) {
  const y = { field: 'row', type: 'ordinal', scale: { domain: rows, padding: 0 }, axis: null };
  const height = { step };
  const heading = (text: string | readonly string[]) => ({
    title: { text, fontSize: 11, fontWeight: 'normal', color: INK_SOFT, anchor: 'start', offset: 8 },
  });
  // Reaches over the gap to the next column, so that a row is one line to the eye.
  const stripes = (width: number, gap = GAP) => ({
    transform: [{ filter: 'datum.first' }],
    mark: { type: 'rule', color: '#d0d7de', strokeWidth: 1, yOffset: -step / 2 },
    encoding: { y, x: { value: 0 }, x2: { value: width + gap } },
  });
  const words = (field: string, dy: number, style: object = {}) => ({
    mark: { type: 'text', align: 'left', baseline: 'middle', dy, fontSize: 11, ...style },
    encoding: { y, x: { value: 0 }, text: { field } },
  });

  /** Text in one line, or bold over soft. */
  const text = (
    title: string | readonly string[],
    width: number,
    first: string,
    second?: string,
    bold = true,
  ) => ({
    ...heading(title),
    width,
    height,
    layer: [
      stripes(width),
      ...(second === undefined
        ? [words(first, 0)]
        : [words(first, -7, bold ? { fontWeight: 'bold' } : {}), words(second, 8, { color: INK_SOFT })]),
    ],
  });

  /** Interval and value around zero, each row on its own scale −1 … 1. */
  const sketch = (width: number, verdict: string) => {
    const scale = { domain: [-1, 1], nice: false };
    const x = (field: string) => ({ field, type: 'quantitative', scale, axis: null });
    const filter = [{ filter: 'isValid(datum.sketch)' }];
    return {
      ...heading(['lower ← 0 → higher', 'each row its own scale']),
      width,
      height,
      layer: [
        stripes(width),
        {
          mark: { type: 'rule', color: '#8c959f' },
          data: { values: [{ zero: 0 }] },
          encoding: { x: x('zero') },
        },
        {
          transform: filter,
          mark: { type: 'rule', strokeWidth: 2 },
          encoding: { y, x: x('sketchLow'), x2: { field: 'sketchHigh' }, color: colour(verdict) },
        },
        {
          transform: filter,
          mark: { type: 'point', filled: true, opacity: 1, size: 55 },
          encoding: { y, x: x('sketch'), color: colour(verdict), shape: shape(verdict), tooltip },
        },
      ],
    };
  };

  /**
   * Distances in units of a floor: fields `<prefix>Across`, `…AcrossLow`, `…AcrossHigh`, `…WithinLow`, `…WithinHigh`,
   * `…Beyond`.
   */
  const floor = (title: readonly string[], width: number, prefix: string, verdict: string, end: number) => {
    const scale = {
      type: 'log',
      base: 2,
      domain: [FLOOR_LOW, end],
      range: [0, width - ARROW_ROOM],
      nice: false,
    };
    const axis = {
      orient: 'top',
      title: null,
      values: powersOfTwo(FLOOR_LOW, end),
      labelExpr: "datum.value < 1 ? '1/' + format(1 / datum.value, 'd') : format(datum.value, 'd')",
      domain: false,
      ticks: false,
      grid: true,
    };
    const x = (field: string) => ({ field, type: 'quantitative', scale, axis });
    const measured = [{ filter: `isValid(datum.${prefix}Across)` }];
    return {
      ...heading(title),
      width,
      height,
      layer: [
        stripes(width),
        {
          transform: measured,
          mark: { type: 'bar', color: '#c9d1d9', height: Math.min(16, step * 0.45) },
          encoding: { y, x: x(`${prefix}WithinLow`), x2: { field: `${prefix}WithinHigh` } },
        },
        {
          mark: { type: 'rule', color: '#57606a', strokeWidth: 1.2 },
          encoding: { x: x('floor') },
          data: { values: [{ floor: 1 }] },
        },
        {
          transform: measured,
          mark: { type: 'rule', strokeWidth: 2.4 },
          encoding: {
            y,
            x: x(`${prefix}AcrossLow`),
            x2: { field: `${prefix}AcrossHigh` },
            color: colour(verdict),
          },
        },
        {
          transform: measured,
          mark: { type: 'point', filled: true, opacity: 1, size: 80, stroke: 'white', strokeWidth: 0.8 },
          encoding: { y, x: x(`${prefix}Across`), color: colour(verdict), shape: shape(verdict), tooltip },
        },
        {
          transform: [{ filter: `datum.${prefix}Beyond` }],
          mark: { type: 'text', text: '▸', align: 'left', dx: 4, fontSize: 14 },
          encoding: { y, x: { value: width - ARROW_ROOM }, color: colour(verdict) },
        },
      ],
    };
  };

  /** The verdict, with what it rests on below it: fields `<detail>` of one line, `<notes>` of up to two. */
  const verdict = (title: string, field: string, detail: string, notes: string, width = VERDICT_WIDTH) => {
    const of = (
      text_: string,
      dy: number,
      measured: boolean,
      { coloured = false, ...style }: { coloured?: boolean } & Record<string, unknown> = {},
    ) => ({
      transform: [{ filter: `datum.${field} ${measured ? '!==' : '==='} 'not measured'` }],
      mark: { type: 'text', align: 'left', baseline: 'middle', dy, fontSize: 11, color: INK_SOFT, ...style },
      encoding: {
        y,
        x: { value: TEXT_START },
        text: { field: text_ },
        ...(coloured ? { color: colour(field) } : {}),
      },
    });
    return {
      ...heading(title),
      width,
      height,
      layer: [
        stripes(width - GAP),
        {
          mark: { type: 'point', filled: true, opacity: 1, size: 80 },
          encoding: { y, x: { value: 6 }, color: colour(field), shape: shape(field) },
        },
        of(field, -7, true, { fontWeight: 'bold', coloured: true }),
        of(detail, 8, true),
        of(field, -13, false, { fontWeight: 'bold', coloured: true }),
        of(notes, 1, false, { fontSize: 10, lineHeight: 11, lineBreak: '\n' }),
      ],
    };
  };

  return { text, sketch, floor, verdict };
}

/** Columns side by side. The rules between rows reach over the gap, which is inside the columns. */
export function forestOf(values: readonly object[], columns: readonly object[]) {
  return {
    data: { values },
    hconcat: columns,
    spacing: 0,
    resolve: { scale: { y: 'independent', x: 'independent', color: 'independent', shape: 'independent' } },
  };
}
