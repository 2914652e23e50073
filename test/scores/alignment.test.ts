import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DotProducts, openDotProducts } from '../../src/runtime/dot-products.js';
import {
  type Alignment,
  alignment,
  alignmentOver,
  alignmentSums,
  unitVectors,
} from '../../src/scores/definitions/alignment.js';
import { scoreRun } from '../../src/scores/engine/score-run.js';
import { readScores } from '../../src/scores/tables/read-scores.js';
import { type Interval, jackknife } from '../../src/stats/intervals/jackknife.js';
import { Draws } from '../../src/stats/sampling/random.js';
import { temporaryFolder } from '../store/temporary-folder.js';
import { ALIGNED_TAGS, aligned, readStream, writeAlignedRun } from '../support/aligned-runs.js';
import { writeSyntheticRun } from '../support/synthetic-run.js';

const { items: ITEMS, languages: K, dimension: D } = aligned;

/** [item, dimension] of a language. */
function languageOf(stream: Float32Array, k: number): Float32Array {
  return Float32Array.from(
    { length: ITEMS * D },
    (_, at) => stream[(Math.floor(at / D) * K + k) * D + (at % D)]!,
  );
}

describe('margin and MEXA are those of scikit-learn’s cosines and a literal reading of the definition', () => {
  test.each(['base', 'tuned'])('%s', async (run) => {
    for (const [layer, pairs] of aligned.pairs[run]!.entries()) {
      const stream = await readStream(run, layer);
      for (const pair of pairs) {
        const found = await alignment(languageOf(stream, pair.a), languageOf(stream, pair.b), D);
        expect(found.items).toBe(pair.items);
        expect(found.same).toBeCloseTo(pair.same, 6);
        expect(found.different).toBeCloseTo(pair.different, 6);
        expect(found.margin).toBeCloseTo(pair.margin[0], 6);
        expect(found.mexa).toBeCloseTo(pair.mexa[0], 12);
      }
    }
  });
});

/** Items that languages share a little of. */
function drawn(
  seed: number,
  items: number,
  dimension: number,
  shared = 1,
  common = 1,
): [Float32Array, Float32Array] {
  const draws = new Draws(seed);
  const values = () => Float32Array.from({ length: items * dimension }, () => draws.gaussian());
  const [meaning, a, b] = [values(), values(), values()];
  const offset = common * draws.gaussian();
  const language = (own: Float32Array) => own.map((x, at) => x + shared * meaning[at]! + offset);
  return [language(a), language(b)];
}

/** MEXA, and how close the closest call is. */
function literally(a: Float32Array, b: Float32Array, d: number): { mexa: number; closest: number } {
  const items = a.length / d;
  const cosine = (i: number, j: number) => {
    let [product, x, y] = [0, 0, 0];
    for (let k = 0; k < d; k++) {
      product += a[i * d + k]! * b[j * d + k]!;
      x += a[i * d + k]! ** 2;
      y += b[j * d + k]! ** 2;
    }
    return product / Math.sqrt(x * y);
  };
  let retrieved = 0;
  let closest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < items; i++) {
    let best = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < items; j++) if (j !== i) best = Math.max(best, cosine(i, j), cosine(j, i));
    closest = Math.min(closest, Math.abs(cosine(i, i) - best));
    if (cosine(i, i) > best) retrieved++;
  }
  return { mexa: retrieved / items, closest };
}

const SETS = fc.record({
  seed: fc.integer({ min: 0, max: 1e6 }),
  items: fc.integer({ min: 2, max: 40 }),
  dimension: fc.integer({ min: 2, max: 30 }),
});

function expectAlike(found: Alignment, expected: Alignment): void {
  expect(found.items).toBe(expected.items);
  expect(found.margin).toBeCloseTo(expected.margin, 5);
  expect(found.mexa).toBeCloseTo(expected.mexa, 12);
}

