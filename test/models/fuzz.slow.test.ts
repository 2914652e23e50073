import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { parseSafetensorsHeader } from '../../src/checkpoint/safetensors/header.js';
import type { Checkpoint } from '../../src/checkpoint/types.js';
import { CheckpointError, UsageError } from '../../src/errors.js';
import { FAMILIES } from '../../src/models/choose-family.js';
import { describeModel, openModel } from '../../src/models/open-model.js';
import type { LayeredModel } from '../../src/models/types.js';
import { Random } from '../../src/stats/sampling/random.js';
import { type Json, mutateBytes, mutateJson } from '../support/mutate-json.js';
import { FIXTURES } from './fixture.js';

// Slow because it damages ten thousand checkpoints.

/**
 * config.json and safetensors headers of published models and of the fixtures, damaged at random. Whatever happens
 * must be success or an error of ours, soon, and without much memory. A failure names its seed; `FUZZ_SEEDS=n` runs
 * more of them.
 */

const PUBLISHED = fileURLToPath(new URL('../fixtures/published/', import.meta.url));
const SEEDS = Number(process.env.FUZZ_SEEDS ?? 10_000);
/** Processor time that one damaged checkpoint may take. Real ones take up to 30 ms. */
const MOST_MS = 2_000;
/** Growth of the process over all seeds. */
const MOST_BYTES = 600 * 2 ** 20;

const MIXTURES = ['mixtral', 'qwen2_moe', 'qwen3_moe', 'olmoe', 'gpt_oss', 'deepseek_v2', 'deepseek_v3'];

type Config = { [key: string]: Json };

const published: Config[] = readdirSync(PUBLISHED).flatMap((group) => {
  const rows = JSON.parse(readFileSync(join(PUBLISHED, group), 'utf8')) as Record<string, { config: Config }>;
  return Object.values(rows).map(({ config }) => config);
});

