/** Writes synthetic runs of Qwen2.5-7B's size. */
import { copyFile } from 'node:fs/promises';
import { Draws } from '../src/stats/draws.js';
import { Random } from '../src/stats/random.js';
import { toFloat16 } from '../src/store/float16.js';
import { LAYER_ARRAYS, type RunManifest } from '../src/store/manifest.js';
import { createRunFolder, layerPath, writeManifest } from '../src/store/run-folder.js';
import { type PlannedArray, streamSafetensors } from '../src/store/safetensors.js';

const LANGUAGES = ['en', 'de', 'fr', 'es', 'pt', 'ru', 'zh', 'ja', 'ko', 'ar', 'hi', 'sw'];
const SIZE = { neurons: 18_944, heads: 28, headDim: 128, dModel: 3584, items: 1000, folds: 20 };
const TOKENS_PER_PROMPT = 30;
/** Standard normal draws that values are cut from, at random places: drawing each anew would take longer than scoring. */
const POOL = 2 ** 20;

export interface LargeRunOptions {
  readonly layers: number;
  readonly keep: 'items' | 'folds';
  /** Another seed is another model: other values, the same probes. */
  readonly seed: number;
}

/**
 * A run of 28 heads and 18,944 neurons a layer, 12 languages, 1,000 items, 20 folds. The layers are copies of one: what
 * their values are makes no difference to what it costs to score them, and to draw 6 billion takes long.
 */
export async function writeLargeRun(
  folder: string,
  { layers: count, keep, seed }: LargeRunOptions,
): Promise<void> {
  await createRunFolder(folder);
  const { neurons, heads, headDim, dModel, items, folds } = SIZE;
  const K = LANGUAGES.length;
  const draws = new Draws(2 * seed + 1);
  const pool = Float32Array.from({ length: POOL }, () => draws.gaussian());
  const random = new Random(2 * seed + 2);
  const cells = [folds, K];
  const grid = [items, K];
  const arrays: PlannedArray[] = [
    { name: LAYER_ARRAYS.mlpSum, dtype: 'F64', shape: [...cells, neurons] },
    { name: LAYER_ARRAYS.mlpSumsq, dtype: 'F64', shape: [...cells, neurons] },
    { name: LAYER_ARRAYS.headNormSum, dtype: 'F64', shape: [...cells, heads] },
    { name: LAYER_ARRAYS.headNormSumsq, dtype: 'F64', shape: [...cells, heads] },
    { name: LAYER_ARRAYS.mlpFire, dtype: 'U32', shape: [...cells, neurons] },
    { name: LAYER_ARRAYS.tokens, dtype: 'U32', shape: cells },
  ];
  const ofItems: PlannedArray[] = [
    { name: LAYER_ARRAYS.headNormItems, dtype: 'F32', shape: [...grid, heads] },
    { name: LAYER_ARRAYS.mlpItems, dtype: 'F16', shape: [...grid, neurons] },
    { name: LAYER_ARRAYS.headItems, dtype: 'F16', shape: [...grid, heads, headDim] },
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
    const fire = Uint32Array.from({ length: folds * K * neurons }, (_, i) => {
      const rate = 0.1 * tied[i % tied.length]! * (1 + 0.1 * pool[random.integer(POOL)]!);
      return cellTokens * Math.min(1, Math.max(0, rate));
    });
    const sum = Float64Array.from(fire, (fired) => 0.5 * fired);
    const norm = Float64Array.from(
      { length: folds * K * heads },
      () => cellTokens * (2 + 0.1 * pool[random.integer(POOL)]!),
    );
    yield sum;
    yield sum;
    yield norm;
    yield norm;
    yield fire;
    yield new Uint32Array(folds * K).fill(cellTokens);
    if (keep === 'folds') return;
    yield* rows(heads, (row) => row.map((value) => Math.abs(value) + 1));
    yield* rows(neurons, (row) => toFloat16(row).bits);
    yield* rows(heads * headDim, (row) => toFloat16(row).bits);
  };
  const first = layerPath(folder, 0);
  await streamSafetensors(first, keep === 'items' ? [...arrays, ...ofItems] : arrays, values());
  for (let layer = 1; layer < count; layer++) await copyFile(first, layerPath(folder, layer));
  const plannedItems = Array.from({ length: items }, (_, i) => ({ id: `item-${i}`, fold: i % folds }));
  const hash = '0'.repeat(64);
  const manifest: RunManifest = {
    schema: 'babelscope/run',
    schemaVersion: 1,
    babelscope: '0.1.0',
    onnxruntime: 'none',
    model: {
      name: `synthetic-7B-${seed}`,
      revision: null,
      architecture: 'Qwen2ForCausalLM',
      modelType: 'qwen2',
      parameters: 7_615_616_512,
      dtype: 'BF16',
      configSha256: hash,
      weightsSha256: hash.slice(1) + String(seed % 10),
      tokenizerSha256: null,
      ref: null,
      adapter: null,
    },
    shape: {
      family: 'qwen2',
      layers: count,
      dModel,
      heads,
      kvHeads: 4,
      headDim,
      dMlp: neurons,
      experts: null,
      mixture: null,
      vocab: 152_064,
      maxPositions: 32_768,
      parameters: 7_615_616_512,
    },
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
  await writeManifest(folder, manifest);
}
