import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { CheckpointError } from '../../src/errors.js';
import type { Float } from '../../src/graph/index.js';
import { Block } from '../../src/models/layers/block.js';
import { alibiBias, roundedAlibiBias, sinusoidalPositions } from '../../src/models/layers/positions.js';
import { describeModel, openModel } from '../../src/models/open-model.js';
import { Tensor } from '../support/onnxruntime.js';
import { type Edit, filled, without } from './edit-graph.js';
import { expectEditNoticed, expectNoticed, FIXTURES } from './fixture.js';
import { runGraph } from './run-model.js';

describe('the fixtures of families with LayerNorm notice', () => {
  it.each<[what: string, name: string, change: Record<string, unknown>]>([
    ['another epsilon', 'gpt2-published-f32', { layer_norm_epsilon: 1e-5 }],
    ['scores not divided by the layer', 'gpt2-published-f32', { scale_attn_by_inverse_layer_idx: false }],
    ['scores scaled by 1/√size', 'gpt2-untied-f16', { scale_attn_weights: true }],
    ['another activation', 'gpt2-bf16', { activation_function: 'gelu' }],
    ['the table in place of a head of its own', 'gpt2-untied-f16', { tie_word_embeddings: true }],
    ['halves one after the other', 'gpt-neox-parallel-bf16', { use_parallel_residual: false }],
    ['halves side by side', 'gpt-neox-sequential-f16', { use_parallel_residual: true }],
    ['another share of rotated elements', 'gpt-neox-parallel-bf16', { rotary_pct: 0.5 }],
    ['another rope base', 'gpt-neox-parallel-bf16', { rotary_emb_base: 10_000 }],
    ['rope scaling left out', 'gpt-neox-sequential-f16', { rope_scaling: null }],
    ['biases left out', 'gpt-neox-parallel-bf16', { attention_bias: false }],
    ['another epsilon', 'bloom-published-bf16', { layer_norm_epsilon: 1e-5 }],
    ['an embedding that is not scaled', 'xglm-bf16', { scale_embedding: false }],
    ['an embedding of the position that stands for padding', 'xglm-relu-f32', { pad_token_id: 1 }],
    ['another activation', 'xglm-bf16', { activation_function: 'gelu_new' }],
    ['another rope base', 'falcon-grouped-f32', { rope_theta: 10_000 }],
    ['biases left out', 'falcon-one-norm-bf16', { bias: false }],
    ['rotation in place of linear biases', 'falcon-alibi-f32', { alibi: false }],
  ])('%s: %s', (_, name, change) => expectNoticed(name, change));

  it.each<[what: string, name: string, edit: Edit]>([
    ['no learned positions', 'gpt2-bf16', filled(/wpe\.weight/, 0)],
    ['embeddings not normalised', 'bloom-f32', without('LayerNormalization', /word_embeddings_layernorm/)],
    ['scores without linear biases', 'bloom-f32', without('Add', /query_key_value\.weight/)],
    [
      'the second norm of a parallel layer left out',
      'falcon-grouped-f32',
      without('LayerNormalization', /ln_mlp/),
    ],
    ['heads not rotated', 'gpt-neox-parallel-bf16', without('RotaryEmbedding', /query_key_value\.weight/)],
  ])('%s: %s', (_, name, edit) => expectEditNoticed(name, edit));
});

const tables = JSON.parse(readFileSync(`${FIXTURES}positions.json`, 'utf8')) as {
  positions: number[];
  alibi: Record<'bloom' | 'falcon', Record<string, number[][]>>;
  sinusoidal: number[][];
};

