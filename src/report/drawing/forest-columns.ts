import { FINDINGS } from '../../compare/index.js';
import { FINDING_WIDTH, FLOOR_LOW, GAP, powersOfTwo, type RowLayout, TEXT_START } from './forest-rows.js';
import { nominal, numeric } from './specification.js';
import { FINDING_COLOURS, FINDING_SHAPES, INK_SOFT } from './theme.js';

/** A row with a note of two lines, in pixels. */
const NOTED_ROW = 46;
/** Right of the floor axis, for the arrow of what lies beyond its end. */
const ARROW_ROOM = 14;

/** A channel by finding, without a legend: the finding stands in words at the end of the row. */
function byFinding(field: string, range: readonly string[]) {
  return nominal(field, { scale: { domain: FINDINGS, range }, legend: null });
}
const colour = (field: string) =>
  byFinding(
    field,
    FINDINGS.map((finding) => FINDING_COLOURS[finding]),
  );
const shape = (field: string) =>
  byFinding(
    field,
    FINDINGS.map((finding) => FINDING_SHAPES[finding]),
  );

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
  const marker = (x: object, finding: string, mark: object, channels: object = { tooltip }) => ({
    mark: { type: 'point', filled: true, opacity: 1, ...mark },
    encoding: { y, x, color: colour(finding), shape: shape(finding), ...channels },
  });
  const span = (x: object, to: string, finding: string, strokeWidth: number) => ({
    mark: { type: 'rule', strokeWidth },
    encoding: { y, x, x2: { field: to }, color: colour(finding) },
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
  const sketch = (width: number, finding: string) => {
    const scale = { domain: [-1, 1], nice: false };
    const x = (field: string) => numeric(field, { scale, axis: null });
    const transform = [{ filter: 'isValid(datum.sketch)' }];
    return column(['lower ← 0 → higher', 'each row its own scale'], width, width + GAP, [
      {
        mark: { type: 'rule', color: '#8c959f' },
        data: { values: [{ zero: 0 }] },
        encoding: { x: x('zero') },
      },
      { transform, ...span(x('sketchLow'), 'sketchHigh', finding, 2) },
      { transform, ...marker(x('sketch'), finding, { size: 55 }) },
    ]);
  };

  /**
   * Distances in units of a floor: fields `<prefix>Across`, `…AcrossLow`, `…AcrossHigh`, `…WithinLow`, `…WithinHigh`,
   * `…Beyond`.
   */
  const floor = (title: readonly string[], width: number, prefix: string, finding: string, end: number) => {
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
      { transform, ...span(x(`${prefix}AcrossLow`), `${prefix}AcrossHigh`, finding, 2.4) },
      {
        transform,
        ...marker(x(`${prefix}Across`), finding, { size: 80, stroke: 'white', strokeWidth: 0.8 }),
      },
      {
        transform: [{ filter: `datum.${prefix}Beyond` }],
        mark: { type: 'text', text: '▸', align: 'left', dx: 4, fontSize: 14 },
        encoding: { y, x: { value: width - ARROW_ROOM }, color: colour(finding) },
      },
    ]);
  };

  /** The finding; in rows that have room, with what it rests on below it: fields `<detail>` and `<notes>`, of several lines. */
  const finding = (title: string, field: string, detail: string, notes: string, width = FINDING_WIDTH) => {
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

  return { text, sketch, floor, finding };
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
