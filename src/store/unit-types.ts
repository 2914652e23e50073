/** Kinds of unit that a run scores and a comparison compares. */
export const UNIT_TYPES = ['neuron', 'head', 'expert'] as const;
export type UnitType = (typeof UNIT_TYPES)[number];

/** Kinds of unit that the tables of scores hold: residual dimensions are scored, but not compared. */
export type ScoredType = UnitType | 'residual';
export const SCORED_TYPES: readonly ScoredType[] = [...UNIT_TYPES, 'residual'];
