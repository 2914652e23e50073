import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { checkpointNames } from '../../scripts/models-page.js';
import { type GradientTap, gradientStatisticsOf } from '../../src/hooks/gradient-taps.js';
import { type Tap, tapOutput } from '../../src/hooks/taps.js';
import { openModel } from '../../src/models/open-model.js';
import type { LayeredModel } from '../../src/models/types.js';
import { Tensor } from '../support/onnxruntime.js';
import { FIXTURES, type Fixture, openFixture, TOLERANCE } from './fixture.js';
import { readRecorded, runGraph } from './run-model.js';

/** A forward and a backward pass over the prompts of a fixture that have a second token. */
export interface BackwardRun {
  /** [prompt]: mean negative log-likelihood of its tokens but the first. */
  readonly losses: readonly number[];
  /** By hook point: gradients of these means, prompt after prompt without padding. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
  /** By hook point and statistic: what reduced in the graph, [prompt, width]. */
  readonly reduced: ReadonlyMap<string, Float32Array>;
  /** The same, computed here from activations and gradients. */
  readonly products: ReadonlyMap<string, Float32Array>;
}

/** The tiny checkpoints whose gradients were recorded. */
export function recordedNames(): readonly string[] {
  return checkpointNames().filter((name) => existsSync(join(FIXTURES, name, 'gradients.safetensors')));
}

/** What autograd gave; see test/reference/make_gradients.py. */
export async function openGradients(name: string) {
  const recorded = await readRecorded(join(FIXTURES, name, 'gradients.safetensors'));
  const losses = [...recorded.get('loss')!.values];
  const hooks = [...recorded].filter(([hook]) => hook !== 'loss');
  return { losses, hooks: new Map(hooks.map(([hook, { values }]) => [hook, values])) };
}

export async function runBackward(
  { checkpoint, prompts, lengths }: Fixture,
  model: LayeredModel,
): Promise<BackwardRun> {
  const { batch, seq, ids } = prompts;
  const run = (graph: Parameters<typeof runGraph>[0], feeds: Record<string, Tensor>) =>
    runGraph(graph, checkpoint.weightsRoot, {
      ...feeds,
      lengths: new Tensor('int64', BigInt64Array.from(lengths, BigInt), [batch]),
    });
  let { hidden } = await run(model.embed(), { input_ids: new Tensor('int64', ids, [batch, seq]) });
  const streams: Tensor[] = [];
  const activations = new Map<string, Tensor>();
  for (let layer = 0; layer < model.shape.layers; layer++) {
    streams.push(hidden!);
    const taps = hooksOf(model, layer).map((hook): Tap => ({ hook, statistic: 'full' }));
    const outputs = await run(model.layer(layer, taps), { hidden: hidden! });
    for (const tap of taps) activations.set(`blocks.${layer}.${tap.hook}`, outputs[tapOutput(tap)]!);
    hidden = outputs.next;
  }
  const next = (token: number): number => (token % seq === seq - 1 ? token : token + 1);
  const targets = new Tensor(
    'int64',
    ids.map((_, token) => ids[next(token)]!),
    [batch, seq],
  );
  const weights = Float32Array.from(ids, (_, token) => {
    const length = lengths[Math.floor(token / seq)]!;
    return (token % seq) + 1 < length ? 1 / (length - 1) : 0;
  });
  const feeds = { hidden: hidden!, targets, weights: new Tensor('float32', weights, [batch, seq]) };
  const loss = await run(model.loss({ gradient: true }), feeds);
  const nll = loss.nll!.data as Float32Array;
  const real = [...lengths.keys()].filter((row) => lengths[row]! > 1);
  const gradients = new Map<string, Float32Array>();
  const [reduced, products] = [new Map<string, Float32Array>(), new Map<string, Float32Array>()];
  let gradient = loss.previous!;
  for (let layer = model.shape.layers - 1; layer >= 0; layer--) {
    const taps = hooksOf(model, layer).flatMap((hook) =>
      gradientStatisticsOf(hook).map((statistic): GradientTap => ({ hook, statistic })),
    );
    const outputs = await run(model.backward(layer, taps), { hidden: streams[layer]!, gradient });
    for (const tap of taps) {
      const point = `blocks.${layer}.${tap.hook}`;
      const key = `${point}/${tap.statistic}`;
      if (tap.statistic === 'gradient') {
        gradients.set(point, withoutPadding(outputs[tapOutput(tap)]!, tap.hook, lengths, real));
        continue;
      }
      reduced.set(key, outputs[tapOutput(tap)]!.data as Float32Array);
      const ofHook = outputs[`${tap.hook}/gradient`]!;
      products.set(key, reduce(tap, activations.get(point)!, ofHook));
    }
    gradient = outputs.previous!;
  }
  const losses = real.map((row) =>
    nll
      .subarray(row * seq, (row + 1) * seq)
      .reduce((sum, value, t) => sum + value * weights[row * seq + t]!, 0),
  );
  return { losses, gradients, reduced, products };
}

