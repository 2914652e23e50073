import { SEED_VERDICTS, VERDICTS } from '../../compare/index.js';
import { FLOOR_LOW, GAP, powersOfTwo, type RowLayout, TEXT_START, VERDICT_WIDTH } from './forest-rows.js';
import { INK_SOFT, VERDICT_COLOURS } from './theme.js';

/** A row with a note of two lines, in pixels. */
const NOTED_ROW = 46;
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
 */
export function forestColumns(
  rows: readonly number[],
  { step, dense }: RowLayout,
  tooltip: readonly object[],
) {
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
  const words = (field: string, dy: number, style: object = {}, channels: object = {}) => ({
    mark: { type: 'text', align: 'left', baseline: 'middle', dy, fontSize: 11, ...style },
    encoding: { y, x: { value: 0 }, text: { field }, ...channels },
  });

  /** Text in one line, or bold over soft; in dense rows both stand at one height, and one of them is empty. */
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
        : [
            words(first, dense ? 0 : -7, bold ? { fontWeight: 'bold' } : {}),
            words(second, dense ? 0 : 8, { color: INK_SOFT }),
          ]),
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

  /** The verdict; in rows that have room, with what it rests on below it: fields `<detail>` and `<notes>`, of several lines. */
  const verdict = (title: string, field: string, detail: string, notes: string, width = VERDICT_WIDTH) => {
    const only = (measured: boolean, of: string, dy: number, style: object, channels: object = {}) => ({
      transform: [{ filter: `datum.${field} ${measured ? '!==' : '==='} 'not measured'` }],
      ...words(of, dy, { dx: TEXT_START, ...style }, channels),
    });
    const strong = [{ fontWeight: 'bold' }, { color: colour(field) }] as const;
    const soft = { color: INK_SOFT };
    // Of more than two lines, a note begins higher.
    const noteTop = 1 - Math.max(0, step - NOTED_ROW) / 2;
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
        ...(dense
          ? [words(field, 0, { dx: TEXT_START, ...strong[0] }, strong[1])]
          : [
              only(true, field, -7, ...strong),
              only(true, detail, 8, soft),
              only(false, field, noteTop - 14, ...strong),
              only(false, notes, noteTop, { ...soft, fontSize: 10, lineHeight: 11, lineBreak: '\n' }),
            ]),
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
