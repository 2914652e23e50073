import { z } from 'zod';
import { nonnegativeInteger, readConfigField } from '../../checkpoint/index.js';
import { type Float, mul, sigmoid } from '../../graph/index.js';
import { readDecoder, withMixture } from '../config/decoder.js';
import { readFlag, readOptionalSize, readSize, unusable } from '../config/fields.js';
import type { Architecture, ConfigFile, Family } from '../family.js';
import { normHeads, selfAttention } from '../layers/attention.js';
import type { Block } from '../layers/block.js';
import { linear } from '../layers/linear.js';
import { softmaxMixture } from '../layers/mixture.js';
import { type GatedMlp, gatedMlp } from '../layers/mlp.js';
import { transformer } from '../layers/transformer.js';

/** Qwen1.5-MoE and Qwen2-MoE: Qwen2 with experts, and a gated expert that all tokens share. */
export const qwen2Moe: Family = {
  name: 'qwen2_moe',
  architectures: ['Qwen2MoeForCausalLM'],
  modelTypes: ['qwen2_moe'],
  read: (file) => readQwenMoe(file, 'qwen2_moe'),
};

/** Qwen3-MoE: no shared expert, no biases by default, and RMS norms over each head's queries and keys. */
export const qwen3Moe: Family = {
  name: 'qwen3_moe',
  architectures: ['Qwen3MoeForCausalLM'],
  modelTypes: ['qwen3_moe'],
  read: (file) => readQwenMoe(file, 'qwen3_moe'),
};

function readQwenMoe(file: ConfigFile, family: 'qwen2_moe' | 'qwen3_moe'): Architecture {
  const decoder = readDecoder(file, family);
  const { activation } = decoder;
  const qwen3 = family === 'qwen3_moe';
  const experts = readSize(file, ['num_experts', 'num_local_experts']);
  const perToken = readSize(file, 'num_experts_per_tok');
  const dExpert = readSize(file, 'moe_intermediate_size');
  const dShared = qwen3 ? 0 : readSize(file, 'shared_expert_intermediate_size');
  const step = readSize(file, 'decoder_sparse_step', 1);
  const dense = readConfigField(file, 'mlp_only_layers', z.array(nonnegativeInteger).default([]));
  const hasExperts = (layer: number): boolean => !dense.includes(layer) && (layer + 1) % step === 0;
  const shape = withMixture(file, decoder.shape, { experts, perToken, dExpert, dShared, hasExperts });
  const bias = qwen3
    ? readFlag(file, 'attention_bias')
    : { qkv: readFlag(file, 'qkv_bias', true), out: false };
  const window = readWindow(file, qwen3);
  const renormalise = readFlag(file, 'norm_topk_prob');
  const ofExperts = { experts, perToken, renormalise, neurons: { width: dExpert, activation } };
  const heads = qwen3 ? { prepare: normHeads(decoder.norm) } : {};
  return transformer({
    ...decoder,
    shape,
    attention: selfAttention(decoder, () => ({ bias, window, ...heads })),
    mlp(block, layerName, x, layer) {
      if (!hasExperts(layer)) return decoder.mlp(block, layerName, x, layer);
      const name = `${layerName}.mlp`;
      const shared = dShared === 0 ? null : sharedExpert(block, name, x, { width: dShared, activation });
      return softmaxMixture(block, name, x, ofExperts, shared);
    },
  });
}

/** The output of the expert of all tokens, let through by a gate of its own. */
function sharedExpert(block: Block, name: string, x: Float, sizes: GatedMlp): Float {
  const out = gatedMlp(block, `${name}.shared_expert`, x, sizes, block.expertHook('shared'));
  return mul(out, sigmoid(linear(block, `${name}.shared_expert_gate`, x, 1, false)));
}

function readWindow(file: ConfigFile, qwen3: boolean): number | null {
  if (!readFlag(file, 'use_sliding_window')) return null;
  const window = readOptionalSize(file, 'sliding_window');
  if (qwen3 || window === null) return window;
  throw unusable(
    file,
    'sliding windows of Qwen2-MoE are not supported',
    `use_sliding_window true, sliding_window ${window}`,
    'none: which layers they are for differs between the attention implementations of transformers; no published model has them',
  );
}
