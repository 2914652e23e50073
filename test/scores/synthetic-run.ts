import { Random } from '../../src/stats/random.js';
import { toFloat16 } from '../../src/store/float16.js';
import { LAYER_ARRAYS, type RunManifest } from '../../src/store/manifest.js';
import { createRunFolder, layerPath, writeManifest } from '../../src/store/run-folder.js';
import { type NamedArray, writeSafetensors } from '../../src/store/safetensors.js';

/** A run with made-up values whose units differ in how tied to languages and items they are. */
export interface SyntheticRun {
  readonly layers: number;
  readonly neurons: number;
  readonly heads: number;
  readonly headDim: number;
  readonly languages: readonly string[];
  readonly items: number;
  readonly folds: number;
  readonly seed: number;
  readonly keep?: 'items' | 'folds';
  /** [item, language] cells without a prompt. */
  readonly missing?: (item: number, language: number) => boolean;
}

const TOKENS_PER_PROMPT = 20;

/** Writes the run's folder; returns its manifest. */
export async function writeSyntheticRun(folder: string, run: SyntheticRun): Promise<RunManifest> {
  const { layers, neurons, heads, headDim, languages, items, folds, seed, keep = 'items' } = run;
  const present = (item: number, k: number) => !(run.missing?.(item, k) ?? false);
  const foldOf = Array.from({ length: items }, (_, item) => item % folds);
  const prompts = languages.map((_, k) => foldOf.filter((_, item) => present(item, k)).length);
  const plan: RunManifest['plan'] = {
    languages: [...languages],
    items: foldOf.map((fold, item) => ({ id: `item-${item}`, fold })),
    folds,
    seed: 0,
    positions: 'all',
    countFirst: false,
    bos: 'auto',
    keep,
    chunks: Array.from({ length: folds }, (_, fold) =>
      foldOf.flatMap((own, item) => (own === fold ? [item] : [])),
    ),
    hooks: ['blocks.{l}.mlp.hook_pre', 'blocks.{l}.mlp.hook_post', 'blocks.{l}.attn.hook_z'],
  };
  const manifest: RunManifest = {
    schema: 'babelscope/run',
    schemaVersion: 1,
    babelscope: '0.0.0',
    onnxruntime: '0.0.0',
    model: {
      name: 'synthetic',
      revision: null,
      architecture: 'Qwen2ForCausalLM',
      modelType: 'qwen2',
      parameters: 1,
      dtype: 'F32',
      configSha256: '',
      weightsSha256: '',
      tokenizerSha256: null,
    },
    shape: {
      family: 'qwen2',
      layers,
      dModel: heads * headDim,
      heads,
      kvHeads: heads,
      headDim,
      dMlp: neurons,
      experts: null,
      vocab: 1,
      maxPositions: 1,
      parameters: 1,
    },
    probe: { name: 'synthetic', version: '1', kind: 'text', licence: '', source: '', sha256: '' },
    languages: languages.map((tag, k) => ({
      tag,
      name: tag,
      script: 'Latn',
      family: 'none',
      prompts: prompts[k]!,
      tokens: prompts[k]! * TOKENS_PER_PROMPT,
      truncated: 0,
    })),
    plan,
    planSha256: 'synthetic-plan',
    warnings: [],
  };
  await createRunFolder(folder);
  await writeManifest(folder, manifest);
  const random = new Random(seed);
  for (let layer = 0; layer < layers; layer++) {
    const grid = { languages: languages.length, items, folds, foldOf, present };
    await writeSafetensors(layerPath(folder, layer), [
      tokensOf(grid),
      ...statistics(random, grid, neurons, heads),
      ...(keep === 'items' ? pooled(random, grid, neurons, heads, headDim) : []),
    ]);
  }
  return manifest;
}

interface Grid {
  readonly languages: number;
  readonly items: number;
  readonly folds: number;
  readonly foldOf: readonly number[];
  readonly present: (item: number, language: number) => boolean;
}

