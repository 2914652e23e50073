import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { UsageError } from '../../src/errors.js';
import type { Edit } from '../../src/hooks/edits/edit.js';
import type { Tap } from '../../src/hooks/taps.js';
import { openModel, openSubject } from '../../src/models/open-model.js';
import { Tensor } from '../support/onnxruntime.js';
import { temporaryFolder } from '../support/tiny-checkpoint.js';
import { deviation, FIXTURES, openFixture } from './fixture.js';
import { type Outputs, runGraph, runModel } from './run-model.js';

/** Largest difference allowed, relative to the largest value: the products run in another order. */
const ROUNDING = 1e-6;
const LAYER = 1;

/** Weights of layer 1 that read what heads and neurons give: [dModel, heads × headDim] and [dModel, neurons]. */
interface Readers {
  readonly fixture: string;
  readonly heads: string;
  /** The reader of neurons, and which of its columns reads neuron `unit` of the layer. */
  readonly neurons: readonly { readonly weight: string; readonly unit: number; readonly column: number }[];
}

const qwen = 'model.layers.1.';
const FAMILIES: readonly Readers[] = [
  {
    fixture: 'qwen2-window-f32',
    heads: `${qwen}self_attn.o_proj.weight`,
    neurons: [3, 20].map((unit) => ({ weight: `${qwen}mlp.down_proj.weight`, unit, column: unit })),
  },
  {
    fixture: 'falcon-grouped-f32',
    heads: 'transformer.h.1.self_attention.dense.weight',
    neurons: [0, 7].map((unit) => ({
      weight: 'transformer.h.1.mlp.dense_4h_to_h.weight',
      unit,
      column: unit,
    })),
  },
  {
    fixture: 'gpt-neox-parallel-bf16',
    heads: 'gpt_neox.layers.1.attention.dense.weight',
    neurons: [2, 11].map((unit) => ({
      weight: 'gpt_neox.layers.1.mlp.dense_4h_to_h.weight',
      unit,
      column: unit,
    })),
  },
  {
    // Seven experts of nine neurons, then a shared one of fourteen.
    fixture: 'qwen2-moe-bf16',
    heads: `${qwen}self_attn.o_proj.weight`,
    neurons: [
      { weight: `${qwen}mlp.experts.0.down_proj.weight`, unit: 4, column: 4 },
      { weight: `${qwen}mlp.experts.5.down_proj.weight`, unit: 5 * 9 + 8, column: 8 },
      { weight: `${qwen}mlp.shared_expert.down_proj.weight`, unit: 7 * 9 + 10, column: 10 },
    ],
  },
];

/** A copy of a fixture in which columns of weights [rows, width] are zero. */
async function zeroColumns(fixture: string, columns: readonly { weight: string; columns: number[] }[]) {
  const folder = join(temporaryFolder(), fixture);
  cpSync(join(FIXTURES, fixture), folder, { recursive: true });
  const { tensors, weightsRoot } = await openCheckpoint(folder);
  for (const { weight, columns: zero } of columns) {
    const { location, offset, byteLength, shape } = tensors.get(weight)!;
    const path = join(weightsRoot, location);
    const file = readFileSync(path);
    const [rows = 0, width = 0] = shape;
    const size = byteLength / (rows * width);
    for (let row = 0; row < rows; row++) {
      for (const column of zero)
        file.fill(0, offset + (row * width + column) * size, offset + (row * width + column + 1) * size);
    }
    writeFileSync(path, file);
  }
  return openCheckpoint(folder);
}

async function run(fixture: string, edits: readonly Edit[], taps: readonly Tap[] = []): Promise<Outputs> {
  const { checkpoint, prompts } = await openFixture(fixture);
  const model = openModel(checkpoint, { edits });
  return runModel(checkpoint, model, prompts, (layer) => (layer === LAYER ? taps : []));
}

/** Largest difference over real tokens, relative to the largest value. */
async function logitsDiffer(fixture: string, found: Outputs, expected: Outputs): Promise<number> {
  const { recorded, lengths } = await openFixture(fixture);
  const { shape } = recorded.get('logits')!;
  return deviation(found.logits, { shape, values: expected.logits }, 'logits', lengths);
}

