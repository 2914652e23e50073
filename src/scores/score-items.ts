import type { ItemBlock, PooledGrid } from '../store/index.js';
import { type ItemEvaluator, type ItemParts, newItemValues } from './item-evaluator.js';
import type { ItemSamples } from './item-samples.js';
import { itemUncertainty, type Spread } from './item-uncertainty.js';
import type { LanguageArray, UnitArray } from './score-arrays.js';
import type { PieceHalves, ScoredPiece } from './scored-piece.js';
import type { ScoreName } from './types.js';

/** Units whose values are brought together at once, so that rows are read in runs of 128 or 256 bytes. */
const TILE_UNITS = 64;

export interface ItemScoring {
  readonly grid: PooledGrid;
  readonly evaluator: ItemEvaluator;
  readonly samples: ItemSamples;
  /** Intervals and p-values too. */
  readonly full: boolean;
}

/** Scores that are computed prompt by prompt, of a block of units. */
export function scoreItems(
  block: ItemBlock,
  { grid, evaluator, samples, full }: ItemScoring,
  scores: ReadonlySet<ScoreName>,
  halves: PieceHalves,
): Pick<ScoredPiece, 'ofUnits' | 'ofLanguages'> {
  const { unitStart, unitEnd } = block;
  const units = unitEnd - unitStart;
  const parts: ItemParts = {
    ranks: scores.has('ap') || scores.has('auroc'),
    mi: scores.has('mi'),
    // The p-values of the two-way decomposition come with the moments of selectivity.
    selectivity: scores.has('selectivity') || (full && scores.has('twoWay')),
    overlap: scores.has('overlap'),
  };
  const columns = new Columns(scores, units, grid.languages);
  const whole = newItemValues(grid.languages);
  for (const { unit, values } of unitValues(block, grid.row)) {
    if (!evaluator.load(values, parts)) continue;
    evaluator.evaluate(samples.whole, parts, whole);
    columns.languages('ap', unit, whole.ap);
    columns.languages('auroc', unit, whole.auroc);
    columns.languages('selectivity', unit, whole.selectivity);
    columns.languages('overlap', unit, whole.overlap);
    columns.unit('mi', 'mi', unit, whole.mi);
    columns.unit('overlap', 'overlap', unit, whole.overlapMean);
    scoreHalves(evaluator, samples, parts, halves, unitStart + unit, grid.languages);
    if (!full) continue;
    const { p, ...spreads } = itemUncertainty(evaluator, samples, parts, whole);
    for (const name of ['ap', 'auroc', 'selectivity', 'overlap'] as const) {
      columns.spreads(name, unit, spreads[name]);
    }
    columns.spread('mi', unit, spreads.mi);
    columns.spread('overlap', unit, spreads.overlapMean);
    for (const name of ['ap', 'auroc', 'selectivity'] as const) {
      columns.languages(`${name}_p`, unit, p[name], name);
    }
    columns.unit('selectivity', 'selectivity_best_p', unit, p.selectivityBest);
    columns.unit('mi', 'mi_p', unit, p.mi);
    columns.unit('twoWay', 'omega2_language_p', unit, p.twoWay);
  }
  return columns;
}

/**
 * The values [prompt] of each unit of a block, in order. What is yielded is overwritten by the next.
 *
 * @param row [prompt]: row of the block's cell, item · languages + language.
 */
export function* unitValues(
  { unitStart, unitEnd, values }: ItemBlock,
  row: Uint32Array,
): Generator<{ readonly unit: number; readonly values: Uint16Array | Float32Array }> {
  const units = unitEnd - unitStart;
  const prompts = row.length;
  const stored = 'bits' in values ? values.bits : values;
  const tile =
    stored instanceof Uint16Array
      ? new Uint16Array(TILE_UNITS * prompts)
      : new Float32Array(TILE_UNITS * prompts);
  for (let tileStart = 0; tileStart < units; tileStart += TILE_UNITS) {
    const tileUnits = Math.min(TILE_UNITS, units - tileStart);
    for (let n = 0; n < prompts; n++) {
      const at = row[n]! * units + tileStart;
      for (let j = 0; j < tileUnits; j++) tile[j * prompts + n] = stored[at + j]!;
    }
    for (let j = 0; j < tileUnits; j++) {
      yield { unit: tileStart + j, values: tile.subarray(j * prompts, (j + 1) * prompts) };
    }
  }
}

