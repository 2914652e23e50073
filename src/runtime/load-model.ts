import ndarray, { type NdArray } from 'ndarray';
import { type GradientTap, type HookPoint, requireHook, type Tap } from '../hooks/index.js';
import { type ModelShape, openSubject, type SubjectOptions } from '../models/index.js';
import { loadTokenizer } from '../tokenizer/index.js';
import { ModelRunner } from './model-runner.js';
import type { Activation, RunnerOptions } from './types.js';

/** How `loadModel` opens a checkpoint and runs it. */
export interface LoadModelOptions extends SubjectOptions, Partial<RunnerOptions> {}

export interface RunTextOptions {
  /** Also gives the logits. Default false. */
  readonly logits?: boolean;
  /** Special tokens around a text: as the tokenizer adds them (`auto`, the default), with a first one (`on`), none (`off`). */
  readonly bos?: 'auto' | 'on' | 'off';
  readonly signal?: AbortSignal;
}

/** One text after its run through the model. */
export interface TextRun<Hook extends string = string> {
  /**
   * The text of each token, spaces included. A token that is a piece of a character stands as the vocabulary has it,
   * and one of a checkpoint without a tokenizer as its id in angle brackets.
   */
  readonly tokens: readonly string[];
  /** [tokens] */
  readonly ids: Int32Array;
  /**
   * The activation at each hook that was asked for, float32, by its name: [tokens, …shape of the hook]; of
   * `attn.hook_pattern` [heads, query, key]. In layers with experts the neurons of experts that a token did not go to
   * are NaN.
   */
  readonly hooks: Readonly<Record<Hook, NdArray<Float32Array>>>;
  /** [tokens, vocab]; null unless they were asked for. */
  readonly logits: NdArray<Float32Array> | null;
}

export interface GradientOptions extends Omit<RunTextOptions, 'logits'> {
  /**
   * [tokens]: the weight in the loss of the token that follows each; 0 for the last. Default: 1 / (tokens − 1), so that the
   * loss is the mean cross-entropy of the tokens but the first.
   */
  readonly weights?: ArrayLike<number>;
}

/** The loss of one text, and how it changes with activations. */
export interface TextGradients<Hook extends string = string> extends Pick<TextRun, 'tokens' | 'ids'> {
  /** Σ weight × negative log-likelihood, in nats. */
  readonly loss: number;
  /** ∂loss/∂activation at each hook, float32, of the shapes that `run` gives; NaN for neurons of experts that a token did not go to. */
  readonly hooks: Readonly<Record<Hook, NdArray<Float32Array>>>;
}

/** A checkpoint with its tokenizer, ready to run text. */
export interface LoadedModel extends AsyncDisposable {
  readonly shape: ModelShape;
  /** Every hook point there is, layer by layer, with its shape for one token. */
  readonly hooks: readonly HookPoint[];
  /**
   * Runs a text, or token ids, and gives the activations at the named hooks.
   *
   * @param hooks Full names, for example `blocks.7.mlp.hook_post`.
   * @throws UsageError for a hook that the model does not have, naming the nearest ones, and for an empty text;
   *   TokenizerError if a text is given and the checkpoint has no tokenizer that can be read
   */
  run<const Hook extends string>(
    prompt: string | ArrayLike<number>,
    hooks?: readonly Hook[],
    options?: RunTextOptions,
  ): Promise<TextRun<Hook>>;
  /**
   * The loss of a text, or of token ids, and its gradient with regard to the activations at the named hooks.
   *
   * @throws UsageError as `run` does, for a text of one token, and for the graph of another exporter
   */
  gradients<const Hook extends string>(
    prompt: string | ArrayLike<number>,
    hooks: readonly Hook[],
    options?: GradientOptions,
  ): Promise<TextGradients<Hook>>;
  /** Ends the threads that compute. */
  close(): Promise<void>;
}

const DEFAULT_MEMORY_BYTES = 4 * 2 ** 30;

/**
 * Opens a checkpoint so that text can be run through it.
 *
 *     const model = await loadModel('path/to/checkpoint');
 *     const { tokens, hooks } = await model.run('Der Hund bellt.', ['blocks.7.mlp.hook_post']);
 *     hooks['blocks.7.mlp.hook_post'].get(2, 100); // neuron 100 at the third token
 *     await model.close();
 *
 * Results are float32 and do not depend on threads or memory. `await using` closes the model by itself.
 *
 * @param source A Hugging Face folder, `hf://org/name@revision`, or an .onnx file of another exporter.
 * @param options `adapter` applies a LoRA adapter, given like `source`; `tokenizer` is a folder whose tokenizer is used instead; `edits` change activations inside the model, as
 *   `{ kind: 'set', at: 'blocks.7.attn.hook_z', units: [3], amount: 0 }` silences a head. `device` is `cpu` by default, `threads` the
 *   number of physical cores, `memoryBytes` 4 GiB: layers pass one at a time where they do not all fit.
 * @throws CheckpointError, HubError as `openCheckpoint` does; UsageError for a device that is not available, or an edit of
 *   what the model does not have
 */
