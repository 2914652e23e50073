import type { Comparison, Headline, Measure, UnitComparison } from '../../compare/index.js';

/** Neurons where they were compared, else whatever was. */
export function mainUnits(comparison: Comparison): UnitComparison | undefined {
  return comparison.units.find(({ type }) => type === 'neuron') ?? comparison.units[0];
}

/** Headlines of all languages against the reference. */
export function againstReference({ headlines, profiles }: UnitComparison): Headline[] {
  return headlines.filter(({ group, from }) => group === null && from === profiles[0]?.label);
}

/** The headline of a run against the reference, over all languages. */
export function headlineOf(
  units: UnitComparison | undefined,
  measure: Measure,
  to: string,
): Headline | undefined {
  return units && againstReference(units).find((h) => h.measure === measure && h.to === to);
}