function hooksOf({ hooks }: LayeredModel, layer: number) {
  return hooks.filter((point) => point.layer === layer).map(({ hook }) => hook);
}

function withoutPadding(
  { data, dims }: Tensor,
  hook: string,
  lengths: readonly number[],
  rows: readonly number[],
): Float32Array {
  const values = data as Float32Array;
  const size = values.length / dims[0]!;
  const kept = rows.flatMap((row) => {
    const own = values.subarray(row * size, (row + 1) * size);
    const length = lengths[row]!;
    if (hook !== 'attn.hook_pattern') return [...own.subarray(0, (size / dims[1]!) * length)];
    const seq = dims[2]!;
    return [...own].filter((_, i) => Math.floor(i / seq) % seq < length && i % seq < length);
  });
  return Float32Array.from(kept);
}

/** Plain loops, in double precision. NaN stands for tokens that an expert did not get. */
function reduce({ hook, statistic }: GradientTap, activation: Tensor, gradient: Tensor): Float32Array {
  const [batch, seq] = activation.dims as [number, number];
  const [a, g] = [activation.data as Float32Array, gradient.data as Float32Array];
  const width = a.length / (batch * seq);
  const perUnit = hook === 'attn.hook_z' ? activation.dims[3]! : 1;
  const units = statistic === 'gradient.norm.sum' ? 1 : width / perUnit;
  const sums = new Float64Array(batch * units);
  for (let token = 0; token < batch * seq; token++) {
    const row = Math.floor(token / seq) * units;
    const at = token * width;
    if (statistic === 'gradient.norm.sum') {
      sums[row]! += Math.hypot(...g.subarray(at, at + width));
      continue;
    }
    for (let unit = 0; unit < units; unit++) {
      let product = 0;
      for (let i = at + unit * perUnit; i < at + (unit + 1) * perUnit; i++) product += a[i]! * g[i]!;
      if (Number.isNaN(product)) continue;
      sums[row + unit]! += statistic === 'attribution.abs' ? Math.abs(product) : product;
    }
  }
  return Float32Array.from(sums);
}

/** Largest difference, relative to the largest expected value. Where all of them are 0, the largest value itself. */
export function deviation(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) return Number.POSITIVE_INFINITY;
  let [difference, scale] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    const distance = Math.abs(found[i]! - expected[i]!);
    difference = Number.isNaN(distance) ? Number.POSITIVE_INFINITY : Math.max(difference, distance);
    scale = Math.max(scale, Math.abs(expected[i]!));
  }
  return difference / (scale || 1);
}

/** Fails unless the loss and its gradient at every recorded hook point of a tiny checkpoint are those of autograd. */
export async function expectAutogradOf(name: string): Promise<void> {
  const fixture = await openFixture(name);
  const found = await runBackward(fixture, openModel(fixture.checkpoint));
  const expected = await openGradients(name);
  expect(found.losses.length).toBe(expected.losses.length);
  for (const [i, loss] of found.losses.entries()) expect(loss).toBeCloseTo(expected.losses[i]!, 4);
  expect(expected.hooks.size).toBeGreaterThan(6);
  for (const [hook, values] of expected.hooks) {
    expect(deviation(found.gradients.get(hook)!, values), hook).toBeLessThan(TOLERANCE);
  }
}
