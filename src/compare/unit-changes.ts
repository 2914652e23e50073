import { benjaminiHochberg, studentTQuantile } from '../stats/index.js';
import type { UnitLayout, UnitType } from '../store/index.js';
import type { Comparison } from './comparison.js';
import type { SubsetScores } from './inputs/layer-scores.js';
import type { LayerUnits } from './inputs/run-source.js';
import { paired, pairedP } from './paired-change.js';

/**
 * Where a fresh comparison carries its unit table: a symbol, so that the table is no part of comparison.json, and
 * neither `JSON.stringify` nor a reader of the file meets it.
 */
export const unitChanges: unique symbol = Symbol('babelscope.unitChanges');

/** What `compareRuns` returns; one table a unit type and run but the reference. */
export type ComparisonWithChanges = Comparison & { readonly [unitChanges]: readonly UnitChanges[] };

/** Scores whose change every comparison gives, as `changes.parquet` names them. */
export const UNIT_CHANGE_SCORES = {
  lape: 'LAPE, nats',
  omega2: 'ω² of language',
  eta2_item: 'η² of item',
  vector_share_language: 'share of the variance of pooled hook_z between languages; heads only',
} as const;
export type UnitChangeScore = keyof typeof UNIT_CHANGE_SCORES;

/** What the interval of a change is made of. */
interface Spread {
  /** Folds that were left out, one at a time. */
  readonly folds: number;
  /** How much the score can change. */
  readonly most: number;
}

/** A score in both runs and its change, other − reference, of some units. Arrays are [unit]; what follows from others is computed when asked for. */
export class ScoreChange {
  readonly reference: Float64Array;
  readonly other: Float64Array;
  readonly se: Float64Array;
  readonly q: Float64Array;
  readonly #spread: Spread;

  constructor(
    { reference, other, se, q }: Pick<ScoreChange, 'reference' | 'other' | 'se' | 'q'>,
    spread: Spread,
  ) {
    this.reference = reference;
    this.other = other;
    this.se = se;
    this.q = q;
    this.#spread = spread;
  }

  /** Units start … end − 1. */
  range(start: number, end: number): ScoreChange {
    const part = (values: Float64Array) => values.subarray(start, end);
    const { reference, other, se, q } = this;
    return new ScoreChange(
      { reference: part(reference), other: part(other), se: part(se), q: part(q) },
      this.#spread,
    );
  }

  get delta(): Float64Array {
    return this.other.map((value, u) => value - this.reference[u]!);
  }

  get low(): Float64Array {
    return this.#end(-1);
  }

  get high(): Float64Array {
    return this.#end(1);
  }

  get p(): Float64Array {
    return pairedP(this.delta, this.se, this.#spread.folds);
  }

  #end(side: -1 | 1): Float64Array {
    const { folds, most } = this.#spread;
    const t = side * studentTQuantile(0.975, folds - 1);
    return this.delta.map((value, u) => Math.max(-most, Math.min(most, value + t * this.se[u]!)));
  }
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
  /** null: no unit of the type has the score in both runs. */
  readonly scores: Readonly<Record<UnitChangeScore, ScoreChange | null>>;
  /** Index of the language the unit is selected for under the `reference` policy; −1 if it is not selected. */
  readonly languageReference: Int16Array;
  readonly languageOther: Int16Array;
}

/** A score of some units over all folds, and with each fold left out. */
export interface Replicated {
  readonly full: Float64Array;
  readonly leftOut: readonly Float64Array[];
}

/** What a change is computed from, of some units of one run. */
export interface LayerReplicates {
  readonly full: SubsetScores;
  /** null: the run has no data for the score. */
  readonly scores: Readonly<Record<UnitChangeScore, Replicated | null>>;
}

export type ChangePart = (typeof CHANGE_PARTS)[number];
export const CHANGE_PARTS = ['reference', 'other', 'delta', 'se', 'low', 'high', 'p', 'q'] as const;

export class UnitChangesBuilder {
  readonly changes: UnitChanges;
  readonly #scores: Record<UnitChangeScore, ScoreChange | null> = {
    lape: null,
    omega2: null,
    eta2_item: null,
    vector_share_language: null,
  };

  constructor(label: string, type: UnitType, layout: UnitLayout) {
    const { units } = layout;
    this.changes = {
      label,
      type,
      layout,
      scores: this.#scores,
      languageReference: new Int16Array(units),
      languageOther: new Int16Array(units),
    };
  }

  /** Adds units of a layer. */
  add(
    { layer, unitStart }: Pick<LayerUnits, 'layer' | 'unitStart'>,
    languages: number,
    reference: LayerReplicates,
    other: LayerReplicates,
  ): void {
    const { layout, languageReference, languageOther } = this.changes;
    const at = layout.starts[layer]! + unitStart;
    languageReference.set(reference.full.scopes[0]!.assignment, at);
    languageOther.set(other.full.scopes[0]!.assignment, at);
    for (const name of Object.keys(UNIT_CHANGE_SCORES) as UnitChangeScore[]) {
      const [a, b] = [reference.scores[name], other.scores[name]];
      if (a === null || b === null) continue;
      const column = () => new Float64Array(layout.units).fill(Number.NaN);
      this.#scores[name] ??= new ScoreChange(
        { reference: column(), other: column(), se: column(), q: column() },
        { folds: a.leftOut.length, most: mostOf(name, languages) },
      );
      const change = this.#scores[name];
      change.reference.set(a.full, at);
      change.other.set(b.full, at);
      change.se.set(paired(a.full, b.full, a.leftOut, b.leftOut).se, at);
    }
  }

  /** q-values, once all units are in. */
  test(): void {
    for (const change of Object.values(this.#scores)) change?.q.set(benjaminiHochberg(change.p));
  }
}

/** How much a score can change: ω² has no lower bound. */
function mostOf(score: UnitChangeScore, languages: number): number {
  if (score === 'omega2') return Infinity;
  return score === 'lape' ? Math.log(languages) : 1;
}
