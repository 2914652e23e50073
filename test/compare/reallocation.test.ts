import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NOT_SELECTED, PairTally } from '../../src/compare/inputs/tally.js';
import { ReallocationBuilder } from '../../src/compare/profile.js';

const K = 3;
/** Two runs' assignments of the same units. */
const assignments = fc
  .array(
    fc.tuple(fc.integer({ min: NOT_SELECTED, max: K - 1 }), fc.integer({ min: NOT_SELECTED, max: K - 1 })),
  )
  .map((pairs) => [Int16Array.from(pairs, ([a]) => a), Int16Array.from(pairs, ([, b]) => b)] as const);

function reallocation(a: Int16Array, b: Int16Array) {
  const builder = new ReallocationBuilder(K);
  builder.add(a, b);
  return builder.finish('a', 'b');
}

describe('reallocation', () => {
  test('exchanging the runs transposes the matrix, and gained with lost', () => {
    fc.assert(
      fc.property(assignments, ([a, b]) => {
        const there = reallocation(a, b);
        const back = reallocation(b, a);
        expect(back.matrix).toEqual(there.matrix.map((_, column) => there.matrix.map((row) => row[column])));
        expect([back.gained, back.lost, back.kept]).toEqual([there.lost, there.gained, there.kept]);
      }),
    );
  });

  test('permuting the languages permutes rows and columns', () => {
    const order = [2, 0, 1];
    const permuted = (values: Int16Array) => values.map((k) => (k === NOT_SELECTED ? k : order.indexOf(k)));
    fc.assert(
      fc.property(assignments, ([a, b]) => {
        const axis = [...order, K];
        const { matrix } = reallocation(a, b);
        expect(reallocation(permuted(a), permuted(b)).matrix).toEqual(
          axis.map((row) => axis.map((column) => matrix[row]![column])),
        );
      }),
    );
  });

  test('its cells are the counts behind Jaccard and the share that keeps its language', () => {
    fc.assert(
      fc.property(assignments, ([a, b]) => {
        const { matrix, gained, lost, kept } = reallocation(a, b);
        const tally = new PairTally(1);
        tally.add(0, a, b);
        expect(tally.both[0]).toBe(kept);
        expect(tally.either[0]).toBe(gained + lost + kept);
        expect(tally.sameLanguage[0]).toBe([0, 1, 2].reduce((sum, k) => sum + matrix[k]![k]!, 0));
        expect(matrix[K]![K]).toBe(0);
      }),
    );
  });
});
