import type { ScoredType, TableValue } from '../../store/index.js';
import { readScores } from './read-scores.js';

/** A scored unit: a row of `units.parquet`. */
export interface UnitRow {
  readonly type: ScoredType;
  /** From 0. */
  readonly layer: number;
  /** Within the layer, from 0. */
  readonly index: number;
  /** The expert that a neuron is of; null for other units. */
  readonly expert: number | null;
  /** Whether it never fires in any language; null where that is not known. */
  readonly dead: boolean | null;
  /** BCP 47 tag of the language with the highest rate; null where there is none. */
  readonly topLanguage: string | null;
  /** Languages that it belongs to, by selection policy: `tang2024`, `polyfact2026`. Empty: it is not selected. */
  readonly selected: Readonly<Record<string, readonly string[]>>;
  /** Every other column, by the name that docs/files.md gives it: `lape`, `ap_best`, `ap_best_language`, …; null where it is missing. */
  readonly values: Readonly<Record<string, TableValue>>;
}

const SELECTED = 'selected_';

/**
 * Yields the units of a scored run, one after the other, in the order of the table.
 *
 * @param folder The run's folder, which `score` has been called for.
 * @throws RunError as `readScores` does.
 */
export async function* unitRows(folder: string): AsyncGenerator<UnitRow> {
  const { rows, columns } = await readScores(folder, 'units');
  for (let row = 0; row < rows; row++) {
    const all = Object.fromEntries([...columns].map(([name, values]) => [name, present(values[row])]));
    const { type, layer, index, expert, dead, top_language, ...rest } = all;
    const columnsLeft = Object.entries(rest);
    yield {
      type: type as ScoredType,
      layer: layer as number,
      index: index as number,
      expert: expert as number | null,
      dead: dead as boolean | null,
      topLanguage: top_language as string | null,
      selected: Object.fromEntries(
        columnsLeft
          .filter(([name]) => name.startsWith(SELECTED))
          .map(([name, tags]) => [name.slice(SELECTED.length), languagesIn(tags)]),
      ),
      values: Object.fromEntries(columnsLeft.filter(([name]) => !name.startsWith(SELECTED))),
    };
  }
}

/** Missing numbers are NaN in a column, and null in a row. */
function present(value: TableValue | undefined): TableValue {
  return value === undefined || Number.isNaN(value) ? null : value;
}

function languagesIn(tags: TableValue): string[] {
  return typeof tags === 'string' && tags !== '' ? tags.split(',') : [];
}