describe('positions as far as models were trained on are what transformers computes', () => {
  const cases = (family: 'bloom' | 'falcon') => Object.entries(tables.alibi[family]);

  it.each(cases('bloom'))('linear biases of %s heads', async (heads, expected) => {
    const found = await evaluate((block) => alibiBias(block, Number(heads)));
    for (const [head, row] of expected.entries()) {
      for (const [i, value] of row.entries()) {
        const bias = found[head * SEQ + tables.positions[i]!]!;
        expect(Math.abs(bias - value)).toBeLessThanOrEqual(1e-6 * Math.abs(value));
      }
    }
  });

  it.each(cases('falcon'))('linear biases of %s heads, rounded to bfloat16', async (heads, expected) => {
    const found = await evaluate((block) => roundedAlibiBias(block, Number(heads)));
    const picked = expected.map((_, head) => tables.positions.map((at) => found[head * SEQ + at]!));
    expect(picked).toEqual(expected);
  });

  it('sinusoidal embedding', async () => {
    const found = await evaluate((block) => sinusoidalPositions(block, 26, 1));
    for (const [i, at] of tables.positions.entries()) {
      for (const [column, value] of tables.sinusoidal[i]!.entries()) {
        // Half a unit in the last place of an angle of 2,048 radians.
        expect(Math.abs(found[at * 26 + column]! - value)).toBeLessThan(2e-4);
      }
    }
  });
});

describe('files as they were published', () => {
  it('GPT-2 without the prefix of its names, with masks that are no parameters', async () => {
    const checkpoint = await openCheckpoint(`${FIXTURES}gpt2-published-f32`);
    expect(checkpoint.tensors.has('wte.weight')).toBe(true);
    expect(checkpoint.tensors.has('h.0.attn.bias')).toBe(true);
    expect(openModel(checkpoint).shape).toEqual(describeModel(checkpoint).shape);
  });

  it('a parallel layer has nothing between attention and MLP, a sequential one has', async () => {
    const hooksOf = async (name: string) =>
      openModel(await openCheckpoint(`${FIXTURES}${name}`)).hooks.map((hook) => hook.name);
    expect(await hooksOf('falcon-multi-query-bf16')).not.toContain('blocks.0.hook_resid_mid');
    expect(await hooksOf('falcon-alibi-f32')).toContain('blocks.0.hook_resid_mid');
  });
});

describe('refused, naming config.json:', () => {
  const published = JSON.parse(readFileSync(`${FIXTURES}../published/layer_norm.json`, 'utf8')) as Record<
    string,
    { config: Record<string, unknown> }
  >;

  it.each<[what: string, name: string, change: Record<string, unknown>, message: RegExp]>([
    ['heads that do not divide the model', 'gpt2', { n_head: 7 }, /7 heads, a width of 768/],
    ['cross-attention', 'gpt2', { add_cross_attention: true }, /"add_cross_attention" is unusable/],
    ['half a rotated pair', 'pythia-70m', { rotary_pct: 0.02 }, /rotary embedding needs/],
    [
      'a residual stream of normalised values',
      'bloom-560m',
      { apply_residual_connection_post_layernorm: true },
      /"apply_residual_connection_post_layernorm" is unusable/,
    ],
    ['no frequency', 'xglm-564M', { d_model: 2, attention_heads: 1 }, /"d_model" is unusable/],
    ['groups of queries in sequence', 'falcon-40b', { parallel_attn: false }, /no Falcon model has/],
    ['two norms of one group', 'falcon-7b', { num_ln_in_parallel_attn: 2 }, /no Falcon model has/],
    ['heads that cannot share keys', 'falcon-40b', { num_kv_heads: 7 }, /128 heads, 7 key\/value heads/],
  ])('%s', (_, name, change, message) => {
    const read = () => describeModel({ folder: 'folder', config: { ...published[name]!.config, ...change } });
    expect(read).toThrow(CheckpointError);
    expect(read).toThrow(message);
    expect(read).toThrow(/folder\/config\.json/);
  });
});

const SEQ = 2048;

/** What a part that reads nothing but positions computes for `SEQ` of them. */
async function evaluate(build: (block: Block) => Float): Promise<Float32Array> {
  const block = new Block('positions', () => {
    throw new Error('no weight is read');
  });
  block.graph.input('hidden', 'float32', ['batch', 'seq', 1]);
  block.graph.output('y', build(block));
  const hidden = new Tensor('float32', new Float32Array(SEQ), [1, SEQ, 1]);
  const { y } = await runGraph(block.finish(), '/', { hidden });
  return y!.data as Float32Array;
}