function tokensOf({ languages, folds, foldOf, present }: Grid): NamedArray {
  const data = new Uint32Array(folds * languages);
  foldOf.forEach((fold, item) => {
    for (let k = 0; k < languages; k++)
      if (present(item, k)) data[fold * languages + k]! += TOKENS_PER_PROMPT;
  });
  return { name: LAYER_ARRAYS.tokens, dtype: 'U32', shape: [folds, languages], data };
}

/** Uniform in 0 … 1. */
const uniform = (random: Random) => random.integer(2 ** 24) / 2 ** 24;
/** Near enough to normal: the sum of three uniforms, centred, of unit variance. */
const normal = (random: Random) => 2 * (uniform(random) + uniform(random) + uniform(random) - 1.5);

function statistics(random: Random, grid: Grid, neurons: number, heads: number): NamedArray[] {
  const { languages, folds } = grid;
  const tokens = tokensOf(grid).data as Uint32Array;
  const fire = new Uint32Array(folds * languages * neurons);
  const fold = (units: number, of: (count: number, k: number, unit: number) => number) => {
    const sums = new Float64Array(folds * languages * units);
    for (let i = 0; i < sums.length; i++) {
      const cell = Math.floor(i / units);
      sums[i] = of(tokens[cell]!, cell % languages, i % units);
    }
    return sums;
  };
  // Every 16th neuron fires in one language mostly, the first of a layer never.
  fire.set(
    fold(neurons, (count, k, unit) => {
      const rate = unit === 0 ? 0 : unit % 16 === 1 ? (k === unit % languages ? 0.8 : 0.02) : 0.3;
      return Math.round(count * Math.min(1, rate * (0.8 + 0.4 * uniform(random))));
    }),
  );
  const norms = fold(
    heads,
    (count, k, unit) => count * (1 + (k === unit % languages ? 1 : 0) + uniform(random)),
  );
  const shape = [folds, languages];
  return [
    { name: LAYER_ARRAYS.mlpFire, dtype: 'U32', shape: [...shape, neurons], data: fire },
    {
      name: LAYER_ARRAYS.mlpSum,
      dtype: 'F64',
      shape: [...shape, neurons],
      data: fold(neurons, (count) => count * normal(random)),
    },
    { name: LAYER_ARRAYS.headNormSum, dtype: 'F64', shape: [...shape, heads], data: norms },
  ];
}

function pooled(random: Random, grid: Grid, neurons: number, heads: number, headDim: number): NamedArray[] {
  const { languages, items, present } = grid;
  const values = (units: number) => {
    const language = Float32Array.from({ length: languages * units }, () => normal(random));
    const weight = Float32Array.from({ length: 2 * units }, () => uniform(random));
    const out = new Float32Array(items * languages * units);
    for (let item = 0; item < items; item++) {
      const meaning = Float32Array.from({ length: units }, () => normal(random));
      for (let k = 0; k < languages; k++) {
        const at = (item * languages + k) * units;
        const exists = present(item, k);
        for (let u = 0; u < units; u++) {
          const x =
            weight[2 * u]! * language[k * units + u]! + weight[2 * u + 1]! * meaning[u]! + normal(random);
          out[at + u] = exists ? (u === 0 ? 0 : x) : Number.NaN;
        }
      }
    }
    return out;
  };
  const shape = [items, languages];
  return [
    {
      name: LAYER_ARRAYS.mlpItems,
      dtype: 'F16',
      shape: [...shape, neurons],
      data: toFloat16(values(neurons)).bits,
    },
    {
      name: LAYER_ARRAYS.headItems,
      dtype: 'F16',
      shape: [...shape, heads, headDim],
      data: toFloat16(values(heads * headDim)).bits,
    },
    {
      name: LAYER_ARRAYS.headNormItems,
      dtype: 'F32',
      shape: [...shape, heads],
      data: values(heads).map(Math.abs),
    },
  ];
}
