import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import type { Checkpoint } from '../../src/checkpoint/types.js';
import { CheckpointError, UsageError } from '../../src/errors.js';
import { BLOCK_HOOKS } from '../../src/hooks/points.js';
import { FAMILIES } from '../../src/models/choose-family.js';
import { describeModel, openModel } from '../../src/models/open-model.js';

const FIXTURES = fileURLToPath(new URL('../fixtures/models/', import.meta.url));

const PUBLISHED = fileURLToPath(new URL('../fixtures/published/', import.meta.url));

describe('describeModel', () => {
  const published: Record<string, { config: Record<string, unknown>; parameters: number }> = Object.assign(
    {},
    ...readdirSync(PUBLISHED).map((name) => JSON.parse(readFileSync(`${PUBLISHED}${name}`, 'utf8'))),
  );

  it.each(Object.entries(published))('%s has as many parameters as in transformers', (name, row) => {
    expect(describeModel({ folder: name, config: row.config }).shape.parameters).toBe(row.parameters);
  });

  /**
   * Where somebody else says so. Index: total_size of model.safetensors.index.json over bytes an element. Hub: the count of
   * parameters that the hub reads off safetensors or GGUF headers. KerasHub: `params` of its presets. Counted: the sum over
   * parameters of the loaded weights, in other people's repositories.
   */
  const NUMBERS: [name: string, parameters: number, source: string][] = [
    ['Qwen2.5-0.5B', 494_032_768, 'hub'],
    ['Qwen2.5-7B', 7_615_616_512, 'hub'],
    ['Llama-2-7b-hf', 6_738_415_616, 'counted'],
    ['Llama-3.1-8B', 8_030_261_248, 'hub'],
    ['Mistral-7B-v0.1', 7_241_732_096, 'hub'],
    ['OLMo-2-1124-7B', 7_298_617_344, 'hub'],
    ['Olmo-3-1025-7B', 7_298_011_136, 'counted'],
    ['Qwen3-8B', 8_190_735_360, 'hub'],
    ['OLMo-1B-hf', 1_176_764_416, 'counted'],
    ['OLMo-7B-hf', 6_888_095_744, 'counted'],
    ['gemma-2b', 2_506_172_416, 'KerasHub'],
    ['gemma-7b', 8_537_680_896, 'KerasHub'],
    ['gemma-2-2b', 2_614_341_888, 'hub'],
    ['gemma-2-9b', 9_241_705_984, 'hub, KerasHub'],
    ['gemma-3-1b-pt', 999_885_952, 'hub, KerasHub'],
    ['gemma-3-4b-it', 3_880_263_168, 'hub, of the GGUF file: the language model alone'],
    ['Phi-3-mini-4k-instruct', 3_821_079_552, 'counted'],
    ['phi-4', 14_659_507_200, 'hub, of the GGUF file'],
    ['SmolLM3-3B', 3_075_098_624, 'counted'],
    ['granite-3.1-2b-instruct', 2_533_531_648, 'counted'],
    ['aya-expanse-8b', 8_028_033_024, 'counted'],
    ['gpt2', 124_439_808, 'KerasHub'],
    ['gpt2-xl', 1_557_611_200, 'KerasHub'],
    ['pythia-70m', 70_426_624, "counted; EleutherAI's table gives 18,915,328 without embeddings"],
    ['gpt-neox-20b', 20_554_567_680, 'model card'],
    ['bloom-560m', 559_214_592, 'counted'],
    ['bloom', 176_247_271_424, 'model card'],
    ['xglm-564M', 564_463_616, 'counted'],
    ['xglm-7.5B', 7_492_771_840, 'counted'],
    ['falcon-rw-1b', 1_311_625_216, 'KerasHub'],
    ['falcon-7b', 7_217_189_760 - 65_024 * 4_544, 'hub, whose count has the tied unembedding a second time'],
    ['Mixtral-8x7B-v0.1', 46_702_792_704, 'index: 93,405,585,408 / 2'],
    ['Mixtral-8x22B-v0.1', 140_620_634_112, 'counted'],
    ['Qwen1.5-MoE-A2.7B', 14_315_784_192, 'index: 28,631,568,384 / 2'],
    ['Qwen3-30B-A3B', 30_532_122_624, 'index: 61,064,245,248 / 2'],
    ['OLMoE-1B-7B-0924', 6_919_161_856, 'index: 13,838,323,712 / 2'],
    ['gpt-oss-20b', 20_914_757_184, 'hub, of the GGUF file'],
    ['gpt-oss-120b', 116_829_156_672, 'hub, of the GGUF file'],
    ['DeepSeek-V2-Lite', 15_706_484_224, 'index: 31,412,968,448 / 2'],
    ['DeepSeek-V3', 671_026_404_352, 'counted'],
  ];

  it.each(NUMBERS)('gives the number published for %s: %i (%s)', (name, parameters) => {
    expect(published[name]!.parameters).toBe(parameters);
  });

  it('was held to a published number in every family but one', () => {
    const without = FAMILIES.filter(
      ({ architectures }) =>
        !NUMBERS.some(([name]) =>
          architectures.includes((published[name]!.config.architectures as string[])[0]!),
        ),
    );
    // Of Command R7B, which has the sizes of Aya Expanse 8B, only the rounded number was found.
    expect(without.map(({ name }) => name)).toEqual(['cohere2']);
    expect(published['c4ai-command-r7b-12-2024']!.parameters).toBe(8_028_033_024);
  });

  it('gives the sizes of the architecture', () => {
    expect(describeModel({ folder: 'x', config: published['Qwen2.5-0.5B']!.config }).shape).toEqual({
      family: 'qwen2',
      layers: 24,
      dModel: 896,
      heads: 14,
      kvHeads: 2,
      headDim: 64,
      dMlp: 4864,
      experts: null,
      mixture: null,
      vocab: 151936,
      maxPositions: 32768,
      parameters: 494_032_768,
    });
  });

  const config = published['Llama-3.1-8B']!.config;
  it.each<[what: string, change: Record<string, unknown>, message: RegExp]>([
    [
      'an unknown architecture',
      { architectures: ['FooForCausalLM'], model_type: 'foo' },
      /no family.*FooForCausalLM\n.*LlamaForCausalLM, MistralForCausalLM.*Qwen2ForCausalLM/,
    ],
    [
      'no architecture',
      { architectures: undefined, model_type: undefined },
      /no family for the model_type \(missing\)/,
    ],
    ['architectures that are no list', { architectures: 'LlamaForCausalLM' }, /"architectures" is unusable/],
    ['a missing size', { hidden_size: undefined }, /"hidden_size" is missing/],
    ['a size in quotes', { intermediate_size: '14336' }, /"intermediate_size" is unusable/],
    ['a size of zero', { num_hidden_layers: 0 }, /"num_hidden_layers" is unusable/],
    ['heads that cannot share key/value heads', { num_key_value_heads: 5 }, /32 heads, 5 key\/value heads/],
    ['heads of an odd size', { head_dim: 63 }, /63 of head size 63/],
    [
      'heads that do not divide the model',
      { num_attention_heads: 24, num_key_value_heads: 24 },
      /head size 170\.6/,
    ],
    ['an unknown activation', { hidden_act: 'xielu' }, /"hidden_act" is unusable\n.*"silu"/],
    ['a partial rotation of an odd size', { partial_rotary_factor: 0.04 }, /5 of head size 128/],
    [
      'longrope factors of another number than there are pairs',
      { rope_scaling: { rope_type: 'longrope', short_factor: [1], long_factor: [1] } },
      /"short_factor"[\s\S]*64 factors/,
    ],
    ['quantised weights', { quantization_config: { quant_method: 'gptq' } }, /quantised with gptq/],
  ])('refuses %s, naming config.json', (_, change, message) => {
    const describe = () => describeModel({ folder: 'folder', config: { ...config, ...change } });
    expect(describe).toThrow(CheckpointError);
    expect(describe).toThrow(message);
    expect(describe).toThrow(/folder\/config\.json/);
  });

  it('needs as many layer types as there are layers', () => {
    const qwen2 = { ...published['Qwen2.5-0.5B']!.config, use_sliding_window: true };
    const layer_types = ['full_attention'];
    expect(() => describeModel({ folder: 'x', config: { ...qwen2, layer_types } })).toThrow(/"layer_types"/);
  });
});

