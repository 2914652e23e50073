import type { ExpertSizes } from '../hooks/index.js';
import { qOfSorted, studentTQuantile } from '../stats/index.js';
import {
  expertOfUnit,
  ROW_GROUP_ROWS,
  type Scratch,
  ScratchArray,
  type TableValue,
  type UnitLayout,
  type UnitType,
} from '../store/index.js';
import type { ChangedScore, ChangeResult, ChangeTask } from './change-task.js';
import type { RunSource } from './inputs/run-source.js';
import { pairedP } from './paired-change.js';

/** A score, in a language if it has one there, of all units: arrays of one row [unit]. */
interface ChangeRow extends ChangedScore {
  readonly reference: ScratchArray;
  readonly other: ScratchArray;
  readonly se: ScratchArray;
  readonly p: ScratchArray;
}

/** Changes of all units of a type, gathered from pieces. */
export class ChangeTable {
  readonly #type: UnitType;
  readonly #sizes: ExpertSizes;
  readonly #layout: UnitLayout;
  readonly #units: number;
  readonly #scratch: Scratch;
  #rows: readonly ChangeRow[] = [];
  /** [unit] */
  readonly #miShift: Float32Array;

  constructor(run: RunSource, type: UnitType, scratch: Scratch) {
    this.#type = type;
    this.#sizes = run.manifest.shape;
    this.#layout = run.layout(type);
    this.#units = this.#layout.units;
    this.#scratch = scratch;
    this.#miShift = new Float32Array(this.#units);
  }

  add(
    { scores, reference, other, se, miShift }: ChangeResult,
    { layer, unitStart, unitEnd }: ChangeTask,
  ): void {
    if (this.#rows.length === 0) {
      this.#rows = scores.map((score) => ({
        ...score,
        reference: new ScratchArray(this.#scratch, 1),
        other: new ScratchArray(this.#scratch, 1),
        se: new ScratchArray(this.#scratch, 1, 'single'),
        p: new ScratchArray(this.#scratch, 1),
      }));
    }
    const n = unitEnd - unitStart;
    const start = this.#layout.starts[layer]! + unitStart;
    this.#miShift.set(miShift, start);
    for (const [row, own] of this.#rows.entries()) {
      own.reference.set(start, reference.subarray(row * n, (row + 1) * n));
      own.other.set(start, other.subarray(row * n, (row + 1) * n));
      own.se.set(start, se.subarray(row * n, (row + 1) * n));
    }
  }

  /** Columns of some rows at a time: score by score, language by language, unit by unit. */
  *rows(label: string, tags: readonly string[], folds: number): Generator<ArrayLike<TableValue>[]> {
    const t = folds < 2 ? Number.NaN : studentTQuantile(0.975, folds - 1);
    for (let first = 0; first < this.#rows.length; ) {
      const { score, language } = this.#rows[first]!;
      // A score's languages are tested together; what is over all languages by itself.
      const tested = this.#rows
        .slice(first)
        .filter((row) => row.score === score && (row.language === null) === (language === null));
      first += tested.length;
      const q = this.#test(tested, folds);
      const most = this.#most(score);
      for (const row of tested) {
        for (const block of this.#blocks(row)) {
          const { start, reference, other, delta, centre, se } = block;
          const places = Array.from(reference, (_, i) => {
            const layer = this.#layout.layerOf(start + i);
            return [layer, start + i - this.#layout.starts[layer]!] as const;
          });
          const constant = (value: string | null) => new Array<string | null>(places.length).fill(value);
          const p = row.p.read(start, start + places.length);
          yield [
            constant(label),
            constant(this.#type),
            places.map(([layer]) => layer),
            places.map(([, index]) => index),
            places.map(([layer, index]) => expertOfUnit(this.#sizes, this.#type, layer, index)),
            constant(score),
            constant(row.language === null ? null : tags[row.language]!),
            reference,
            other,
            delta,
            Float64Array.from(se),
            centre.map((value, i) => Math.max(-most, value - t * se[i]!)),
            centre.map((value, i) => Math.min(most, value + t * se[i]!)),
            p,
            p.map(q),
          ];
        }
      }
    }
  }

  /** Sets the p-values of rows that are tested together. @returns the q of each p. */
  #test(rows: readonly ChangeRow[], folds: number): (p: number) => number {
    const all = new Float64Array(rows.length * this.#units);
    for (const [i, row] of rows.entries()) {
      for (const { start, centre, se } of this.#blocks(row)) {
        const p = pairedP(centre, se, folds);
        row.p.set(start, p);
        all.set(p, i * this.#units + start);
      }
    }
    return qOfSorted(all);
  }

  /** A row's units, as many at a time as a row group has. `centre` is what the interval is about. */
  *#blocks({ score, reference, other, se }: ChangeRow) {
    for (let start = 0; start < this.#units; start += ROW_GROUP_ROWS) {
      const end = Math.min(this.#units, start + ROW_GROUP_ROWS);
      const [a, b] = [reference.read(start, end), other.read(start, end)];
      const delta = b.map((value, i) => value - a[i]!);
      const centre = score === 'mi' ? delta.map((value, i) => value - this.#miShift[start + i]!) : delta;
      yield { start, reference: a, other: b, delta, centre, se: se.read(start, end) };
    }
  }

  /** How much a score can change. */
  #most(score: ChangedScore['score']): number {
    const shares = [
      ...['exclusivity', 'ap', 'auroc', 'overlap', 'eta2_language', 'vector_share_item'],
      ...['pattern_first', 'pattern_previous'],
    ];
    return shares.includes(score) || (score === 'rate' && this.#type !== 'head') ? 1 : Infinity;
  }
}
