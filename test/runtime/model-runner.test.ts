import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { CheckpointError, InterruptedError, UsageError } from '../../src/errors.js';
import { type Tap, tapOutput } from '../../src/hooks/taps.js';
import { openModel } from '../../src/models/open-model.js';
import { ModelRunner, RunnerError } from '../../src/runtime/index.js';
import type { LayerReadings, RunnerOptions, TokenizedPrompt } from '../../src/runtime/types.js';
import { LAYERS_IN_FLIGHT } from '../../src/runtime/worker/protocol.js';
import { readRecorded } from '../models/run-model.js';
import { DEMO_CHECKPOINTS } from '../support/command-line.js';
import { expectFiring, isNearZero, largestOf } from '../support/firing.js';
import { readWeight, spoilWeight, tinyCheckpoint } from '../support/tiny-checkpoint.js';

const GIB = 2 ** 30;
const VOCAB = 101;

const TAPS: readonly Tap[] = [
  { hook: 'mlp.hook_pre', statistic: 'fire' },
  { hook: 'mlp.hook_post', statistic: 'sum' },
  { hook: 'mlp.hook_post', statistic: 'sumsq' },
  { hook: 'attn.hook_z', statistic: 'sum' },
  { hook: 'attn.hook_z', statistic: 'norm.sum' },
  { hook: 'attn.hook_z', statistic: 'norm.sumsq' },
];

async function startRunner(options: Partial<RunnerOptions> = {}, folder = tinyCheckpoint()) {
  const checkpoint = await openCheckpoint(folder);
  const runner = await ModelRunner.start(checkpoint, openModel(checkpoint), {
    device: 'cpu',
    memoryBytes: 4 * GIB,
    ...options,
  });
  onTestFinished(() => runner.close());
  return { runner, folder };
}

/** Prompts of the given lengths; every third token does not count. */
function prompts(lengths: readonly number[]): TokenizedPrompt[] {
  return lengths.map((length, p) => ({
    ids: Int32Array.from({ length }, (_, t) => (7 * p + 13 * t + 5) % VOCAB),
    counted: Uint8Array.from({ length }, (_, t) => ((p + t) % 3 === 0 ? 0 : 1)),
  }));
}

async function readChunk(runner: ModelRunner, list: readonly TokenizedPrompt[]): Promise<LayerReadings[]> {
  const layers: LayerReadings[] = [];
  await runner.runChunk({
    prompts: list,
    taps: TAPS,
    onLayer: (readings) => {
      layers.push(readings);
    },
  });
  return layers;
}

/** Largest difference over the largest value. */
function relativeDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let difference = 0;
  let largest = 0;
  expect(a.length).toBe(b.length);
  for (let i = 0; i < a.length; i++) {
    difference = Math.max(difference, Math.abs(a[i]! - b[i]!));
    largest = Math.max(largest, Math.abs(b[i]!));
  }
  return difference / largest;
}

test('a prompt beyond the original context of longrope is rotated as such, whatever prompts are beside it', async () => {
  const folder = fileURLToPath(new URL('../fixtures/models/phi3-longrope-bf16', import.meta.url));
  const recorded = await readRecorded(join(folder, 'expected.safetensors'));
  const { runner } = await startRunner({}, folder);
  const [ids, lengths] = [recorded.get('input_ids')!, recorded.get('lengths')!.values];
  const [batch, seq] = ids.shape as [number, number];
  const list = Array.from({ length: batch }, (_, p) => ({
    ids: Int32Array.from(ids.values.slice(p * seq, p * seq + lengths[p]!)),
    counted: new Uint8Array(lengths[p]!).fill(1),
  }));
  const found = await runner.activations(list, [{ hook: 'hook_resid_post', statistic: 'full' }]);
  const expected = recorded.get('blocks.2.hook_resid_post')!;
  const width = expected.shape[2]!;
  for (const [p, { hooks }] of found.entries()) {
    const own = expected.values.slice(p * seq * width, (p * seq + lengths[p]!) * width);
    expect(relativeDifference(hooks.get('blocks.2.hook_resid_post')!.values, own)).toBeLessThan(1e-5);
  }
});