describe('openModel', () => {
  const open = () => openCheckpoint(`${FIXTURES}qwen2-tied-bf16`);
  const without = (checkpoint: Checkpoint, name: string): Checkpoint => ({
    ...checkpoint,
    tensors: new Map([...checkpoint.tensors].filter(([tensor]) => tensor !== name)),
  });

  it('refuses a checkpoint that lacks any of its weights, by name', async () => {
    const checkpoint = await open();
    expect(checkpoint.tensors.size).toBeGreaterThan(30);
    for (const name of checkpoint.tensors.keys()) {
      const lacking = () => openModel(without(checkpoint, name));
      expect(lacking).toThrow(CheckpointError);
      expect(lacking).toThrow(name);
    }
  });

  it('refuses a weight of another shape than the configuration implies', async () => {
    const checkpoint = await open();
    const config = { ...checkpoint.config, intermediate_size: 38 };
    expect(() => openModel({ ...checkpoint, config })).toThrow(
      /mlp\.gate_proj\.weight" has another shape[\s\S]*\[38, 24\][\s\S]*\[37, 24\]/,
    );
  });

  it('counts what safetensors stores, tied weights once', async () => {
    const checkpoint = await open();
    const stored = [...checkpoint.tensors.values()].reduce(
      (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
      0,
    );
    expect(openModel(checkpoint).shape.parameters).toBe(stored);
    const { shape, hooks } = openModel(checkpoint);
    expect(describeModel(checkpoint)).toMatchObject({ shape, hooks });
  });

  it('needs lm_head for logits, and only where it is not tied', async () => {
    const checkpoint = await open();
    const config = { ...checkpoint.config, tie_word_embeddings: false };
    const model = openModel({ ...checkpoint, config });
    expect(model.warnings).toEqual([expect.stringMatching(/no unembedding \(lm_head\.weight\)/)]);
    expect(() => model.unembed()).toThrow(/no unembedding[\s\S]*lm_head\.weight/);
    expect(() => model.loss()).toThrow(CheckpointError);
    expect(model.layer(1, []).bytes).toEqual(openModel(checkpoint).layer(1, []).bytes);
  });

  it('leaves the weights out of the graphs, and the inputs that no tap needs', async () => {
    const model = openModel(await open());
    const plain = model.layer(0, []);
    expect(plain.bytes.length).toBeLessThan(20_000);
    expect(plain.inputs).toEqual(['hidden']);
    expect(plain.outputs).toEqual(['next']);
    const tapped = model.layer(2, [
      { hook: 'mlp.hook_pre', statistic: 'fire' },
      { hook: 'attn.hook_z', statistic: 'full' },
    ]);
    expect(tapped.inputs).toEqual(['hidden', 'counted']);
    expect(tapped.outputs).toEqual(['next', 'mlp.hook_pre/fire', 'attn.hook_z/full']);
    expect(model.layer(2, [{ hook: 'attn.hook_z', statistic: 'full' }]).inputs).toEqual(['hidden']);
  });

  it('says what resident weights cost: float32 for those converted, the stored size for the embedding', async () => {
    const model = openModel(await open());
    const { dModel, dMlp, heads, kvHeads, headDim, vocab } = model.shape;
    const q = heads * headDim;
    const kv = kvHeads * headDim;
    const weights = dModel * (2 * q + 2 * kv + 3 * dMlp) + q + 2 * kv + 2 * dModel;
    expect(model.layer(1, []).residentBytes).toBe(4 * weights);
    expect(model.layer(1, [{ hook: 'attn.hook_z', statistic: 'norm.sum' }]).residentBytes).toBe(4 * weights);
    expect(model.embed().residentBytes).toBe(2 * vocab * dModel);
    expect(model.unembed().residentBytes).toBe(4 * (vocab * dModel + dModel));
  });

  it('writes the same bytes each time', async () => {
    const taps = [{ hook: 'attn.hook_z', statistic: 'norm.sum' }] as const;
    const [first, second] = [openModel(await open()), openModel(await open())];
    expect(first.layer(1, taps).bytes).toEqual(second.layer(1, taps).bytes);
    expect(first.embed().bytes).toEqual(second.embed().bytes);
    expect(first.unembed().bytes).toEqual(second.unembed().bytes);
  });

  it('has the hook points of TransformerLens in every layer', async () => {
    const dense = Object.keys(BLOCK_HOOKS).filter((hook) => hook !== 'mlp.hook_router');
    const { hooks } = openModel(await open());
    expect(hooks.map(({ name }) => name)).toEqual(
      [0, 1, 2].flatMap((layer) => dense.map((hook) => `blocks.${layer}.${hook}`)),
    );
  });

  it('finds the language model of Gemma 3 under the names of transformers 4 and of 5', async () => {
    const checkpoint = await openCheckpoint(`${FIXTURES}gemma3-multimodal-bf16`);
    const renamed = [...checkpoint.tensors].map(
      ([name, tensor]) => [name.replace('language_model.model.', 'model.language_model.'), tensor] as const,
    );
    const newer = openModel({ ...checkpoint, tensors: new Map(renamed) });
    expect(newer.layer(2, []).bytes).toEqual(openModel(checkpoint).layer(2, []).bytes);
    expect(() => openModel(without(checkpoint, 'language_model.model.norm.weight'))).toThrow(
      /"model\.norm\.weight" is missing/,
    );
  });

  it('refuses a tap at a hook point that a checkpoint does not have', async () => {
    const parallel = openModel(await openCheckpoint(`${FIXTURES}cohere-bf16`));
    const tap = () => parallel.layer(1, [{ hook: 'hook_resid_mid', statistic: 'sum' }]);
    expect(tap).toThrow(UsageError);
    expect(tap).toThrow(/no hook_resid_mid in layer 1[\s\S]*expected: hook_resid_pre, .*hook_resid_post/);
  });

  it('has no layer beyond the last', async () => {
    const model = openModel(await open());
    for (const index of [-1, 3, 0.5, Number.NaN]) {
      expect(() => model.layer(index, [])).toThrow(UsageError);
    }
  });
});
