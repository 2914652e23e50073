import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { samplingFloor } from '../../src/compare/floors.js';

const oneTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);
const numbers = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 60 });

describe('samplingFloor', () => {
  test('describes each distribution by its 5th, 50th and 95th percentile (R-7)', () => {
    const { withinFrom, across } = samplingFloor(oneTo(101), oneTo(101), oneTo(21), 'difference');
    expect(withinFrom).toEqual([6, 51, 96]);
    expect(across).toEqual([2, 11, 20]);
  });

  test('bounds a difference by the larger of the two 95th percentiles', () => {
    const narrow = oneTo(101);
    const wide = narrow.map((v) => 2 * v);
    const across = [...new Array(95).fill(193), ...new Array(5).fill(191)];
    expect(samplingFloor(narrow, wide, across, 'difference').shareOutside).toBe(0.95);
    expect(samplingFloor(wide, narrow, across, 'difference').shareOutside).toBe(0.95);
    expect(samplingFloor(narrow, narrow, across, 'difference').shareOutside).toBe(1);
  });

  test('bounds a similarity by the smaller of the two 5th percentiles', () => {
    const high = oneTo(101).map((v) => 1 - v / 1000);
    const low = oneTo(101).map((v) => 0.9 - v / 1000);
    const { shareOutside, verdict } = samplingFloor(high, low, [0.8, 0.81, 0.79, 0.85], 'similarity');
    expect(shareOutside).toBe(0.5);
    expect(verdict).toBe('not distinguishable from sampling');
    expect(samplingFloor(high, low, [0.1, 0.2], 'similarity').verdict).toBe('changed');
    // More alike than the halves of one run is no change.
    expect(samplingFloor(high, low, [1, 1], 'similarity').shareOutside).toBe(0);
  });

  test('calls a change from 95 % of the across values on', () => {
    const within = oneTo(101);
    const with94 = [...new Array(94).fill(200), ...new Array(6).fill(1)];
    const with95 = [...new Array(95).fill(200), ...new Array(5).fill(1)];
    expect(samplingFloor(within, within, with94, 'difference').verdict).toBe(
      'not distinguishable from sampling',
    );
    expect(samplingFloor(within, within, with95, 'difference').verdict).toBe('changed');
  });

  test('counts a value on the bound as inside, so that ties are no change', () => {
    const same = new Array<number>(50).fill(0.3);
    for (const direction of ['difference', 'similarity'] as const) {
      const floor = samplingFloor(same, same, [...same, ...same], direction);
      expect(floor.shareOutside).toBe(0);
      expect(floor.verdict).toBe('not distinguishable from sampling');
    }
  });

  test('does not measure what cannot be computed in some half, and says in how many', () => {
    const floor = samplingFloor([0.1, Number.NaN, 0.2], [0.1, 0.2, 0.3], [0.1, 0.2], 'difference');
    expect(floor.verdict).toBe('not measured');
    expect(floor.shareOutside).toBeNull();
    expect(floor.withinFrom).toBeNull();
    expect(floor.withinTo).not.toBeNull();
    expect(floor.note).toBe('cannot be computed in 1 of 3 split halves within the first run');
  });

  test('a run against itself is never a change, whatever its halves give', () => {
    fc.assert(
      fc.property(
        numbers,
        fc.constantFrom('difference' as const, 'similarity' as const),
        (values, direction) => {
          const across = values.flatMap((value) => [value, value]);
          return (
            samplingFloor(values, values, across, direction).verdict === 'not distinguishable from sampling'
          );
        },
      ),
    );
  });

  test('exchanging the runs changes neither the share nor the verdict', () => {
    fc.assert(
      fc.property(numbers, numbers, numbers, (a, b, across) => {
        const there = samplingFloor(a, b, across, 'difference');
        const back = samplingFloor(b, a, [...across].reverse(), 'difference');
        return there.shareOutside === back.shareOutside && there.verdict === back.verdict;
      }),
    );
  });
});
