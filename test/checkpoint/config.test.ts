import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { positiveInteger, readConfigField } from '../../src/checkpoint/config/config-field.js';
import { readRope } from '../../src/checkpoint/config/rope.js';
import { CheckpointError } from '../../src/errors.js';

describe('readConfigField', () => {
  const checkpoint = { folder: '/models/m', config: { hidden_size: 64, heads: '8', head_dim: null } };

  it('returns a field that fits the schema; null counts as absent', () => {
    expect(readConfigField(checkpoint, 'hidden_size', positiveInteger)).toBe(64);
    expect(readConfigField(checkpoint, 'head_dim', positiveInteger.optional())).toBeUndefined();
    expect(readConfigField(checkpoint, 'attention_bias', z.boolean().default(true))).toBe(true);
  });

  it('names file, field and value otherwise', () => {
    const read = (field: string) => () => readConfigField(checkpoint, field, positiveInteger);
    expect(read('heads')).toThrow(/^\/models\/m\/config\.json: field "heads" is unusable[\s\S]*found: +"8"/);
    expect(read('layers')).toThrow(/field "layers" is missing/);
    expect(read('head_dim')).toThrow(CheckpointError);
  });
});

describe('readRope', () => {
  // The values of Llama 3.2's config.json.
  const llama3 = {
    factor: 32,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  };

  it('has theta 10000 and no scaling where config.json says nothing', () => {
    expect(readRope({})).toEqual({ type: 'default', theta: 10_000, partialRotaryFactor: 1 });
    expect(readRope({ rope_theta: 1e6, rope_scaling: null })).toMatchObject({ type: 'default', theta: 1e6 });
  });

  it('reads the same from rope_scaling with type or rope_type and from rope_parameters', () => {
    const expected = {
      type: 'llama3',
      theta: 500_000,
      partialRotaryFactor: 1,
      factor: 32,
      lowFreqFactor: 1,
      highFreqFactor: 4,
      originalMaxPositions: 8192,
    };
    expect(readRope({ rope_theta: 500_000, rope_scaling: { rope_type: 'llama3', ...llama3 } })).toEqual(
      expected,
    );
    expect(readRope({ rope_theta: 500_000, rope_scaling: { type: 'llama3', ...llama3 } })).toEqual(expected);
    expect(readRope({ rope_parameters: { rope_type: 'llama3', rope_theta: 500_000, ...llama3 } })).toEqual(
      expected,
    );
  });

  it('reads linear, dynamic, yarn and longrope', () => {
    expect(readRope({ rope_scaling: { type: 'linear', factor: 2 } })).toMatchObject({
      type: 'linear',
      factor: 2,
    });
    expect(readRope({ rope_scaling: { type: 'dynamic', factor: 4 } })).toMatchObject({
      originalMaxPositions: null,
    });
    const yarn = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32_768 };
    expect(readRope({ rope_scaling: yarn })).toMatchObject({
      betaFast: 32,
      betaSlow: 1,
      attentionFactor: null,
    });
    const su = { type: 'su', short_factor: [1, 1.1], long_factor: [2, 3] };
    expect(readRope({ rope_scaling: su, original_max_position_embeddings: 4096 })).toMatchObject({
      type: 'longrope',
      shortFactor: [1, 1.1],
      longFactor: [2, 3],
      originalMaxPositions: 4096,
    });
  });

  it('refuses unknown types, unusable numbers and contradictions', () => {
    expect(() => readRope({ rope_scaling: { type: 'spiral' } })).toThrow(/unknown type[\s\S]*spiral/);
    expect(() => readRope({ rope_scaling: { type: 'linear' } }, '/m/config.json')).toThrow(
      /config\.json, rope_scaling: field "factor"/,
    );
    expect(() => readRope({ rope_theta: -1 })).toThrow(/rope_theta/);
    expect(() => readRope({ rope_scaling: 'linear' })).toThrow(CheckpointError);
    const both = { rope_scaling: { type: 'linear', factor: 2 }, rope_parameters: { rope_type: 'default' } };
    expect(() => readRope(both)).toThrow(/contradict/);
    const types = (theta: number) => ({
      full_attention: { rope_type: 'default', rope_theta: 100 },
      sliding_attention: { rope_theta: theta, rope_type: 'default' },
    });
    expect(() => readRope({ rope_parameters: types(200) })).toThrow(/differ between layer types/);
    expect(readRope({ rope_parameters: types(100) }).theta).toBe(100);
    const sliding = { layerType: 'sliding_attention' };
    expect(readRope({ rope_parameters: types(200) }, 'config.json', sliding).theta).toBe(200);
  });
});
