import { SEED_VERDICTS, VERDICTS } from '../../compare/index.js';
import { FLOOR_LOW, GAP, powersOfTwo, type RowLayout, TEXT_START, VERDICT_WIDTH } from './forest-rows.js';
import { nominal, numeric } from './specification.js';
import { INK_SOFT, VERDICT_COLOURS } from './theme.js';

/** A row with a note of two lines, in pixels. */
const NOTED_ROW = 46;
/** Right of the floor axis, for the arrow of what lies beyond its end. */
const ARROW_ROOM = 14;

/** Every verdict of either floor. */
const ALL_VERDICTS = [...new Set([...VERDICTS, ...SEED_VERDICTS])];
const SHAPES = ALL_VERDICTS.map((verdict) =>
  verdict === 'changed' ? 'circle' : verdict === 'not measured' ? 'cross' : 'diamond',
);

/** A channel by verdict, without a legend: the verdict stands in words at the end of the row. */
function byVerdict(field: string, range: readonly string[]) {
  return nominal(field, { scale: { domain: ALL_VERDICTS, range }, legend: null });
}
const colour = (field: string) =>
  byVerdict(
    field,
    ALL_VERDICTS.map((verdict) => VERDICT_COLOURS[verdict]),
  );
const shape = (field: string) => byVerdict(field, SHAPES);

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
  /** A heading over layers; the rules between measures reach over the gap to the next column. */
  const column = (
    text: string | readonly string[],
    width: number,
    reach: number,
    layer: readonly object[],
  ) => ({
    title: { text, fontSize: 11, fontWeight: 'normal', color: INK_SOFT, anchor: 'start', offset: 8 },
    width,
    height: { step },
    layer: [
      {
        transform: [{ filter: 'datum.first' }],
        mark: { type: 'rule', color: '#d0d7de', strokeWidth: 1, yOffset: -step / 2 },
        encoding: { y, x: { value: 0 }, x2: { value: reach } },
      },
      ...layer,
    ],
  });
  const words = (field: string, dy: number, style: object = {}, channels: object = {}) => ({
    mark: { type: 'text', align: 'left', baseline: 'middle', dy, fontSize: 11, ...style },
    encoding: { y, x: { value: 0 }, text: { field }, ...channels },
  });
  const marker = (x: object, verdict: string, mark: object, channels: object = { tooltip }) => ({
    mark: { type: 'point', filled: true, opacity: 1, ...mark },
    encoding: { y, x, color: colour(verdict), shape: shape(verdict), ...channels },
  });
  const span = (x: object, to: string, verdict: string, strokeWidth: number) => ({
    mark: { type: 'rule', strokeWidth },
    encoding: { y, x, x2: { field: to }, color: colour(verdict) },
  });

  /** Text in one line, or bold over soft; in dense rows both stand at one height, and one of them is empty. */
  const text = (
    title: string | readonly string[],
    width: number,
    first: string,
    second?: string,
    bold = true,
  ) =>
    column(
      title,
      width,
      width + GAP,
      second === undefined
        ? [words(first, 0)]
        : [
            words(first, dense ? 0 : -7, bold ? { fontWeight: 'bold' } : {}),
            words(second, dense ? 0 : 8, { color: INK_SOFT }),
          ],
    );

  /** Interval and value around zero, each row on its own scale −1 … 1. */
  const sketch = (width: number, verdict: string) => {
    const scale = { domain: [-1, 1], nice: false };
    const x = (field: string) => numeric(field, { scale, axis: null });
    const transform = [{ filter: 'isValid(datum.sketch)' }];
    return column(['lower ← 0 → higher', 'each row its own scale'], width, width + GAP, [
      {
        mark: { type: 'rule', color: '#8c959f' },
        data: { values: [{ zero: 0 }] },
        encoding: { x: x('zero') },
      },
      { transform, ...span(x('sketchLow'), 'sketchHigh', verdict, 2) },
      { transform, ...marker(x('sketch'), verdict, { size: 55 }) },
    ]);
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
    const x = (field: string) => numeric(field, { scale, axis });
    const transform = [{ filter: `isValid(datum.${prefix}Across)` }];
    return column(title, width, width + GAP, [
      {
        transform,
        mark: { type: 'bar', color: '#c9d1d9', height: Math.min(16, step * 0.45) },
        encoding: { y, x: x(`${prefix}WithinLow`), x2: { field: `${prefix}WithinHigh` } },
      },
      {
        mark: { type: 'rule', color: '#57606a', strokeWidth: 1.2 },
        encoding: { x: x('floor') },
        data: { values: [{ floor: 1 }] },
      },
      { transform, ...span(x(`${prefix}AcrossLow`), `${prefix}AcrossHigh`, verdict, 2.4) },
      {
        transform,
        ...marker(x(`${prefix}Across`), verdict, { size: 80, stroke: 'white', strokeWidth: 0.8 }),
      },
      {
        transform: [{ filter: `datum.${prefix}Beyond` }],
        mark: { type: 'text', text: '▸', align: 'left', dx: 4, fontSize: 14 },
        encoding: { y, x: { value: width - ARROW_ROOM }, color: colour(verdict) },
      },
    ]);
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
    return column(title, width, width, [
      marker({ value: 6 }, field, { size: 80 }, {}),
      ...(dense
        ? [words(field, 0, { dx: TEXT_START, ...strong[0] }, strong[1])]
        : [
            only(true, field, -7, ...strong),
            only(true, detail, 8, soft),
            only(false, field, noteTop - 14, ...strong),
            only(false, notes, noteTop, { ...soft, fontSize: 10, lineHeight: 11, lineBreak: '\n' }),
          ]),
    ]);
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
