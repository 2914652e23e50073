import { type QuantisedWeight, rowOf, type WeightTensor } from '../../checkpoint/index.js';
import { UsageError } from '../../errors.js';
import {
  addPositions,
  cast,
  concat,
  type Float,
  Graph,
  GraphError,
  gather,
  gradients,
  matrixFlops,
  range,
  serialize,
  type Value,
  zeros,
} from '../../graph/index.js';
import {
  type Activation,
  applyEdit,
  BLOCK_HOOKS,
  type BlockHook,
  type ExpertActivation,
  type GradientTap,
  type Place,
  type PlacedEdit,
  record,
  recordGradient,
  reduces,
  type Tap,
  tapOutput,
  validateGradientTaps,
  validateTaps,
  type WholeActivation,
} from '../../hooks/index.js';
import type { LowRankSource } from '../lora/adaptation.js';
import type { ModelGraph } from '../types.js';
import { dequantise, type WeightSource } from './weights.js';

/** Weights that exist as float32 at the same time where each is converted when it is needed: an expert has three. */
const PASSING_WEIGHTS = 4;

/** Passes `mlp.hook_pre` or `mlp.hook_post` and gives the value to go on with. */
export type NeuronHook = (point: 'mlp.hook_pre' | 'mlp.hook_post', value: Float) => Float;

export interface BlockOptions {
  /** Default: nothing is recorded. */
  readonly taps?: readonly Tap[];
  /** They are applied at the hook points of this block, in this order, before anything is recorded there. */
  readonly edits?: readonly PlacedEdit[];
  readonly lowRank?: LowRankSource;
  /** Tokens may follow others whose keys and values are inputs. */
  readonly past?: boolean;
}

/**
 * One graph of a model (embedding, layer or unembedding) while a family writes it: the weights it reads, the positions of its
 * tokens, and the hook points it passes.
 */
export class Block {
  readonly graph: Graph;
  readonly #source: WeightSource;
  readonly #taps: readonly Tap[];
  readonly #edits: readonly PlacedEdit[];
  readonly #lowRank: LowRankSource;
  readonly #activations = new Map<BlockHook, Activation>();
  readonly #experts = new Map<BlockHook, { experts: ExpertActivation[]; shared: Float | null }>();
  readonly #weights = new Map<string, Float>();
  readonly #floatBytes: number[] = [];
  #lengths: Value<'int64'> | null = null;
  #tableBytes = 0;
  /** Elements of each parameter asked for, by name. */
  readonly parameters = new Map<string, number>();
  /** Tokens may follow others. */
  readonly hasPast: boolean;
  #offset: Value<'int64'> | null = null;

  constructor(
    name: string,
    source: WeightSource,
    { taps = [], edits = [], lowRank = () => null, past = false }: BlockOptions = {},
  ) {
    validateTaps(taps);
    this.graph = new Graph(name);
    this.#source = source;
    this.#taps = taps;
    this.#edits = edits;
    this.#lowRank = lowRank;
    this.hasPast = past;
  }

