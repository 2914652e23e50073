import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { identifyCheckpoint } from '../../src/checkpoint/identify-checkpoint.js';
import type { LoraConfig } from '../../src/checkpoint/lora/lora-config.js';
import { isTargeted, rankAndScale } from '../../src/checkpoint/lora/lora-targets.js';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { CheckpointError } from '../../src/errors.js';
import { type Tap, tapOutput } from '../../src/hooks/taps.js';
import { inspectCheckpoint } from '../../src/models/inspect.js';
import { openModel } from '../../src/models/open-model.js';
import { temporaryFolder } from '../support/tiny-checkpoint.js';
import { deviation, FIXTURES, TOLERANCE } from './fixture.js';
import { readRecorded, runModel } from './run-model.js';

const ADAPTERS = fileURLToPath(new URL('../fixtures/adapters/', import.meta.url));
const NAMES = readdirSync(ADAPTERS, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

/** The checkpoint that an adapter was made for. */
function baseOf(adapter: string): string {
  const { base_model_name_or_path: base } = readJson(join(adapter, 'adapter_config.json'));
  return join(FIXTURES, base.split('/').at(-1));
}

/** A copy of an adapter with other settings, and the checkpoint it is for. */
function changed(name: string, change: Readonly<Record<string, unknown>>): { folder: string; base: string } {
  const folder = join(temporaryFolder(), name);
  cpSync(join(ADAPTERS, name), folder, { recursive: true });
  const path = join(folder, 'adapter_config.json');
  writeFileSync(path, JSON.stringify({ ...readJson(path), ...change }));
  return { folder, base: baseOf(join(ADAPTERS, name)) };
}

/** What opening a model with the adapter says when it is refused. */
async function refusal({ folder, base }: { folder: string; base: string }): Promise<string> {
  const error: unknown = await openCheckpoint(base, { adapter: folder })
    .then((checkpoint) => openModel(checkpoint))
    .then(
      () => 'accepted',
      (e: unknown) => e,
    );
  expect(error).toBeInstanceOf(CheckpointError);
  expect((error as CheckpointError).details.remedy).toBeTruthy();
  return (error as CheckpointError).message;
}

/** Largest deviation of any hook point, head norm and the logits from what PEFT's merged model gives. */
async function deviationFromMerged(adapter: string, base: string, recordedIn = adapter): Promise<number> {
  const checkpoint = await openCheckpoint(base, { adapter });
  const recorded = await readRecorded(join(recordedIn, 'expected.safetensors'));
  const { values: ids, shape } = recorded.get('input_ids')!;
  const lengths = [...recorded.get('lengths')!.values];
  const counted = recorded.get('counted')!.values;
  const prompts = {
    batch: shape[0]!,
    seq: shape[1]!,
    ids: BigInt64Array.from(ids, BigInt),
    counted,
    lengths,
  };
  const model = openModel(checkpoint);
  const taps = (layer: number): Tap[] => [
    ...model.hooks
      .filter((hook) => hook.layer === layer)
      .map(({ hook }): Tap => ({ hook, statistic: 'full' })),
    { hook: 'attn.hook_z', statistic: 'norm.sum' },
  ];
  const outputs = await runModel(checkpoint, model, prompts, taps);
  const deviations = [deviation(outputs.logits, recorded.get('logits')!, 'logits', lengths)];
  for (const { layer, hook, name } of model.hooks) {
    const found = outputs.layers[layer]!.get(tapOutput({ hook, statistic: 'full' }))!;
    deviations.push(deviation(found, recorded.get(name)!, hook, lengths));
  }
  for (const [layer, readings] of outputs.layers.entries()) {
    const norms = recorded.get(`blocks.${layer}.attn.head_norm`)!;
    const heads = norms.shape[2]!;
    const expected = new Float32Array(prompts.batch * heads);
    for (const [i, norm] of norms.values.entries()) {
      const token = Math.floor(i / heads);
      expected[Math.floor(token / prompts.seq) * heads + (i % heads)]! += counted[token]! * norm;
    }
    const found = readings.get('attn.hook_z/norm.sum')!;
    const scale = Math.max(...expected);
    deviations.push(Math.max(...expected.map((sum, i) => Math.abs(found[i]! - sum) / scale)));
  }
  return deviations.reduce((most, next) =>
    Number.isNaN(next) ? Number.POSITIVE_INFINITY : Math.max(most, next),
  );
}

describe.each(NAMES)('a checkpoint with the adapter %s', (name) => {
  const adapter = join(ADAPTERS, name);

  it("gives what PEFT's merged model gives, at every hook point, in the norms of heads and in the logits", async () => {
    const worst = await deviationFromMerged(adapter, baseOf(adapter));
    console.log(`${name}: largest |Δ| / largest value ${worst.toExponential(1)}`);
    expect(worst).toBeLessThanOrEqual(TOLERANCE);
  });
});

describe('an adapter', () => {
  const patterns = join(ADAPTERS, 'patterns-bf16');

  it.each([
    { r: 4, lora_alpha: 7 },
    { use_rslora: true },
    { alpha_pattern: {} },
    { alpha_pattern: { '0.self_attn.v_proj': 3, o_proj: 12 } },
  ])('with %o instead of its own settings gives other numbers', async (change) => {
    const { folder, base } = changed('patterns-bf16', change);
    expect(await deviationFromMerged(folder, base, patterns)).toBeGreaterThan(TOLERANCE);
  });

  // PEFT saves the names that it resolves "all-linear" to; its routers are no linear layers, and stay as they are.
  it.each(['gpt-oss-all-linear-bf16', 'deepseek-v3-all-linear-bf16'])(
    'of every linear layer leaves routers alone that are none: %s',
    async (name) => {
      const { folder, base } = changed(name, { target_modules: 'all-linear' });
      expect(await deviationFromMerged(folder, base)).toBeLessThanOrEqual(TOLERANCE);
    },
  );

  it('is read where it lies, in another folder than its base, which stays as it is', async () => {
    const { folder, base } = changed('patterns-bf16', {});
    expect(await deviationFromMerged(folder, base)).toBeLessThanOrEqual(TOLERANCE);
    const [alone, adapted] = await Promise.all([
      openCheckpoint(base),
      openCheckpoint(base, { adapter: folder }),
    ]);
    expect([...adapted.tensors.keys()]).toEqual([...alone.tensors.keys()]);
    expect(openModel(adapted).shape).toEqual(openModel(alone).shape);
  });

  it('is part of what a run records of its model, and the base is recorded as it is', async () => {
    const base = baseOf(patterns);
    const { adapter, ...identity } = await identifyCheckpoint(
      await openCheckpoint(base, { adapter: patterns }),
    );
    const alone = await identifyCheckpoint(await openCheckpoint(base));
    expect({ ...identity, adapter: null }).toEqual(alone);
    const other = changed('patterns-bf16', { lora_alpha: 7 });
    const changedAlpha = await identifyCheckpoint(await openCheckpoint(base, { adapter: other.folder }));
    expect(changedAlpha.adapter?.weightsSha256).toBe(adapter?.weightsSha256);
    expect(changedAlpha.adapter?.configSha256).not.toBe(adapter?.configSha256);
    expect(adapter?.name).toBe('patterns-bf16');
  });

  it('is inspected: tensors and parameters it adds', async () => {
    const inspection = await inspectCheckpoint(baseOf(patterns), { adapter: patterns });
    expect(inspection.adapter).toEqual({ tensors: 42, parameters: 4_038 });
    expect((await inspectCheckpoint(baseOf(patterns))).adapter).toBeNull();
  });

  it('made for another base than it is applied to is warned of', async () => {
    const { folder, base } = changed('patterns-bf16', { base_model_name_or_path: 'Qwen/Qwen2.5-0.5B' });
    const { adapter } = await openCheckpoint(base, { adapter: folder });
    expect(adapter?.warnings).toEqual([
      expect.stringMatching(/made for Qwen\/Qwen2\.5-0\.5B .* applied to qwen2-tied/),
    ]);
  });

  it('with a setting that this version does not know is warned of', async () => {
    const { folder, base } = changed('patterns-bf16', { use_novelty: true, another: null });
    const { adapter } = await openCheckpoint(base, { adapter: folder });
    expect(adapter?.warnings).toEqual([expect.stringContaining('use_novelty: true')]);
  });
});

describe('an adapter is refused', () => {
  it.each([
    [{ peft_type: 'LOHA' }, /only LoRA is[\s\S]*LOHA/],
    [{ use_dora: true }, /DoRA/],
    [{ bias: 'lora_only' }, /trained biases/],
    [{ lora_bias: true }, /bias on lora_B/],
    [{ layer_replication: [[0, 2]] }, /layers that the adapter repeats/],
    [{ trainable_token_indices: [3] }, /single trained rows/],
    [{ target_parameters: ['experts.gate_up_proj'] }, /target_parameters/],
    [{ init_lora_weights: 'pissa_niter_4' }, /changes the base's weights/],
    [{ use_qalora: true }, /QALoRA/],
    [{ alora_invocation_tokens: [5, 7] }, /activated LoRA/],
    [{ arrow_config: { top_k: 2 } }, /Arrow/],
    [{ use_bdlora: { nblocks: 2 } }, /block-diagonal/],
    [{ kasa_config: { beta: 1 } }, /KaSA/],
    [{ monteclora_config: { samples: 2 } }, /MonteCLoRA/],
    [{ megatron_config: { a: 1 } }, /Megatron/],
  ])('of the kind %o, with the way to merge it', async (change, expected) => {
    const message = await refusal(changed('patterns-bf16', change));
    expect(message).toMatch(expected);
    expect(message).toContain('merge_and_unload');
  });

  it.each([
    [{ r: 0 }, /field r /],
    [{ lora_alpha: 'six' }, /field lora_alpha/],
    [{ target_modules: null }, /field target_modules/],
    [{ rank_pattern: { '(': 3 } }, /pattern of adapter_config\.json cannot be read/],
    [
      { target_modules: '(?=.*q_proj).*' },
      /cannot be read[\s\S]*looking ahead[\s\S]*list the modules by name/,
    ],
    [{ target_modules: '((a{1000}){1000}){1000}' }, /cannot be read[\s\S]*repeat/],
    [{ target_modules: 'q'.repeat(2_001) }, /cannot be read[\s\S]*more than 2000 characters/],
    [{ modules_to_save: ['\\1'] }, /cannot be read/],
    [{ target_modules: new Array(4_097).fill('q_proj') }, /field target_modules/],
  ])('with the unusable setting %o', async (change, expected) => {
    expect(await refusal(changed('patterns-bf16', change))).toMatch(expected);
  });

  // A backtracking engine takes minutes for the first, and longer than anybody lives for the last.
  it.each([
    [{ target_modules: '(([a-z._0-9])+)+!' }],
    [{ layers_to_transform: [0], layers_pattern: ['((.+)+)+!'] }],
    [{ modules_to_save: ['(.*)*x(.*)*y(.*)*z!'] }],
    [{ exclude_modules: '(.|.)*!' }],
    [{ rank_pattern: { '(a|[a-z.]|_|q|.)*!': 3 }, alpha_pattern: { '(([a-z._0-9]+)*)*!': 3 } }],
  ])(
    'or read, within a second, with patterns that other engines need exponential time for: %o',
    async (change) => {
      const start = process.cpuUsage();
      const { folder, base } = changed('patterns-bf16', change);
      await openCheckpoint(base, { adapter: folder })
        .then(openModel)
        .catch((error: unknown) => {
          expect(error).toBeInstanceOf(CheckpointError);
        });
      const { user } = process.cpuUsage(start);
      expect(user / 1e6).toBeLessThan(1);
    },
  );

  it.each([
    [
      'ranks that its matrices do not have',
      { r: 5, rank_pattern: {} },
      /another shape[\s\S]*\[5, 24\][\s\S]*\[2, 24\]/,
    ],
    [
      'a target less than its matrices',
      { target_modules: ['q_proj'] },
      /does not target model\.layers\.0\.self_attn/,
    ],
    ['a target more than its matrices', { target_modules: 'all-linear', exclude_modules: null }, null],
  ])('with %s', async (_, change, expected) => {
    if (expected !== null) expect(await refusal(changed('patterns-bf16', change))).toMatch(expected);
    else {
      const more = changed('layers-f16', { layers_to_transform: null, exclude_modules: null });
      expect(await refusal(more)).toMatch(
        /no matrices of modules that the configuration targets[\s\S]*layers\.0\.mlp\.down_proj/,
      );
    }
  });

  it('on a base of other sizes', async () => {
    const { folder } = changed('patterns-bf16', {});
    expect(await refusal({ folder, base: join(FIXTURES, 'qwen2-window-f32') })).toMatch(/another shape/);
  });

  it('on a base that lacks the modules, naming what matches nothing', async () => {
    const { folder } = changed('patterns-bf16', {});
    const path = join(folder, 'adapter_model.safetensors');
    const bytes = readFileSync(path);
    // Same length, so that the header stays where it is.
    writeFileSync(
      path,
      Buffer.from(bytes.toString('latin1').replaceAll('layers.2.mlp', 'layers.9.mlp'), 'latin1'),
    );
    expect(await refusal({ folder, base: baseOf(patterns()) })).toMatch(
      /6 of 42 tensors match nothing[\s\S]*layers\.9\.mlp/,
    );
  });

  it('that adapts the embedding', async () => {
    const { folder, base } = changed('patterns-bf16', {});
    const path = join(folder, 'adapter_model.safetensors');
    const bytes = readFileSync(path).toString('latin1');
    // Same length again.
    const renamed = bytes.replace(/layers\.0\.self_attn\.q_proj\.lora_([AB])\.weight"/g, (name, matrix) =>
      `embed_tokens.lora_embedding_${matrix}"`.padEnd(name.length),
    );
    writeFileSync(path, Buffer.from(renamed, 'latin1'));
    expect(await refusal({ folder, base })).toMatch(
      /2 of 42 tensors match nothing[\s\S]*embed_tokens\.lora_embedding_A[\s\S]*adapted embeddings are not supported/,
    );
  });

  it('that trains the embedding of a base that ties it to the unembedding', async () => {
    const { folder, base } = changed('all-linear-saved-bf16', {});
    const path = join(folder, 'adapter_model.safetensors');
    const bytes = readFileSync(path);
    const renamed = bytes
      .toString('latin1')
      .replace('base_model.model.lm_head.weight"', 'model.embed_tokens.weight"      ');
    writeFileSync(path, Buffer.from(renamed, 'latin1'));
    const tied = join(temporaryFolder(), 'tied');
    cpSync(base, tied, { recursive: true });
    const config = join(tied, 'config.json');
    writeFileSync(config, JSON.stringify({ ...readJson(config), tie_word_embeddings: true }));
    expect(await refusal({ folder, base: tied })).toMatch(/ties embedding and unembedding/);
  });

  it('where its folder is no adapter, saying what it is', async () => {
    const base = baseOf(patterns());
    expect(await refusal({ folder: base, base })).toMatch(/this is a whole checkpoint/);
    const { folder } = changed('patterns-bf16', {});
    rmSync(join(folder, 'adapter_model.safetensors'));
    writeFileSync(join(folder, 'adapter_model.bin'), '');
    expect(await refusal({ folder, base })).toMatch(/no adapter_model\.safetensors[\s\S]*PyTorch pickle/);
    expect(await refusal({ folder: join(folder, 'nothing'), base })).toMatch(
      /check the path given with --adapter/,
    );
    await expect(openCheckpoint(join(ADAPTERS, 'patterns-bf16'))).rejects.toThrow(
      /give its base as the checkpoint/,
    );
  });
});

const patterns = () => join(ADAPTERS, 'patterns-bf16');

describe('the modules that a configuration adapts, their ranks and scales, are those of PEFT', () => {
  interface Row {
    readonly title: string;
    readonly config: LoraConfig;
    readonly modules: readonly string[];
    readonly adapted: Readonly<Record<string, readonly [number, number]>>;
  }
  const rows: Row[] = readJson(join(ADAPTERS, 'targets.json'));
  it.each(rows.map((row) => [row.title, row] as const))('%s', (_, { config, modules, adapted }) => {
    const found = modules
      .filter((name) => isTargeted(config, name, name === 'lm_head'))
      .map((name) => [name, rankAndScale(config, name)] as const);
    expect(Object.fromEntries(found.map(([name, { rank, scale }]) => [name, [rank, scale]]))).toEqual(
      adapted,
    );
  });
});
