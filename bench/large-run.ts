/** Writes synthetic runs of Qwen2.5-7B's size, and of Qwen3-30B-A3B's. */
import { copyFile, link } from 'node:fs/promises';
import { neuronsOf } from '../src/hooks/points.js';
import { Draws, Random } from '../src/stats/sampling/random.js';
import { toFloat16 } from '../src/store/files/float16.js';
import { type PlannedArray, streamSafetensors } from '../src/store/files/safetensors.js';
import { RUN_SCHEMA_VERSION, type RunManifest } from '../src/store/run/manifest.js';
import { layerPath } from '../src/store/run/run-folder.js';
import { createRunFolder } from '../test/support/create-run-folder.js';
import { sealRun } from '../test/support/seal-run.js';

const LANGUAGES = ['en', 'de', 'fr', 'es', 'pt', 'ru', 'zh', 'ja', 'ko', 'ar', 'hi', 'sw'];
const SIZE = { items: 1000, folds: 20 };
const TOKENS_PER_PROMPT = 30;

const MODELS = {
  dense: {
    name: '7B',
    architecture: 'Qwen2ForCausalLM',
    family: 'qwen2',
    dModel: 3584,
    heads: 28,
    kvHeads: 4,
    headDim: 128,
    dMlp: 18_944,
    experts: null,
    vocab: 152_064,
    maxPositions: 32_768,
    parameters: 7_615_616_512,
  },
  mixture: {
    name: '30B-A3B',
    architecture: 'Qwen3MoeForCausalLM',
    family: 'qwen3_moe',
    dModel: 2048,
    heads: 32,
    kvHeads: 4,
    headDim: 128,
    dMlp: 6144,
    experts: 128,
    vocab: 151_936,
    maxPositions: 40_960,
    parameters: 30_532_122_624,
  },
} as const;
/** Of the mixture; every layer has experts. */
const [EXPERTS_PER_TOKEN, EXPERT_NEURONS] = [8, 768];
/** Standard normal draws that values are cut from, at random places: drawing each anew would take longer than scoring. */
const POOL = 2 ** 20;

export interface LargeRunOptions {
  readonly model: keyof typeof MODELS;
  readonly layers: number;
  readonly keep: 'items' | 'folds';
  /** Another seed is another model: other values, the same probes. */
  readonly seed: number;
}

/**
 * A run of 12 languages, 1,000 items and 20 folds, of 28 heads and 18,944 neurons a layer or of 32 heads and 128 experts of
 * 768 neurons, whose pooled values are then those of heads alone. The layers are copies of one (of the mixture, links to
 * it): what their values are makes no difference to what it costs to score them, and to draw 6 billion takes long.
 */
