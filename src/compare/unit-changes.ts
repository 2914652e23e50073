import type { UnitType } from '../scores/types.js';
import { benjaminiHochberg } from '../stats/benjamini-hochberg.js';
import type { ScopeScores, SubsetScores } from './layer-scores.js';
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

/**
 * What changed in every unit of one type between the reference and another run. Arrays are [unit], layer by layer; NaN
 * where a score does not exist in both runs. Intervals are paired delete-one-fold jackknives: the same fold left out
 * in both runs. p is of Student's t = Δ/SE with G − 1 degrees of freedom, two-sided, so that p < 0.05 is a 95 % interval
 * without 0 (before clipping); of a unit that no fold moves it is 1 if Δ = 0, else NaN. q is Benjamini–Hochberg over all
 * units of the type.
 */
export interface UnitChanges {
  readonly label: string;
  readonly type: UnitType;
  readonly unitsPerLayer: number;
  /** Nats, in the reference and in the other run. */
  readonly lapeReference: Float64Array;
  readonly lapeOther: Float64Array;
  /** other − reference. */
  readonly deltaLape: Float64Array;
  readonly deltaLapeSe: Float64Array;
  readonly deltaLapeLow: Float64Array;
  readonly deltaLapeHigh: Float64Array;
  readonly deltaLapeP: Float64Array;
  readonly deltaLapeQ: Float64Array;
  readonly omega2Reference: Float64Array;
  readonly omega2Other: Float64Array;
  readonly deltaOmega2: Float64Array;
  readonly deltaOmega2Se: Float64Array;
  readonly deltaOmega2Low: Float64Array;
  readonly deltaOmega2High: Float64Array;
  readonly deltaOmega2P: Float64Array;
  readonly deltaOmega2Q: Float64Array;
  /** Index of the language the unit is selected for under the `reference` policy; −1 if it is not selected. */
  readonly languageReference: Int16Array;
  readonly languageOther: Int16Array;
}

/** One run's layer over all folds, and with each fold left out. */
export interface LayerReplicates {
  readonly full: SubsetScores;
  readonly leaveOneOut: readonly ScopeScores[];
}

export class UnitChangesBuilder {
  readonly changes: UnitChanges;
  #folds = 0;

  constructor(label: string, type: UnitType, layers: number, unitsPerLayer: number) {
    const column = () => new Float64Array(layers * unitsPerLayer).fill(Number.NaN);
    this.changes = {
      label,
      type,
      unitsPerLayer,
      lapeReference: column(),
      lapeOther: column(),
      deltaLape: column(),
      deltaLapeSe: column(),
      deltaLapeLow: column(),
      deltaLapeHigh: column(),
      deltaLapeP: column(),
      deltaLapeQ: column(),
      omega2Reference: column(),
      omega2Other: column(),
      deltaOmega2: column(),
      deltaOmega2Se: column(),
      deltaOmega2Low: column(),
      deltaOmega2High: column(),
      deltaOmega2P: column(),
      deltaOmega2Q: column(),
      languageReference: new Int16Array(layers * unitsPerLayer),
      languageOther: new Int16Array(layers * unitsPerLayer),
    };
  }

  add(layer: number, languages: number, reference: LayerReplicates, other: LayerReplicates): void {
    const c = this.changes;
    const [a, b] = [reference.full.scopes[0]!, other.full.scopes[0]!];
    this.#folds = reference.leaveOneOut.length;
    const at = layer * c.unitsPerLayer;
    const bound = Math.log(languages);
    const lape = paired(
      a.lape,
      b.lape,
      reference.leaveOneOut.map((left) => left.lape),
      other.leaveOneOut.map((left) => left.lape),
      { min: -bound, max: bound },
    );
    c.lapeReference.set(a.lape, at);
    c.lapeOther.set(b.lape, at);
    c.deltaLape.set(lape.value, at);
    c.deltaLapeSe.set(lape.se, at);
    c.deltaLapeLow.set(lape.low, at);
    c.deltaLapeHigh.set(lape.high, at);
    c.languageReference.set(a.assignment, at);
    c.languageOther.set(b.assignment, at);
    if (a.omega2 === null || b.omega2 === null) return;
    const omega2 = paired(
      a.omega2,
      b.omega2,
      reference.leaveOneOut.map((left) => left.omega2!),
      other.leaveOneOut.map((left) => left.omega2!),
    );
    c.omega2Reference.set(a.omega2, at);
    c.omega2Other.set(b.omega2, at);
    c.deltaOmega2.set(omega2.value, at);
    c.deltaOmega2Se.set(omega2.se, at);
    c.deltaOmega2Low.set(omega2.low, at);
    c.deltaOmega2High.set(omega2.high, at);
  }
  /** p- and q-values, once all layers are in. */
  test(): void {
    const c = this.changes;
    c.deltaLapeP.set(pairedP(c.deltaLape, c.deltaLapeSe, this.#folds));
    c.deltaOmega2P.set(pairedP(c.deltaOmega2, c.deltaOmega2Se, this.#folds));
    c.deltaLapeQ.set(benjaminiHochberg(c.deltaLapeP));
    c.deltaOmega2Q.set(benjaminiHochberg(c.deltaOmega2P));
  }
}