  /** Positions of the tokens in their prompts, int64 [seq]. */
  positions(): Value<'int64'> {
    const own = range(this.graph, 'seq');
    return this.hasPast ? addPositions(own, this.#before()) : own;
  }

  /** Name of the axis of keys: those of the tokens themselves, or also of those before them. */
  get keys(): 'seq' | 'keys' {
    return this.hasPast ? 'keys' : 'seq';
  }

  /** Positions of the keys, int64 [keys]. */
  keyPositions(): Value<'int64'> {
    if (this.hasPast) this.#before();
    return range(this.graph, this.keys);
  }

  /** Number of tokens before, int64 [1]; with it the number of keys is known. */
  #before(): Value<'int64'> {
    if (this.#offset === null) {
      this.#offset = this.graph.input('offset', 'int64', [1]);
      this.graph.define('keys', addPositions(this.#offset, this.graph.symbol('seq')));
    }
    return this.#offset;
  }

  /** Keys and values of the tokens behind those of the past, [batch, keys, kvHeads, size], and puts them out. */
  afterPast(k: Float, v: Float): { readonly k: Float; readonly v: Float } {
    if (!this.hasPast) return { k, v };
    this.#before();
    const behind = (name: 'keys' | 'values', own: Float): Float => {
      const before = this.graph.input(`past_${name}`, 'float32', ['batch', 'past', ...own.shape.slice(2)]);
      const all = concat([before, own], 1, 'keys');
      this.graph.output(name, all);
      return all;
    };
    return { k: behind('keys', k), v: behind('values', v) };
  }

  /** A weight in float32, converted from what it is stored as inside the graph. */
  weight(name: string, shape: readonly number[]): Float {
    this.parameters.set(name, elementsOf(shape));
    return this.buffer(name, shape);
  }

  /** As `weight`, of a stored tensor that is not counted among the parameters. */
  buffer(name: string, shape: readonly number[]): Float {
    return this.#convert(name, shape, () => this.#source(name, shape));
  }

  /** Row `index` of a weight whose first axis stacks those of all experts; the rest is neither read nor converted. */
  stackedWeight(name: string, shape: readonly number[], index: number): Float {
    this.parameters.set(name, elementsOf(shape));
    const row = (): WeightTensor | QuantisedWeight => rowOf(this.#source(name, shape), index);
    return this.#convert(`${name}[${index}]`, shape.slice(1), row);
  }

  /** Rows of a [rows, width] weight, of which only those asked for are converted to float32. */
  weightRows(name: string, shape: readonly [number, number], indices: Value<'int64'>): Float {
    const stored = this.#source(name, shape);
    if ('kind' in stored) return gather(this.weight(name, shape), indices);
    this.parameters.set(name, elementsOf(shape));
    this.#tableBytes += stored.byteLength;
    return cast(gather(this.graph.weight(stored), indices), 'float32');
  }

  #convert(key: string, shape: readonly number[], find: () => WeightTensor | QuantisedWeight): Float {
    const known = this.#weights.get(key);
    if (known !== undefined) return known;
    const stored = find();
    const weight =
      'kind' in stored ? dequantise(this.graph, stored) : cast(this.graph.weight(stored), 'float32');
    this.#weights.set(key, weight);
    this.#floatBytes.push(elementsOf(shape) * Float32Array.BYTES_PER_ELEMENT);
    return weight;
  }

  /** How many tokens each prompt of the batch has without padding, [batch]; an input only of graphs that ask for it. */
  lengths(): Value<'int64'> {
    this.#lengths ??= this.graph.input('lengths', 'int64', ['batch']);
    return this.#lengths;
  }

  /** The matrices that an adapter adds to a linear layer of shape [out, in], in float32; null where there are none. */
  lowRank(
    name: string,
    shape: readonly [number, number],
  ): { readonly a: Float; readonly b: Float; readonly scale: number } | null {
    const update = this.#lowRank(name, shape);
    if (update === null) return null;
    const { a, b, scale } = update;
    this.#floatBytes.push((sizeOf(a) + sizeOf(b)) * Float32Array.BYTES_PER_ELEMENT);
    const read = (tensor: WeightTensor): Float => cast(this.graph.weight(tensor), 'float32');
    return { a: read(a), b: read(b), scale };
  }

  /** The hook points passed so far, in the order in which a layer computes them. */
  get passed(): readonly BlockHook[] {
    return (Object.keys(BLOCK_HOOKS) as BlockHook[]).filter((hook) => this.#activations.has(hook));
  }

  /**
   * Passes a hook point: the value with this block's edits in it, which is recorded there and to be gone on with.
   *
   * @param more What reductions at this point need besides.
   */
  hook(hook: BlockHook, value: Float, more: Omit<WholeActivation, 'value'> = {}): Float {
    if (this.#activations.has(hook))
      throw new GraphError({ what: `${hook} passed twice`, where: this.graph.name });
    const edited = this.#edited(hook, value, 'all');
    this.#activations.set(hook, { value: edited, ...more });
    return edited;
  }

  /** As `hook`, of the neurons of one expert, or of those that are shared by all tokens: the values of all are one activation. */
  expertHook(expert: { readonly index: number; readonly tokens: Value<'int64'> } | 'shared'): NeuronHook {
    return (hook, value) => {
      const all = this.#experts.get(hook) ?? { experts: [], shared: null };
      this.#experts.set(hook, all);
      this.#activations.set(hook, all);
      if (expert === 'shared') {
        all.shared = this.#edited(hook, value, 'shared');
        return all.shared;
      }
      const edited = this.#edited(hook, value, { expert: expert.index });
      all.experts.push({ tokens: expert.tokens, value: edited });
      return edited;
    };
  }

  #edited(hook: BlockHook, value: Float, place: Place): Float {
    return this.#edits
      .filter((edit) => edit.hook === hook)
      .reduce((changed, edit) => applyEdit(edit, changed, place), value);
  }

  /**
   * Adds what the taps record to the outputs and closes the graph.
   *
   * @throws UsageError for a tap at a hook point that the block does not have.
   */
  finish(): ModelGraph {
    const counted = this.#taps.some(reduces)
      ? this.graph.input('counted', 'float32', ['batch', 'seq'])
      : null;
    for (const tap of this.#taps) {
      this.graph.output(tapOutput(tap), record(tap, this.#passedAt(tap), counted));
    }
    return this.#close();
  }

  /**
   * Adds the gradient of a scalar with regard to what the block reads, and what the taps record of its gradients at hook
   * points, and closes the graph.
   *
   * @param outer gradient of the scalar with regard to `result`, of its shape
   * @throws UsageError for a tap at a hook point that the block does not have.
   */
  finishBackward(read: Float, result: Float, outer: Float, taps: readonly GradientTap[]): ModelGraph {
    validateGradientTaps(taps);
    const activations = taps.map((tap) => this.#passedAt(tap));
    const values = activations.flatMap((activation) =>
      'experts' in activation
        ? [...activation.experts.map(({ value }) => value), ...(activation.shared ? [activation.shared] : [])]
        : [activation.value],
    );
    const wanted = [read, ...new Set(values)];
    const found = gradients(new Map([[result, outer]]), wanted);
    const of = new Map(wanted.map((value, i) => [value, found[i] ?? zeros(this.graph, value.shape)]));
    this.graph.output('previous', of.get(read)!);
    for (const [i, tap] of taps.entries()) {
      this.graph.output(
        tapOutput(tap),
        recordGradient(tap, activations[i]!, (value) => of.get(value)!),
      );
    }
    return this.#close();
  }

  #passedAt(tap: Tap | GradientTap): Activation {
    const activation = this.#activations.get(tap.hook);
    if (activation !== undefined) return activation;
    throw new UsageError({
      what: `there is no ${tap.hook} in ${this.graph.name} of this checkpoint`,
      where: tapOutput(tap),
      expected: this.passed.join(', ') || 'no hook at all',
    });
  }

  #close(): ModelGraph {
    return {
      bytes: serialize(this.graph),
      inputs: this.graph.inputs.map(({ name }) => name),
      outputs: [...this.graph.outputs.keys()],
      ...this.#conversion(),
      flops: matrixFlops(this.graph),
    };
  }

  /** Layers with experts convert weights as they run; the other layers hold them converted. */
  #conversion(): Pick<ModelGraph, 'convertsAtRun' | 'residentBytes'> {
    const total = (bytes: readonly number[]): number =>
      bytes.reduce((sum, size) => sum + size, this.#tableBytes);
    if (!this.#activations.has('mlp.hook_router')) return { residentBytes: total(this.#floatBytes) };
    const largest = this.#floatBytes.toSorted((a, b) => b - a).slice(0, PASSING_WEIGHTS);
    return { convertsAtRun: true, residentBytes: total(largest) };
  }
}

function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function sizeOf({ shape }: WeightTensor): number {
  return shape.reduce((product, size) => product * size, 1);
}
