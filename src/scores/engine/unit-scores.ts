import { qOfCounts } from '../../stats/index.js';
import { type ScoredType, type Scratch, ScratchArray, type UnitLayout } from '../../store/index.js';
import { deadUnits } from '../selection/of-rates.js';
import { RateSummary } from '../selection/rate-summary.js';
import type { RateBlock } from '../selection/selection.js';
import type { Columns, ScoredPiece } from './scored-piece.js';

type Numbers = Float64Array | Float32Array;

/** Scores are kept in double precision; how sure they are needs no more than single. */
const SINGLE = /_(se|low|high|p|q)$/;
const Q = /_q$/;

/** Scores of some adjacent units: start … start + units − 1 of those of all layers. */
export interface UnitBlock {
  readonly type: ScoredType;
  readonly layout: UnitLayout;
  readonly languages: number;
  readonly start: number;
  readonly units: number;
  /** [unit − start]; null if nothing was computed. */
  ofUnits(name: string): Numbers | null;
  /** [language, unit − start]; null if nothing was computed. */
  ofLanguages(name: string): Numbers | null;
}

/**
 * Scores of every unit of a type while a run is scored, layer by layer. They lie on disk; held are a few numbers a unit that
 * selecting units and testing all of them together need.
 */
export class UnitScores {
  readonly type: ScoredType;
  readonly layout: UnitLayout;
  readonly languages: number;
  /** Units of all layers together. */
  readonly units: number;
  readonly #scratch: Scratch;
  readonly #ofUnits = new Map<string, ScratchArray>();
  readonly #ofLanguages = new Map<string, ScratchArray>();
  /** By name of the array: how many tests have each p. Those of permutations have few. */
  readonly #tests = new Map<string, Map<number, number>>();
  #dead = 0;
  #summary: RateSummary | null = null;

  constructor(type: ScoredType, layout: UnitLayout, languages: number, scratch: Scratch) {
    this.type = type;
    this.layout = layout;
    this.languages = languages;
    this.units = layout.units;
    this.#scratch = scratch;
  }

  /** Units whose rates are all 0. */
  get dead(): number {
    return this.#dead;
  }

  /** Selection goes by this; null if LAPE was not computed. */
  get summary(): RateSummary | null {
    return this.#summary;
  }

  has(name: string): boolean {
    return this.#ofLanguages.has(name);
  }

  /** Takes over what was computed of some units of a layer. @throws OutputError if the disk is full. */
  add({ layer, unitStart, ofUnits, ofLanguages }: ScoredPiece): void {
    const start = this.layout.starts[layer]! + unitStart;
    for (const [name, values] of entries(ofUnits)) this.#set(this.#ofUnits, name, 1, start, values);
    for (const [name, values] of entries(ofLanguages)) {
      this.#set(this.#ofLanguages, name, this.languages, start, values);
    }
    const { rate } = ofLanguages;
    if (rate === undefined) return;
    this.#dead += deadUnits(rate, this.languages).reduce((sum, dead) => sum + dead, 0);
    if (ofUnits.lape === undefined) return;
    this.#summary ??= new RateSummary(this.languages, this.units);
    this.#summary.add(start, rate, ofUnits.lape);
  }

  /** Blocks of units that together are all of them, in order. */
  *blocks(unitsAtOnce: number): Generator<UnitBlock> {
    const q = new Map(
      [...this.#tests].map(([name, counts]) => [name.replace(/_p$/, '_q'), qOfCounts(counts)]),
    );
    for (let start = 0; start < this.units; start += unitsAtOnce) {
      const end = Math.min(this.units, start + unitsAtOnce);
      const read = (arrays: ReadonlyMap<string, ScratchArray>, name: string): Numbers | null => {
        const own = q.get(name);
        const stored = arrays.get(own === undefined ? name : name.replace(Q, '_p'));
        const values = stored?.read(start, end) ?? null;
        return own === undefined || values === null ? values : values.map((p) => own.get(p) ?? Number.NaN);
      };
      yield {
        type: this.type,
        layout: this.layout,
        languages: this.languages,
        start,
        units: end - start,
        ofUnits: (name) => read(this.#ofUnits, name),
        ofLanguages: (name) => read(this.#ofLanguages, name),
      };
    }
  }

  /** The rates of all units, some at a time. */
  *rates(): Generator<RateBlock> {
    for (const block of this.blocks(RATE_UNITS)) {
      yield { start: block.start, rates: block.ofLanguages('rate') as Float64Array };
    }
  }

  #set(
    arrays: Map<string, ScratchArray>,
    name: string,
    rows: number,
    start: number,
    values: Float64Array,
  ): void {
    let array = arrays.get(name);
    if (array === undefined) {
      array = new ScratchArray(this.#scratch, rows, SINGLE.test(name) ? 'single' : 'double');
      arrays.set(name, array);
    }
    const kept = array.set(start, values);
    if (!name.endsWith('_p')) return;
    const counts = this.#tests.get(name) ?? new Map<number, number>();
    this.#tests.set(name, counts);
    for (const p of kept) if (!Number.isNaN(p)) counts.set(p, (counts.get(p) ?? 0) + 1);
  }
}

/** Units whose rates are read at a time. */
const RATE_UNITS = 16_384;

function entries(columns: Columns): [string, Float64Array][] {
  return Object.entries(columns).flatMap(([name, values]) => (values === undefined ? [] : [[name, values]]));
}
