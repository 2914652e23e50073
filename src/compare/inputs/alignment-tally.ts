import { alignmentOver, type PairAlignment } from '../../scores/index.js';
import { ratio } from '../quantities/quantity.js';
import type { Scope } from './layer-scores.js';

/** As in `alignment` of scores/: cosine margin, and MEXA retrieval. */
const ALIGNMENT_MEASURES = ['margin', 'mexa'] as const;
type AlignmentMeasure = (typeof ALIGNMENT_MEASURES)[number];

/** Means over pairs of languages, of a run, over every subset of folds. */
export class AlignmentTally {
  readonly #scopes: readonly Scope[];
  readonly #folds: readonly (readonly number[])[];
  readonly #layers: number;
  /** [scope, layer, subset]. */
  readonly #values: Readonly<Record<AlignmentMeasure, Float64Array>>;

  constructor(scopes: readonly Scope[], folds: readonly (readonly number[])[], layers: number) {
    const size = scopes.length * layers * folds.length;
    this.#scopes = scopes;
    this.#folds = folds;
    this.#layers = layers;
    this.#values = { margin: new Float64Array(size), mexa: new Float64Array(size) };
  }

  add(layer: number, pairs: readonly PairAlignment[]): void {
    for (const [subset, folds] of this.#folds.entries()) {
      const aligned = pairs.map(({ a, b, sums }) => ({ a, b, ...alignmentOver(sums, folds) }));
      for (const [scope, { languages }] of this.#scopes.entries()) {
        const own = aligned.filter(({ a, b }) => languages.includes(a) && languages.includes(b));
        for (const measure of ALIGNMENT_MEASURES) {
          const sum = own.reduce((total, pair) => total + pair[measure], 0);
          this.#values[measure][this.#at(scope, layer, subset)] = ratio(sum, own.length);
        }
      }
    }
  }

  /** NaN where some pair has none; `layer` null: mean over layers. */
  value(measure: AlignmentMeasure, scope: number, layer: number | null, subset: number): number {
    const of = (l: number) => this.#values[measure][this.#at(scope, l, subset)]!;
    if (layer !== null) return of(layer);
    let sum = 0;
    for (let l = 0; l < this.#layers; l++) sum += of(l);
    return sum / this.#layers;
  }

  #at(scope: number, layer: number, subset: number): number {
    return (scope * this.#layers + layer) * this.#folds.length + subset;
  }
}
