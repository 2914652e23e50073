import { readdirSync } from 'node:fs';
import { fromBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { CheckpointError } from '../../src/errors.js';
import { ModelProtoSchema, TensorProto_DataLocation } from '../../src/graph/onnx/onnx_pb.js';
import { openModel } from '../../src/models/open-model.js';
import { Tensor } from '../support/onnxruntime.js';
import { constant, type Edit, filled, instead, promoted, without } from './edit-graph.js';
import { expectEditNoticed, expectNoticed, FIXTURES, openFixture, TOLERANCE } from './fixture.js';
import { runGraph } from './run-model.js';

const MIXTURES = readdirSync(FIXTURES).filter((name) =>
  /^(mixtral|qwen\d-moe|olmoe|gpt-oss|deepseek)/.test(name),
);

const [FULL, SLIDING] = ['full_attention', 'sliding_attention'];
const YARN = {
  type: 'yarn',
  factor: 4,
  original_max_position_embeddings: 16,
  beta_fast: 4,
  beta_slow: 0.5,
};

describe('the fixtures of mixtures notice', () => {
  it.each<[what: string, name: string, change: Record<string, unknown>]>([
    ['another rope base', 'mixtral-window-bf16', { rope_theta: 10_000 }],
    ['the table in place of a head of its own', 'mixtral-window-bf16', { tie_word_embeddings: true }],
    ['another epsilon', 'mixtral-window-bf16', { rms_norm_eps: 1e-2 }],
    ['another activation', 'mixtral-window-bf16', { hidden_act: 'gelu' }],
    ['a window wider by one', 'mixtral-window-bf16', { sliding_window: 5 }],
    ['no window', 'mixtral-window-bf16', { sliding_window: null }],
    ['an expert fewer', 'mixtral-window-bf16', { num_experts_per_tok: 1 }],
    ['an expert more', 'qwen2-moe-bf16', { num_experts_per_tok: 4 }],
    ['weights of experts renormalised', 'qwen2-moe-bf16', { norm_topk_prob: true }],
    ['weights of experts not renormalised', 'qwen2-moe-step-f32', { norm_topk_prob: false }],
    ['biases left out', 'qwen2-moe-bf16', { qkv_bias: false }],
    ['weights of experts not renormalised', 'qwen3-moe-bf16', { norm_topk_prob: false }],
    ['a window wider by one', 'qwen3-moe-bf16', { sliding_window: 6 }],
    ['no window', 'qwen3-moe-bf16', { use_sliding_window: false }],
    ['weights of experts renormalised', 'olmoe-clip-bf16', { norm_topk_prob: true }],
    ['queries, keys and values beyond their limit', 'olmoe-clip-bf16', { clip_qkv: null }],
    ['another limit', 'olmoe-clip-bf16', { clip_qkv: 1.2 }],
    ['biases left out', 'gpt-oss-bf16', { attention_bias: false }],
    ['windows in odd layers', 'gpt-oss-bf16', { layer_types: [FULL, SLIDING, FULL] }],
    ['windows in even layers', 'gpt-oss-mxfp4', { layer_types: null }],
    ['a window wider by one', 'gpt-oss-bf16', { sliding_window: 5 }],
    ['rope scaling left out', 'gpt-oss-bf16', { rope_scaling: null }],
    [
      'yarn with whole bounds',
      'gpt-oss-bf16',
      {
        rope_scaling: {
          rope_type: 'yarn',
          factor: 8,
          original_max_position_embeddings: 16,
          beta_fast: 1.5,
          beta_slow: 0.3,
          truncate: true,
        },
      },
    ],
    ['an expert more', 'gpt-oss-mxfp4', { num_experts_per_tok: 3 }],
    ['rope scaling left out', 'deepseek-v2-greedy-f32', { rope_scaling: null }],
    ['no mscale_all_dim', 'deepseek-v2-greedy-f32', { rope_scaling: YARN }],
    ['another mscale', 'deepseek-v3-fp8', { rope_scaling: { ...YARN, mscale: 0.5, mscale_all_dim: 0.5 } }],
    ['weights of experts not multiplied', 'deepseek-v2-greedy-f32', { routed_scaling_factor: 1 }],
    ['weights of experts not multiplied', 'deepseek-v2-groups-bf16', { routed_scaling_factor: 1 }],
    ['experts of all groups', 'deepseek-v2-groups-bf16', { topk_method: 'greedy' }],
    ['experts of one group', 'deepseek-v2-groups-bf16', { topk_group: 1 }],
    ['other groups', 'deepseek-v2-groups-bf16', { n_group: 3 }],
    ['biases left out', 'deepseek-v2-groups-bf16', { attention_bias: false }],
    ['weights of experts not multiplied', 'deepseek-v3-bf16', { routed_scaling_factor: 1 }],
    ['weights of experts renormalised', 'deepseek-v3-bf16', { norm_topk_prob: true }],
    ['weights of experts not renormalised', 'deepseek-v3-fp8', { norm_topk_prob: false }],
    ['experts of all groups', 'deepseek-v3-bf16', { topk_group: 4 }],
    ['other groups', 'deepseek-v3-bf16', { n_group: 6 }],
    ['neighbours as rotated pairs', 'deepseek-v3-bf16', { rope_interleave: true }],
    ['halves as rotated pairs', 'deepseek-v3-fp8', { rope_interleave: false }],
    ['another rope base', 'deepseek-v3-bf16', { rope_theta: 5000 }],
  ])('%s: %s', (_, name, change) => expectNoticed(name, change));

  it.each<[what: string, name: string, edit: Edit]>([
    ['weights of experts not renormalised', 'mixtral-window-bf16', without('Div', /sparse_moe\.gate/)],
    ['the shared expert left out', 'qwen2-moe-bf16', filled(/shared_expert\.down_proj/, 0)],
    ['the gate of the shared expert left out', 'qwen2-moe-bf16', without('Mul', /shared_expert_gate/)],
    ['queries not normalised', 'qwen3-moe-bf16', without('RMSNormalization', /q_norm/)],
    ['keys not normalised', 'qwen3-moe-bf16', without('RMSNormalization', /k_norm/)],
    ['queries not normalised', 'olmoe-clip-bf16', without('RMSNormalization', /q_norm/)],
    ['keys not normalised', 'olmoe-clip-bf16', without('RMSNormalization', /k_norm/)],
    ['attention without sinks', 'gpt-oss-bf16', filled(/sinks/, -1e9)],
    ['attention without sinks', 'gpt-oss-mxfp4', filled(/sinks/, -1e9)],
    ['weights of experts not renormalised', 'gpt-oss-bf16', without('Div', /router\.weight/)],
    ['routers without bias', 'gpt-oss-bf16', filled(/router\.bias/, 0)],
    ['experts without the bias of gate and up', 'gpt-oss-bf16', filled(/gate_up_proj_bias/, 0)],
    ['experts without the bias of down', 'gpt-oss-bf16', filled(/down_proj_bias/, 0)],
    ['a usual SiLU', 'gpt-oss-bf16', constant(1.702, 1)],
    ['gates beyond their limit', 'gpt-oss-bf16', without('Min', /gate_up_proj/)],
    ['ups beyond their limit', 'gpt-oss-bf16', without('Clip', /gate_up_proj/)],
    ['blocks without their scales', 'gpt-oss-mxfp4', filled(/_scales/, 127)],
    ['blocks of gate and up without their scales', 'gpt-oss-mxfp4', filled(/gate_up_proj_scales/, 124)],
    ['blocks of down without their scales', 'gpt-oss-mxfp4', filled(/down_proj_scales/, 124)],
    ['shared experts left out', 'deepseek-v2-greedy-f32', filled(/shared_experts\.down_proj/, 0)],
    ['shared experts left out', 'deepseek-v3-bf16', filled(/shared_experts\.down_proj/, 0)],
    ['routing by softmax', 'deepseek-v3-bf16', instead('Sigmoid', 'Softmax', /mlp\.gate\.weight/)],
    ['routing without bias', 'deepseek-v3-bf16', filled(/e_score_correction_bias/, 0)],
    ['routing without bias', 'deepseek-v3-fp8', filled(/e_score_correction_bias/, 0)],
    ['latent queries not normalised', 'deepseek-v3-fp8', without('RMSNormalization', /q_a_layernorm/)],
    [
      'latent queries not normalised',
      'deepseek-v2-groups-bf16',
      without('RMSNormalization', /q_a_layernorm/),
    ],
    [
      'latent keys and values not normalised',
      'deepseek-v3-bf16',
      without('RMSNormalization', /kv_a_layernorm/),
    ],
    [
      'latent keys and values not normalised',
      'deepseek-v2-greedy-f32',
      without('RMSNormalization', /kv_a_layernorm/),
    ],
    ['keys that are not rotated', 'deepseek-v3-bf16', without('RotaryEmbedding', /kv_a_proj_with_mqa/)],
    ['queries that are not rotated', 'deepseek-v3-bf16', without('RotaryEmbedding', /q_proj/)],
    ['FP8 blocks without their scales', 'deepseek-v3-fp8', filled(/scale_inv/, 1)],
    ['FP8 rows without their scales', 'llama-fp8-channel', filled(/weight_scale/, 1)],
    ['FP8 rows of one scale', 'llama-fp8-channel', filled(/weight_scale/, 0.005)],
    ['FP8 weights without their scale', 'llama-fp8-tensor', filled(/scale_inv/, 1)],
  ])('%s: %s', (_, name, edit) => expectEditNoticed(name, edit));

  it('scores of latent attention not sharpened by mscale_all_dim', async () => {
    const scale = (plain: number): number => (plain + 6) ** -0.5;
    const sharpened = (0.1 * 0.5 * Math.log(4) + 1) ** 2;
    await expectEditNoticed('deepseek-v2-greedy-f32', constant(scale(4) * sharpened, scale(4)));
    await expectEditNoticed('deepseek-v3-fp8', constant(scale(5) * sharpened, scale(5)));
  });
});

describe('of a layer with experts', () => {
  it.each([
    ['mixtral-window-bf16', /experts\.\d+\.w1\.weight$/, 'Gemm'],
    ['qwen2-moe-bf16', /experts\.\d+\.gate_proj\.weight$/, 'Gemm'],
    ['qwen3-moe-bf16', /experts\.\d+\.down_proj\.weight$/, 'Gemm'],
    ['olmoe-clip-bf16', /experts\.\d+\.up_proj\.weight$/, 'Gemm'],
    ['gpt-oss-bf16', /experts\.gate_up_proj\[\d+\]$/, 'MatMul'],
    ['gpt-oss-mxfp4', /experts\.down_proj_blocks\[\d+\]$/, 'MatMul'],
    ['deepseek-v2-groups-bf16', /experts\.\d+\.gate_proj\.weight$/, 'Gemm'],
    ['deepseek-v3-fp8', /experts\.\d+\.gate_proj\.weight$/, 'Gemm'],
  ])('%s: only the tokens routed to an expert are computed', async (name, weight, operator) => {
    const { checkpoint, recorded, prompts } = await openFixture(name);
    const model = openModel(checkpoint);
    const { experts, mixture } = model.shape;
    const layer = mixture!.layers.at(-1)!;
    const { outputs, graph } = promoted(model.layer(layer, []), operator, weight);
    expect(outputs).toHaveLength(experts!);
    const { values, shape } = recorded.get(`blocks.${layer}.hook_resid_pre`)!;
    const hidden = new Tensor('float32', values, shape);
    const found = await runGraph(graph, checkpoint.weightsRoot, { hidden });
    const rows = outputs.map((output) => found[output]!.dims[0]!);
    const tokens = prompts.batch * prompts.seq;
    expect(rows.reduce((sum, count) => sum + count, 0)).toBe(tokens * mixture!.perToken);
    expect(Math.max(...rows)).toBeLessThan(tokens);
  });

  /** Where a router chooses the highest of its probabilities, and nothing else. */
  const PLAIN = MIXTURES.filter((name) => !name.startsWith('deepseek'));

  it.each(PLAIN)('%s: no token lies within rounding of another choice of experts', async (name) => {
    const { checkpoint, recorded } = await openFixture(name);
    const { experts, mixture } = openModel(checkpoint).shape;
    for (const layer of mixture!.layers) {
      const { values } = recorded.get(`blocks.${layer}.mlp.hook_router`)!;
      for (let at = 0; at < values.length; at += experts!) {
        const descending = values
          .slice(at, at + experts!)
          .sort()
          .reverse();
        const gap = descending[mixture!.perToken - 1]! - descending[mixture!.perToken]!;
        expect(gap).toBeGreaterThan(TOLERANCE * descending[0]!);
      }
    }
  });

  it.each(MIXTURES)('%s: every weight stays in its file', async (name) => {
    const { checkpoint } = await openFixture(name);
    const model = openModel(checkpoint);
    const { bytes } = model.layer(model.shape.mixture!.layers[0]!, []);
    const { initializer } = fromBinary(ModelProtoSchema, bytes).graph!;
    const inside = initializer.filter(
      ({ dataLocation }) => dataLocation !== TensorProto_DataLocation.EXTERNAL,
    );
    const read = new Set(inside.map(({ name: tensor }) => tensor.replace(/\[\d+\]$/, '')));
    expect([...checkpoint.tensors.keys()].filter((tensor) => read.has(tensor))).toEqual([]);
    expect(initializer.length - inside.length).toBeGreaterThan(model.shape.experts!);
    // Tables of MXFP4 are the largest constants: 256 pairs and 256 powers of two.
    expect(Math.max(...inside.map(({ rawData }) => rawData.length))).toBeLessThanOrEqual(2048);
  });
});

describe('refused, for what was meant is not known or not read:', () => {
  it.each<[what: string, name: string, change: Record<string, unknown>, message: RegExp]>([
    ['another limit of gates', 'gpt-oss-bf16', { swiglu_limit: 9 }, /another swiglu_limit than 7/],
    [
      'renormalised weights of DeepSeek-V2',
      'deepseek-v2-greedy-f32',
      { norm_topk_prob: true },
      /norm_topk_prob/,
    ],
    [
      'windows of Qwen2-MoE',
      'qwen2-moe-bf16',
      { use_sliding_window: true, sliding_window: 4 },
      /sliding windows of Qwen2-MoE/,
    ],
    [
      'groups that experts do not fill',
      'deepseek-v3-bf16',
      { n_group: 5 },
      /do not divide into these groups/,
    ],
    [
      'more experts a token than there are',
      'mixtral-window-bf16',
      { num_experts_per_tok: 6 },
      /6 experts a token, 5/,
    ],
  ])('%s: %s', async (_, name, change, message) => {
    const { checkpoint } = await openFixture(name);
    const open = () => openModel({ ...checkpoint, config: { ...checkpoint.config, ...change } });
    expect(open).toThrow(CheckpointError);
    expect(open).toThrow(message);
    expect(open).toThrow(/config\.json/);
  });

  it.each([
    ['mixtral-window-bf16', 'model.layers.0.block_sparse_moe.experts.gate_up_proj'],
    ['qwen3-moe-bf16', 'model.layers.0.mlp.experts.down_proj'],
    ['deepseek-v3-bf16', 'model.layers.1.mlp.experts.gate_up_proj_scale_inv'],
  ])('experts of %s stacked as %s', async (name, stacked) => {
    const { checkpoint } = await openFixture(name);
    const [layer] = stacked.split('experts.');
    const apart = [...checkpoint.tensors].filter(([tensor]) => !tensor.startsWith(`${layer}experts.`));
    const any = checkpoint.tensors.get('model.norm.weight')!;
    const open = () => openModel({ ...checkpoint, tensors: new Map([...apart, [stacked, any]]) });
    expect(open).toThrow(CheckpointError);
    expect(open).toThrow(
      /experts are stacked in one tensor[\s\S]*a tensor an expert[\s\S]*found: +model\.layers/,
    );
    expect(open).toThrow(stacked);
  });
});

describe('refused, for the weights are of another model:', () => {
  it.each<[what: string, name: string, change: Record<string, unknown>, missing: RegExp]>([
    ['experts in a dense layer', 'qwen2-moe-bf16', { mlp_only_layers: [] }, /layers\.0\.mlp\.shared_expert/],
    ['a dense layer of experts', 'qwen3-moe-bf16', { mlp_only_layers: [0, 1] }, /layers\.0\.mlp\.gate_proj/],
    [
      'experts in every layer',
      'qwen2-moe-step-f32',
      { decoder_sparse_step: 1 },
      /layers\.0\.mlp\.shared_expert/,
    ],
    [
      'experts in every layer',
      'deepseek-v3-bf16',
      { first_k_dense_replace: 0 },
      /layers\.0\.mlp\.gate\.weight/,
    ],
    [
      'a dense layer more',
      'deepseek-v2-greedy-f32',
      { first_k_dense_replace: 2 },
      /layers\.1\.mlp\.gate_proj/,
    ],
    ['no bottleneck of queries', 'deepseek-v3-fp8', { q_lora_rank: null }, /q_proj/],
    ['a shared expert fewer', 'deepseek-v3-bf16', { n_shared_experts: 1 }, /shared_experts\.gate_proj/],
    ['another split of rotated and plain', 'deepseek-v3-bf16', { qk_rope_head_dim: 4 }, /q_proj/],
    ['an expert fewer', 'gpt-oss-bf16', { num_local_experts: 4 }, /mlp\.router/],
    [
      'other blocks',
      'deepseek-v3-fp8',
      { quantization_config: { quant_method: 'fp8', weight_block_size: [12, 16] } },
      /scales of FP8 weight/,
    ],
  ])('%s: %s', async (_, name, change, missing) => {
    const { checkpoint } = await openFixture(name);
    const open = () => openModel({ ...checkpoint, config: { ...checkpoint.config, ...change } });
    expect(open).toThrow(CheckpointError);
    expect(open).toThrow(missing);
  });
});