export async function loadModel(source: string, options: LoadModelOptions = {}): Promise<LoadedModel> {
  const { device = 'cpu', threads, memoryBytes = DEFAULT_MEMORY_BYTES, ...opening } = options;
  const subject = await openSubject(source, opening);
  const { shape, hooks: points } = subject.model;
  const runner = await ModelRunner.start(subject, subject.model, { device, threads, memoryBytes });
  let loading: ReturnType<typeof loadTokenizer> | null = null;
  const tokenizer = () => {
    loading ??= loadTokenizer(subject.tokenizer);
    return loading;
  };
  const wordsOf = async (ids: Int32Array): Promise<string[]> => {
    if (subject.tokenizer.tokenizerJson === null) return Array.from(ids, (id) => `<${id}>`);
    const { decode, token } = await tokenizer();
    return Promise.all(Array.from(ids, async (id) => readable(token(id), await decode([id]))));
  };
  const idsOf = async (prompt: string | ArrayLike<number>, bos: 'auto' | 'on' | 'off') =>
    typeof prompt === 'string'
      ? (await (await tokenizer()).encode(prompt, { bos })).ids
      : Int32Array.from(prompt);
  const pointsOf = (names: readonly string[]) => {
    const asked = names.map((name) => requireHook(points, name));
    const at = [...new Set(asked.map(({ hook }) => hook))];
    return { asked, at, layers: asked.map(({ layer }) => layer) };
  };
  return {
    shape,
    hooks: points,
    async run<Hook extends string>(
      prompt: string | ArrayLike<number>,
      hooks: readonly Hook[] = [],
      { logits = false, bos = 'auto', signal }: RunTextOptions = {},
    ) {
      const { asked, layers, at } = pointsOf(hooks);
      const taps = at.map((hook): Tap => ({ hook, statistic: 'full' }));
      const ids = await idsOf(prompt, bos);
      const prompts = [{ ids, counted: new Uint8Array(ids.length).fill(1) }];
      const [found] = await runner.activations(prompts, taps, { logits, layers, signal });
      return {
        tokens: await wordsOf(ids),
        ids,
        hooks: arraysOf<Hook>(asked, found!.hooks),
        logits: found!.logits === null ? null : arrayOf(found!.logits),
      };
    },
    async gradients<Hook extends string>(
      prompt: string | ArrayLike<number>,
      hooks: readonly Hook[],
      { weights, bos = 'auto', signal }: GradientOptions = {},
    ) {
      const { asked, layers, at } = pointsOf(hooks);
      const taps = at.map((hook): GradientTap => ({ hook, statistic: 'gradient' }));
      const ids = await idsOf(prompt, bos);
      const given = weights === undefined ? {} : { weights: Float32Array.from(weights) };
      const prompts = [{ ids, counted: new Uint8Array(ids.length).fill(1), ...given }];
      const [found] = await runner.gradients(prompts, taps, { layers, signal });
      return {
        tokens: await wordsOf(ids),
        ids,
        loss: found!.loss,
        hooks: arraysOf<Hook>(asked, found!.hooks),
      };
    },
    close: () => runner.close(),
    [Symbol.asyncDispose]: () => runner.close(),
  };
}

function arraysOf<Hook extends string>(
  asked: readonly HookPoint[],
  found: ReadonlyMap<string, Activation>,
): Readonly<Record<Hook, NdArray<Float32Array>>> {
  const arrays = asked.map(({ name }) => [name, arrayOf(found.get(name)!)] as const);
  return Object.fromEntries(arrays) as Readonly<Record<Hook, NdArray<Float32Array>>>;
}

function arrayOf({ values, dims }: Activation): NdArray<Float32Array> {
  return ndarray(values, [...dims]);
}

/** A token as a reader knows it. Decoded by itself, a word of SentencePiece would lose the space before it. */
function readable(token: string | undefined, decoded: string): string {
  if (token?.startsWith('▁')) return token.replaceAll('▁', ' ');
  return token === undefined || (decoded !== '' && !decoded.includes('\uFFFD')) ? decoded : token;
}
