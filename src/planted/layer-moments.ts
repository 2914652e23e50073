import { tokenizeGrid } from '../capture/index.js';
import { type Checkpoint, positiveNumber, readConfigField, requireTensor } from '../checkpoint/index.js';
import { BabelscopeError, CheckpointError, ProbeError } from '../errors.js';
import type { Tap } from '../hooks/index.js';
import type { Model, ModelShape } from '../models/index.js';
import type { ProbeSet } from '../probes/index.js';
import { type Activation, ModelRunner, type TokenizedPrompt } from '../runtime/index.js';
import { loadTokenizer } from '../tokenizer/index.js';
import { LanguageMoments } from './language-moments.js';
import { readWeight } from './stored-weight.js';
import { TokenSample } from './token-sample.js';

/** Moments of what the units of one layer read, over the counted tokens of the calibration prompts. */
export interface LayerMoments {
  /** Moments of the input of gate_proj and up_proj, width dModel; null if not asked for. */
  readonly mlpInput: LanguageMoments | null;
  /** Some of the tokens those moments are of; null with them. */
  readonly mlpTokens: TokenSample | null;
  /** [head]: of hook_z, width headDim; empty if not asked for. */
  readonly z: readonly LanguageMoments[];
}

export interface MomentsRequest {
  readonly checkpoint: Checkpoint;
  readonly model: Model;
  readonly probes: ProbeSet;
  /** [layer]: which are wanted. */
  readonly wanted: readonly { readonly neurons: boolean; readonly heads: boolean }[];
  readonly threads?: number | undefined;
  readonly memoryBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/** Prompts whose full activations are held at once. */
const PROMPTS_AT_ONCE = 64;
/** Tokens a direction needs so that it is not fitted to noise. */
const TOKENS_A_DIMENSION = 4;
/** Largest error of gate_proj times its input against hook_pre, relative to the largest; float32 gives about 1e-6. */
const INPUT_TOLERANCE = 1e-3;

const RESID_MID: Tap = { hook: 'hook_resid_mid', statistic: 'full' };
const GATE_SUM: Tap = { hook: 'mlp.hook_pre', statistic: 'sum' };
const Z: Tap = { hook: 'attn.hook_z', statistic: 'full' };

/**
 * Runs the prompts through the model and gathers what the wanted layers' units read.
 *
 * @throws ProbeError for too few tokens; as `tokenizeGrid` and `ModelRunner` do
 */
export async function gatherMoments(request: MomentsRequest): Promise<LayerMoments[]> {
  const { checkpoint, model, probes, wanted, signal } = request;
  const { shape } = model;
  const languages = probes.languages.length;
  const neurons = wanted.some((layer) => layer.neurons);
  const heads = wanted.some((layer) => layer.heads);
  const inputs = await Promise.all(
    wanted.map((layer, index) => (layer.neurons ? mlpInput(checkpoint, model, index) : null)),
  );
  const gateSums = wanted.map(() => new Float64Array(shape.dMlp));
  const prompts = await calibrationPrompts(request);
  const tokens = countTokens(prompts, languages);
  checkTokens(tokens, shape.dModel, probes);
  const moments: LayerMoments[] = wanted.map((layer) => ({
    mlpInput: layer.neurons ? new LanguageMoments(languages, shape.dModel) : null,
    mlpTokens: layer.neurons ? new TokenSample(tokens, shape.dModel) : null,
    z: layer.heads
      ? Array.from({ length: shape.heads }, () => new LanguageMoments(languages, shape.headDim))
      : [],
  }));

  const taps = [...(neurons ? [RESID_MID, GATE_SUM] : []), ...(heads ? [Z] : [])];
  const { threads, memoryBytes } = request;
  const runner = await ModelRunner.start(checkpoint, model, { device: 'cpu', threads, memoryBytes });
  try {
    for (let first = 0; first < prompts.length; first += PROMPTS_AT_ONCE) {
      const some = prompts.slice(first, first + PROMPTS_AT_ONCE);
      const activations = await runner.activations(some, taps, signal === undefined ? {} : { signal });
      for (const [i, { hooks }] of activations.entries()) {
        const { language, counted } = some[i]!;
        for (const [layer, { mlpInput: input, mlpTokens, z }] of moments.entries()) {
          if (input !== null) {
            const rows = inputs[layer]!(hooks.get(`blocks.${layer}.hook_resid_mid`)!);
            for (const [t, counts] of counted.entries()) {
              if (counts === 0) continue;
              input.add(language, rows, t * shape.dModel);
              mlpTokens!.add(language, rows, t * shape.dModel);
            }
            addTo(gateSums[layer]!, hooks.get(`blocks.${layer}.mlp.hook_pre/sum`)!.values);
          }
          const read = hooks.get(`blocks.${layer}.attn.hook_z`);
          for (const [head, own] of z.entries()) {
            for (const [t, counts] of counted.entries()) {
              if (counts === 1) own.add(language, read!.values, (t * shape.heads + head) * shape.headDim);
            }
          }
        }
      }
    }
  } finally {
    await runner.close();
  }
  for (const [layer, { mlpInput: input }] of moments.entries()) {
    if (input !== null) await checkInput(checkpoint, model, layer, input, gateSums[layer]!);
  }
  return moments;
}

interface CalibrationPrompt extends TokenizedPrompt {
  readonly language: number;
}

async function calibrationPrompts(request: MomentsRequest): Promise<CalibrationPrompt[]> {
  const { checkpoint, model, probes, signal } = request;
  const { vocab, maxPositions } = model.shape;
  const tokenizer = await loadTokenizer(checkpoint);
  const rule = { positions: 'all', countFirst: false, bos: 'auto' } as const;
  const { cells } = await tokenizeGrid({ probes, rule, tokenizer, vocab, maxPositions, signal });
  return cells.flatMap((row) =>
    row.flatMap((cell, language) => (cell === null ? [] : [{ ...cell, language }])),
  );
}

/** [language]: counted tokens. */
function countTokens(prompts: readonly CalibrationPrompt[], languages: number): Float64Array {
  const tokens = new Float64Array(languages);
  for (const { language, counted } of prompts) tokens[language]! += counted.reduce((a, b) => a + b, 0);
  return tokens;
}

function checkTokens(ofLanguage: Float64Array, dModel: number, { identity }: ProbeSet): void {
  const tokens = ofLanguage.reduce((a, b) => a + b, 0);
  if (tokens >= TOKENS_A_DIMENSION * dModel) return;
  throw new ProbeError({
    what: 'too few tokens to find directions on',
    where: `probe set ${identity.name}`,
    expected: `at least ${TOKENS_A_DIMENSION * dModel} calibration tokens`,
    found: String(tokens),
    remedy: 'use more items',
  });
}

/** Families with the names of Llama's weights whose MLP reads RMSNorm(resid_mid)·w, or, as OLMo-2's, the stream itself. */
const PLANTABLE: readonly string[] = ['llama', 'qwen2', 'qwen3', 'smollm3', 'olmo2'];

/** @throws CheckpointError for a model that planting does not know how to rewrite */
export function requirePlantable({ folder }: Checkpoint, { family }: ModelShape): void {
  if (PLANTABLE.includes(family)) return;
  throw new CheckpointError({
    what: `planting does not know the family ${family}`,
    where: folder,
    expected: `a dense model of ${PLANTABLE.join(', ')}`,
    found: family,
    remedy: 'plant into a checkpoint of one of these families',
  });
}

/** Turns hook_resid_mid into what the MLP reads: normalised first, but in families that normalise its output. */
async function mlpInput(
  checkpoint: Checkpoint,
  { shape }: Model,
  layer: number,
): Promise<(resid: Activation) => Float32Array> {
  if (shape.family === 'olmo2') return ({ values }) => values;
  const name = `model.layers.${layer}.post_attention_layernorm.weight`;
  const weight = await readWeight(checkpoint, requireTensor(checkpoint, name, [shape.dModel]));
  const epsilon = readConfigField(checkpoint, 'rms_norm_eps', positiveNumber);
  return ({ values }) => {
    const out = new Float32Array(values.length);
    for (let at = 0; at < values.length; at += shape.dModel) {
      let square = 0;
      for (let a = 0; a < shape.dModel; a++) square += values[at + a]! ** 2;
      const scale = 1 / Math.sqrt(square / shape.dModel + epsilon);
      for (let a = 0; a < shape.dModel; a++) out[at + a] = values[at + a]! * scale * weight[a]!;
    }
    return out;
  };
}

function addTo(sums: Float64Array, values: Float32Array): void {
  for (let i = 0; i < sums.length; i++) sums[i]! += values[i]!;
}

/** The gathered values must be those that gate_proj reads: its product with the weight is the sum of hook_pre. */
async function checkInput(
  checkpoint: Checkpoint,
  { shape }: Model,
  layer: number,
  input: LanguageMoments,
  gateSum: Float64Array,
): Promise<void> {
  const name = `model.layers.${layer}.mlp.gate_proj`;
  const gate = await readWeight(
    checkpoint,
    requireTensor(checkpoint, `${name}.weight`, [shape.dMlp, shape.dModel]),
  );
  const bias = checkpoint.tensors.get(`${name}.bias`);
  const biases = bias === undefined ? null : await readWeight(checkpoint, bias);
  const tokens = input.tokens.reduce((a, b) => a + b, 0);
  const total = input.total();
  let worst = 0;
  let largest = 0;
  for (let n = 0; n < shape.dMlp; n++) {
    let sum = tokens * (biases?.[n] ?? 0);
    for (let a = 0; a < shape.dModel; a++) sum += gate[n * shape.dModel + a]! * total[a]!;
    worst = Math.max(worst, Math.abs(sum - gateSum[n]!));
    largest = Math.max(largest, Math.abs(gateSum[n]!));
  }
  if (worst <= INPUT_TOLERANCE * Math.max(largest, Number.MIN_VALUE)) return;
  throw new BabelscopeError({
    what: `the input of the MLP of layer ${layer} is not what its gate reads`,
    where: checkpoint.folder,
    expected: `gate_proj times the input to be hook_pre within ${INPUT_TOLERANCE}`,
    found: `${(worst / largest).toExponential(1)}`,
    remedy: 'this is a fault of ours: please report it, with the config.json',
  });
}
