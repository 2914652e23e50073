import {
  againstReference,
  type Change,
  type Comparison,
  type Measure,
  type QuantityKey,
} from '../../compare/index.js';

/** The change of a run against the reference, over all languages and layers. */
export function headlineOf(
  comparison: Comparison,
  type: QuantityKey['type'],
  measure: Measure,
  to: string,
): Change | undefined {
  return againstReference(comparison, type).find((change) => change.measure === measure && change.to === to);
}
