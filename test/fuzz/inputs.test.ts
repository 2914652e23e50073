import { beforeAll, describe, expect, test } from 'vitest';
import { buildChild, fuzz } from './fuzz.js';
import { KINDS } from './kinds.js';

const SEEDS = 12;

beforeAll(buildChild);

describe.concurrent(`${SEEDS} damaged files of every kind are read, or refused with exit 2`, () => {
  test.each(KINDS.map(({ name }) => name))('%s', async (name) => {
    const { read, refused, faults, milliseconds } = await fuzz(name, 0, SEEDS);
    expect(faults).toEqual([]);
    expect(read + refused).toBe(SEEDS);
    expect(milliseconds).toBeLessThan(5_000);
  });
});
