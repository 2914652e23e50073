import type { UnitType } from '../scores/types.js';
import type { UnitLayout } from '../scores/unit-layout.js';
import { benjaminiHochberg } from '../stats/benjamini-hochberg.js';
import type { SubsetScores } from './layer-scores.js';
import { paired, pairedP } from './paired-change.js';
import type { Comparison } from './types.js';

/**
 * Where a fresh comparison carries its unit table: a symbol, so that the table is no part of comparison.json, and
 * neither `JSON.stringify` nor a reader of the file meets it.
 */
export const unitChanges: unique symbol = Symbol('babelscope.unitChanges');

/** What `compareRuns` returns; one table a unit type and run but the reference. */
export interface ComparisonWithChanges extends Comparison {
  readonly [unitChanges]: readonly UnitChanges[];
}

/** Scores whose change every comparison gives, as `changes.parquet` names them. */
export const UNIT_CHANGE_SCORES = {
  lape: 'LAPE, nats',
  omega2: 'ω² of language',
  eta2_item: 'η² of item',
  vector_share_language: 'share of the variance of pooled hook_z between languages; heads only',
} as const;
export type UnitChangeScore = keyof typeof UNIT_CHANGE_SCORES;

/** A score in both runs and its change, other − reference; [unit] each, layer by layer. */
export interface ScoreChange {
  readonly reference: Float64Array;
  readonly other: Float64Array;
  readonly delta: Float64Array;
  readonly se: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly p: Float64Array;
  readonly q: Float64Array;
}

/**
 * What changed in every unit of one type between the reference and another run; NaN where a score does not exist in both.
 * Intervals are paired delete-one-fold jackknives: the same fold left out in both runs. p is `pairedP`; q is
 * Benjamini–Hochberg over all units of the type.
 */
export interface UnitChanges {
  readonly label: string;
  readonly type: UnitType;
  readonly layout: UnitLayout;
  readonly scores: Readonly<Record<UnitChangeScore, ScoreChange>>;
  /** Index of the language the unit is selected for under the `reference` policy; −1 if it is not selected. */
  readonly languageReference: Int16Array;
  readonly languageOther: Int16Array;
}

/** A score of a layer's units over all folds, and with each fold left out. */
export interface Replicated {
  readonly full: Float64Array;
  readonly leftOut: readonly Float64Array[];
}

/** What a change is computed from, in one run's layer. */
export interface LayerReplicates {
  readonly full: SubsetScores;
  /** null: the run has no data for the score. */
  readonly scores: Readonly<Record<UnitChangeScore, Replicated | null>>;
}

export class UnitChangesBuilder {
  readonly changes: UnitChanges;
  #folds = 0;

  constructor(label: string, type: UnitType, layout: UnitLayout) {
    const { units } = layout;
    const column = () => new Float64Array(units).fill(Number.NaN);
    const change = (): ScoreChange => ({
      reference: column(),
      other: column(),
      delta: column(),
      se: column(),
      low: column(),
      high: column(),
      p: column(),
      q: column(),
    });
    this.changes = {
      label,
      type,
      layout,
      scores: {
        lape: change(),
        omega2: change(),
        eta2_item: change(),
        vector_share_language: change(),
      },
      languageReference: new Int16Array(units),
      languageOther: new Int16Array(units),
    };
  }

  add(layer: number, languages: number, reference: LayerReplicates, other: LayerReplicates): void {
    const at = this.changes.layout.starts[layer]!;
    this.changes.languageReference.set(reference.full.scopes[0]!.assignment, at);
    this.changes.languageOther.set(other.full.scopes[0]!.assignment, at);
    for (const [name, change] of Object.entries(this.changes.scores) as [UnitChangeScore, ScoreChange][]) {
      const [a, b] = [reference.scores[name], other.scores[name]];
      if (a === null || b === null) continue;
      this.#folds = a.leftOut.length;
      const { min, max } = boundsOf(name, languages);
      const { value, se, low, high } = paired(a.full, b.full, a.leftOut, b.leftOut, { min, max });
      change.reference.set(a.full, at);
      change.other.set(b.full, at);
      change.delta.set(value, at);
      change.se.set(se, at);
      change.low.set(low, at);
      change.high.set(high, at);
    }
  }

  /** p- and q-values, once all layers are in. */
  test(): void {
    for (const { delta, se, p, q } of Object.values(this.changes.scores)) {
      p.set(pairedP(delta, se, this.#folds));
      q.set(benjaminiHochberg(p));
    }
  }
}

/** How much a score can change: ω² has no lower bound. */
function boundsOf(score: UnitChangeScore, languages: number): { readonly min: number; readonly max: number } {
  if (score === 'omega2') return { min: -Infinity, max: Infinity };
  const most = score === 'lape' ? Math.log(languages) : 1;
  return { min: -most, max: most };
}
