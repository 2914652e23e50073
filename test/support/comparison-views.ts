import {
  type Change,
  type Comparison,
  type Contrast,
  headlineChanges,
  type Level,
  rowsOf,
  type Trend,
  type UnitDescription,
} from '../../src/compare/index.js';

/** Everything that a comparison says of one unit type. */
export interface UnitView extends UnitDescription {
  /** Over all layers and no single language. */
  readonly headlines: readonly Change[];
  readonly levels: readonly Level[];
  readonly contrasts: readonly Contrast[];
  readonly trends: readonly Trend[];
  /** Of single layers and of single languages. */
  readonly parts: readonly Change[];
}

/** The rows of a comparison, by unit type. */
export function unitViews(comparison: Comparison): UnitView[] {
  return comparison.units.map((description) => {
    const { type } = description;
    const headlines = headlineChanges(comparison, type);
    return {
      ...description,
      headlines,
      levels: rowsOf(comparison.levels, { type }),
      contrasts: rowsOf(comparison.contrasts, { type }),
      trends: rowsOf(comparison.trends, { type }),
      parts: rowsOf(comparison.changes, { type }).filter((change) => !headlines.includes(change)),
    };
  });
}

/** The rows about the alignment of languages. */
export function alignmentView(comparison: Comparison) {
  return {
    ...comparison.alignment!,
    levels: rowsOf(comparison.levels, { type: null }),
    changes: rowsOf(comparison.changes, { type: null }),
    contrasts: rowsOf(comparison.contrasts, { type: null }),
    trends: rowsOf(comparison.trends, { type: null }),
  };
}
