import type { Tensor, TensorConstructor } from 'onnxruntime-node';
import { type GradientTap, type Tap, tapOutput } from '../../hooks/index.js';
import type { Activation } from '../types.js';
import type { Failure, Kept, WirePrompts } from './protocol.js';

/** Thrown inside the worker; crosses to the main thread as its `failure`. */
export class WorkerFailure extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.kind);
    this.failure = failure;
  }
}

/** Prompts that run together, right-padded to the longest. */
export interface Batch {
  /** Indices into the chunk's prompts. */
  readonly rows: readonly number[];
  readonly lengths: readonly number[];
  readonly seq: number;
  readonly tokens: number;
  /** [rows, seq], padded with token 0. */
  readonly ids: BigInt64Array;
  readonly counted: Float32Array;
  /** [rows, seq]: the weight in the loss of what follows each token; 0 where nothing is differentiated. */
  readonly weights: Float32Array;
}

/** A batch on its way through the steps. */
export interface RunningBatch extends Batch {
  /** [rows, seq, dModel]: the residual stream as the last step left it; null before the first. */
  stream: Tensor | null;
  /** By layer, the stream that it read; only until its backward step has run. */
  readonly saved: Map<number, Tensor>;
  /** [rows, seq, dModel]: gradient of the loss with regard to the stream that the last backward step read. */
  gradient: Tensor | null;
}

/** The batch before its first step. */
export function startBatch(batch: Batch): RunningBatch {
  return { ...batch, stream: null, saved: new Map(), gradient: null };
}

/** Each prompt as a batch of its own, without padding. */
export function* onePromptEach(
  batches: readonly RunningBatch[],
  TensorOf: TensorConstructor,
): Iterable<RunningBatch> {
  for (const { rows, lengths, seq, ids, counted, weights, stream } of batches) {
    const width = stream?.dims[2] ?? 0;
    for (const [b, row] of rows.entries()) {
      const length = lengths[b]!;
      const own = <T extends BigInt64Array | Float32Array>(values: T, size: number): T =>
        values.slice(b * seq * size, (b * seq + length) * size) as T;
      const cut = stream && own(stream.data as Float32Array, width);
      yield {
        ...startBatch({
          rows: [row],
          lengths: [length],
          seq: length,
          tokens: length,
          ids: own(ids, 1),
          counted: own(counted, 1),
          weights: own(weights, 1),
        }),
        stream: cut && new TensorOf('float32', cut, [1, length, width]),
      };
    }
  }
}

/** The prompts of a chunk that run together. */
export function readBatch(prompts: WirePrompts, rows: readonly number[]): Batch {
  const lengths = rows.map((row) => prompts.starts[row + 1]! - prompts.starts[row]!);
  const seq = Math.max(...lengths);
  const ids = new BigInt64Array(rows.length * seq);
  const counted = new Float32Array(rows.length * seq);
  const weights = new Float32Array(rows.length * seq);
  for (const [b, row] of rows.entries()) {
    const start = prompts.starts[row]!;
    for (let t = 0; t < lengths[b]!; t++) {
      ids[b * seq + t] = BigInt(prompts.ids[start + t]!);
      counted[b * seq + t] = prompts.counted[start + t]!;
      weights[b * seq + t] = prompts.weights?.[start + t] ?? 0;
    }
  }
  return { rows, lengths, seq, tokens: lengths.reduce((a, b) => a + b, 0), ids, counted, weights };
}

/** What a step left in the residual stream, or of the gradient, must be finite at every token that is not padding. */
export function checkStream(batch: RunningBatch, slot: 'stream' | 'gradient', layer: number): void {
  const { seq } = batch;
  const hidden = batch[slot]!.data as Float32Array;
  const dModel = batch[slot]!.dims[2]!;
  const where = slot === 'stream' ? 'hook_resid_post' : 'the gradient of hook_resid_pre';
  for (const [b, row] of batch.rows.entries()) {
    const start = b * seq * dModel;
    if (!isFiniteRange(hidden, start, start + batch.lengths[b]! * dModel)) {
      throw new WorkerFailure({ kind: 'not-finite', layer, where, prompt: row });
    }
  }
}

