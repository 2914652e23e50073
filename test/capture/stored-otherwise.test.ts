import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { capture } from '../../src/capture/index.js';
import { compareRuns } from '../../src/compare/index.js';
import { CheckpointError } from '../../src/errors.js';
import { inspectCheckpoint } from '../../src/models/inspect.js';
import { loadModel } from '../../src/runtime/index.js';
import {
  rewriteTensors,
  type StoredBytes,
  type StoredTensors,
  writeTensors,
} from '../support/stored-tensors.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { readLayer } from './plain-loops.js';

// One small Llama, and one Qwen3 without head and names of the base model, as users store such models. What neurons do was
// computed with transformers 4.57.3: tokens that fire them, over all neurons, a layer after the other.

const CASES = fileURLToPath(new URL('../fixtures/cases/', import.meta.url));
const LLAMA = { en: [711, 871], de: [1013, 1038] };
const QWEN3 = { en: [720, 859], de: [1062, 1038] };
const TOKENS = { en: 49, de: 61 };

type Config = Record<string, unknown>;
type Rename = (tensors: StoredTensors) => Iterable<readonly [string, StoredBytes]>;

function llama(config: Config = {}, change?: Rename, source = 'llama'): string {
  const folder = join(temporaryFolder(), 'model');
  cpSync(join(CASES, 'llama'), folder, { recursive: true });
  cpSync(join(CASES, source), folder, { recursive: true });
  const path = join(folder, 'config.json');
  const changed = { ...JSON.parse(readFileSync(path, 'utf8')), ...config };
  writeFileSync(path, JSON.stringify(changed));
  if (change !== undefined) rewriteTensors(folder, change);
  return folder;
}

const renamed =
  (rename: (name: string) => string): Rename =>
  (tensors) =>
    [...tensors].map(([name, tensor]) => [rename(name), tensor] as const);

const without =
  (names: RegExp): Rename =>
  (tensors) =>
    [...tensors].filter(([name]) => !names.test(name));

const numbers = (...shape: number[]): StoredBytes => ({
  dtype: 'F32',
  shape,
  bytes: Buffer.from(new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.5).buffer),
});

const withMore =
  (more: Record<string, StoredBytes>): Rename =>
  (tensors) => [...tensors, ...Object.entries(more)];

/** Runs a checkpoint: tokens that fire neurons, over all neurons, by language and layer, and what was warned of. */
async function run(checkpoint: string) {
  const out = join(temporaryFolder(), 'run');
  const { manifest } = await capture({ checkpoint, probes: join(CASES, 'items.jsonl'), out, threads: 1 });
  const { languages, shape, plan, warnings } = manifest;
  expect(Object.fromEntries(languages.map(({ tag, tokens }) => [tag, tokens]))).toEqual(TOKENS);
  const fired = Object.fromEntries(
    languages.map(({ tag }) => [tag, new Array<number>(shape.layers).fill(0)]),
  );
  for (let layer = 0; layer < shape.layers; layer++) {
    const { 'mlp.fire': counts } = await readLayer(out, layer);
    for (let i = 0; i < counts!.length; i++) {
      const language = Math.floor(i / shape.dMlp!) % languages.length;
      fired[plan.languages[language]!]![layer]! += counts![i]!;
    }
  }
  return { out, fired, warnings, manifest };
}

describe('weights under other names', () => {
  it.each<[what: string, change: Rename | undefined]>([
    ['as save_pretrained stores them', undefined],
    ['torch.compile’s', renamed((name) => `_orig_mod.${name}`)],
    ['data-parallel training’s', renamed((name) => `module.${name}`)],
    ['PEFT’s', renamed((name) => `base_model.model.${name}`)],
    ['several programs’, one in another', renamed((name) => `module._orig_mod.base_model.model.${name}`)],
    ['layers compiled one by one', renamed((name) => name.replace(/(layers\.\d+\.)/, '$1_orig_mod.'))],
    ['another base model’s', renamed((name) => name.replace(/^model\./, 'transformer.'))],
    ['a model’s of images', renamed((name) => name.replace(/^model\./, 'model.language_model.'))],
  ])('%s', async (_, change) => {
    const { fired, warnings, manifest } = await run(llama({}, change));
    expect(fired).toEqual(LLAMA);
    expect(warnings.join()).not.toMatch(/weights/);
    expect(manifest.model.parameters).toBe(manifest.shape.parameters);
  });

  it('those of a model without head and without the name of its base model', async () => {
    const { fired, warnings } = await run(llama({}, undefined, 'qwen3-embedding'));
    expect(fired).toEqual(QWEN3);
    expect(warnings.join()).not.toMatch(/that nothing reads/);
  });

  it('refuses weights of two models, and names both', async () => {
    const twice: Rename = (tensors) =>
      [...tensors].flatMap(([name, tensor]) => [
        [`policy.${name}`, tensor],
        [`reference.${name}`, tensor],
      ]);
    await expect(inspectCheckpoint(llama({}, twice))).rejects.toThrow(
      /more than one model[\s\S]*policy\.model\.embed_tokens\.weight, reference\.model/,
    );
  });

  it('refuses two tensors that are one weight', async () => {
    const twice: Rename = (tensors) =>
      [...tensors].flatMap(([name, tensor]) => [
        [name, tensor],
        [`_orig_mod.${name}`, tensor],
      ]);
    await expect(inspectCheckpoint(llama({}, twice))).rejects.toThrow(/two tensors are the weight/);
  });
});