describe('what must not matter', () => {
  test('the order of the two languages, of items, the length of each vector, and a rotation of the stream change nothing', async () => {
    await fc.assert(
      fc.asyncProperty(SETS, async ({ seed, items, dimension: d }) => {
        const [a, b] = drawn(seed, items, d);
        const { mexa, closest } = literally(a, b, d);
        fc.pre(closest > 1e-5);
        const whole = await alignment(a, b, d);
        expect(whole.mexa).toBeCloseTo(mexa, 12);
        expectAlike(await alignment(b, a, d), whole);
        const backwards = (values: Float32Array) =>
          values.map((_, at) => values[(items - 1 - Math.floor(at / d)) * d + (at % d)]!);
        expectAlike(await alignment(backwards(a), backwards(b), d), whole);
        const scaled = a.map((x, at) => x * (0.01 + (7 * Math.floor(at / d)) ** 2));
        expectAlike(await alignment(scaled, b, d), whole);
        const turn = rotation(seed, d);
        expectAlike(await alignment(turn(a), turn(b), d), whole);
      }),
      { numRuns: 25 },
    );
  });

  test('over folds it is that of the items of these folds alone', async () => {
    const [a, b] = drawn(5, 200, 16);
    const foldOf = Uint32Array.from({ length: 200 }, (_, i) => (i * 7) % 40);
    const products = await openDotProducts(16);
    const sums = await alignmentSums(
      unitVectors(a.slice(), 16),
      unitVectors(b.slice(), 16),
      foldOf,
      40,
      products,
    );
    await products.release();
    for (const chosen of [[0, 39], [31, 32, 33], [...foldOf.keys()].slice(0, 40)]) {
      const own = [...foldOf.keys()].filter((i) => chosen.includes(foldOf[i]!));
      const of = (values: Float32Array) =>
        Float32Array.from(own.flatMap((i) => [...values.subarray(i * 16, (i + 1) * 16)]));
      expectAlike(alignmentOver(sums, chosen), await alignment(of(a), of(b), 16));
    }
  });

  test('cosines that float32 cannot order are ordered in float64', async () => {
    // Item i differs from the others by 1e-4 in one dimension of a common vector: rivals are 5e-9 away in cosine.
    const [items, d] = [64, 128];
    const values = Float32Array.from(
      { length: items * d },
      (_, at) => 1 + (at % d === Math.floor(at / d) ? 1e-4 : 0),
    );
    const { mexa } = await alignment(values, values, d);
    expect(mexa).toBe(1);
  });
});

/** An orthogonal matrix, as reflections at random directions. */
function rotation(seed: number, d: number): (values: Float32Array) => Float32Array {
  const draws = new Draws(seed + 1);
  const axes = Array.from({ length: 3 }, () => {
    const axis = Array.from({ length: d }, () => draws.gaussian());
    const length = Math.hypot(...axis);
    return axis.map((x) => x / length);
  });
  return (values) => {
    const turned = Float64Array.from(values);
    for (let row = 0; row < values.length; row += d) {
      for (const axis of axes) {
        let along = 0;
        for (let k = 0; k < d; k++) along += turned[row + k]! * axis[k]!;
        for (let k = 0; k < d; k++) turned[row + k]! -= 2 * along * axis[k]!;
      }
    }
    return Float32Array.from(turned);
  };
}

describe('edge cases', () => {
  test('an item that has a twin ties with it and is not retrieved, whatever its length', async () => {
    const [a, b] = drawn(1, 30, 24, 4);
    expect((await alignment(a, b, 24)).mexa).toBe(1);
    // Items 30 … 59 are items 0 … 29 again, at twice their length: every one has a twin.
    const twice = (values: Float32Array) => Float32Array.of(...values, ...values.map((x) => 2 * x));
    expect((await alignment(twice(a), twice(b), 24)).mexa).toBe(0);
    // One twin, in one language only, takes both out, and no other.
    const one = a.slice();
    one.set(a.subarray(0, 24), 24);
    expect((await alignment(one, b, 24)).mexa).toBeCloseTo(28 / 30, 12);
  });

  test('where all items are the same vector nothing is retrieved and the margin is 0', async () => {
    const [a, b] = drawn(2, 1, 12);
    const repeat = (values: Float32Array) => Float32Array.from({ length: 120 }, (_, at) => values[at % 12]!);
    const { margin, mexa } = await alignment(repeat(a), repeat(b), 12);
    expect(margin).toBeCloseTo(0, 6);
    expect(mexa).toBe(0);
  });

  test('items that a language lacks, and zero vectors, are neither queries nor candidates', async () => {
    const [a, b] = drawn(3, 20, 8);
    const [withoutA, withoutB] = [a.slice(), b.slice()];
    withoutA.fill(Number.NaN, 3 * 8, 4 * 8);
    withoutB.fill(0, 9 * 8, 10 * 8);
    const rest = (values: Float32Array) =>
      values.filter((_, at) => Math.floor(at / 8) !== 3 && Math.floor(at / 8) !== 9);
    const found = await alignment(withoutA, withoutB, 8);
    expect(found.items).toBe(18);
    expectAlike(found, await alignment(rest(a), rest(b), 8));
  });

  test('fewer than two items have neither margin nor MEXA: NaN, not 0', async () => {
    const none = { same: Number.NaN, different: Number.NaN, margin: Number.NaN, mexa: Number.NaN };
    const [a, b] = drawn(4, 2, 8);
    expect(await alignment(a.subarray(8), b.subarray(8), 8)).toEqual({ items: 1, ...none });
    expect(await alignment(a, new Float32Array(16), 8)).toEqual({ items: 0, ...none });
    expect(await alignment(a, new Float32Array(16).fill(Number.NaN), 8)).toEqual({ items: 0, ...none });
  });
});

