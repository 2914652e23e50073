/** What a run of the tiny probe set must hold, by plain loops over the activations of every token. */
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { CaptureOptions } from '../../src/capture/types.js';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { neuronsOf } from '../../src/hooks/points.js';
import type { Tap } from '../../src/hooks/taps.js';
import { openModel } from '../../src/models/open-model.js';
import { loadProbes } from '../../src/probes/load-probes.js';
import { ModelRunner } from '../../src/runtime/index.js';
import type { PromptActivations } from '../../src/runtime/types.js';
import { fromFloat16 } from '../../src/store/files/float16.js';
import { openSafetensors } from '../../src/store/files/safetensors.js';
import type { RunManifest } from '../../src/store/run/manifest.js';
import { loadTokenizer } from '../../src/tokenizer/load-tokenizer.js';
import { expectFiring, isNearZero, largestOf } from '../support/firing.js';
import { TINY_PROBES } from '../support/tiny-checkpoint.js';

/** Arrays of a layer file as numbers. */
export async function readLayer(folder: string, layer: number): Promise<Record<string, ArrayLike<number>>> {
  const file = await openSafetensors(join(folder, `layers/0${layer}.safetensors`));
  onTestFinished(() => file.close());
  const entries = await Promise.all(
    [...file.arrays].map(async ([name, { dtype }]) => {
      const values = await file.read(name);
      return [name, dtype === 'F16' ? fromFloat16(values as Uint16Array) : values];
    }),
  );
  return Object.fromEntries(entries);
}

/** A prompt of a run, and where its values go. */
export interface PlainCell {
  readonly item: number;
  readonly fold: number;
  readonly language: number;
  readonly ids: Int32Array;
  readonly counted: Uint8Array;
}

/** The prompts of a run as its checkpoint's tokenizer makes them, all tokens but the first counted, and what they are at the taps. */
export async function activationsOf(
  request: CaptureOptions,
  { plan }: RunManifest,
  taps: readonly Tap[],
): Promise<{ cells: PlainCell[]; full: PromptActivations[] }> {
  const checkpoint = await openCheckpoint(request.checkpoint);
  const tokenizer = await loadTokenizer(checkpoint);
  const probes = await loadProbes(TINY_PROBES);
  const texts = probes.items.flatMap(({ prompts }) => [...prompts.values()].map(({ text }) => text));
  const encoded = await tokenizer.encodeAll(texts);
  const idsOf = new Map(texts.map((text, i) => [text, encoded[i]!.ids]));
  const cells = plan.items.flatMap(({ id, fold }, item) =>
    plan.languages.flatMap((tag, language) => {
      const prompt = probes.items.find((candidate) => candidate.id === id)!.prompts.get(tag);
      if (prompt === undefined) return [];
      const ids = idsOf.get(prompt.text)!;
      return [{ item, fold, language, ids, counted: Uint8Array.from(ids, (_, t) => (t === 0 ? 0 : 1)) }];
    }),
  );
  const runner = await ModelRunner.start(checkpoint, openModel(checkpoint), {
    device: 'cpu',
    memoryBytes: 2 ** 30,
  });
  onTestFinished(() => runner.close());
  return { cells, full: await runner.activations(cells, taps) };
}

/** Sums and pooled means of a layer's neurons. A token that was not routed to a neuron's expert, NaN, adds nothing. */
export function neuronsByLoops(
  cells: readonly PlainCell[],
  full: readonly PromptActivations[],
  layer: number,
  { plan, shape }: RunManifest,
) {
  const [K, width] = [plan.languages.length, neuronsOf({ ...shape, dMlp: shape.dMlp! }, layer)];
  const fire = new Uint32Array(plan.folds * K * width);
  const nearZero = new Uint32Array(fire.length);
  const sum = new Float64Array(fire.length);
  const sumsq = new Float64Array(fire.length);
  const items = new Float32Array(plan.items.length * K * width).fill(Number.NaN);
  for (const [c, { item, fold, language, ids }] of cells.entries()) {
    const of = (hook: string) => full[c]!.hooks.get(`blocks.${layer}.${hook}`)!.values;
    const [pre, post] = [of('mlp.hook_pre'), of('mlp.hook_post')];
    const most = largestOf(pre);
    const [place, length] = [(fold * K + language) * width, ids.length - 1];
    for (let j = 0; j < width; j++) {
      let promptSum = 0;
      for (let t = 1; t <= length; t++) {
        const value = post[t * width + j]!;
        if (Number.isNaN(value)) continue;
        if (pre[t * width + j]! > 0) fire[place + j]!++;
        if (isNearZero(pre[t * width + j]!, most)) nearZero[place + j]!++;
        promptSum += value;
        sumsq[place + j]! += value ** 2;
      }
      sum[place + j]! += promptSum;
      items[(item * K + language) * width + j] = promptSum / length;
    }
  }
  return { fire, nearZero, sum, sumsq, items };
}

export function expectNeurons(
  arrays: Readonly<Record<string, ArrayLike<number>>>,
  { fire, nearZero, sum, sumsq, items }: ReturnType<typeof neuronsByLoops>,
): void {
  expectFiring(arrays['mlp.fire']!, fire, nearZero);
  expectClose(arrays['mlp.sum']!, sum, 1e-5);
  expectClose(arrays['mlp.sumsq']!, sumsq, 1e-5);
  expectClose(arrays['mlp.items']!, items, 1e-3); // half precision
}

export function expectClose(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(found.length).toBe(expected.length);
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    if (!Number.isNaN(expected[i])) largest = Math.max(largest, Math.abs(expected[i]!));
  }
  for (let i = 0; i < expected.length; i++) {
    if (Number.isNaN(expected[i]!)) expect(found[i]).toBeNaN();
    else if (!(Math.abs(found[i]! - expected[i]!) <= tolerance * largest)) {
      expect.fail(`[${i}]: ${found[i]} instead of ${expected[i]}`);
    }
  }
}
