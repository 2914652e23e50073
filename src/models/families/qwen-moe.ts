import { join } from 'node:path';
import { z } from 'zod';
import { nonnegativeInteger, positiveInteger, readConfigField } from '../../checkpoint/index.js';
import { CheckpointError } from '../../errors.js';
import { type Float, mul, sigmoid } from '../../graph/index.js';
import { readDecoder, readMixture } from '../config/decoder.js';
import type { ConfigFile, Family } from '../family.js';
import { selfAttention } from '../layers/attention.js';
import type { Block } from '../layers/block.js';
import { preNormModel } from '../layers/layer.js';
import { linear } from '../layers/linear.js';
import { softmaxMixture } from '../layers/mixture.js';
import { type GatedMlp, gatedMlp } from '../layers/mlp.js';
import { qwen3Attention } from './qwen3.js';

/** Qwen1.5-MoE and Qwen2-MoE: Qwen2 with experts, and a gated expert that all tokens share. */
export const qwen2Moe: Family = {
  name: 'qwen2_moe',
  architectures: ['Qwen2MoeForCausalLM'],
  read: (file) => readQwenMoe(file, 'qwen2_moe'),
};

/** Qwen3-MoE: no shared expert, no biases by default, and RMS norms over each head's queries and keys. */
export const qwen3Moe: Family = {
  name: 'qwen3_moe',
  architectures: ['Qwen3MoeForCausalLM'],
  read: (file) => readQwenMoe(file, 'qwen3_moe'),
};

function readQwenMoe(file: ConfigFile, family: 'qwen2_moe' | 'qwen3_moe'): ReturnType<Family['read']> {
  const decoder = readDecoder(file, family);
  const { activation, rotation } = decoder;
  const qwen3 = family === 'qwen3_moe';
  const size = (field: string): number => readConfigField(file, field, positiveInteger);
  const flag = (field: string, absent: boolean): boolean =>
    readConfigField(file, field, z.boolean().default(absent));
  const experts = size('num_experts');
  const perToken = size('num_experts_per_tok');
  const dExpert = size('moe_intermediate_size');
  const dShared = qwen3 ? 0 : size('shared_expert_intermediate_size');
  const step = readConfigField(file, 'decoder_sparse_step', positiveInteger.default(1));
  const dense = readConfigField(file, 'mlp_only_layers', z.array(nonnegativeInteger).default([]));
  const shape = {
    ...decoder.shape,
    ...readMixture(
      file,
      experts,
      decoder.shape.layers,
      { perToken, dExpert, dShared },
      (layer) => !dense.includes(layer) && (layer + 1) % step === 0,
    ),
  };
  const bias = qwen3
    ? { qkv: flag('attention_bias', false), out: flag('attention_bias', false) }
    : { qkv: flag('qkv_bias', true), out: false };
  const window = readWindow(file, qwen3);
  const neurons = { width: dExpert, activation };
  const ofExperts = { experts, perToken, renormalise: flag('norm_topk_prob', false), neurons };

  const experted = (block: Block, name: string, x: Float): Float => {
    const shared = dShared === 0 ? null : sharedExpert(block, name, x, { width: dShared, activation });
    return softmaxMixture(block, name, x, ofExperts, shared);
  };
  return preNormModel(
    decoder,
    (block, name, x) =>
      qwen3
        ? qwen3Attention(block, name, x, decoder, bias.qkv, window)
        : selfAttention(block, name, x, { ...decoder.shape, rotation, bias, window }),
    (block, name, x, layer) =>
      shape.mixture.layers.includes(layer)
        ? experted(block, name, x)
        : gatedMlp(block, name, x, { width: shape.dMlp, activation }),
    shape,
  );
}

/** The output of the expert of all tokens, let through by a gate of its own. */
function sharedExpert(block: Block, name: string, x: Float, sizes: GatedMlp): Float {
  const out = gatedMlp(block, `${name}.shared_expert`, x, sizes, block.expertHook('shared'));
  return mul(out, sigmoid(linear(block, `${name}.shared_expert_gate`, x, 1, false)));
}

function readWindow(file: ConfigFile, qwen3: boolean): number | null {
  if (!readConfigField(file, 'use_sliding_window', z.boolean().default(false))) return null;
  const window = readConfigField(file, 'sliding_window', positiveInteger.optional()) ?? null;
  if (qwen3 || window === null) return window;
  throw new CheckpointError({
    what: 'sliding windows of Qwen2-MoE are not supported',
    where: join(file.folder, 'config.json'),
    found: `use_sliding_window true, sliding_window ${window}`,
    remedy:
      'none: which layers they are for differs between the attention implementations of transformers; no published model has them',
  });
}
