import type { Tensor } from 'onnxruntime-node';
import type { Activation } from '../types.js';
import type { Failure, WirePrompts, WireTap } from './protocol.js';

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
}

/** A batch on its way through the layers. */
export interface LayerBatch extends Batch {
  /** [rows, seq, dModel]: the residual stream before the layer about to run. */
  hidden: Float32Array;
  dModel: number;
}

/** The prompts of a chunk that run together. */
export function readBatch(prompts: WirePrompts, rows: readonly number[]): Batch {
  const lengths = rows.map((row) => prompts.starts[row + 1]! - prompts.starts[row]!);
  const seq = Math.max(...lengths);
  const ids = new BigInt64Array(rows.length * seq);
  const counted = new Float32Array(rows.length * seq);
  for (const [b, row] of rows.entries()) {
    const start = prompts.starts[row]!;
    for (let t = 0; t < lengths[b]!; t++) {
      ids[b * seq + t] = BigInt(prompts.ids[start + t]!);
      counted[b * seq + t] = prompts.counted[start + t]!;
    }
  }
  return { rows, lengths, seq, tokens: lengths.reduce((a, b) => a + b, 0), ids, counted };
}

/** The residual stream of every token that is not padding must be finite. */
export function checkResidual(batch: LayerBatch, layer: number): void {
  const { hidden, seq, dModel } = batch;
  for (const [b, row] of batch.rows.entries()) {
    const start = b * seq * dModel;
    if (!isFiniteRange(hidden, start, start + batch.lengths[b]! * dModel)) {
      throw new WorkerFailure({ kind: 'not-finite', layer, where: 'hook_resid_post', prompt: row });
    }
  }
}

/** What one layer has recorded of a chunk. */
export class LayerRecord {
  /** Reducing taps, by output name: [prompt, width]. */
  readonly readings = new Map<string, Float32Array>();
  /** Full taps, by output name: one tensor a prompt. */
  readonly tensors = new Map<string, Activation[]>();

  keep(tap: WireTap, output: Tensor, batch: Batch, { starts }: WirePrompts, layer: number): void {
    if (tap.statistic === 'full') keepTensors(this.tensors, tap, output, batch);
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
    logits[row] = { dims: [length, vocab], values: source.slice(start, start + length * vocab) };
  }
}

/** Copies a reducing tap's rows to where their prompts stand. */
function keepRows(
  readings: Map<string, Float32Array>,
  tap: WireTap,
  output: Tensor,
  batch: Batch,
  prompts: number,
  layer: number,
): void {
  const source = output.data as Float32Array;
  const width = source.length / batch.rows.length;
  let target = readings.get(tap.output);
  if (target === undefined) {
    target = new Float32Array(prompts * width);
    readings.set(tap.output, target);
  }
  for (const [b, row] of batch.rows.entries()) {
    if (!isFiniteRange(source, b * width, (b + 1) * width)) {
      throw new WorkerFailure({ kind: 'not-finite', layer, where: tap.output, prompt: row });
    }
    target.set(source.subarray(b * width, (b + 1) * width), row * width);
  }
}

/** Cuts padding off a full tap's tensors. */
function keepTensors(tensors: Map<string, Activation[]>, tap: WireTap, output: Tensor, batch: Batch): void {
  let perPrompt = tensors.get(tap.output);
  if (perPrompt === undefined) {
    perPrompt = [];
    tensors.set(tap.output, perPrompt);
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
