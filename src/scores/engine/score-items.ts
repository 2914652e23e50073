import type { ItemBlock, PooledGrid } from '../../store/index.js';
import type { PermutationTest, PromptScore, ScoreDefinition } from '../definition.js';
import type { ItemEvaluator } from '../samples/item-evaluator.js';
import type { ItemSamples } from '../samples/item-samples.js';
import { itemUncertainty } from '../samples/item-uncertainty.js';
import { type ItemParts, newItemValues, type Spread } from '../samples/item-values.js';
import type { Columns, PieceHalves } from './scored-piece.js';

/** Units whose values are brought together at once, so that rows are read in runs of 128 or 256 bytes. */
const TILE_UNITS = 64;

/** Passes that the scores, and with `full` the tests, of a block read. */
function partsOf(definitions: readonly ScoreDefinition[], full: boolean): ItemParts {
  const parts = definitions.flatMap((definition) => [
    ...(definition.from === 'prompts' ? [definition.part] : []),
    ...(full ? (definition.tests ?? []) : []).map(({ part }) => part),
  ]);
  const has = (part: keyof ItemParts) => parts.includes(part);
  return {
    ranks: has('ranks'),
    mi: has('mi'),
    selectivity: has('selectivity'),
    overlap: has('overlap'),
  };
}

/** Scores that are computed prompt by prompt, and permutation tests, of a block of units; with `full` their intervals and p-values too. */
export function scoreItems(
  block: ItemBlock,
  {
    grid,
    evaluator,
    samples,
    full,
  }: { grid: PooledGrid; evaluator: ItemEvaluator; samples: ItemSamples; full: boolean },
  definitions: readonly ScoreDefinition[],
  halves: PieceHalves,
): { readonly ofUnits: Columns; readonly ofLanguages: Columns } {
  const { unitStart, unitEnd } = block;
  const { languages } = grid;
  const units = unitEnd - unitStart;
  const scores = definitions.filter((definition): definition is PromptScore => definition.from === 'prompts');
  const tests = definitions.flatMap((definition): readonly PermutationTest[] => definition.tests ?? []);
  const parts = partsOf(definitions, full);
  const ofUnits: Record<string, Float64Array> = {};
  const ofLanguages: Record<string, Float64Array> = {};
  const set = (name: string, unit: number, value: number | ArrayLike<number>) => {
    if (typeof value === 'number') {
      ofUnits[name] ??= new Float64Array(units).fill(Number.NaN);
      ofUnits[name][unit] = value;
      return;
    }
    ofLanguages[name] ??= new Float64Array(languages * units).fill(Number.NaN);
    for (let k = 0; k < languages; k++) ofLanguages[name][k * units + unit] = value[k]!;
  };
  const whole = newItemValues(languages);
  for (const { unit, values } of unitValues(block, grid.row)) {
    if (!evaluator.load(values, parts)) continue;
    evaluator.evaluate(samples.whole, parts, whole);
    for (const { name, evaluate } of scores) set(name, unit, evaluate(whole));
    scoreHalves(evaluator, samples, parts, scores, halves, unitStart + unit, languages);
    if (!full) continue;
    const uncertainty = itemUncertainty(evaluator, samples, parts, whole);
    for (const { name, interval } of scores) {
      const spread = interval(uncertainty);
      for (const end of ['se', 'low', 'high'] as const) {
        if (spread !== undefined) set(`${name}_${end}`, unit, endOf(spread, end));
      }
    }
    for (const { name, of } of tests) set(`${name}_p`, unit, of(uncertainty.p));
  }
  return { ofUnits, ofLanguages };
}

function endOf(spread: Spread | readonly Spread[], end: keyof Spread): number | number[] {
  return 'se' in spread ? spread[end] : spread.map((own) => own[end]);
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
  scores: readonly PromptScore[],
  halves: PieceHalves,
  unit: number,
  languages: number,
): void {
  // All of them have the same sample.
  const any = scores.map(({ name }) => halves.get(name)).find((own) => own !== undefined);
  if (any === undefined) return;
  const [position, end] = any.within(unit, unit + 1);
  if (position === end) return;
  const values = newItemValues(languages);
  for (const [n, sample] of samples.halves.entries()) {
    const [split, side] = [n >> 1, n & 1];
    evaluator.evaluate(sample, parts, values);
    for (const { name, evaluate, reliability } of scores) {
      if (reliability === null) continue;
      const own = evaluate(values);
      if (typeof own === 'number') {
        halves.get(name)?.set(split, side, 0, position, own);
        continue;
      }
      for (let k = 0; k < languages; k++) halves.get(name)?.set(split, side, k, position, own[k]!);
      halves.get(`${name}_best`)?.set(split, side, 0, position, highest(own));
    }
  }
}

/** The highest of the values that are not NaN; NaN if none is. */
function highest(values: Float64Array): number {
  let most = Number.NaN;
  for (const value of values) if (!(value <= most) && !Number.isNaN(value)) most = value;
  return most;
}