describe('a program', () => {
  const list = prompts([5, 1, 17, 9]);

  test('keeps the residual stream after the layers that are asked for, as the hook there gives it', async () => {
    const { runner } = await startRunner();
    const hooked = await runner.activations(list, [{ hook: 'hook_resid_post', statistic: 'full' }]);
    const kept = await runner.activations(list, [], { streams: [0, 2] });
    for (const [p, { hooks }] of kept.entries()) {
      expect([...hooks.keys()]).toEqual(['blocks.0.hook_resid_post', 'blocks.2.hook_resid_post']);
      for (const [name, stream] of hooks) expect(stream).toEqual(hooked[p]!.hooks.get(name));
    }
  });

  test('runs no layer behind the last that something is asked of, unless for the logits', async () => {
    const folder = tinyCheckpoint();
    await spoilWeight(folder, 'model.layers.2.mlp.up_proj.weight', 0, Number.NaN);
    const { runner } = await startRunner({}, folder);
    const taps: Tap[] = [{ hook: 'mlp.hook_post', statistic: 'full' }];
    const [first] = await runner.activations(list, taps, { layers: [1] });
    expect([...first!.hooks.keys()]).toEqual(['blocks.1.mlp.hook_post']);
    await expect(runner.activations(list, taps, { streams: [3] })).rejects.toThrow(/no layer 3[\s\S]*0 to 2/);
    await expect(runner.activations(list, taps, { layers: [1], logits: true })).rejects.toThrow(
      /layer 2 yields NaN/,
    );
  });
});

describe('what a chunk reads', () => {
  const list = prompts([5, 1, 17, 9, 9, 2, 30]);

  test('equals what plain loops make of the full activations', async () => {
    const { runner, folder } = await startRunner();
    const layers = await readChunk(runner, list);
    const full = await runner.activations(list, [
      { hook: 'mlp.hook_pre', statistic: 'full' },
      { hook: 'mlp.hook_post', statistic: 'full' },
      { hook: 'attn.hook_z', statistic: 'full' },
    ]);
    expect(layers.map(({ layer }) => layer)).toEqual([0, 1, 2]);
    for (const { layer, arrays } of layers) {
      const outputWeight = await readWeight(folder, `model.layers.${layer}.self_attn.o_proj.weight`);
      for (const [p, { counted }] of list.entries()) {
        const of = (hook: string) => full[p]!.hooks.get(`blocks.${layer}.${hook}`)!;
        expect(of('mlp.hook_pre').dims).toEqual([counted.length, 37]);
        expect(of('attn.hook_z').dims).toEqual([counted.length, 4, 10]);
        const row = (tap: Tap, width: number) =>
          arrays.get(tapOutput(tap))!.subarray(p * width, (p + 1) * width);
        const fire = sumOver(counted, 37, (t, j) => (of('mlp.hook_pre').values[t * 37 + j]! > 0 ? 1 : 0));
        const most = largestOf(of('mlp.hook_pre').values);
        const near = sumOver(counted, 37, (t, j) =>
          Number(isNearZero(of('mlp.hook_pre').values[t * 37 + j]!, most)),
        );
        expectFiring(row(TAPS[0]!, 37), fire, near);
        const post = (t: number, j: number) => of('mlp.hook_post').values[t * 37 + j]!;
        const z = (t: number, j: number) => of('attn.hook_z').values[t * 40 + j]!;
        const norm = (t: number, h: number) => contributionNorm(outputWeight, (i) => z(t, h * 10 + i), h);
        expect(relativeDifference(row(TAPS[1]!, 37), sumOver(counted, 37, post))).toBeLessThan(1e-5);
        expect(
          relativeDifference(
            row(TAPS[2]!, 37),
            sumOver(counted, 37, (t, j) => post(t, j) ** 2),
          ),
        ).toBeLessThan(1e-5);
        expect(relativeDifference(row(TAPS[3]!, 40), sumOver(counted, 40, z))).toBeLessThan(1e-5);
        expect(relativeDifference(row(TAPS[4]!, 4), sumOver(counted, 4, norm))).toBeLessThan(1e-5);
        expect(
          relativeDifference(
            row(TAPS[5]!, 4),
            sumOver(counted, 4, (t, h) => norm(t, h) ** 2),
          ),
        ).toBeLessThan(1e-5);
      }
    }
  });

  test('is the same bits whatever the memory, the threads and the workers', async () => {
    const many = prompts(Array.from({ length: 150 }, (_, i) => 3 + ((7 * i) % 31))); // several batches
    for (const some of [list, many]) {
      const expected = await readChunk((await startRunner({ threads: 1 })).runner, some);
      for (const options of [{ memoryBytes: 1 }, { threads: 3 }, { threads: 1, memoryBytes: 1 }]) {
        const { runner } = await startRunner(options);
        expect(await readChunk(runner, some)).toEqual(expected);
        // Sessions that stayed open serve the next chunk.
        expect(await readChunk(runner, some)).toEqual(expected);
      }
    }
  });

  test('does not depend on which prompts are beside it, nor on their order', async () => {
    const { runner } = await startRunner();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 }),
        fc.nat(),
        async (lengths, pick) => {
          const many = prompts(lengths);
          const one = pick % many.length;
          const together = await readChunk(runner, many);
          const alone = await readChunk(runner, [many[one]!]);
          for (const [layer, { arrays }] of alone.entries()) {
            for (const [name, values] of arrays) {
              if (values.every((value) => value === 0)) continue;
              const row = together[layer]!.arrays.get(name)!.subarray(
                one * values.length,
                (one + 1) * values.length,
              );
              expect(relativeDifference(row, values)).toBeLessThan(1e-5);
            }
          }
        },
      ),
      { numRuns: 15 },
    );
  });
});

