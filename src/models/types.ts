import type { ModelIdentity, OpenCheckpointOptions, WeightFile } from '../checkpoint/index.js';
import type { FlopTerm } from '../graph/index.js';
import type { BlockHook, Edit, GradientTap, HookPoint, MixtureShape, Tap } from '../hooks/index.js';
import type { TokenizerFiles } from '../tokenizer/index.js';

/** The numbers of an architecture that hooks, units and files are sized by. */
export interface ModelShape {
  /** Family that reads this checkpoint, for example `qwen2`. */
  readonly family: string;
  readonly layers: number;
  readonly dModel: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Neurons of an MLP, in layers without experts; 0 where the graph of another exporter hides them. */
  readonly dMlp: number;
  /** Experts a layer; null for a dense model. */
  readonly experts: number | null;
  /** null for a dense model. */
  readonly mixture: MixtureShape | null;
  readonly vocab: number;
  /** Longest sequence the model was made for. */
  readonly maxPositions: number;
  /** Exact number of parameters, tied weights counted once. */
  readonly parameters: number;
}

/** A description of a model, known before it runs. */
export interface ModelDescription {
  readonly shape: ModelShape;
  /** The hook points of every layer, in the order in which they are passed. Not every family has every hook. */
  readonly hooks: readonly HookPoint[];
}

/** A serialised ONNX graph whose weights are external data below the folder its model names. */
export interface ModelGraph {
  readonly bytes: Uint8Array;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /**
   * Weights are converted to float32 at every run, each where it is needed and then forgotten, instead of once as the session
   * is created: layers with experts would not fit. Default false.
   */
  readonly convertsAtRun?: boolean;
  /**
   * Bytes that converted weights take at once: what keeping this graph's session resident costs. The embedding's table
   * stays as it is stored; only the rows looked up are converted.
   */
  readonly residentBytes: number;
  /** Operations of its matrix products; absent where the graph is not ours. */
  readonly flops?: readonly FlopTerm[];
}

export interface GraphOptions {
  /**
   * The tokens may follow others of the same prompt, whose keys and values the layers are given. Every prompt of a batch has as
   * many tokens before.
   */
  readonly past?: boolean;
}

/**
 * A checkpoint as a stack of graphs. All activations are float32, `[batch, seq, …]`, right-padded.
 *
 * - `embed`: `input_ids` int64 [batch, seq] → `hidden` [batch, seq, dModel]
 * - `layer(l, taps)`: `hidden`, and `counted` float32 [batch, seq] if any tap reduces → `next` [batch, seq, dModel]
 *   and one output a tap, named by `tapOutput(tap)`; also `lengths` int64 [batch], the tokens of each prompt without
 *   padding, of the few models that treat longer prompts otherwise (`ModelGraph.inputs` tells)
 * - `unembed`: `hidden` → `logits` [batch, seq, vocab]
 *
 * With `past` a layer also reads `past_keys` and `past_values`, [batch, past, kvHeads, size], where past may be 0, and puts out
 * `keys` and `values` [batch, past + seq, kvHeads, size], which are the past of what follows. Graphs that ask for positions
 * read `offset` int64 [1], the number of tokens before; `lengths` are then those of the whole prompts.
 *
 * Attention is causal, so with padding on the right no token sees padding and no mask input is needed.
 */
export interface LayeredModel extends ModelDescription {
  readonly kind: 'layered';
  /** Warnings about weights and configuration that a run with it should give. */
  readonly warnings: readonly string[];
  /** The most tokens of a prompt where each position has a learned vector; null: any number. */
  readonly mostPositions: number | null;
  embed(options?: GraphOptions): ModelGraph;
  /** @throws UsageError for a layer there is not, or a tap at a hook point that it does not have. */
  layer(index: number, taps: readonly Tap[], options?: GraphOptions): ModelGraph;
  /** @throws CheckpointError where the weights hold no unembedding, as `loss` does */
  unembed(): ModelGraph;
  /**
   * The gradient of a scalar through a layer: `hidden` [batch, seq, dModel], what the layer reads, and `gradient` with regard to
   * what it puts out → `previous`, the gradient with regard to `hidden`, and one output a tap. The forward pass is computed
   * again from `hidden`, so that nothing but the residual stream need be kept of it.
   *
   * @throws UsageError as `layer` does; GraphError for an operator that has no gradient
   */
  backward(index: number, taps?: readonly GradientTap[]): ModelGraph;
  /**
   * `hidden` and `targets` int64 [batch, seq] → `nll`, the negative log-likelihood of each target, and `entropy` of the
   * predictive distribution, both [batch, seq] in nats. With `gradient` also `weights` [batch, seq] → `previous`, the gradient of
   * Σ weights · nll with regard to `hidden`, in place of the entropy. The graph treats every row by itself.
   */
  loss(options?: LossOptions): ModelGraph;
}