/** The readings of one layer over a chunk. */
export class LayerRecord {
  /** Reducing taps, by output name: [prompt, width]. */
  readonly readings = new Map<string, Float32Array>();
  /** Full taps, by output name: one tensor a prompt. */
  readonly tensors = new Map<string, Activation[]>();

  keep({ tap, layer }: Kept, output: Tensor, batch: Batch, { starts }: WirePrompts): void {
    if (tap.statistic === 'full' || tap.statistic === 'gradient')
      keepTensors(this.tensors, tap, output, batch);
    else keepRows(this.readings, tap, output, batch, starts.length - 1, layer);
  }
}

/** Puts a batch's logits [rows, seq, vocab], padding cut off, where their prompts stand. */
export function keepLogits(logits: Activation[], output: Tensor, batch: Batch): void {
  const vocab = output.dims[2]!;
  const source = output.data as Float32Array;
  for (const [b, row] of batch.rows.entries()) {
    const start = b * batch.seq * vocab;
    const length = batch.lengths[b]!;
    const whole = source.length === length * vocab;
    const values = whole ? source : source.slice(start, start + length * vocab);
    logits[row] = { dims: [length, vocab], values };
  }
}

/** Adds up each prompt's weighted loss from those of its tokens, [rows, seq]. */
export function keepLosses(
  losses: Float64Array,
  nll: Float32Array,
  { rows, lengths, seq, weights }: Batch,
): void {
  for (const [b, row] of rows.entries()) {
    for (let t = b * seq; t < b * seq + lengths[b]!; t++) losses[row]! += weights[t]! * nll[t]!;
  }
}

/** Copies a reducing tap's rows to where their prompts stand. */
function keepRows(
  readings: Map<string, Float32Array>,
  tap: Tap | GradientTap,
  output: Tensor,
  batch: Batch,
  prompts: number,
  layer: number,
): void {
  const source = output.data as Float32Array;
  const width = source.length / batch.rows.length;
  let target = readings.get(tapOutput(tap));
  if (target === undefined) {
    target = new Float32Array(prompts * width);
    readings.set(tapOutput(tap), target);
  }
  for (const [b, row] of batch.rows.entries()) {
    if (!isFiniteRange(source, b * width, (b + 1) * width)) {
      throw new WorkerFailure({ kind: 'not-finite', layer, where: tapOutput(tap), prompt: row });
    }
    target.set(source.subarray(b * width, (b + 1) * width), row * width);
  }
}

/** Cuts padding off a full tap's tensors. */
function keepTensors(
  tensors: Map<string, Activation[]>,
  tap: Tap | GradientTap,
  output: Tensor,
  batch: Batch,
): void {
  let perPrompt = tensors.get(tapOutput(tap));
  if (perPrompt === undefined) {
    perPrompt = [];
    tensors.set(tapOutput(tap), perPrompt);
  }
  const { seq } = batch;
  const source = output.data as Float32Array;
  const size = source.length / batch.rows.length;
  for (const [b, row] of batch.rows.entries()) {
    const length = batch.lengths[b]!;
    const values = source.subarray(b * size, (b + 1) * size);
    if (tap.hook === 'attn.hook_pattern') {
      perPrompt[row] = cutPattern(values, output.dims[1]!, seq, length);
    } else {
      const rest = output.dims.slice(2);
      const width = rest.reduce((a, d) => a * d, 1);
      perPrompt[row] = { dims: [length, ...rest], values: values.slice(0, length * width) };
    }
  }
}

/** [heads, seq, seq] → [heads, length, length]. */
function cutPattern(values: Float32Array, heads: number, seq: number, length: number): Activation {
  const cut = new Float32Array(heads * length * length);
  for (let h = 0; h < heads; h++) {
    for (let q = 0; q < length; q++) {
      const from = (h * seq + q) * seq;
      cut.set(values.subarray(from, from + length), (h * length + q) * length);
    }
  }
  return { dims: [heads, length, length], values: cut };
}

/** Sums v·0, which is 0 for every finite v and NaN otherwise: one multiply-add a value, no branch. */
function isFiniteRange(values: Float32Array, start: number, end: number): boolean {
  let sum = 0;
  for (let i = start; i < end; i++) sum += values[i]! * 0;
  return sum === 0;
}