describe('activations', () => {
  test('cuts padding off every tensor, the pattern included', async () => {
    const { runner } = await startRunner();
    const list = prompts([3, 8]);
    const read = await runner.activations(
      list,
      [
        { hook: 'attn.hook_pattern', statistic: 'full' },
        { hook: 'hook_resid_post', statistic: 'full' },
        { hook: 'mlp.hook_pre', statistic: 'fire' },
      ],
      { logits: true },
    );
    for (const [p, { ids }] of list.entries()) {
      const { hooks, logits } = read[p]!;
      const pattern = hooks.get('blocks.1.attn.hook_pattern')!;
      expect(pattern.dims).toEqual([4, ids.length, ids.length]);
      for (let row = 0; row < 4 * ids.length; row++) {
        const weights = pattern.values.subarray(row * ids.length, (row + 1) * ids.length);
        expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
      }
      expect(hooks.get('blocks.2.hook_resid_post')!.dims).toEqual([ids.length, 24]);
      expect(hooks.get('blocks.0.mlp.hook_pre/fire')!.dims).toEqual([37]);
      expect(logits!.dims).toEqual([ids.length, VOCAB]);
      expect(logits!.values).toHaveLength(ids.length * VOCAB);
    }
  });

  test('builds no unembedding unless logits are asked for', async () => {
    const checkpoint = await openCheckpoint(tinyCheckpoint());
    const model = openModel(checkpoint);
    const withoutUnembedding = {
      ...model,
      unembed: () => {
        throw new Error('the unembedding was built');
      },
    };
    const runner = await ModelRunner.start(checkpoint, withoutUnembedding, {
      device: 'cpu',
      memoryBytes: GIB,
    });
    onTestFinished(() => runner.close());
    const [read] = await runner.activations(prompts([3]), []);
    expect(read!.logits).toBeNull();
    await expect(runner.activations(prompts([3]), [], { logits: true })).rejects.toThrow('was built');
  });
});