function scoreHalves(
  evaluator: ItemEvaluator,
  samples: ItemSamples,
  parts: ItemParts,
  halves: PieceHalves,
  unit: number,
  languages: number,
): void {
  const any =
    halves.get('ap') ??
    halves.get('auroc') ??
    halves.get('selectivity') ??
    halves.get('mi') ??
    halves.get('overlap');
  if (any === undefined) return;
  const [position, end] = any.within(unit, unit + 1);
  if (position === end) return;
  const values = newItemValues(languages);
  for (const [n, sample] of samples.halves.entries()) {
    const [split, side] = [n >> 1, n & 1];
    evaluator.evaluate(sample, parts, values);
    for (const name of ['ap', 'auroc', 'selectivity'] as const) {
      for (let k = 0; k < languages; k++) halves.get(name)?.set(split, side, k, position, values[name][k]!);
    }
    halves.get('apBest')?.set(split, side, 0, position, highest(values.ap));
    halves.get('mi')?.set(split, side, 0, position, values.mi);
    halves.get('overlap')?.set(split, side, 0, position, values.overlapMean);
  }
}

/** The highest of the values that are not NaN; NaN if none is. */
function highest(values: Float64Array): number {
  let most = Number.NaN;
  for (const value of values) if (!(value <= most) && !Number.isNaN(value)) most = value;
  return most;
}

/** Columns of a block, of which only those of scores that were asked for come to be. */
class Columns implements Pick<ScoredPiece, 'ofUnits' | 'ofLanguages'> {
  readonly ofUnits: Partial<Record<UnitArray, Float64Array>> = {};
  readonly ofLanguages: Partial<Record<LanguageArray, Float64Array>> = {};
  readonly #scores: ReadonlySet<ScoreName>;
  readonly #units: number;
  readonly #languages: number;

  constructor(scores: ReadonlySet<ScoreName>, units: number, languages: number) {
    this.#scores = scores;
    this.#units = units;
    this.#languages = languages;
  }

  unit(score: ScoreName, name: UnitArray, unit: number, value: number): void {
    if (!this.#scores.has(score)) return;
    this.ofUnits[name] ??= new Float64Array(this.#units).fill(Number.NaN);
    this.ofUnits[name][unit] = value;
  }

  languages(name: LanguageArray, unit: number, values: ArrayLike<number>, score: string = name): void {
    if (!(this.#scores as ReadonlySet<string>).has(score)) return;
    this.ofLanguages[name] ??= new Float64Array(this.#languages * this.#units).fill(Number.NaN);
    for (let k = 0; k < this.#languages; k++) this.ofLanguages[name][k * this.#units + unit] = values[k]!;
  }

  spread(name: 'mi' | 'overlap', unit: number, spread: Spread | undefined): void {
    if (spread === undefined) return;
    this.unit(name, `${name}_se`, unit, spread.se);
    this.unit(name, `${name}_low`, unit, spread.low);
    this.unit(name, `${name}_high`, unit, spread.high);
  }

  spreads(
    name: 'ap' | 'auroc' | 'selectivity' | 'overlap',
    unit: number,
    spreads: readonly Spread[] | undefined,
  ): void {
    if (spreads === undefined) return;
    for (const end of ['se', 'low', 'high'] as const) {
      this.languages(
        `${name}_${end}`,
        unit,
        spreads.map((spread) => spread[end]),
        name,
      );
    }
  }
}
