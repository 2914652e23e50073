import { z } from 'zod';
import { readConfigField } from '../../checkpoint/index.js';
import {
  add,
  clip,
  type Float,
  logSumExpLast,
  matMul,
  minimum,
  mul,
  reshape,
  sigmoid,
  slice,
  softmax,
  sub,
} from '../../graph/index.js';
import { readDecoder, readWindows, withMixture } from '../config/decoder.js';
import { readFlag, readSize, unusable } from '../config/fields.js';
import type { ConfigFile, Family } from '../family.js';
import { selfAttention } from '../layers/attention.js';
import type { Block, NeuronHook } from '../layers/block.js';
import { unadaptedLinear } from '../layers/linear.js';
import { mixture, normalised, route } from '../layers/mixture.js';
import { causalMask } from '../layers/positions.js';
import { transformer } from '../layers/transformer.js';

/** Sharpness of the gate's sigmoid, and the bound of gate and up; fixed in transformers, not in config.json. */
const ALPHA = 1.702;
const LIMIT = 7;

/** gpt-oss (OpenAI 2025): attention with sinks, alternating windows, experts with biases, stored as MXFP4. */
export const gptOss: Family = {
  name: 'gpt_oss',
  architectures: ['GptOssForCausalLM'],
  modelTypes: ['gpt_oss'],
  read(file) {
    const decoder = readDecoder(file, 'gpt_oss');
    const experts = readSize(file, ['num_local_experts', 'num_experts']);
    const perToken = readSize(file, 'num_experts_per_tok');
    const bias = readFlag(file, 'attention_bias', true);
    refuseOtherLimit(file);
    const { layers, dMlp: width } = decoder.shape;
    const shape = withMixture(file, decoder.shape, { experts, perToken, dExpert: width, dShared: 0 });
    const windows = readWindows(file, layers, (layer) => layer % 2 === 0);
    return transformer({
      ...decoder,
      shape,
      attention: selfAttention(decoder, (layer) => ({ bias, pattern: withSinks(windows[layer]!) })),
      mlp(block, name, x) {
        const logits = unadaptedLinear(block, `${name}.mlp.router`, x, experts, true);
        const routing = route(block, softmax(logits), { perToken, weigh: normalised });
        return mixture(block, x, routing, (expert, tokens, hook) =>
          gptOssExpert(block, `${name}.mlp.experts`, expert, tokens, { experts, width, hook }),
        );
      },
    });
  },
};

function refuseOtherLimit(file: ConfigFile): void {
  const limit = readConfigField(file, 'swiglu_limit', z.number().optional()) ?? LIMIT;
  if (limit === LIMIT) return;
  throw unusable(
    file,
    `another swiglu_limit than ${LIMIT} is not supported`,
    `swiglu_limit ${limit}`,
    `none: transformers computes with ${LIMIT} whatever stands there, other programs with this; no published model has it`,
  );
}

/** Softmax in which every head has a score of its own that no position has, so that weights sum to less than 1. */
function withSinks(window: number | null): (scores: Float, block: Block, name: string) => Float {
  return (scores, block, name) => {
    const heads = scores.shape[1] as number;
    const masked = add(scores, causalMask(block, window));
    const sinks = reshape(block.weight(`${name}.sinks`, [heads]), [heads, 1, 1]);
    // Σe^s / (Σe^s + e^sink) = sigmoid(ln Σe^s − sink)
    return mul(softmax(masked), sigmoid(sub(logSumExpLast(masked), sinks)));
  };
}

/** (clip(up) + 1)·g·sigmoid(1.702 g) with g = min(gate, 7); gate and up are interleaved in one projection. */
function gptOssExpert(
  block: Block,
  name: string,
  expert: number,
  x: Float,
  { experts, width, hook }: { readonly experts: number; readonly width: number; readonly hook: NeuronHook },
): Float {
  const dModel = x.shape[1] as number;
  const tokens = x.shape[0]!;
  const affine = (part: string, input: Float, from: number, to: number): Float =>
    add(
      matMul(input, block.stackedWeight(`${name}.${part}`, [experts, from, to], expert)),
      block.stackedWeight(`${name}.${part}_bias`, [experts, to], expert),
    );
  const both = reshape(affine('gate_up_proj', x, dModel, 2 * width), [tokens, width, 2]);
  const half = (index: number): Float => reshape(slice(both, 2, index, index + 1), [tokens, width]);
  const pre = hook('mlp.hook_pre', half(0));
  const gate = minimum(pre, block.graph.float(LIMIT));
  const glu = mul(gate, sigmoid(mul(gate, block.graph.float(ALPHA))));
  const post = hook('mlp.hook_post', mul(add(clip(half(1), LIMIT), block.graph.float(1)), glu));
  return affine('down_proj', post, width, dModel);
}