describe('while a chunk runs', () => {
  /** Enough work for a few hundred milliseconds. */
  let long: TokenizedPrompt[];
  beforeAll(() => {
    long = prompts(Array.from({ length: 4000 }, (_, i) => 20 + (i % 40)));
  });

  test('the event loop stays free', async () => {
    const { runner } = await startRunner();
    await readChunk(runner, prompts([3])); // the worker has started
    const before = performance.eventLoopUtilization();
    await readChunk(runner, long);
    // The share of the time in which this thread did not wait: 1 where the graphs run on it.
    expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.5);
  });

  test('progress counts every token at every layer, padding not', async () => {
    const { runner } = await startRunner();
    const list = prompts([5, 9, 2]);
    const seen: number[] = [];
    await runner.runChunk({
      prompts: list,
      taps: TAPS,
      onLayer: () => {},
      onProgress: ({ tokenLayers }) => seen.push(tokenLayers),
    });
    expect(seen).toEqual([16, 32, 48]);
  });

  test('an abort stops it between batches, and the runner stays usable', async () => {
    const { runner } = await startRunner();
    const controller = new AbortController();
    const layers: number[] = [];
    const running = runner.runChunk({
      prompts: long,
      taps: TAPS,
      signal: controller.signal,
      onLayer: ({ layer }) => {
        layers.push(layer);
      },
      onProgress: () => controller.abort(),
    });
    await expect(running).rejects.toThrow(InterruptedError);
    expect(layers).not.toContain(2);
    expect(await readChunk(runner, prompts([4]))).toHaveLength(3);
    const late = runner.runChunk({ prompts: long, taps: TAPS, signal: controller.signal, onLayer: () => {} });
    await expect(late).rejects.toThrow(InterruptedError);
  });

  test('what the reader of its layers throws ends it', async () => {
    const { runner } = await startRunner();
    const full = new Error('disk full');
    const running = runner.runChunk({
      prompts: long,
      taps: TAPS,
      onLayer: async () => {
        throw full;
      },
    });
    await expect(running).rejects.toBe(full);
    expect(await readChunk(runner, prompts([4]))).toHaveLength(3);
  });

  test('a slow reader holds the worker back', async () => {
    const [layers, list] = [8, prompts([4])];
    const { runner } = await startRunner({}, join(DEMO_CHECKPOINTS, 'base'));
    let layersRun = 0;
    const ahead: number[] = [];
    await runner.runChunk({
      prompts: list,
      taps: TAPS,
      onProgress: ({ layer }) => {
        layersRun = layer + 1;
      },
      onLayer: async ({ layer }) => {
        // Read is a layer only when as many behind it have run as may wait to be read, and more had time to.
        const most = Math.min(layers, layer + 1 + LAYERS_IN_FLIGHT);
        await vi.waitUntil(() => layersRun >= most, { timeout: 300_000 });
        await new Promise((resolve) => setTimeout(resolve, 30));
        ahead[layer] = layersRun - layer - 1;
      },
    });
    expect(ahead).toEqual([2, 2, 2, 2, 2, 2, 1, 0]);
  });

  test('closing ends it at once, and what comes later', async () => {
    const { runner } = await startRunner();
    const running = readChunk(runner, long);
    const refused = expect(running).rejects.toThrow('closed');
    await runner.close();
    await refused;
    await expect(readChunk(runner, long)).rejects.toThrow('closed');
  });

  test('calls that come meanwhile wait for their turn', async () => {
    const { runner } = await startRunner();
    const list = prompts([4, 6]);
    const [a, b] = await Promise.all([readChunk(runner, list), readChunk(runner, list)]);
    expect(a).toEqual(b);
  });
});