describe.each(FAMILIES)('an edited $fixture', ({ fixture, heads, neurons }) => {
  const silenced = async (columns: readonly { weight: string; columns: number[] }[]): Promise<Outputs> => {
    const checkpoint = await zeroColumns(fixture, columns);
    const { prompts } = await openFixture(fixture);
    return runModel(checkpoint, openModel(checkpoint), prompts, () => []);
  };

  it.each<Edit>([
    { kind: 'set', at: 'blocks.1.attn.hook_z', units: [2], amount: 0 },
    { kind: 'scale', at: 'blocks.1.attn.hook_z', units: [2], amount: 0 },
    { kind: 'set', at: 'blocks.1.attn.hook_pattern', units: [2], amount: 0 },
  ])('$kind at $at to 0 is a weight W_O that does not read this head', async (edit) => {
    const { checkpoint } = await openFixture(fixture);
    const { headDim } = openModel(checkpoint).shape;
    const columns = Array.from({ length: headDim }, (_, i) => 2 * headDim + i);
    const expected = await silenced([{ weight: heads, columns }]);
    const found = await run(fixture, [edit]);
    expect(await logitsDiffer(fixture, found, expected)).toBeLessThan(ROUNDING);
    expect(await logitsDiffer(fixture, found, await run(fixture, []))).toBeGreaterThan(1e-3);
  });

  // Every activation function here is 0 at 0.
  it.each(['mlp.hook_post', 'mlp.hook_pre'])(
    'set at %s to 0 is a weight W_down that does not read these neurons',
    async (hook) => {
      const expected = await silenced(neurons.map(({ weight, column }) => ({ weight, columns: [column] })));
      const units = neurons.map(({ unit }) => unit);
      const found = await run(fixture, [{ kind: 'set', at: `blocks.1.${hook}`, units, amount: 0 }]);
      expect(await logitsDiffer(fixture, found, expected)).toBeLessThan(ROUNDING);
      expect(await logitsDiffer(fixture, found, await run(fixture, []))).toBeGreaterThan(1e-6);
    },
  );

  it('add shifts the residual stream for what comes after, and what is recorded is shifted', async () => {
    const { checkpoint, prompts } = await openFixture(fixture);
    const model = openModel(checkpoint);
    const { dModel, layers } = model.shape;
    const last = layers - 1;
    const direction = Float32Array.from({ length: dModel }, (_, i) => Math.sin(i + 1) / 4);
    const edit: Edit = { kind: 'add', at: `blocks.${last}.hook_resid_post`, amount: direction };
    const taps: Tap[] = [{ hook: 'hook_resid_post', statistic: 'full' }];
    const record = (edits: readonly Edit[]) =>
      runModel(checkpoint, openModel(checkpoint, { edits }), prompts, () => taps);
    const [plain, edited] = [await record([]), await record([edit])];
    const before = plain.layers[last]!.get('hook_resid_post/full')!;
    const shifted = before.map((value, i) => value + direction[i % dModel]!);
    expect(edited.layers[last]!.get('hook_resid_post/full')).toEqual(shifted);
    const hidden = new Tensor('float32', shifted, [prompts.batch, prompts.seq, dModel]);
    const { logits } = await runGraph(model.unembed(), checkpoint.weightsRoot, { hidden });
    const expected = { ...plain, logits: logits!.data as Float32Array };
    expect(await logitsDiffer(fixture, edited, expected)).toBeLessThan(ROUNDING);
    expect(await logitsDiffer(fixture, edited, plain)).toBeGreaterThan(1e-3);
  });
});

