import type { Change, Comparison, QuantityKey, UnitDescription } from './comparison.js';

/** Fields of rows that must have these values. */
export type RowFilter<Row> = { readonly [Field in keyof Row]?: Row[Field] };

/** The rows whose named fields have the given values, in their order. */
export function rowsOf<Row extends object>(rows: readonly Row[], wanted: RowFilter<Row>): Row[] {
  const fields = Object.keys(wanted) as (keyof Row)[];
  return rows.filter((row) => fields.every((field) => row[field] === wanted[field]));
}

/** Changes of a unit type over all layers and no single language, of every pair of runs and every group. */
export function headlineChanges(comparison: Comparison, type: QuantityKey['type']): Change[] {
  return rowsOf(comparison.changes, { type, layer: null, language: null });
}

/** Headline changes of a unit type over all languages, from the reference to every other run. */
export function againstReference(comparison: Comparison, type: QuantityKey['type']): Change[] {
  const from = comparison.runs[0]?.label;
  return headlineChanges(comparison, type).filter((change) => change.group === null && change.from === from);
}

/** Neurons where they were compared, else whatever was. */
export function mainUnits(comparison: Comparison): UnitDescription | undefined {
  return comparison.units.find(({ type }) => type === 'neuron') ?? comparison.units[0];
}
