import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { estimateCapture } from '../../src/capture/plan/estimate-capture.js';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { describeModel, openModel } from '../../src/models/open-model.js';
import { measureGflops } from '../../src/runtime/machine.js';
import { FIXTURES } from '../models/fixture.js';

const PUBLISHED = new URL('../fixtures/published/mixtures.json', import.meta.url);
const published = {
  architectures: ['Qwen2ForCausalLM'],
  hidden_act: 'silu',
  hidden_size: 896,
  intermediate_size: 4864,
  max_position_embeddings: 32768,
  num_attention_heads: 14,
  num_hidden_layers: 24,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-6,
  tie_word_embeddings: true,
  vocab_size: 151936,
};

describe('estimateCapture', () => {
  const { memory, flopsPerToken, promptTokens } = estimateCapture(
    describeModel({ folder: 'Qwen2.5-0.5B', config: published }),
  );
  const linear = 24 * 2 * (2 * 896 * 896 + 2 * 896 * 128 + 3 * 896 * 4864);

  it('counts two operations a weight of the layers and token, those of attention, and little for reductions', () => {
    // Queries by keys and patterns by values.
    const attention = 24 * 2 * 2 * promptTokens * 896;
    expect(flopsPerToken).toBeGreaterThan(linear + attention);
    expect(flopsPerToken).toBeLessThan(1.01 * (linear + attention));
  });

  it('lies near the memory that such a capture was measured to take', () => {
    // bench/capture.ts --shape 0.5B --threads 1, 4 of 24 layers: resident 0.74 GB, one at a time 0.36 GB, with chunks of 2,048
    // tokens; the estimate is for chunks of 16,384.
    expect(memory.layerByLayer / 1e9).toBeGreaterThan(0.4);
    expect(memory.layerByLayer / 1e9).toBeLessThan(0.9);
    const four = describeModel({ folder: 'four', config: { ...published, num_hidden_layers: 4 } });
    const fourLayers = estimateCapture(four).memory;
    expect(fourLayers.fastest / 1e9).toBeGreaterThan(0.74);
    expect(fourLayers.fastest / 1e9).toBeLessThan(1.5);
    // --threads 2, hence two workers: 1.36 GB.
    expect(estimateCapture(four, 2).memory.fastest / 1e9).toBeGreaterThan(1.36);
    expect(estimateCapture(four, 2).memory.fastest / 1e9).toBeLessThan(2.4);
  });

  it('lies within 15 % of the memory that captures of three layers of a large mixture were measured to take', () => {
    // bench/mixture.ts --layers 3, with --memory 16GiB and 3GiB: a process's own memory, without the pages of the file it maps.
    const { 'Qwen3-30B-A3B': mixture } = JSON.parse(readFileSync(PUBLISHED, 'utf8'));
    const config = { ...mixture.config, num_hidden_layers: 3 };
    const { fastest, resident } = estimateCapture(describeModel({ folder: 'three', config })).memory;
    expect(Math.abs(fastest / 2 ** 20 / 3046 - 1)).toBeLessThan(0.15);
    expect(Math.abs(resident / 2 ** 20 / 1698 - 1)).toBeLessThan(0.15);
  });

  it('tells what a prompt takes on disk: the neurons of routed experts only where they are asked for', async () => {
    const checkpoint = await openCheckpoint(`${FIXTURES}qwen2-moe-bf16`);
    const { shape } = openModel(checkpoint);
    const { heads, headDim, experts, mixture } = shape;
    const ofHeads = 3 * heads * (2 * headDim + 4);
    const ofExperts = 2 * 4 * experts!;
    const neurons = shape.dMlp + 2 * mixture!.dShared;
    const { disk } = estimateCapture(openModel(checkpoint));
    expect(disk.items).toBe(ofHeads + ofExperts + 2 * neurons);
    expect(disk.expertItems! - disk.items).toBe(2 * 2 * experts! * mixture!.dExpert);
    expect(
      estimateCapture(describeModel({ folder: 'dense', config: published })).disk.expertItems,
    ).toBeNull();
  });

  it('asks for more memory the more is kept', () => {
    expect(memory.least).toBeLessThan(memory.layerByLayer);
    expect(memory.layerByLayer).toBeLessThan(memory.resident);
    expect(memory.resident).toBeLessThan(memory.fastest);
  });

  it('says of a config.json what it says of the whole checkpoint', async () => {
    const checkpoint = await openCheckpoint(`${FIXTURES}gpt2-bf16`);
    expect(estimateCapture(describeModel(checkpoint))).toEqual(estimateCapture(openModel(checkpoint)));
  });
});

describe('measureGflops', () => {
  it('is the speed of a matrix product', async () => {
    const gflops = await measureGflops({ inSize: 256, outSize: 256 });
    expect(gflops).toBeGreaterThan(0.01);
    expect(gflops).toBeLessThan(20_000);
  });
});