describe('a model without unembedding', () => {
  it('runs, with a warning, and has no logits and no loss', async () => {
    const folder = llama({}, without(/^lm_head/));
    const { fired, warnings } = await run(folder);
    expect(fired).toEqual(LLAMA);
    expect(warnings).toContainEqual(expect.stringMatching(/no unembedding \(lm_head\.weight\)/));
    const { parameters, warnings: inspected } = await inspectCheckpoint(folder);
    expect(inspected).toContainEqual(expect.stringMatching(/no unembedding/));
    expect((await inspectCheckpoint(llama())).parameters - parameters).toBe(300 * 16);
    await using model = await loadModel(folder, { threads: 1 });
    await expect(model.run([5, 6], [], { logits: true })).rejects.toThrow(CheckpointError);
    await expect(model.run([5, 6], [], { logits: true })).rejects.toThrow(/no unembedding/);
    await expect(model.gradients([5, 6], ['blocks.0.mlp.hook_post'])).rejects.toThrow(CheckpointError);
  });

  it('has that of the embedding where any part of config.json ties them', async () => {
    const folder = llama({ text_config: { tie_word_embeddings: true } }, without(/^lm_head/));
    const { warnings } = await inspectCheckpoint(folder);
    expect(warnings).toEqual([]);
  });
});

describe('the class and the type in config.json', () => {
  it.each<[Config, warning: RegExp | null]>([
    [{ architectures: null }, null],
    [{ architectures: [] }, null],
    [{ architectures: ['LlamaModel'] }, null],
    [{ architectures: ['LlamaForSequenceClassification'] }, null],
    [{ architectures: ['LlamaForTokenClassification'] }, null],
    [{ architectures: ['LlamaModel'], model_type: null }, null],
    [{ architectures: ['LlamaForCausalLM'], model_type: null }, null],
    [{ architectures: ['LlamaBiModel'] }, /LlamaBiModel.*read as LlamaForCausalLM/],
    [{ architectures: ['Qwen2ForCausalLM'] }, /Qwen2ForCausalLM.*read as LlamaForCausalLM/],
  ])('%j', async (config, warning) => {
    const { fired, warnings, manifest } = await run(llama(config));
    expect(fired).toEqual(LLAMA);
    expect(manifest.model).toMatchObject({ architecture: 'LlamaForCausalLM', modelType: 'llama' });
    const doubts = warnings.filter((text) => text.includes('architecture'));
    if (warning === null) expect(doubts).toEqual([]);
    else expect(doubts).toEqual([expect.stringMatching(warning)]);
  });

  it('are refused by name where neither is known', async () => {
    const folder = llama({ architectures: ['MambaForCausalLM'], model_type: 'mamba' });
    await expect(inspectCheckpoint(folder)).rejects.toThrow(/MambaForCausalLM[\s\S]*"model_type": "llama"/);
    await expect(inspectCheckpoint(llama({ architectures: null, model_type: null }))).rejects.toThrow(
      /no family for the model_type \(missing\)/,
    );
  });
});

describe('tensors that nothing reads', () => {
  const bias = (layer: number, part: string): string => `model.layers.${layer}.self_attn.${part}_proj.bias`;

  it.each<[what: string, more: Record<string, StoredBytes>, warning: RegExp]>([
    [
      'biases that config.json does not ask for',
      { [bias(0, 'q')]: numbers(16), [bias(1, 'k')]: numbers(8) },
      /2 biases.*layers\.0\.self_attn\.q_proj\.bias, model\.layers\.1\.self_attn\.k_proj\.bias/,
    ],
    [
      'matrices of an adapter',
      { 'model.layers.0.mlp.up_proj.lora_A.weight': numbers(2, 16) },
      /adapter.*up_proj\.lora_A\.weight.*merge/,
    ],
    [
      'a layer more than config.json has',
      { 'model.layers.2.mlp.up_proj.weight': numbers(32, 16) },
      /layers beyond.*model\.layers\.2\.mlp\.up_proj\.weight/,
    ],
    ['the head of another task', { 'score.weight': numbers(2, 16) }, /outside of layers.*score\.weight/],
  ])('are named: %s', async (_, more, warning) => {
    const folder = llama({}, withMore(more));
    const { fired, warnings, manifest } = await run(folder);
    expect(fired).toEqual(LLAMA);
    expect(warnings).toContainEqual(expect.stringMatching(warning));
    expect((await inspectCheckpoint(folder)).warnings).toContainEqual(expect.stringMatching(warning));
    expect(manifest.model.parameters).toBe(manifest.shape.parameters);
  });

  it('may be an unembedding that config.json ties to the embedding', async () => {
    const { warnings } = await inspectCheckpoint(llama({ tie_word_embeddings: true }));
    expect(warnings).toEqual([expect.stringMatching(/unembedding.*lm_head\.weight.*transformers 5/)]);
  });

  it('are not the tables that old versions stored', async () => {
    const more = { 'model.layers.0.self_attn.rotary_emb.inv_freq': numbers(4) };
    expect((await inspectCheckpoint(llama({}, withMore(more)))).warnings).toEqual([]);
  });
});

