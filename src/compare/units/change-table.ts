import type { ExpertSizes } from '../../hooks/index.js';
import type { ScoreDefinition } from '../../scores/index.js';
import { qOfSorted, studentTQuantile } from '../../stats/index.js';
import {
  expertOfUnit,
  ROW_GROUP_ROWS,
  type Scratch,
  ScratchArray,
  type TableValue,
  type UnitLayout,
  type UnitType,
} from '../../store/index.js';
import type { RunSource } from '../inputs/run-source.js';
import { NOT_SELECTED } from '../inputs/tally.js';
import type { ChangedScore, ChangeResult, ChangeTask } from './change-task.js';
import { pairedP } from './paired-change.js';

/** A score, in a language if it has one there, of all units: arrays of one row [unit]. */
interface ChangeRow extends ChangedScore {
  readonly definition: ScoreDefinition;
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
  readonly #definitions: readonly ScoreDefinition[];
  readonly #rows = new Map<string, ChangeRow>();
  /** [unit] */
  readonly #miShift: Float32Array;
  /** [run][unit]: top language of a selected unit. */
  readonly #selected: readonly Int16Array[];

  constructor(run: RunSource, type: UnitType, definitions: readonly ScoreDefinition[], scratch: Scratch) {
    this.#type = type;
    this.#definitions = definitions;
    this.#sizes = run.manifest.shape;
    this.#layout = run.layout(type);
    this.#units = this.#layout.units;
    this.#scratch = scratch;
    this.#miShift = new Float32Array(this.#units);
    this.#selected = [0, 1].map(() => new Int16Array(this.#units).fill(NOT_SELECTED));
  }

  add(result: ChangeResult, { layer, unitStart, unitEnd }: ChangeTask): void {
    const { scores, miShift, selected } = result;
    const n = unitEnd - unitStart;
    const start = this.#layout.starts[layer]! + unitStart;
    this.#miShift.set(miShift, start);
    for (const [run, own] of selected.entries()) this.#selected[run]!.set(own, start);
    for (const [at, score] of scores.entries()) {
      const row = this.#row(score);
      for (const part of ['reference', 'other', 'se'] as const) {
        row[part].set(start, result[part].subarray(at * n, (at + 1) * n));
      }
    }
  }

  #row({ score, language }: ChangedScore): ChangeRow {
    const key = JSON.stringify([score, language]);
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    const definition = this.#definitions.find(({ name }) => name === score)!;
    const array = (precision: 'single' | 'double' = 'double') =>
      new ScratchArray(this.#scratch, 1, precision);
    const row = {
      score,
      language,
      definition,
      reference: array(),
      other: array(),
      se: array(definition.change === 'basic' ? 'double' : 'single'),
      p: array(),
    };
    this.#rows.set(key, row);
    return row;
  }

  /** Rows that are tested together: a score's languages, and what is over all languages by itself. */
  #tested(): ChangeRow[][] {
    const rows = [...this.#rows.values()].sort((a, b) => (a.language ?? -1) - (b.language ?? -1));
    return [...new Set(this.#definitions.map(({ name }) => name))].flatMap((name) => {
      const own = rows.filter(({ score }) => score === name);
      const isOverAll = ({ language }: ChangeRow) => language === null;
      return [own.filter((row) => !isOverAll(row)), own.filter(isOverAll)].filter(({ length }) => length > 0);
    });
  }

  /** Columns of some rows at a time: score by score, language by language, unit by unit. */
  *rows(label: string, tags: readonly string[], folds: number): Generator<ArrayLike<TableValue>[]> {
    const t = folds < 2 ? Number.NaN : studentTQuantile(0.975, folds - 1);
    const language = (k: number) => (k === NOT_SELECTED ? null : tags[k]!);
    for (const tested of this.#tested()) {
      const { score, definition } = tested[0]!;
      const q = this.#test(tested, folds);
      const most = definition.span(tags.length, this.#type);
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
            ...this.#selected.map((own) => Array.from(own.subarray(start, start + places.length), language)),
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
}