describe('sampling', () => {
  const [ITEMS_DRAWN, DIMENSION, FOLDS] = [60, 12, 20];
  const foldOf = Uint32Array.from({ length: ITEMS_DRAWN }, (_, i) => i % FOLDS);
  let products: DotProducts;
  beforeAll(async () => {
    products = await openDotProducts(DIMENSION, 1);
  });
  afterAll(() => products.release());
  const sample = (seed: number, shared: number) => {
    const [a, b] = drawn(seed, ITEMS_DRAWN, DIMENSION, shared, 0);
    const [from, to] = [unitVectors(a, DIMENSION), unitVectors(b, DIMENSION)];
    return alignmentSums(from, to, foldOf, FOLDS, products);
  };

  test('vectors that have nothing to do with each other are retrieved 1 time in 2 items − 1', async () => {
    let sum = 0;
    for (let seed = 0; seed < 600; seed++) sum += alignmentOver(await sample(seed, 0)).mexa;
    // The standard error of the mean is 0.0007.
    expect(Math.abs(sum / 600 - 1 / (2 * ITEMS_DRAWN - 1))).toBeLessThan(0.0022);
  });

  test('the 95 % jackknife intervals of 1,000 samples of 60 items hold the mean over samples in 92 to 98 % of them', async () => {
    const every = Array.from({ length: FOLDS }, (_, fold) => fold);
    const intervals: { margin: Interval; mexa: Interval }[] = [];
    for (let seed = 0; seed < 1000; seed++) {
      const sums = await sample(10_000 + seed, 1);
      const value = alignmentOver(sums);
      const left = every.map((fold) =>
        alignmentOver(
          sums,
          every.filter((other) => other !== fold),
        ),
      );
      intervals.push({
        margin: jackknife(
          value.margin,
          left.map(({ margin }) => margin),
        ),
        mexa: jackknife(
          value.mexa,
          left.map(({ mexa }) => mexa),
        ),
      });
    }
    for (const name of ['margin', 'mexa'] as const) {
      const truth = intervals.reduce((sum, { [name]: { value } }) => sum + value, 0) / intervals.length;
      const held = intervals.filter(({ [name]: { low, high } }) => low <= truth && truth <= high).length;
      expect(Math.abs(held / intervals.length - 0.95), name).toBeLessThan(0.03);
    }
  });
});

