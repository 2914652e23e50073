/**
 * Speed of one layer beside the bare matrix products it consists of, in the same minutes on the same machine:
 *
 *     npx tsx bench/layer.ts [tokens a prompt] [threads]
 *
 * The layer has the shape of Qwen2.5-0.5B, random bfloat16 weights in a temporary folder, and the taps that
 * `capture` sets. Prints the best of some rounds: other work on the machine only ever slows one down.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpoint } from '../src/checkpoint/open-checkpoint.js';
import { Graph } from '../src/graph/graph.js';
import { serialize } from '../src/graph/onnx/serialize.js';
import { gather, gemm } from '../src/graph/operators/index.js';
import type { Tap } from '../src/hooks/taps.js';
import { openModel } from '../src/models/open-model.js';
import { onnxruntime } from '../src/runtime/onnxruntime.js';
import { Random } from '../src/stats/sampling/random.js';

const SHAPE = { dModel: 896, dMlp: 4864, heads: 14, kvHeads: 2, headDim: 64 };
const TOKENS_A_BATCH = 2048;
const ROUNDS = 5;

const seq = Number(process.argv[2] ?? 64);
const threads = Number(process.argv[3] ?? 2);
const batch = Math.floor(TOKENS_A_BATCH / seq);
const tokens = batch * seq;

const { dModel, dMlp, heads, kvHeads, headDim } = SHAPE;
const kvWidth = kvHeads * headDim;
const LINEAR: readonly (readonly [name: string, out: number, inSize: number, bias: boolean])[] = [
  ['self_attn.q_proj', heads * headDim, dModel, true],
  ['self_attn.k_proj', kvWidth, dModel, true],
  ['self_attn.v_proj', kvWidth, dModel, true],
  ['self_attn.o_proj', dModel, heads * headDim, false],
  ['mlp.gate_proj', dMlp, dModel, false],
  ['mlp.up_proj', dMlp, dModel, false],
  ['mlp.down_proj', dModel, dMlp, false],
];
/** Of the linear parts alone; attention scores and reductions come on top and count as overhead. */
const flops = tokens * LINEAR.reduce((sum, [, out, inSize]) => sum + 2 * out * inSize, 0);

const taps: readonly Tap[] = [
  { hook: 'mlp.hook_pre', statistic: 'fire' },
  { hook: 'mlp.hook_post', statistic: 'sum' },
  { hook: 'mlp.hook_post', statistic: 'sumsq' },
  { hook: 'attn.hook_z', statistic: 'sum' },
  { hook: 'attn.hook_z', statistic: 'norm.sum' },
  { hook: 'attn.hook_z', statistic: 'norm.sumsq' },
];

const random = new Random(1);
const folder = await mkdtemp(join(tmpdir(), 'babelscope-bench-'));
try {
  await writeCheckpoint(folder);
  const checkpoint = await openCheckpoint(folder);
  const model = openModel(checkpoint);
  const { InferenceSession, Tensor } = await onnxruntime();
  const options = {
    intraOpNumThreads: threads,
    extra: { session: { model_external_initializers_file_folder_path: checkpoint.weightsRoot } },
  };
  const bare = await InferenceSession.create(serialize(bareProducts()), { intraOpNumThreads: threads });
  const plain = await InferenceSession.create(model.layer(0, []).bytes, options);
  const tapped = await InferenceSession.create(model.layer(0, taps).bytes, options);
  const x = someFloats(tokens * dModel);
  const feeds = {
    hidden: new Tensor('float32', x, [batch, seq, dModel]),
    counted: new Tensor('float32', new Float32Array(tokens).fill(1), [batch, seq]),
  };
  const runs = {
    'bare products': () => bare.run({ x: new Tensor('float32', x, [tokens, dModel]) }),
    'layer, no taps': () => plain.run({ hidden: feeds.hidden }),
    'layer, capture taps': () => tapped.run(feeds),
  };
  const best = new Map<string, number>();
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, run] of Object.entries(runs)) {
      const start = performance.now();
      await run();
      const seconds = (performance.now() - start) / 1000;
      // The first round warms up.
      if (round > 0) best.set(name, Math.min(seconds, best.get(name) ?? Number.POSITIVE_INFINITY));
    }
  }
  console.log(`${batch} prompts of ${seq} tokens, ${threads} threads`);
  for (const [name, seconds] of best) {
    const rate = `${Math.round(tokens / seconds)} tokens/s`.padStart(14);
    const speed = `${Math.round(flops / seconds / 1e9)} GFLOP/s`.padStart(13);
    const share = `${Math.round((100 * best.get('bare products')!) / seconds)} % of bare`;
    console.log(`${name.padEnd(20)} ${rate} ${speed}   ${share}`);
  }
} finally {
  await rm(folder, { recursive: true });
}

/** The seven products of a layer, each on an input of the right width, with weights in float32. */
function bareProducts(): Graph {
  const graph = new Graph('bare');
  const x = graph.input('x', 'float32', ['tokens', dModel]);
  const weight = (out: number, inSize: number) => graph.float(someFloats(out * inSize), [out, inSize]);
  for (const [name, out, inSize] of LINEAR) {
    if (inSize !== dModel) continue;
    const y = gemm(x, weight(out, inSize));
    const result = name === 'mlp.gate_proj' ? gemm(y, weight(dModel, dMlp)) : y;
    // One row leaves the graph, so that no copy is timed.
    graph.output(name, gather(result, graph.int64([0])));
  }
  return graph;
}

async function writeCheckpoint(folder: string): Promise<void> {
  const config = {
    architectures: ['Qwen2ForCausalLM'],
    hidden_size: dModel,
    intermediate_size: dMlp,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    num_hidden_layers: 1,
    vocab_size: 8,
    max_position_embeddings: 32768,
    rms_norm_eps: 1e-6,
    rope_theta: 1e6,
    hidden_act: 'silu',
    tie_word_embeddings: true,
  };
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  const tensors = new Map<string, readonly number[]>([
    ['model.embed_tokens.weight', [8, dModel]],
    ['model.norm.weight', [dModel]],
    ['model.layers.0.input_layernorm.weight', [dModel]],
    ['model.layers.0.post_attention_layernorm.weight', [dModel]],
  ]);
  for (const [name, out, inSize, bias] of LINEAR) {
    tensors.set(`model.layers.0.${name}.weight`, [out, inSize]);
    if (bias) tensors.set(`model.layers.0.${name}.bias`, [out]);
  }
  let end = 0;
  const header: Record<string, unknown> = {};
  for (const [name, shape] of tensors) {
    const begin = end;
    end += 2 * shape.reduce((product, size) => product * size, 1);
    header[name] = { dtype: 'BF16', shape, data_offsets: [begin, end] };
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  // The upper half of a float32 is its bfloat16.
  const floats = new Uint32Array(someFloats(end / 2).buffer);
  const weights = Uint16Array.from(floats, (bits) => bits >>> 16);
  await writeFile(
    join(folder, 'model.safetensors'),
    Buffer.concat([length, json, Buffer.from(weights.buffer)]),
  );
}

/** Processors multiply regular numbers up to 1.6 times as fast as irregular ones, and weights are irregular. */
function someFloats(count: number): Float32Array {
  return Float32Array.from({ length: count }, () => (random.integer(65536) / 65536 - 0.5) / 16);
}
