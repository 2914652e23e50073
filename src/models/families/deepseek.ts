import { join } from 'node:path';
import { z } from 'zod';
import { nonnegativeInteger, readConfigField, readRope } from '../../checkpoint/index.js';
import {
  add,
  concat,
  expand,
  type Float,
  mul,
  reshape,
  scatterLast,
  sigmoid,
  sizeOf,
  slice,
  softmax,
  sumLast,
  topK,
} from '../../graph/index.js';
import { readDecoder, withMixture } from '../config/decoder.js';
import { readFlag, readNumber, readOptionalSize, readSize, unusable } from '../config/fields.js';
import type { Architecture, ConfigFile, Family } from '../family.js';
import { attend, mixHeads, splitHeads } from '../layers/attention.js';
import type { Block } from '../layers/block.js';
import { linear, unadaptedLinear } from '../layers/linear.js';
import { mixture, normalised, type Routing, route } from '../layers/mixture.js';
import { type GatedMlp, gatedMlp } from '../layers/mlp.js';
import { rmsNorm } from '../layers/norms.js';
import { causal } from '../layers/positions.js';
import { type Rotation, rotate } from '../layers/rope.js';
import { transformer } from '../layers/transformer.js';

/** DeepSeek-V2 (2024): latent attention, fine-grained and shared experts, routing by softmax. */
export const deepseekV2: Family = {
  name: 'deepseek_v2',
  architectures: ['DeepseekV2ForCausalLM'],
  modelTypes: ['deepseek_v2'],
  read: (file) => readDeepseek(file, 'deepseek_v2', readSoftmaxRouter),
};

/** DeepSeek-V3 and R1 (2024, 2025): routing by sigmoid, balanced by a bias that chooses and does not weigh. */
export const deepseekV3: Family = {
  name: 'deepseek_v3',
  architectures: ['DeepseekV3ForCausalLM'],
  modelTypes: ['deepseek_v3'],
  read: (file) => readDeepseek(file, 'deepseek_v3', readSigmoidRouter),
};

type Router = (block: Block, name: string, x: Float) => Routing;

function readDeepseek(
  file: ConfigFile,
  family: string,
  readRouter: (file: ConfigFile, experts: number, perToken: number) => Router,
): Architecture {
  const rotatedDim = readSize(file, 'qk_rope_head_dim');
  // What is rotated is not a whole head, whatever head_dim says.
  const decoder = readDecoder({ ...file, config: { ...file.config, head_dim: rotatedDim } }, family);
  const { heads, dMlp } = decoder.shape;
  const plainDim = readSize(file, 'qk_nope_head_dim');
  const attention: LatentAttention = {
    heads,
    queryRank: readOptionalSize(file, 'q_lora_rank'),
    keyValueRank: readSize(file, 'kv_lora_rank'),
    plainDim,
    rotatedDim,
    valueDim: readSize(file, 'v_head_dim'),
    rotation: { ...decoder.rotation, interleaved: readFlag(file, 'rope_interleave', true) },
    scale: (plainDim + rotatedDim) ** -0.5 * readScoreFactor(file),
    bias: readFlag(file, 'attention_bias'),
  };
  const bias = family === 'deepseek_v2' && readFlag(file, 'mlp_bias');
  const experts = readSize(file, ['n_routed_experts', 'num_local_experts', 'num_experts']);
  const perToken = readSize(file, 'num_experts_per_tok');
  const dExpert = readSize(file, 'moe_intermediate_size');
  const dShared = dExpert * readSize(file, 'n_shared_experts');
  const denseLayers = readConfigField(file, 'first_k_dense_replace', nonnegativeInteger);
  const hasExperts = (layer: number): boolean => layer >= denseLayers;
  const ownHeads = { ...decoder.shape, kvHeads: heads, headDim: attention.valueDim };
  const router = readRouter(file, experts, perToken);
  const neurons = (width: number): GatedMlp => ({ width, activation: decoder.activation, bias });
  return transformer({
    ...decoder,
    shape: withMixture(file, ownHeads, { experts, perToken, dExpert, dShared, hasExperts }),
    attention: (block, name, x) => latentAttention(block, `${name}.self_attn`, x, attention),
    mlp(block, layerName, x, layer) {
      const name = `${layerName}.mlp`;
      if (!hasExperts(layer)) return gatedMlp(block, name, x, neurons(dMlp));
      const routing = router(block, `${name}.gate`, x);
      return mixture(
        block,
        x,
        routing,
        (expert, tokens, hook) =>
          gatedMlp(block, `${name}.experts.${expert}`, tokens, neurons(dExpert), hook),
        gatedMlp(block, `${name}.shared_experts`, x, neurons(dShared), block.expertHook('shared')),
      );
    },
  });
}

/**
 * Yarn's correction of attention scores, mscale². In DeepSeek's own code it applies to V2 and V3 alike; transformers
 * left it out for V2 until pull request 47435 of 2026.
 */
function readScoreFactor(file: ConfigFile): number {
  const rope = readRope(file.config, join(file.folder, 'config.json'));
  if (rope.type !== 'yarn' || rope.mscaleAllDim === null || rope.factor <= 1) return 1;
  return (0.1 * rope.mscaleAllDim * Math.log(rope.factor) + 1) ** 2;
}