export interface LossOptions {
  readonly gradient?: boolean;
}

/**
 * Which prompts may share a batch: `equal-length` where the graph is not ours and what it makes of padding unknown;
 * `alone` where even neighbours without padding change a prompt's numbers (activations quantised by the range of the batch).
 */
export type Batching = 'any-length' | 'equal-length' | 'alone';

/** A hook point that the graph of another exporter does not show in all layers. */
export interface HiddenHook {
  readonly hook: BlockHook;
  /** Those that lack it. */
  readonly layers: readonly number[];
  /** `norms`: the values are there, but not the norms of what heads add to the stream. */
  readonly statistics: 'all' | 'norms';
  readonly why: string;
}

/** Whether a tap is of what is hidden. */
export function hides({ hook, statistics }: HiddenHook, tap: Tap): boolean {
  return tap.hook === hook && (statistics === 'all' || tap.statistic.startsWith('norm.'));
}

/** A single graph through all layers, that somebody else made. It takes the memory of all its layers at once. */
export interface WholeModel extends ModelDescription {
  readonly kind: 'whole';
  /** The .onnx file, for error messages. */
  readonly path: string;
  readonly batching: Exclude<Batching, 'any-length'>;
  /** Hook points that fusion hid. */
  readonly hidden: readonly HiddenHook[];
  /**
   * The graph with exactly these outputs: `blocks.{l}.` and `tapOutput(tap)` for every layer and tap, and `WHOLE_LOGITS`
   * [batch, seq, vocab] if asked for. Inputs: those of `WHOLE_INPUTS`, `counted` only if a tap reduces.
   *
   * @throws CheckpointError for a tap whose hook point is not in the graph, with those that are.
   */
  graph(taps: readonly Tap[], logits: boolean): ModelGraph;
}

/** `ids` int64 [batch, seq] and `counted` float32 [batch, seq]: names that no exporter gives. */
export const WHOLE_INPUTS = { ids: 'babelscope/input_ids', counted: 'babelscope/counted' } as const;

export const WHOLE_LOGITS = 'babelscope/logits';

/** Something that runs: layer after layer, or whole. */
export type Model = LayeredModel | WholeModel;

/** The taps that a layer has hook points for; those whose hook no layer has stay, for `Model.layer` to refuse. */
export function layerTaps(
  { hooks }: Pick<Model, 'hooks'>,
  layer: number,
  taps: readonly Tap[],
): readonly Tap[] {
  const here = new Set(hooks.filter((point) => point.layer === layer).map(({ hook }) => hook));
  const anywhere = new Set(hooks.map(({ hook }) => hook));
  return taps.filter(({ hook }) => here.has(hook) || !anywhere.has(hook));
}

/** A model to run, whatever it is kept as. */
export interface Subject {
  readonly model: Model;
  /** Directory that the locations of the model's weights are relative to. */
  readonly weightsRoot: string;
  /** Files that weights are mapped from. */
  readonly weights: readonly WeightFile[];
  /** All files that decide what a run of it gives, weights among them. */
  readonly inputs: readonly string[];
  readonly tokenizer: TokenizerFiles;
  /** Warnings that a run with it should print. */
  readonly warnings: readonly string[];
  /** Reads every byte of the weights. */
  readonly identify: () => Promise<ModelIdentity>;
}

/** How a checkpoint is opened, and what is applied to it. */
export interface SubjectOptions extends Pick<OpenCheckpointOptions, 'adapter' | 'signal' | 'onDownload'> {
  /** A folder whose tokenizer is used instead of the model's own, or `hf://org/name@revision`. Default: its own. */
  readonly tokenizer?: string | undefined;
  /** The version of transformers whose rules the tokenizer follows. Default: the one that saved it. */
  readonly tokenizerRules?: TokenizerFiles['rules'];
  /** Changes of activations inside the model. */
  readonly edits?: readonly Edit[] | undefined;
}
