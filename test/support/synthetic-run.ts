import { createHash } from 'node:crypto';
import { Draws } from '../../src/stats/sampling/random.js';
import { toFloat16 } from '../../src/store/files/float16.js';
import { RUN_SCHEMA_VERSION, type RunManifest } from '../../src/store/run/manifest.js';
import { layerPath } from '../../src/store/run/run-folder.js';
import { createRunFolder } from './create-run-folder.js';
import { sealRun } from './seal-run.js';
import { type NamedArray, writeSafetensors } from './write-safetensors.js';

/** A neuron that fires for one language. */
export interface PlantedNeuron {
  readonly layer: number;
  readonly index: number;
  /** Index into `languages`. */
  readonly language: number;
  /** Firing rate in its language; elsewhere the neuron fires at `PLANTED_ELSEWHERE`. Default 0.9. */
  readonly rate?: number;
}

export const PLANTED_ELSEWHERE = 0.01;

export interface SyntheticRunOptions {
  readonly languages?: readonly string[];
  readonly layers?: number;
  readonly neurons?: number;
  readonly heads?: number;
  readonly headDim?: number;
  readonly items?: number;
  readonly folds?: number;
  /** Counted tokens of each prompt. */
  readonly tokensPerPrompt?: number;
  readonly keep?: 'items' | 'folds';
  /** What the model is: base rates, effects of language and item. Two runs of one `model` differ by noise alone. */
  readonly model?: number;
  /** The noise of the tokens. */
  readonly noise?: number;
  readonly planted?: readonly PlantedNeuron[];
  /** Pooled hook_resid_post of a layer, [item, language, heads · headDim]; not recorded without it. */
  readonly residual?: (layer: number) => Float32Array;
  /** Changes to the manifest, for runs that do not match. */
  readonly manifest?: (manifest: RunManifest) => RunManifest;
}

export const SYNTHETIC_LANGUAGES = ['en', 'de', 'fr', 'ja', 'ko', 'pt', 'uk', 'zh'] as const;

/**
 * Writes a run folder with the room's own writers: fold counts of firing (binomial around a rate per neuron and
 * language), pooled values (item effect + language effect + noise), and heads likewise, as if a capture had made it.
 */