describe('refusals name the thing and the place', () => {
  test('a token the embedding lacks: token and prompt', async () => {
    const { runner } = await startRunner();
    const ids = Int32Array.from([4, VOCAB, 5]);
    const running = runner.runChunk({
      prompts: [...prompts([3]), { ids, counted: new Uint8Array(3) }],
      taps: TAPS,
      onLayer: () => {},
      describePrompt: (p) => `item ${['a', 'b'][p]}`,
    });
    await expect(running).rejects.toThrow(/item b: token 101 at position 1 is not in the embedding/);
    await expect(running).rejects.toThrow(CheckpointError);
  });

  test('a weight that is not a number: layer, hook and prompt', async () => {
    const folder = tinyCheckpoint();
    await spoilWeight(folder, 'model.layers.1.mlp.down_proj.weight', 3, Number.NaN);
    const { runner } = await startRunner({}, folder);
    const running = readChunk(runner, prompts([3, 2]));
    await expect(running).rejects.toThrow(CheckpointError);
    await expect(running).rejects.toThrow(/layer 1 yields NaN or infinity at hook_resid_post/);
  });

  test('the same of many batches that several workers run, and again', async () => {
    const folder = tinyCheckpoint();
    await spoilWeight(folder, 'model.layers.1.mlp.down_proj.weight', 3, Number.NaN);
    const { runner } = await startRunner({ threads: 3 }, folder);
    const many = prompts(new Array<number>(150).fill(20));
    for (const _ of [1, 2]) {
      await expect(readChunk(runner, many)).rejects.toThrow(
        /layer 1 yields NaN or infinity at hook_resid_post/,
      );
    }
  });

  test('a reading that is not finite while the stream is', async () => {
    const folder = tinyCheckpoint();
    await spoilWeight(folder, 'model.layers.2.mlp.up_proj.weight', 0, 3e38);
    await spoilWeight(folder, 'model.layers.2.mlp.down_proj.weight', 0, 0);
    const { runner } = await startRunner({}, folder);
    await expect(readChunk(runner, prompts([9, 9]))).rejects.toThrow(/layer 2 yields NaN or infinity at/);
  });

  test('weights that vanish after the checkpoint was opened', async () => {
    const { runner, folder } = await startRunner();
    rmSync(join(folder, 'model.safetensors'));
    const running = readChunk(runner, prompts([3]));
    await expect(running).rejects.toThrow(RunnerError);
    await expect(running).rejects.toThrow(/onnxruntime failed.*while loading its weights/);
  });

  test('a graph that onnxruntime cannot read: its layer', async () => {
    const checkpoint = await openCheckpoint(tinyCheckpoint());
    const model = openModel(checkpoint);
    const broken = {
      ...model,
      layer: (index: number, taps: readonly Tap[]) => {
        const graph = model.layer(index, taps);
        return index === 1 ? { ...graph, bytes: graph.bytes.slice(0, 40) } : graph;
      },
    };
    const runner = await ModelRunner.start(checkpoint, broken, { device: 'cpu', memoryBytes: GIB });
    onTestFinished(() => runner.close());
    const error = await readChunk(runner, prompts([3])).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(RunnerError);
    expect(error).toMatchObject({ layer: 1, exitCode: 1 });
  });

  test('a device whose provider is not installed: the way to install it', async () => {
    await expect(startRunner({ device: 'cuda' })).rejects.toThrow(UsageError);
    await expect(startRunner({ device: 'cuda' })).rejects.toThrow(/CUDA/);
  });

  test('full tensors of a chunk', async () => {
    const { runner } = await startRunner();
    const taps: Tap[] = [{ hook: 'mlp.hook_pre', statistic: 'full' }];
    await expect(runner.runChunk({ prompts: prompts([2]), taps, onLayer: () => {} })).rejects.toThrow(
      UsageError,
    );
  });

  test('no prompts, and prompts without tokens', async () => {
    const { runner } = await startRunner();
    await expect(readChunk(runner, [])).rejects.toThrow(UsageError);
    await expect(readChunk(runner, prompts([2, 0]))).rejects.toThrow(/prompt 1/);
  });
});

function sumOver(counted: Uint8Array, width: number, value: (t: number, j: number) => number): number[] {
  return Array.from({ length: width }, (_, j) =>
    counted.reduce((sum: number, counts, t) => (counts === 1 ? sum + value(t, j) : sum), 0),
  );
}

/** ‖z_h W_O,h‖₂ with W_O as stored, [dModel, heads × headDim]. */
function contributionNorm(outputWeight: Float32Array, z: (i: number) => number, head: number): number {
  let squares = 0;
  for (let d = 0; d < 24; d++) {
    let contribution = 0;
    for (let i = 0; i < 10; i++) contribution += outputWeight[d * 40 + head * 10 + i]! * z(i);
    squares += contribution ** 2;
  }
  return Math.sqrt(squares);
}
