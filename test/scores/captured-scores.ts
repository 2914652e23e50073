/** Scores of captured runs beside those that test/reference/make_captured_scores.py computed from transformers' activations. */
import { expect } from 'vitest';
import type { Table } from '../../src/store/files/table.js';

export const TAGS = ['en', 'de', 'uk'];

export type ByLanguage = readonly (readonly number[])[];
/** [language][unit]: least and most over the orders of values that rounding may exchange. */
type Bounds = readonly (readonly (readonly [number, number])[])[];
export interface Scored {
  readonly ap: Bounds;
  readonly auroc: Bounds;
  readonly eta2Language: readonly number[];
  readonly eta2Item: readonly number[];
}
/** A column of a layer's units, [unit], or of its units in one language. */
export function column(table: Table, name: string, type: string, layer: number, tag?: string): number[] {
  const of = (key: string) => table.columns.get(key)!;
  const rows = [...of('type').keys()].filter(
    (row) =>
      of('type')[row] === type &&
      of('layer')[row] === layer &&
      (tag === undefined || of('language')[row] === tag),
  );
  return rows.map((row) => of(name)[row] as number);
}

/** How far two lists are apart, sorted. */
export function distances(found: readonly number[], answers: readonly number[]): number[] {
  expect(found.length).toBe(answers.length);
  return found.map((value, i) => Math.abs(value - answers[i]!)).sort((a, b) => a - b);
}

/**
 * Fails unless AP and AUROC of a layer's units from `first` on lie within their bounds.
 *
 * @returns of each whether the bounds are one value
 */
export function expectRanked(
  languages: Table,
  type: string,
  layer: number,
  expected: Pick<Scored, 'ap' | 'auroc'>,
  first = 0,
): boolean[] {
  return (['ap', 'auroc'] as const).flatMap((score) =>
    TAGS.flatMap((tag, k) => {
      const bounds = expected[score][k]!;
      const found = column(languages, score, type, layer, tag);
      expect(found.length).toBe(bounds.length);
      return bounds.slice(first).map(([low, high], u) => {
        const what = `${score} of ${type} ${layer}.${first + u}`;
        expect(found[first + u], what).toBeGreaterThanOrEqual(low - 1e-9);
        expect(found[first + u], what).toBeLessThanOrEqual(high + 1e-9);
        return high - low < 1e-9;
      });
    }),
  );
}

/** Fails unless η² of a layer's units from `first` on are those expected. */
export function expectTwoWay(
  units: Table,
  type: string,
  layer: number,
  { eta2Language, eta2Item }: Pick<Scored, 'eta2Language' | 'eta2Item'>,
  first = 0,
): void {
  for (const [name, answers] of [
    ['eta2_language', eta2Language],
    ['eta2_item', eta2Item],
  ] as const) {
    const found = column(units, name, type, layer);
    expect(distances(found.slice(first), answers.slice(first)).at(-1), name).toBeLessThan(1e-3);
  }
}
