import { join } from 'node:path';
import { z } from 'zod';
import {
  nonnegativeInteger,
  positiveInteger,
  positiveNumber,
  readConfigField,
  readRope,
} from '../checkpoint/index.js';
import { CheckpointError } from '../errors.js';
import {
  add,
  expand,
  mul,
  reshape,
  scatterLast,
  sigmoid,
  sizeOf,
  softmax,
  sumLast,
  topK,
} from '../graph/index.js';
import type { Block, Float } from './block.js';
import { readDecoder, tokenEnds } from './decoder.js';
import type { ConfigFile, Family } from './family.js';
import { type LatentAttention, latentAttention } from './latent-attention.js';
import { gatedNeurons, mixture, normalised, type Routing, route } from './mixture.js';
import { gatedMlp, unadaptedLinear } from './parts.js';
import { preNormLayer } from './pre-norm-layer.js';
import { readMixture } from './read-mixture.js';

/** DeepSeek-V2 (2024): latent attention, fine-grained and shared experts, routing by softmax. */
export const deepseekV2: Family = {
  name: 'deepseek_v2',
  architectures: ['DeepseekV2ForCausalLM'],
  read: (file) => readDeepseek(file, 'deepseek_v2', readSoftmaxRouter),
};

/** DeepSeek-V3 and R1 (2024, 2025): routing by sigmoid, balanced by a bias that chooses and does not weigh. */
export const deepseekV3: Family = {
  name: 'deepseek_v3',
  architectures: ['DeepseekV3ForCausalLM'],
  read: (file) => readDeepseek(file, 'deepseek_v3', readSigmoidRouter),
};

type Router = (block: Block, name: string, x: Float) => Routing;

function readDeepseek(
  file: ConfigFile,
  family: string,
  readRouter: (file: ConfigFile, experts: number, perToken: number) => Router,
): ReturnType<Family['read']> {
  const size = (field: string): number => readConfigField(file, field, positiveInteger);
  const rotatedDim = size('qk_rope_head_dim');
  // What is rotated is not a whole head, whatever head_dim says.
  const decoder = readDecoder({ ...file, config: { ...file.config, head_dim: rotatedDim } }, family);
  const { activation, epsilon } = decoder;
  const { layers, heads } = decoder.shape;
  const plainDim = size('qk_nope_head_dim');
  const attention: LatentAttention = {
    heads,
    queryRank: readConfigField(file, 'q_lora_rank', positiveInteger.optional()) ?? null,
    keyValueRank: size('kv_lora_rank'),
    plainDim,
    rotatedDim,
    valueDim: size('v_head_dim'),
    rotation: {
      ...decoder.rotation,
      interleaved: readConfigField(file, 'rope_interleave', z.boolean().default(true)),
    },
    scale: (plainDim + rotatedDim) ** -0.5 * readScoreFactor(file),
    bias: readConfigField(file, 'attention_bias', z.boolean().default(false)),
  };
  const mlpBias = family === 'deepseek_v2' && readConfigField(file, 'mlp_bias', z.boolean().default(false));
  const experts = size('n_routed_experts');
  const perToken = size('num_experts_per_tok');
  const dExpert = size('moe_intermediate_size');
  const dShared = dExpert * size('n_shared_experts');
  const denseLayers = readConfigField(file, 'first_k_dense_replace', nonnegativeInteger);
  const shape = {
    ...decoder.shape,
    kvHeads: heads,
    headDim: attention.valueDim,
    ...readMixture(file, experts, layers, { perToken, dExpert, dShared }, (layer) => layer >= denseLayers),
  };
  const router = readRouter(file, experts, perToken);
  const neurons = { activation, bias: mlpBias };
  return {
    shape,
    ...tokenEnds(decoder),
    layer: (block, index, hidden) =>
      preNormLayer(
        block,
        `model.layers.${index}`,
        hidden,
        epsilon,
        (name, x) => latentAttention(block, name, x, attention),
        (name, x) =>
          index < denseLayers
            ? gatedMlp(block, name, x, { dMlp: shape.dMlp, ...neurons })
            : mixture(
                block,
                x,
                router(block, `${name}.gate`, x),
                (expert, tokens) =>
                  gatedNeurons(block, `${name}.experts.${expert}`, tokens, { width: dExpert, ...neurons }),
                gatedNeurons(block, `${name}.shared_experts`, x, { width: dShared, ...neurons }),
              ),
      ),
  };
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
  if (readConfigField(file, 'norm_topk_prob', z.boolean().default(false))) {
    throw new CheckpointError({
      what: 'norm_topk_prob is not supported for DeepSeek-V2',
      where: join(file.folder, 'config.json'),
      found: 'norm_topk_prob true',
      remedy: "none: DeepSeek's own code and transformers read it differently; no published model sets it",
    });
  }
  const factor = readConfigField(file, 'routed_scaling_factor', positiveNumber.default(1));
  const method = readConfigField(
    file,
    'topk_method',
    z.enum(['greedy', 'group_limited_greedy']).default('greedy'),
  );
  const groups = method === 'greedy' ? null : readGroups(file, experts, 1);
  return (block, name, x) => {
    const probabilities = softmax(unadaptedLinear(block, name, x, experts, false));
    const rank = groups === null ? probabilities : withinGroups(probabilities, groups);
    return route(probabilities, { perToken, rank, weigh: (p) => mul(p, block.graph.float(factor)) });
  };
}

/** Keeps a sum of sigmoids that all underflow from dividing by 0. */
const LEAST_SUM = 1e-20;

function readSigmoidRouter(file: ConfigFile, experts: number, perToken: number): Router {
  const factor = readConfigField(file, 'routed_scaling_factor', positiveNumber.default(2.5));
  const normalise = readConfigField(file, 'norm_topk_prob', z.boolean().default(true));
  const groups = readGroups(file, experts, 2);
  return (block, name, x) => {
    const probabilities = sigmoid(unadaptedLinear(block, name, x, experts, false));
    const balanced = add(probabilities, block.buffer(`${name}.e_score_correction_bias`, [experts]));
    return route(probabilities, {
      perToken,
      rank: withinGroups(balanced, groups),
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
  const count = readConfigField(file, 'n_group', positiveInteger);
  const chosen = readConfigField(file, 'topk_group', positiveInteger);
  if (experts % count === 0 && experts / count >= best && chosen <= count) return { count, chosen, best };
  throw new CheckpointError({
    what: 'the experts do not divide into these groups',
    where: join(file.folder, 'config.json'),
    found: `n_routed_experts ${experts}, n_group ${count}, topk_group ${chosen}`,
    remedy: 'download config.json again',
  });
}

/** Ranks [batch, seq, experts], 0 outside the groups whose `best` highest ranks have the largest sums. */
function withinGroups(rank: Float, { count, chosen, best }: Groups): Float {
  const size = sizeOf(rank, 2) / count;
  const grouped = reshape(rank, ['batch', 'seq', count, size]);
  const { indices } = topK(sumLast(topK(grouped, best).values), chosen);
  const kept = scatterLast(indices, expand(rank.graph.float(1), indices.shape), count);
  return reshape(mul(grouped, reshape(kept, ['batch', 'seq', count, 1])), rank.shape);
}