describe('a scored run', () => {
  let run: string;
  beforeAll(async () => {
    run = await mkdtemp(join(tmpdir(), 'babelscope-alignment-'));
    await writeAlignedRun(run, 'base');
  });
  afterAll(() => rm(run, { recursive: true, force: true }));

  test('alignment.parquet has a row a layer and two languages, with NumPy’s jackknife intervals', async () => {
    const summary = await scoreRun(run, { scores: ['alignment'], splits: 10, threads: 1 });
    const { rows, columns, metadata } = await readScores(run, 'alignment');
    const expected = aligned.pairs.base!.flatMap((pairs, layer) => pairs.map((pair) => ({ ...pair, layer })));
    expect(rows).toBe(expected.length);
    const column = (name: string) => columns.get(name) as readonly number[];
    for (const [row, { a, b, layer, items, leftOut, same, different, ...scores }] of expected.entries()) {
      expect(columns.get('language_a')![row]).toBe(ALIGNED_TAGS[a]);
      expect(columns.get('language_b')![row]).toBe(ALIGNED_TAGS[b]);
      expect([column('layer')[row], column('items')[row], column('left_out')[row]]).toEqual([
        layer,
        items,
        leftOut,
      ]);
      expect(column('cosine_same')[row]).toBeCloseTo(same, 6);
      expect(column('cosine_different')[row]).toBeCloseTo(different, 6);
      expect(column('mexa_chance')[row]).toBeCloseTo(1 / (2 * items - 1), 12);
      for (const name of ['margin', 'mexa'] as const) {
        ['', '_se', '_low', '_high'].forEach((end, i) => {
          expect(column(`${name}${end}`)[row], `${name}${end}`).toBeCloseTo(scores[name][i]!, 6);
        });
      }
    }
    expect(metadata.schema).toBe('babelscope/alignment');
    expect(metadata.pooled).toMatch(/^mean over counted tokens/);
    expect(summary.skipped).toEqual([]);
    expect(summary.alignment).toEqual({ pairs: 6, layers: 2 });
    const scored = summary.reliability.slice(-2).map(({ type, score, units }) => [type, score, units]);
    expect(scored).toEqual([
      ['residual', 'margin', 12],
      ['residual', 'mexa', 12],
    ]);
    for (const { halves } of summary.reliability.slice(-2)) expect(halves).toBeGreaterThan(-1);
  });

  test('folds without an item of two languages are no groups of their jackknife', async () => {
    const sparse = await temporaryFolder();
    // The second language has the items of folds 0, 1 and 2 of ten alone.
    const [items, folds, dimension] = [40, 10, 24];
    const draws = new Draws(11);
    const stream = Float32Array.from({ length: items * 2 * dimension }, (_, at) =>
      Math.floor(at / dimension) % 2 === 1 && Math.floor(at / dimension / 2) % folds > 2
        ? Number.NaN
        : draws.gaussian(),
    );
    await writeSyntheticRun(sparse, {
      languages: ['en', 'de'],
      layers: 1,
      items,
      folds,
      residual: () => stream,
    });
    await scoreRun(sparse, { scores: ['alignment'], splits: 3, threads: 1 });
    const { columns } = await readScores(sparse, 'alignment');
    const over = (chosen: readonly number[]) => {
      const own = Array.from({ length: items }, (_, i) => i).filter((i) => chosen.includes(i % folds));
      const vectors = (k: number) =>
        Float32Array.from(
          own.flatMap((i) => [...stream.subarray((i * 2 + k) * dimension, (i * 2 + k + 1) * dimension)]),
        );
      return alignment(vectors(0), vectors(1), dimension);
    };
    const value = await over([0, 1, 2]);
    const left = await Promise.all([over([1, 2]), over([0, 2]), over([0, 1])]);
    for (const name of ['margin', 'mexa'] as const) {
      const { se, low, high } = jackknife(
        value[name],
        left.map((one) => one[name]),
        name === 'mexa' ? { min: 0, max: 1 } : { min: -2, max: 2 },
      );
      const found = ['', '_se', '_low', '_high'].map((end) => columns.get(`${name}${end}`)![0]);
      expect(found).toEqual([value[name], se, low, high].map((x) => expect.closeTo(x, 5)));
    }
  });

  test('the number of threads changes no byte', async () => {
    const bytes = await readFile(join(run, 'alignment.parquet'));
    await scoreRun(run, { scores: ['alignment'], splits: 10, threads: 2 });
    expect((await readFile(join(run, 'alignment.parquet'))).equals(bytes)).toBe(true);
  });

  test('DuckDB reads the table', async () => {
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    const reader = await connection.runAndReadAll(
      `select count(*), count(distinct (language_a, language_b)), max(abs(cosine_same - cosine_different - margin)) < 1e-12
       from '${run}/alignment.parquet'`,
    );
    expect(reader.getRowsJson()).toEqual([['12', '6', true]]);
  });

  test('scored again without alignment, the table of the earlier scoring is gone', async () => {
    const again = await temporaryFolder();
    await writeAlignedRun(again, 'base');
    await scoreRun(again, { scores: ['alignment'], splits: 2, threads: 1 });
    expect((await readdir(again)).filter((name) => name.endsWith('.parquet'))).toContain('alignment.parquet');
    const { alignment: none } = await scoreRun(again, {
      scores: ['lape'],
      splits: 2,
      threads: 1,
      overwrite: true,
    });
    expect(none).toBeNull();
    expect(await readdir(again)).not.toContain('alignment.parquet');
    await expect(readScores(again, 'alignment')).rejects.toThrow(/alignment.parquet/);
  });

  test('a run without the pooled residual stream, or without shared items, says why it has no alignment', async () => {
    const reasonOf = async (options: Parameters<typeof writeSyntheticRun>[1]) => {
      const folder = await temporaryFolder();
      await writeSyntheticRun(folder, { layers: 1, neurons: 4, items: 12, folds: 4, ...options });
      const asked = await scoreRun(folder, { scores: ['alignment'], splits: 2, threads: 1 });
      await expect(readFile(join(folder, 'alignment.parquet'))).rejects.toThrow(/ENOENT/);
      return asked.skipped.find(({ score }) => score === 'alignment')!.reason;
    };
    const residual = () => new Float32Array(12 * 4 * 24).fill(1);
    expect(await reasonOf({})).toMatch(/no residual stream; capture with --hooks hook_resid_post/);
    const apart = await reasonOf({
      residual,
      manifest: (manifest) => ({ ...manifest, probe: { ...manifest.probe, parallel: false } }),
    });
    expect(apart).toMatch(/the items of a language are its own/);
    const alone = { languages: ['en'], residual: () => new Float32Array(12 * 24).fill(1) };
    expect(await reasonOf(alone)).toMatch(/one language/);
  });
});