describe('files beside the weights', () => {
  const shards = (folder: string): void => {
    writeTensors(join(folder, 'model-00001-of-00001.safetensors'), [['a', numbers(1)]]);
    const index = { weight_map: { a: 'model-00001-of-00001.safetensors' } };
    writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify(index));
  };

  it('are named where they are other weights, and a comparison says that two runs have the same ones', async () => {
    const folder = llama();
    shards(folder);
    const first = await run(folder);
    expect(first.warnings).toContainEqual(
      expect.stringMatching(
        /model\.safetensors was read.*model-00001-of-00001\.safetensors, model\.safetensors\.index\.json/,
      ),
    );
    const second = await run(llama());
    expect(second.warnings.join()).not.toMatch(/beside/);
    const comparison = await compareRuns([
      { folder: first.out, label: 'a' },
      { folder: second.out, label: 'b' },
    ]);
    expect(comparison.warnings[0]).toMatch(/^b against a: .*the same weights/);
  });

  it('may be an adapter, which is not applied', async () => {
    const folder = llama();
    writeFileSync(join(folder, 'adapter_config.json'), '{}');
    expect((await inspectCheckpoint(folder)).warnings).toContainEqual(expect.stringMatching(/--adapter/));
  });
});

describe('ropes that are described twice', () => {
  const rope = { rope_type: 'default', rope_theta: 500 };
  it.each<[Config]>([
    [{ rope_scaling: rope }],
    [{ rope_parameters: rope }],
    [{ rope_theta: null, rope_scaling: { ...rope, rope_theta: 1e4 }, rope_parameters: rope }],
    [{ rope_scaling: { type: 'linear', rope_type: 'dynamic', factor: 2 } }],
    [{ rope_scaling: { type: 'linear', factor: 2 }, rope_parameters: { rope_type: 'linear', factor: 4 } }],
    [{ partial_rotary_factor: 0.5, rope_parameters: { rope_type: 'default', partial_rotary_factor: 1 } }],
  ])('%j is refused', async (config) => {
    await expect(inspectCheckpoint(llama(config))).rejects.toThrow(/contradict each other/);
  });

  it.each<[Config]>([
    [{ rope_scaling: { rope_type: 'default', rope_theta: 1e4 } }],
    [{ rope_theta: undefined, rope_parameters: { rope_type: 'default', rope_theta: 1e4 } }],
    [{ rope_scaling: { type: 'default', rope_type: 'default' } }],
    [
      {
        rope_theta: undefined,
        rope_parameters: { full_attention: { rope_type: 'default', rope_theta: 1e4 } },
      },
    ],
  ])('%j agrees with itself', async (config) => {
    expect((await run(llama(config))).fired).toEqual(LLAMA);
  });
});

describe('types of storage', () => {
  it('may be float64', async () => {
    const wide: Rename = (tensors) =>
      [...tensors].map(([name, { shape, bytes }]) => {
        const values = new Float32Array(
          bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
        );
        return [name, { dtype: 'F64', shape, bytes: Buffer.from(Float64Array.from(values).buffer) }];
      });
    const { fired, manifest } = await run(llama({}, wide));
    expect(fired).toEqual(LLAMA);
    expect(manifest.model.dtype).toBe('F64');
  });

  it.each(['gptq', 'bitsandbytes', 'fp8', 'mxfp4'])(
    'may be plain although config.json says %s, with a warning',
    async (quant_method) => {
      const { fired, warnings } = await run(llama({ quantization_config: { quant_method } }));
      expect(fired).toEqual(LLAMA);
      expect(warnings).toContainEqual(
        expect.stringMatching(`quantised with ${quant_method}, but none is stored so`),
      );
    },
  );
});

describe('pointers of Git LFS', () => {
  const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 4242\n`;

  it.each(['model.safetensors', 'config.json', 'tokenizer.json', 'tokenizer_config.json'])(
    '%s',
    async (name) => {
      const folder = llama();
      writeFileSync(join(folder, name), POINTER);
      await expect(run(folder)).rejects.toThrow(/pointer of Git LFS[\s\S]*git lfs pull/);
    },
  );
});

it('refuses a prompt of more tokens than GPT-2 has positions', async () => {
  const folder = fileURLToPath(new URL('../fixtures/models/gpt2-bf16', import.meta.url));
  await using model = await loadModel(folder, { threads: 1 });
  const { maxPositions } = model.shape;
  await expect(model.run(new Array(maxPositions + 1).fill(3))).rejects.toThrow(
    /longer than the model has positions/,
  );
  expect((await model.run(new Array(maxPositions).fill(3))).ids.length).toBe(maxPositions);
});
