import { describe, expect, it } from 'vitest';
import { openModel } from '../../src/models/open-model.js';
import { type Edit, filled, without } from './edit-graph.js';
import { expectEditNoticed, expectNoticed, openFixture } from './fixture.js';

const [FULL, SLIDING] = ['full_attention', 'sliding_attention'];
const YARN = {
  rope_type: 'yarn',
  factor: 4,
  original_max_position_embeddings: 16,
  beta_fast: 4,
  beta_slow: 0.5,
  mscale: 0.7,
  mscale_all_dim: 0.3,
  truncate: false,
};

describe('the fixtures of dense families notice', () => {
  it.each<[what: string, name: string, change: Record<string, unknown>]>([
    ['another rope base', 'qwen2-tied-bf16', { rope_theta: 900_000 }],
    [
      'another rope base in rope_parameters',
      'mistral-rope-parameters-f32',
      { rope_parameters: { rope_type: 'default', rope_theta: 4500 } },
    ],
    ['rope scaling left out', 'llama-linear-f16', { rope_scaling: null }],
    ['llama3 scaling left out', 'llama-llama3-sharded-bf16', { rope_scaling: null }],
    [
      'llama3 scaling of other bounds',
      'llama-llama3-sharded-bf16',
      {
        rope_scaling: {
          rope_type: 'llama3',
          factor: 8,
          low_freq_factor: 1,
          high_freq_factor: 5,
          original_max_position_embeddings: 32,
        },
      },
    ],
    ['a window wider by one', 'mistral-window-bf16', { sliding_window: 4 }],
    ['no window', 'mistral-window-bf16', { sliding_window: null }],
    ['a window from one layer later', 'qwen2-window-f32', { max_window_layers: 2, layer_types: null }],
    ['an exact for an approximate GELU', 'llama-llama3-sharded-bf16', { hidden_act: 'gelu' }],
    ['an approximate for an exact GELU', 'qwen2-window-f32', { hidden_act: 'gelu_new' }],
    ['another epsilon', 'olmo2-bf16', { rms_norm_eps: 1e-2 }],
    ['biases left out', 'olmo2-bias-f32', { attention_bias: false }],
    ['dynamic scaling left out', 'llama-dynamic-f32', { rope_scaling: null }],
    ['a longer original context of dynamic scaling', 'llama-dynamic-f32', { max_position_embeddings: 9 }],
    ['yarn scaling left out', 'llama-yarn-f16', { rope_scaling: null }],
    ['yarn without its mscale', 'llama-yarn-f16', { rope_scaling: { ...YARN, mscale: null } }],
    ['yarn with whole bounds', 'llama-yarn-f16', { rope_scaling: { ...YARN, truncate: true } }],
    ['yarn with other bounds', 'llama-yarn-f16', { rope_scaling: { ...YARN, beta_slow: 0.7 } }],
    ['yarn scaling left out', 'qwen3-yarn-window-f32', { rope_scaling: null }],
    ['a window from one layer later', 'qwen3-yarn-window-f32', { max_window_layers: 3, layer_types: null }],
    ['no window though there are layer types', 'qwen3-yarn-window-f32', { use_sliding_window: false }],
    ['queries, keys and values beyond their limit', 'olmo-clip-bf16', { clip_qkv: null }],
    ['another limit', 'olmo-clip-bf16', { clip_qkv: 0.9 }],
    ['a window in every layer', 'olmo3-yarn-bf16', { layer_types: Array(4).fill('sliding_attention') }],
    ['a window in no layer', 'olmo3-yarn-bf16', { layer_types: Array(4).fill('full_attention') }],
    ['scaling of no layer', 'olmo3-yarn-bf16', { rope_scaling: null }],
    ['an exact for an approximate GELU', 'gemma-bf16', { hidden_act: 'gelu' }],
    ['scores without cap', 'gemma2-caps-bf16', { attn_logit_softcapping: null }],
    ['logits without cap', 'gemma2-caps-bf16', { final_logit_softcapping: null }],
    ['scores scaled by the size of heads', 'gemma2-caps-bf16', { query_pre_attn_scalar: 6 }],
    ['windows in odd layers', 'gemma2-caps-bf16', { layer_types: [FULL, SLIDING, FULL] }],
    ['one rope for all layers', 'gemma3-local-rope-f32', { rope_local_base_freq: 2000 }],
    ['scaling of the global rope left out', 'gemma3-local-rope-f32', { rope_scaling: null }],
    ['other windows', 'gemma3-local-rope-f32', { layer_types: null, sliding_window_pattern: 2 }],
    ['a context in which no prompt is long', 'phi3-longrope-bf16', { original_max_position_embeddings: 13 }],
    ['a context in which another is', 'phi3-longrope-bf16', { original_max_position_embeddings: 5 }],
    ['a longer context, which sharpens scores', 'phi3-longrope-bf16', { max_position_embeddings: 96 }],
    ['a wider window', 'phi3-longrope-bf16', { sliding_window: 7 }],
    ['the table in place of a head of its own', 'llama-linear-f16', { tie_word_embeddings: true }],
    ['rope in every layer', 'smollm3-bf16', { no_rope_layers: [1, 1, 1] }],
    ['no window where there is no rope', 'smollm3-window-f32', { use_sliding_window: false }],
    ['embeddings not multiplied', 'granite-bf16', { embedding_multiplier: 1 }],
    ['scores multiplied as usual', 'granite-bf16', { attention_multiplier: 6 ** -0.5 }],
    ['halves of layers not multiplied', 'granite-bf16', { residual_multiplier: 1 }],
    ['logits not divided', 'granite-bf16', { logits_scaling: 1 }],
    ['logits not multiplied', 'cohere-bf16', { logit_scale: 1 }],
    ['queries and keys not normalised', 'cohere-qk-norm-f32', { use_qk_norm: false }],
    ['rope and a window in every layer', 'cohere2-bf16', { layer_types: [SLIDING, SLIDING, SLIDING] }],
  ])('%s: %s', (_, name, change) => expectNoticed(name, change));

  it.each<[what: string, name: string, edit: Edit]>([
    ['queries of a head not normalised', 'qwen3-bf16', without('RMSNormalization', /q_norm/)],
    ['keys of a head not normalised', 'qwen3-bf16', without('RMSNormalization', /k_norm/)],
    ['all queries not normalised', 'olmo2-bf16', without('RMSNormalization', /q_norm/)],
    ['all keys not normalised', 'olmo2-bf16', without('RMSNormalization', /k_norm/)],
    ['attention not normalised', 'olmo2-bf16', without('RMSNormalization', /post_attention_layernorm/)],
    ['MLPs not normalised', 'olmo3-yarn-bf16', without('RMSNormalization', /post_feedforward_layernorm/)],
    ['norms by w in place of 1 + w', 'gemma-bf16', without('Add', /layernorm\.weight/)],
    ['embeddings not multiplied', 'gemma-bf16', without('Mul', /embed_tokens/)],
    ['attention not normalised', 'gemma2-caps-bf16', without('RMSNormalization', /post_attention_layernorm/)],
    ['MLPs not normalised', 'gemma2-caps-bf16', without('RMSNormalization', /post_feedforward_layernorm/)],
    ['queries not normalised', 'gemma3-local-rope-f32', without('RMSNormalization', /q_norm/)],
    ['heads not rotated', 'phi3-longrope-bf16', without('RotaryEmbedding', /qkv_proj/)],
    ['biases of queries left out', 'qwen2-tied-bf16', filled(/q_proj\.bias/, 0)],
  ])('%s: %s', (_, name, edit) => expectEditNoticed(name, edit));
});

describe('refused, for the weights are of another model:', () => {
  it.each<[what: string, name: string, change: Record<string, unknown>, message: RegExp]>([
    [
      'heads of the size that the model divides into',
      'qwen2-tied-bf16',
      { head_dim: null },
      /q_proj\.weight/,
    ],
    ['heads of no size of their own', 'qwen3-bf16', { head_dim: null }, /there is no head_dim/],
    ['another rotated share', 'phi3-longrope-bf16', { partial_rotary_factor: 0.5 }, /"short_factor"/],
  ])('%s: %s', async (_, name, change, message) => {
    const { checkpoint } = await openFixture(name);
    const open = () => openModel({ ...checkpoint, config: { ...checkpoint.config, ...change } });
    expect(open).toThrow(message);
  });
});