export async function writeSyntheticRun(
  folder: string,
  options: SyntheticRunOptions = {},
): Promise<RunManifest> {
  const {
    languages = SYNTHETIC_LANGUAGES.slice(0, 4),
    layers = 4,
    neurons = 100,
    heads = 6,
    headDim = 4,
    items: itemCount = 40,
    folds = 10,
    tokensPerPrompt = 12,
    keep = 'items',
    model = 1,
    noise = 1,
    planted = [],
    residual,
  } = options;
  const items = Array.from({ length: itemCount }, (_, i) => ({ id: `item-${i}`, fold: i % folds }));
  const K = languages.length;
  const itemsOfFold = Array.from({ length: folds }, (_, g) => items.filter(({ fold }) => fold === g).length);
  const tokens = Uint32Array.from(
    { length: folds * K },
    (_, i) => itemsOfFold[Math.floor(i / K)]! * tokensPerPrompt,
  );

  await createRunFolder(folder);
  for (let layer = 0; layer < layers; layer++) {
    const structure = new CountDraws(1000 * model + layer);
    const chance = new CountDraws(1_000_000 * noise + layer);
    const ofLayer = planted.filter((neuron) => neuron.layer === layer);

    const rate = new Float64Array(K * neurons);
    for (let u = 0; u < neurons; u++) {
      const logit = -1.2 + structure.gaussian();
      for (let k = 0; k < K; k++) rate[k * neurons + u] = logistic(logit + 0.35 * structure.gaussian());
    }
    for (const { index, language, rate: own = 0.9 } of ofLayer) {
      for (let k = 0; k < K; k++) rate[k * neurons + index] = k === language ? own : PLANTED_ELSEWHERE;
    }
    const fire = new Uint32Array(folds * K * neurons);
    const sum = new Float64Array(fire.length);
    for (let cell = 0; cell < folds * K; cell++) {
      for (let u = 0; u < neurons; u++) {
        const at = cell * neurons + u;
        fire[at] = chance.binomial(tokens[cell]!, rate[(cell % K) * neurons + u]!);
        sum[at] = 0.5 * fire[at]!;
      }
    }
    const norms = pooled(items.length, K, heads, structure, chance).map((value) => Math.abs(value) + 1);
    const normSum = new Float64Array(folds * K * heads);
    items.forEach(({ fold }, i) => {
      for (let kh = 0; kh < K * heads; kh++) {
        normSum[fold * K * heads + kh]! += norms[i * K * heads + kh]! * tokensPerPrompt;
      }
    });

    const cells = [folds, K];
    const arrays: NamedArray[] = [
      { name: 'tokens', dtype: 'U32', shape: cells, data: tokens },
      { name: 'mlp.fire', dtype: 'U32', shape: [...cells, neurons], data: fire },
      { name: 'mlp.sum', dtype: 'F64', shape: [...cells, neurons], data: sum },
      { name: 'mlp.sumsq', dtype: 'F64', shape: [...cells, neurons], data: sum },
      { name: 'head.norm.sum', dtype: 'F64', shape: [...cells, heads], data: normSum },
      { name: 'head.norm.sumsq', dtype: 'F64', shape: [...cells, heads], data: normSum },
    ];
    if (keep === 'items') {
      const grid = [items.length, K];
      const values = pooled(items.length, K, neurons, structure, chance);
      for (const { index, language } of ofLayer) {
        for (let i = 0; i < items.length; i++) values[(i * K + language) * neurons + index]! += 3;
      }
      const vectors = pooled(items.length, K, heads * headDim, structure, chance);
      arrays.push(
        {
          name: 'mlp.items',
          dtype: 'F16',
          shape: [...grid, neurons],
          data: toFloat16(values).bits,
        },
        {
          name: 'head.items',
          dtype: 'F16',
          shape: [...grid, heads, headDim],
          data: toFloat16(vectors).bits,
        },
        { name: 'head.norm.items', dtype: 'F32', shape: [...grid, heads], data: norms },
      );
    }
    if (residual !== undefined) {
      const dModel = heads * headDim;
      const sums = {
        dtype: 'F64',
        shape: [...cells, dModel],
        data: new Float64Array(folds * K * dModel),
      } as const;
      arrays.push(
        { name: 'resid.sum', ...sums },
        { name: 'resid.sumsq', ...sums },
        {
          name: 'resid.items',
          dtype: 'F32',
          shape: [items.length, K, dModel],
          data: residual(layer),
        },
      );
    }
    await writeSafetensors(layerPath(folder, layer), arrays);
  }

  const manifest: RunManifest = {
    schema: 'babelscope/run',
    schemaVersion: RUN_SCHEMA_VERSION,
    babelscope: '0.1.0',
    onnxruntime: '1.30.0',
    model: {
      name: `synthetic-${model}`,
      revision: null,
      ref: null,
      adapter: null,
      architecture: 'Qwen2ForCausalLM',
      modelType: 'qwen2',
      parameters: 1,
      dtype: 'BF16',
      configSha256: sha256('config'),
      weightsSha256: sha256(`weights ${model} ${noise} ${JSON.stringify(planted)}`),
      tokenizerSha256: sha256('tokenizer'),
    },
    shape: {
      family: 'qwen2',
      layers,
      dModel: heads * headDim,
      heads,
      kvHeads: 2,
      headDim,
      dMlp: neurons,
      experts: null,
      mixture: null,
      vocab: 512,
      maxPositions: 128,
      parameters: 1,
    },
    probe: {
      name: 'synthetic',
      version: '1',
      kind: 'text',
      licence: 'CC0-1.0',
      source: 'test/support/synthetic-run.ts',
      sha256: sha256('probe'),
    },
    languages: languages.map((tag) => ({
      tag,
      name: new Intl.DisplayNames('en', { type: 'language' }).of(tag) ?? tag,
      script: new Intl.Locale(tag).maximize().script ?? 'Zzzz',
      family: tag === 'ja' || tag === 'ko' || tag === 'zh' ? 'other' : 'Indo-European',
      prompts: items.length,
      tokens: items.length * tokensPerPrompt,
      truncated: 0,
    })),
    plan: {
      languages: [...languages],
      items,
      folds,
      seed: 1,
      positions: 'all',
      countFirst: false,
      bos: 'auto',
      keep,
      pooling: 'mean',
      chunks: itemsOfFold.map((_, g) => items.flatMap(({ fold }, i) => (fold === g ? [i] : []))),
      hooks: [
        'mlp.hook_pre',
        'mlp.hook_post',
        'attn.hook_z',
        ...(residual === undefined ? [] : ['hook_resid_post']),
      ],
    },
    planSha256: sha256(`plan ${model}`),
    warnings: [],
  };
  const written = options.manifest?.(manifest) ?? manifest;
  await sealRun(folder, written);
  return written;
}

/** [item, language, unit]: item effect + language effect (structure) + noise (chance). */
function pooled(
  items: number,
  languages: number,
  units: number,
  structure: CountDraws,
  chance: CountDraws,
): Float32Array {
  const item = Float64Array.from({ length: items * units }, () => 0.6 * structure.gaussian());
  const language = Float64Array.from({ length: languages * units }, () => 0.3 * structure.gaussian());
  const values = new Float32Array(items * languages * units);
  for (let i = 0; i < items; i++) {
    for (let k = 0; k < languages; k++) {
      for (let u = 0; u < units; u++) {
        values[(i * languages + k) * units + u] =
          item[i * units + u]! + language[k * units + u]! + 0.5 * chance.gaussian();
      }
    }
  }
  return values;
}

/** The project's draws, and counts of successes. */
class CountDraws extends Draws {
  /** Number of successes in n trials: exact for small n, else the rounded normal approximation. */
  binomial(n: number, p: number): number {
    if (n * p * (1 - p) > 20) {
      const value = Math.round(n * p + Math.sqrt(n * p * (1 - p)) * this.gaussian());
      return Math.min(n, Math.max(0, value));
    }
    let successes = 0;
    for (let trial = 0; trial < n; trial++) if (this.uniform() < p) successes++;
    return successes;
  }
}

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
