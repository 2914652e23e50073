import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { UnitLayer } from '../../src/compare/inputs/layer-scores.js';
import { RunSource } from '../../src/compare/inputs/run-source.js';

const FIXTURE = fileURLToPath(new URL('../fixtures/compare/base', import.meta.url));

const SCOPES = [
  { group: null, languages: [0, 1, 2] },
  { group: 'two', languages: [0, 2] },
  { group: 'one', languages: [1] },
];

/** Columns start … end − 1 of an array [row, column]. */
function columnsOf(values: ArrayLike<number>, columns: number, start: number, end: number): number[] {
  return Array.from(values).filter((_, i) => i % columns >= start && i % columns < end);
}

test.each([
  ['neuron', 1],
  ['head', 4],
] as const)(
  'any units of a layer of %ss have the sums that they have among all of it',
  async (type, headDim) => {
    const run = await RunSource.open(FIXTURE);
    const units = run.layout(type).widths[1]!;
    expect(run.blocks(type, 1)).toEqual([{ layer: 1, unitStart: 0, unitEnd: units }]);
    const whole = await run.readUnits(type, { layer: 1, unitStart: 0, unitEnd: units }, SCOPES);
    expect(whole.twoWay.map((sums) => sums?.languages)).toEqual([3, 2, undefined]);
    expect(whole.twoWay[1]!.items).toEqual(Float64Array.of(4, 4, 4, 4, 4, 3));
    for (const [unitStart, unitEnd] of [
      [0, 2],
      [2, units],
    ] as const) {
      const part = await run.readUnits(type, { layer: 1, unitStart, unitEnd }, SCOPES);
      expect(part).toMatchObject({ unitStart, shape: { units: unitEnd - unitStart } });
      expect([...part.sums]).toEqual(columnsOf(whole.sums, units, unitStart, unitEnd));
      for (const [of, width] of [
        [(layer: UnitLayer) => layer.twoWay[0], 1],
        [(layer: UnitLayer) => layer.twoWay[1], 1],
        [(layer: UnitLayer) => (type === 'head' ? layer.vectors : layer.twoWay[1]), headDim],
      ] as const) {
        const [own, all] = [of(part)!, of(whole)!];
        for (const name of ['sum', 'itemSquare', 'square'] as const) {
          expect([...own[name]]).toEqual(
            columnsOf(all[name], units * width, unitStart * width, unitEnd * width),
          );
        }
      }
    }
  },
);

test('a layer is read in blocks whose fold sums and pooled values fit into memory', async () => {
  const run = await RunSource.open(FIXTURE);
  const { shape, plan } = run.manifest;
  const large = (folds: number, items: number) =>
    Object.assign(Object.create(run), {
      manifest: {
        ...run.manifest,
        shape: { ...shape, dMlp: 18_944 },
        plan: { ...plan, folds, items: new Array(items).fill(plan.items[0]) },
      },
    }) as RunSource;
  const widths = (source: RunSource) =>
    source.blocks('neuron', 0).map(({ unitStart, unitEnd }) => unitEnd - unitStart);
  // 3 languages; 64 MiB of sums, 256 MiB of half-precision values.
  expect(widths(large(20, 1000))).toEqual([18_944]);
  expect(widths(large(400, 1000))).toEqual([6314, 6315, 6315]);
  expect(widths(large(20, 4000))).toEqual([9472, 9472]);
});

test('a run says which units it records and which items every language has', async () => {
  const run = await RunSource.open(FIXTURE);
  expect(run.types).toEqual(['neuron', 'head']);
  expect(run.grid!.complete).toHaveLength(23);
  await expect(RunSource.open(join(FIXTURE, 'nowhere'))).rejects.toThrow('manifest');
});