let fixtures: readonly Checkpoint[];
let folder: string;
beforeAll(async () => {
  const names = readdirSync(FIXTURES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  fixtures = await Promise.all(names.map(({ name }) => openCheckpoint(join(FIXTURES, name))));
  folder = mkdtempSync(join(tmpdir(), 'babelscope-fuzz-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe(`a damaged checkpoint is read, or refused with an error that says why (${SEEDS} seeds)`, () => {
  const share = Math.ceil(SEEDS / 4);

  it('config.json of a published model, alone', async () => {
    const outcomes = await tally(0, share, (random, seed) => {
      const config = fewLayers(inTurn(published, seed), 1 + random.integer(3));
      mutateJson(config, random);
      if (random.integer(4) === 0)
        config.architectures = structuredClone(anyOf(published, random).architectures!);
      return describeModel({ folder: 'folder', config });
    });
    expect(outcomes.read).toBeGreaterThan(share / 10);
    expect(outcomes.refused).toBeGreaterThan(share / 10);
    expectEveryFamily(outcomes);
  });

  it('config.json of a checkpoint with its weights, written as graphs', async () => {
    const outcomes = await tally(share, share, (random, seed) => {
      const checkpoint = inTurn(fixtures, seed);
      const config = fewLayers(checkpoint.config as Config, 1);
      mutateJson(config, random);
      return writeGraphs({ ...checkpoint, config });
    });
    expect(outcomes.read).toBeGreaterThan(share / 10);
    expect(outcomes.refused).toBeGreaterThan(share / 10);
    expectEveryFamily(outcomes);
  });

  it('the header of a safetensors file, its entries changed', async () => {
    const outcomes = await tally(2 * share, share, (random, seed) => {
      const { checkpoint, entries, dataBytes } = headerOf(inTurn(fixtures, seed));
      mutateJson(entries, random);
      const bytes = new TextEncoder().encode(JSON.stringify(entries));
      const { tensors } = parseSafetensorsHeader(bytes, {
        path: 'p',
        fileBytes: 8 + bytes.length + dataBytes,
      });
      return writeGraphs({
        ...checkpoint,
        tensors: new Map(
          [...tensors].map(([name, tensor]) => [name, { ...tensor, dtype: 'F32', location: 'p' }]),
        ),
      });
    });
    expect(outcomes.refused).toBeGreaterThan(share / 2);
  });

  it('the bytes of config.json and of a safetensors file', async () => {
    const outcomes = await tally(3 * share, share, async (random, seed) => {
      const { checkpoint, entries, dataBytes } = headerOf(inTurn(fixtures, seed));
      const json = new TextEncoder().encode(JSON.stringify(entries));
      const file = Buffer.alloc(8 + json.length + dataBytes);
      file.writeBigUInt64LE(BigInt(json.length));
      file.set(json, 8);
      const config = new TextEncoder().encode(JSON.stringify(fewLayers(checkpoint.config as Config, 1)));
      const [damagedConfig, damagedHead] = [random.integer(2) === 0, random.integer(2) === 0];
      const head = file.subarray(0, 8 + json.length);
      writeFileSync(join(folder, 'config.json'), damagedConfig ? mutateBytes(config, random) : config);
      writeFileSync(
        join(folder, 'model.safetensors'),
        damagedHead ? Buffer.concat([mutateBytes(head, random), file.subarray(head.length)]) : file,
      );
      return writeGraphs(await openCheckpoint(folder));
    });
    expect(outcomes.read).toBeGreaterThan(share / 10);
    expect(outcomes.refused).toBeGreaterThan(share / 4);
  });
});

it.each([
  ['an error that is none of ours', () => (undefined as unknown as { x: number }).x],
  [
    'more time than it may take',
    () => vi.spyOn(process, 'cpuUsage').mockReturnValueOnce({ user: 2000 * MOST_MS, system: 0 }),
  ],
])('a seed that ends in %s is told by its number', async (_, attempt) => {
  const atSeed = (random: Random, seed: number) => (seed === 7 ? attempt() : random.integer(2)) as never;
  await expect(tally(5, 5, atSeed)).rejects.toThrow(/seed 7/);
  vi.restoreAllMocks();
});

/**
 * A copy with fewer layers, which take less time; the damage may still ask for any number of them. Mixtures that begin with
 * a dense layer have one such, and then layers with experts.
 */
function fewLayers(config: Readonly<Config>, layers: number): Config {
  const copy: Config = structuredClone(config);
  if (typeof copy.first_k_dense_replace === 'number') copy.first_k_dense_replace = 1;
  const { first_k_dense_replace, decoder_sparse_step, mlp_only_layers } = copy;
  const denseFirst =
    first_k_dense_replace === 1 ||
    (typeof decoder_sparse_step === 'number' && decoder_sparse_step > 1) ||
    (Array.isArray(mlp_only_layers) && mlp_only_layers.includes(0));
  const count = denseFirst ? layers + 1 : layers;
  for (const field of ['num_hidden_layers', 'n_layer', 'num_layers']) if (field in copy) copy[field] = count;
  if (Array.isArray(copy.layer_types)) copy.layer_types = copy.layer_types.slice(0, count);
  return copy;
}

interface Outcomes {
  read: number;
  refused: number;
  /** Those that were read in spite of the damage; `name, experts` where layers had some. */
  readonly families: Set<string>;
}

function expectEveryFamily({ families }: Outcomes): void {
  const expected = FAMILIES.map(({ name }) => (MIXTURES.includes(name) ? `${name}, experts` : name));
  expect(expected.filter((name) => !families.has(name))).toEqual([]);
}

/** Seeds from `first` on, each an attempt of its own. */
async function tally(
  first: number,
  seeds: number,
  attempt: (random: Random, seed: number) => LayeredModel | Promise<LayeredModel>,
): Promise<Outcomes> {
  const outcomes: Outcomes = { read: 0, refused: 0, families: new Set() };
  const before = process.memoryUsage().rss;
  for (let seed = first; seed < first + seeds; seed++) {
    const start = process.cpuUsage();
    try {
      const { shape } = (await attempt(new Random(seed), seed)) ?? {};
      if (shape)
        outcomes.families.add(shape.mixture?.layers.length ? `${shape.family}, experts` : shape.family);
      outcomes.read++;
    } catch (error) {
      if (!(error instanceof CheckpointError || error instanceof UsageError)) {
        throw new Error(`seed ${seed}: ${error instanceof Error ? error.stack : error}`);
      }
      outcomes.refused++;
    }
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1000, `milliseconds of seed ${seed}`).toBeLessThan(MOST_MS);
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(MOST_BYTES);
  return outcomes;
}

/** Everything that runs before onnxruntime sees a checkpoint. */
function writeGraphs(checkpoint: Checkpoint): LayeredModel {
  const model = openModel(checkpoint);
  model.embed();
  model.layer(model.shape.layers - 1, [{ hook: 'mlp.hook_pre', statistic: 'fire' }]);
  model.unembed();
  return model;
}

interface Header {
  readonly checkpoint: Checkpoint;
  readonly entries: Config;
  readonly dataBytes: number;
}

/** A fixture's tensors as the header of one safetensors file. */
function headerOf(checkpoint: Checkpoint): Header {
  let end = 0;
  const entries: Config = { __metadata__: { format: 'pt' } };
  for (const { name, dtype, shape, byteLength } of checkpoint.tensors.values()) {
    entries[name] = { dtype, shape: [...shape], data_offsets: [end, end + byteLength] };
    end += byteLength;
  }
  return { checkpoint, entries, dataBytes: end };
}

function inTurn<T>(list: readonly T[], seed: number): T {
  return list[seed % list.length]!;
}

function anyOf<T>(list: readonly T[], random: Random): T {
  return list[random.integer(list.length)]!;
}
