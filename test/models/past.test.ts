import { fromBinary } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { checkpointNames } from '../../scripts/models-page.js';
import type { Checkpoint } from '../../src/checkpoint/types.js';
import { ModelProtoSchema, type TypeProto_Tensor } from '../../src/graph/onnx/onnx_pb.js';
import { type Tap, tapOutput } from '../../src/hooks/taps.js';
import { openModel } from '../../src/models/open-model.js';
import type { LayeredModel, ModelGraph } from '../../src/models/types.js';
import { Tensor } from '../support/onnxruntime.js';
import { openFixture } from './fixture.js';
import { runGraph } from './run-model.js';

/** Largest difference allowed, relative to the largest value of the tensor. */
const ROUNDING = 1e-5;

const SUMS = ['entropy.sum', 'first.sum', 'previous.sum'] as const;

/** What a layer has computed for a stretch of a prompt, by output name. */
type Layer = Readonly<Record<string, Tensor>>;

interface Piece {
  readonly layers: readonly Layer[];
  readonly logits: Tensor;
}

function tapsOf(model: LayeredModel, layer: number): Tap[] {
  const full = model.hooks
    .filter((point) => point.layer === layer)
    .map(({ hook }): Tap => ({ hook, statistic: 'full' }));
  return [...full, ...SUMS.map((statistic): Tap => ({ hook: 'attn.hook_pattern', statistic }))];
}

/** Runs the tokens from `start` on, behind what `before` has left; null: the prompt in one piece, by the graphs without a past. */
async function runPiece(
  { weightsRoot }: Checkpoint,
  model: LayeredModel,
  prompt: BigInt64Array,
  [start, end]: readonly [number, number],
  before: Piece | 'nothing' | null,
): Promise<Piece> {
  const options = { past: before !== null };
  const seq = end - start;
  const shared = {
    offset: new Tensor('int64', BigInt64Array.of(BigInt(start)), [1]),
    lengths: new Tensor('int64', BigInt64Array.of(BigInt(prompt.length)), [1]),
    counted: new Tensor('float32', new Float32Array(seq).fill(1), [1, seq]),
  };
  const ids = new Tensor('int64', prompt.slice(start, end), [1, seq]);
  let { hidden } = await runGraph(model.embed(options), weightsRoot, { ...shared, input_ids: ids });
  const layers: Layer[] = [];
  for (let layer = 0; layer < model.shape.layers; layer++) {
    const graph = model.layer(layer, tapsOf(model, layer), options);
    const past =
      before === 'nothing' || before === null
        ? emptyPast(graph)
        : { past_keys: before.layers[layer]!.keys!, past_values: before.layers[layer]!.values! };
    const outputs = await runGraph(graph, weightsRoot, { ...shared, hidden: hidden!, ...past });
    hidden = outputs.next;
    layers.push(outputs);
  }
  const { logits } = await runGraph(model.unembed(), weightsRoot, { hidden: hidden! });
  return { layers, logits: logits! };
}

/** Keys and values of no token, of the sizes that the graph declares. */
function emptyPast({ bytes }: ModelGraph): Record<string, Tensor> {
  const { input } = fromBinary(ModelProtoSchema, bytes).graph!;
  return Object.fromEntries(
    input
      .filter(({ name }) => name.startsWith('past_'))
      .map(({ name, type }) => {
        const { dim } = (type!.value as { value: TypeProto_Tensor }).value.shape!;
        const [heads, size] = dim.slice(2).map(({ value }) => Number(value.value));
        return [name, new Tensor('float32', new Float32Array(0), [1, 0, heads!, size!])];
      }),
  );
}

/** The second stretch of what was computed of a prompt: its queries, along `axis`. */
function tail({ data, dims }: Tensor, axis: number, start: number): number[] {
  const width = dims.slice(axis + 1).reduce((a, b) => a * b, 1);
  const length = dims[axis]!;
  return [...(data as Float32Array)].filter((_, i) => Math.floor(i / width) % length >= start);
}

function expectClose(found: Iterable<number>, expected: readonly number[], label: string): void {
  const values = [...found];
  expect(values.length, label).toBe(expected.length);
  const scale = Math.max(...expected.filter((value) => !Number.isNaN(value)).map(Math.abs));
  for (const [i, value] of values.entries()) {
    // Neurons of experts that the token does not go to.
    if (Number.isNaN(expected[i]) && Number.isNaN(value)) continue;
    expect(
      Math.abs(value - expected[i]!) <= ROUNDING * scale,
      `${label} [${i}] ${value} ${expected[i]}`,
    ).toBe(true);
  }
}

it.each(checkpointNames())(
  '%s: a prompt in two pieces, the second behind the keys and values of the first, is the prompt in one piece',
  async (name) => {
    const { checkpoint, prompts, lengths } = await openFixture(name);
    const model = openModel(checkpoint);
    const row = lengths.indexOf(Math.max(...lengths));
    const length = lengths[row]!;
    const prompt = prompts.ids.slice(row * prompts.seq, row * prompts.seq + length);
    const cut = Math.floor(length / 2);
    expect(cut).toBeGreaterThan(1);
    const whole = await runPiece(checkpoint, model, prompt, [0, length], null);
    const first = await runPiece(checkpoint, model, prompt, [0, cut], 'nothing');
    const second = await runPiece(checkpoint, model, prompt, [cut, length], first);
    for (const [layer, outputs] of whole.layers.entries()) {
      for (const tap of tapsOf(model, layer)) {
        const output = tapOutput(tap);
        const expected = outputs[output]!;
        const label = `blocks.${layer}.${output}`;
        const found = second.layers[layer]![output]!.data as Float32Array;
        if (tap.statistic === 'full') {
          const axis = tap.hook === 'attn.hook_pattern' ? 2 : 1;
          expectClose(found, tail(expected, axis, cut), label);
          continue;
        }
        const before = first.layers[layer]![output]!.data as Float32Array;
        const sums = found.map((value, i) => value + before[i]!);
        expectClose(sums, [...(expected.data as Float32Array)], label);
      }
    }
    expectClose(second.logits.data as Float32Array, tail(whole.logits, 1, cut), 'logits');
  },
);
