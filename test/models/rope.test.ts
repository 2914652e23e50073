import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readRope } from '../../src/checkpoint/config/rope.js';
import { rotationOf } from '../../src/models/config/rope.js';
import { openModel } from '../../src/models/open-model.js';
import { FIXTURES, openFixture } from './fixture.js';

interface Recorded {
  readonly headDim: number;
  readonly maxPositions: number;
  readonly config: Record<string, unknown>;
  readonly inverseFrequencies: readonly number[];
  /** By which the rotated elements are multiplied. */
  readonly factor: number;
  /** Of prompts beyond the original length; null where they are rotated like others. */
  readonly longer: readonly number[] | null;
}

const recorded = JSON.parse(
  readFileSync(new URL('../fixtures/models/rope.json', import.meta.url), 'utf8'),
) as Record<string, Recorded>;

/** Three roundings of a float32: transformers computes in float32 throughout. */
const RELATIVE_TOLERANCE = 3 * 2 ** -23;

it.each(Object.entries(recorded))('the rotation of %s is that of transformers', (_, row) => {
  const { headDim, maxPositions } = row;
  const found = rotationOf(readRope(row.config), { headDim, maxPositions, where: 'config.json' });
  expectFrequencies(found.inverseFrequencies, row.inverseFrequencies);
  expect(found.factor).toBeCloseTo(row.factor, 12);
  if (row.longer === null) expect(found.longer).toBe(null);
  else if (found.longer !== null && 'inverseFrequencies' in found.longer)
    expectFrequencies(found.longer.inverseFrequencies, row.longer);
  else expect.unreachable('no frequencies for longer prompts');
});

function expectFrequencies(found: Float32Array, expected: readonly number[]): void {
  expect(found).toHaveLength(expected.length);
  for (const [i, frequency] of expected.entries()) {
    expect(Math.abs(found[i]! / frequency - 1)).toBeLessThanOrEqual(RELATIVE_TOLERANCE);
  }
}

type Config = Readonly<Record<string, unknown>>;

/** What transformers 4 wrote of ropes, as transformers 5 writes it. */
function inRopeParameters(config: Config): Config {
  if (config.text_config !== undefined)
    return { ...config, text_config: inRopeParameters(config.text_config as Config) };
  const {
    rope_theta,
    rope_scaling,
    rope_local_base_freq,
    partial_rotary_factor,
    rotary_pct,
    rotary_emb_base,
    ...rest
  } = config;
  const { type, ...scaling } = (rope_scaling ?? {}) as Config;
  const share = partial_rotary_factor ?? rotary_pct;
  const global = {
    rope_type: type ?? 'default',
    ...scaling,
    rope_theta: rope_theta ?? rotary_emb_base,
    ...(share === undefined ? {} : { partial_rotary_factor: share }),
  };
  const local = { rope_type: 'default', rope_theta: rope_local_base_freq };
  return {
    ...rest,
    rope_parameters:
      rope_local_base_freq === undefined ? global : { full_attention: global, sliding_attention: local },
  };
}

it.each(
  readdirSync(FIXTURES, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !/^(gpt2|bloom|xglm|mistral-rope)/.test(entry.name))
    .map(({ name }) => name),
)('ropes of %s in the spelling of transformers 5 are the same', async (name) => {
  const { checkpoint } = await openFixture(name);
  const config = inRopeParameters(checkpoint.config);
  expect(JSON.stringify(config)).not.toMatch(/rope_theta.*rope_scaling|rope_local_base_freq|rotary_pct/);
  const [older, newer] = [openModel(checkpoint), openModel({ ...checkpoint, config })];
  for (let layer = 0; layer < older.shape.layers; layer++)
    expect(newer.layer(layer, []).bytes).toEqual(older.layer(layer, []).bytes);
});