describe('edits', () => {
  it('scale multiplies what neurons give, one amount a unit, and edits follow one another', async () => {
    const taps: Tap[] = [{ hook: 'mlp.hook_post', statistic: 'full' }];
    const at = 'blocks.1.mlp.hook_post';
    const [plain, edited] = [
      await run('qwen2-window-f32', [], taps),
      await run(
        'qwen2-window-f32',
        [
          { kind: 'scale', at, units: [5, 2], amount: [2, -0.5] },
          { kind: 'add', at, units: [2], amount: 3 },
        ],
        taps,
      ),
    ];
    const [before, after] = [plain, edited].map(({ layers }) => layers[LAYER]!.get('mlp.hook_post/full')!);
    const { checkpoint } = await openFixture('qwen2-window-f32');
    const width = openModel(checkpoint).shape.dMlp;
    const changed = before!.map((value, i) => {
      if (i % width === 5) return value * 2;
      return i % width === 2 ? Math.fround(value * -0.5) + 3 : value;
    });
    expect(after).toEqual(changed);
  });

  it('sets each element of a head where as many amounts are given', async () => {
    const { checkpoint, prompts } = await openFixture('qwen2-window-f32');
    const { headDim, heads } = openModel(checkpoint).shape;
    const amount = Float32Array.from({ length: headDim }, (_, i) => i / 8);
    const taps: Tap[] = [{ hook: 'attn.hook_z', statistic: 'full' }];
    const edit: Edit = { kind: 'set', at: 'blocks.1.attn.hook_z', units: [1], amount };
    const found = (await run('qwen2-window-f32', [edit], taps)).layers[LAYER]!.get('attn.hook_z/full')!;
    for (let token = 0; token < prompts.batch * prompts.seq; token++) {
      const start = (token * heads + 1) * headDim;
      expect(found.slice(start, start + headDim)).toEqual(amount);
    }
  });

  it('a router that gives an expert nothing sends no token there', async () => {
    const taps: Tap[] = [{ hook: 'mlp.hook_router', statistic: 'count' }];
    const experts = 7;
    const sumOf = (outputs: Outputs): number[] => {
      const counts = outputs.layers[LAYER]!.get('mlp.hook_router/count')!;
      return Array.from({ length: experts }, (_, expert) =>
        counts.reduce((sum, count, i) => (i % experts === expert ? sum + count : sum), 0),
      );
    };
    const before = sumOf(await run('qwen2-moe-bf16', [], taps));
    const expert = before.indexOf(Math.max(...before));
    const edit: Edit = { kind: 'set', at: 'blocks.1.mlp.hook_router', units: [expert], amount: 0 };
    const after = sumOf(await run('qwen2-moe-bf16', [edit], taps));
    expect(before[expert]).toBeGreaterThan(0);
    expect(after[expert]).toBe(0);
    const total = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0);
    expect(total(after)).toBe(total(before));
  });

  const at = 'blocks.1.mlp.hook_post';
  it.each<[what: string, fixture: string, edit: Edit, message: RegExp]>([
    [
      'a hook point that the family lacks, and lists those it has',
      'falcon-grouped-f32',
      { kind: 'set', at: 'blocks.1.hook_resid_mid', amount: 0 },
      /one of hook_resid_pre, attn\.hook_pattern, attn\.hook_z, mlp\.hook_pre/,
    ],
    [
      'a layer there is not',
      'qwen2-window-f32',
      { kind: 'set', at: 'blocks.9.mlp.hook_post', amount: 0 },
      /no hook/,
    ],
    [
      'a unit there is not',
      'qwen2-window-f32',
      { kind: 'set', at, units: [4000], amount: 0 },
      /units from 0 to/,
    ],
    ['a unit named twice', 'qwen2-window-f32', { kind: 'set', at, units: [1, 1], amount: 0 }, /named twice/],
    [
      'too many amounts',
      'qwen2-window-f32',
      { kind: 'set', at, units: [1], amount: [0, 1] },
      /expected: 1, 1\n/,
    ],
    ['an amount that is no number', 'qwen2-window-f32', { kind: 'add', at, amount: Number.NaN }, /finite/],
    ['an unknown kind', 'qwen2-window-f32', { kind: 'swap' as 'set', at, amount: 0 }, /scale, set, add/],
  ])('refuses %s', async (_, fixture, edit, message) => {
    const { checkpoint } = await openFixture(fixture);
    const open = () => openModel(checkpoint, { edits: [edit] });
    expect(open).toThrow(UsageError);
    expect(open).toThrow(message);
  });

  it('refuses the graph of another exporter, and lists the hooks that can be read there', async () => {
    const path = join(FIXTURES, '..', 'onnx', 'optimum-gpt2', 'onnx', 'model.onnx');
    const refused = openSubject(path, { edits: [{ kind: 'set', at, amount: 0 }] });
    await expect(refused).rejects.toThrow(UsageError);
    await expect(refused).rejects.toThrow(/cannot be edited at blocks\.1\.mlp\.hook_post[\s\S]*attn\.hook_z/);
  });
});