function readSoftmaxRouter(file: ConfigFile, experts: number, perToken: number): Router {
  if (readFlag(file, 'norm_topk_prob')) {
    throw unusable(
      file,
      'norm_topk_prob is not supported for DeepSeek-V2',
      'norm_topk_prob true',
      "none: DeepSeek's own code and transformers read it differently; no published model sets it",
    );
  }
  const factor = readNumber(file, 'routed_scaling_factor', 1);
  const methods = z.enum(['greedy', 'group_limited_greedy']).default('greedy');
  const method = readConfigField(file, 'topk_method', methods);
  const groups = method === 'greedy' ? null : readGroups(file, experts, 1);
  return (block, name, x) => {
    const probabilities = softmax(unadaptedLinear(block, name, x, experts, false));
    return route(block, probabilities, {
      perToken,
      rank: (p) => (groups === null ? p : withinGroups(p, groups)),
      weigh: (p) => mul(p, block.graph.float(factor)),
    });
  };
}

/** Keeps a sum of sigmoids that all underflow from dividing by 0. */
const LEAST_SUM = 1e-20;

function readSigmoidRouter(file: ConfigFile, experts: number, perToken: number): Router {
  const factor = readNumber(file, 'routed_scaling_factor', 2.5);
  const normalise = readFlag(file, 'norm_topk_prob', true);
  const groups = readGroups(file, experts, 2);
  return (block, name, x) => {
    const probabilities = sigmoid(unadaptedLinear(block, name, x, experts, false));
    return route(block, probabilities, {
      perToken,
      rank: (p) => withinGroups(add(p, block.buffer(`${name}.e_score_correction_bias`, [experts])), groups),
      weigh: (p) => mul(normalise ? normalised(p, LEAST_SUM) : p, block.graph.float(factor)),
    });
  };
}

interface Groups {
  readonly count: number;
  /** Groups that a token's experts may come from. */
  readonly chosen: number;
  /** Experts whose ranks say how good a group is. */
  readonly best: number;
}

function readGroups(file: ConfigFile, experts: number, best: number): Groups {
  const count = readSize(file, 'n_group');
  const chosen = readSize(file, 'topk_group');
  if (experts % count === 0 && experts / count >= best && chosen <= count) return { count, chosen, best };
  throw unusable(
    file,
    'the experts do not divide into these groups',
    `n_routed_experts ${experts}, n_group ${count}, topk_group ${chosen}`,
  );
}

/** Ranks [batch, seq, experts], 0 outside the groups whose `best` highest ranks have the largest sums. */
function withinGroups(rank: Float, { count, chosen, best }: Groups): Float {
  const size = sizeOf(rank, 2) / count;
  const grouped = reshape(rank, ['batch', 'seq', count, size]);
  const { indices } = topK(sumLast(topK(grouped, best).values), chosen);
  const kept = scatterLast(indices, expand(rank.graph.float(1), indices.shape), count);
  return reshape(mul(grouped, reshape(kept, ['batch', 'seq', count, 1])), rank.shape);
}

interface LatentAttention {
  readonly heads: number;
  /** Width of the bottleneck before queries; null: there is none. */
  readonly queryRank: number | null;
  /** Width of the bottleneck before keys and values. */
  readonly keyValueRank: number;
  /** Dimensions of queries and keys that are not rotated, and that are. */
  readonly plainDim: number;
  readonly rotatedDim: number;
  readonly valueDim: number;
  readonly rotation: Rotation;
  /** Factor of attention scores. */
  readonly scale: number;
  readonly bias: boolean;
}

/** Epsilon of the norms in the bottlenecks, whatever config.json gives for the others. */
const BOTTLENECK_EPSILON = 1e-6;

/**
 * Multi-head latent attention (DeepSeek-V2, 2024): queries, keys and values pass bottlenecks, and only a part of queries
 * and keys, which all heads share on the side of the keys, is rotated.
 */
function latentAttention(block: Block, name: string, x: Float, options: LatentAttention): Float {
  const { heads, queryRank, keyValueRank, plainDim, rotatedDim, valueDim, rotation, scale, bias } = options;
  const widened = (part: string, norm: string, narrow: Float, to: number): Float => {
    const normed = rmsNorm(block, `${name}.${norm}`, narrow, BOTTLENECK_EPSILON);
    return linear(block, `${name}.${part}`, normed, to, false);
  };
  const width = heads * (plainDim + rotatedDim);
  const queries =
    queryRank === null
      ? linear(block, `${name}.q_proj`, x, width, false)
      : widened('q_b_proj', 'q_a_layernorm', linear(block, `${name}.q_a_proj`, x, queryRank, bias), width);
  const q = rotateTail(block, splitHeads(queries, heads), plainDim, rotation);

  const latent = linear(block, `${name}.kv_a_proj_with_mqa`, x, keyValueRank + rotatedDim, bias);
  const shared = splitHeads(slice(latent, 2, keyValueRank, keyValueRank + rotatedDim), 1);
  const keyValues = slice(latent, 2, 0, keyValueRank);
  const opened = splitHeads(
    widened('kv_b_proj', 'kv_a_layernorm', keyValues, heads * (plainDim + valueDim)),
    heads,
  );
  const rotated = expand(rotate(block, shared, rotation), ['batch', 'seq', heads, rotatedDim]);
  const k = concat([slice(opened, 3, 0, plainDim), rotated], 3);
  const v = slice(opened, 3, plainDim, plainDim + valueDim);
  const z = attend(block, { q, k, v }, causal(block, null), scale);
  return mixHeads(block, `${name}.o_proj`, z, sizeOf(x, 2), bias);
}

/** The dimensions of each head from `start` on, rotated by position. */
function rotateTail(block: Block, x: Float, start: number, rotation: Rotation): Float {
  return concat([slice(x, 3, 0, start), rotate(block, slice(x, 3, start, sizeOf(x, 3)), rotation)], 3);
}
