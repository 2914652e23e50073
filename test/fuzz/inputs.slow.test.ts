import { beforeAll, describe, expect, test } from 'vitest';
import { buildChild, fuzz } from './fuzz.js';
import { KINDS } from './kinds.js';

// Slow because it damages a hundred files of every kind. `FUZZ_SEEDS=10000` tries more, which takes hours.
const SEEDS = Number(process.env.FUZZ_SEEDS ?? 100);

beforeAll(buildChild);

describe(`${SEEDS} damaged files of every kind are read, or refused with exit 2`, () => {
  test.each(KINDS.map(({ name }) => name))('%s', async (name) => {
    const { read, refused, faults, milliseconds, bytes } = await fuzz(name, 0, SEEDS);
    console.log(
      `${name}: ${read} read, ${refused} refused, at most ${milliseconds.toFixed(0)} ms, ${(bytes / 1e6).toFixed(0)} MB`,
    );
    expect(faults).toEqual([]);
    expect(read + refused).toBe(SEEDS);
    expect(milliseconds).toBeLessThan(10_000);
  });
});