export async function writeLargeRun(
  folder: string,
  { model, layers: count, keep, seed }: LargeRunOptions,
): Promise<void> {
  await createRunFolder(folder);
  const { name, architecture, ...sizes } = MODELS[model];
  const { items, folds } = SIZE;
  const { heads, headDim, experts } = sizes;
  const shape = {
    ...sizes,
    layers: count,
    mixture: experts && {
      perToken: EXPERTS_PER_TOKEN,
      dExpert: EXPERT_NEURONS,
      dShared: 0,
      layers: Array.from({ length: count }, (_, layer) => layer),
    },
  };
  const neurons = neuronsOf(shape, 0);
  const K = LANGUAGES.length;
  const draws = new Draws(2 * seed + 1);
  const pool = Float32Array.from({ length: POOL }, () => draws.gaussian());
  const random = new Random(2 * seed + 2);
  const cells = [folds, K];
  const grid = [items, K];
  const arrays: PlannedArray[] = [
    { name: 'mlp.sum', dtype: 'F64', shape: [...cells, neurons] },
    { name: 'mlp.sumsq', dtype: 'F64', shape: [...cells, neurons] },
    { name: 'head.norm.sum', dtype: 'F64', shape: [...cells, heads] },
    { name: 'head.norm.sumsq', dtype: 'F64', shape: [...cells, heads] },
    ...(experts === null
      ? []
      : ([
          { name: 'expert.prob.sum', dtype: 'F64', shape: [...cells, experts] },
          { name: 'expert.count', dtype: 'U32', shape: [...cells, experts] },
        ] as const)),
    { name: 'mlp.fire', dtype: 'U32', shape: [...cells, neurons] },
    { name: 'tokens', dtype: 'U32', shape: cells },
  ];
  const ofItems: PlannedArray[] = [
    { name: 'head.norm.items', dtype: 'F32', shape: [...grid, heads] },
    ...(experts === null ? ([{ name: 'mlp.items', dtype: 'F16', shape: [...grid, neurons] }] as const) : []),
    { name: 'head.items', dtype: 'F16', shape: [...grid, heads, headDim] },
  ];
  const cellTokens = (items / folds) * TOKENS_PER_PROMPT;
  /** One row a language: what its units lie higher by. */
  const effects = (width: number) =>
    LANGUAGES.map(() => Float32Array.from({ length: width }, () => 0.3 * draws.gaussian()));
  /** Item by item, language by language: noise and what the language has. */
  const rows = function* (width: number, store: (row: Float32Array) => ArrayBufferView) {
    const own = effects(width);
    const row = new Float32Array(width);
    for (let i = 0; i < items; i++) {
      for (const effect of own) {
        const from = random.integer(POOL - width);
        for (let u = 0; u < width; u++) row[u] = pool[from + u]! + effect[u]!;
        yield store(row);
      }
    }
  };
  const values = function* (): Generator<ArrayBufferView> {
    // The same units are tied to the same languages whatever the seed of the noise.
    const ties = new Draws(0);
    const tied = Float32Array.from({ length: K * neurons }, () => Math.exp(ties.gaussian()));
    const near = () => 1 + 0.1 * pool[random.integer(POOL)]!;
    const liking = Float32Array.from({ length: K * (experts ?? 0) }, () => Math.exp(0.5 * ties.gaussian()));
    const routed = Uint32Array.from({ length: folds * liking.length }, (_, i) => {
      const share = (EXPERTS_PER_TOKEN / experts!) * liking[i % liking.length]! * near();
      return cellTokens * Math.min(1, Math.max(0, share));
    });
    /** Tokens that a neuron sees in a fold and language. */
    const seen = (i: number) => {
      if (experts === null) return cellTokens;
      return routed[Math.floor(i / neurons) * experts + Math.floor((i % neurons) / EXPERT_NEURONS)]!;
    };
    const fire = Uint32Array.from({ length: folds * K * neurons }, (_, i) => {
      const rate = 0.1 * tied[i % tied.length]! * near();
      return seen(i) * Math.min(1, Math.max(0, rate));
    });
    const sum = Float64Array.from(fire, (fired) => 0.5 * fired);
    const norm = Float64Array.from({ length: folds * K * heads }, () => cellTokens * (1 + near()));
    yield sum;
    yield sum;
    yield norm;
    yield norm;
    if (experts !== null) {
      yield Float64Array.from(routed, (tokens) => tokens / EXPERTS_PER_TOKEN);
      yield routed;
    }
    yield fire;
    yield new Uint32Array(folds * K).fill(cellTokens);
    if (keep === 'folds') return;
    yield* rows(heads, (row) => row.map((value) => Math.abs(value) + 1));
    if (experts === null) yield* rows(neurons, (row) => toFloat16(row).bits);
    yield* rows(heads * headDim, (row) => toFloat16(row).bits);
  };
  const first = layerPath(folder, 0);
  await streamSafetensors(first, keep === 'items' ? [...arrays, ...ofItems] : arrays, values());
  for (let layer = 1; layer < count; layer++) {
    await (experts === null ? copyFile : link)(first, layerPath(folder, layer));
  }
  const plannedItems = Array.from({ length: items }, (_, i) => ({ id: `item-${i}`, fold: i % folds }));
  const hash = '0'.repeat(64);
  const manifest: RunManifest = {
    schema: 'babelscope/run',
    schemaVersion: RUN_SCHEMA_VERSION,
    babelscope: '0.1.0',
    onnxruntime: 'none',
    model: {
      name: `synthetic-${name}-${seed}`,
      revision: null,
      architecture,
      modelType: sizes.family,
      parameters: sizes.parameters,
      dtype: 'BF16',
      configSha256: hash,
      weightsSha256: hash.slice(1) + String(seed % 10),
      tokenizerSha256: null,
      ref: null,
      adapter: null,
    },
    shape,
    probe: {
      name: 'synthetic',
      version: '1',
      kind: 'text',
      licence: 'CC0-1.0',
      source: 'bench/large-run.ts',
      sha256: hash,
    },
    languages: LANGUAGES.map((tag) => ({
      tag,
      name: tag,
      script: 'Zyyy',
      family: 'unknown',
      prompts: items,
      tokens: items * TOKENS_PER_PROMPT,
      truncated: 0,
    })),
    plan: {
      languages: LANGUAGES,
      items: plannedItems,
      folds,
      seed: 0,
      positions: 'all',
      countFirst: false,
      bos: 'auto',
      keep,
      pooling: 'mean',
      chunks: Array.from({ length: folds }, (_, fold) =>
        plannedItems.flatMap((item, i) => (item.fold === fold ? [i] : [])),
      ),
      hooks: [
        'mlp.hook_pre/fire',
        'mlp.hook_post/sum',
        'mlp.hook_post/sumsq',
        'attn.hook_z/norm.sum',
        'attn.hook_z/norm.sumsq',
        'attn.hook_z/sum',
      ],
    },
    planSha256: hash,
    warnings: [],
  };
  // Last: a run without a manifest is none.
  await sealRun(folder, manifest);
}
