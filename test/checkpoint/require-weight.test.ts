import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { checkQuantisation } from '../../src/checkpoint/quantised/check-quantisation.js';
import { requireWeight, rowOf } from '../../src/checkpoint/quantised/require-weight.js';
import { CheckpointError } from '../../src/errors.js';
import { openModel } from '../../src/models/open-model.js';
import { checkpointFolder, safetensorsOf } from './checkpoint-folder.js';

const fp8 = (...shape: number[]) => ({ dtype: 'F8_E4M3', shape, bytes: shape.reduce((a, b) => a * b, 1) });
const f32 = (...shape: number[]) => ({ dtype: 'F32', shape, bytes: 4 * shape.reduce((a, b) => a * b, 1) });
const u8 = (...shape: number[]) => ({ dtype: 'U8', shape, bytes: shape.reduce((a, b) => a * b, 1) });

const QWEN2 = JSON.parse(
  readFileSync(new URL('../fixtures/models/qwen2-tied-bf16/config.json', import.meta.url), 'utf8'),
);

async function opened(tensors: Parameters<typeof safetensorsOf>[0], config: Record<string, unknown> = {}) {
  const folder = await checkpointFolder({
    'config.json': config,
    'model.safetensors': safetensorsOf(tensors),
  });
  return openCheckpoint(folder);
}

describe('requireWeight', () => {
  it('finds the scale of an FP8 weight: of all of it, of each row, or of blocks, the last of them cut short', async () => {
    const config = { quantization_config: { quant_method: 'fp8', weight_block_size: [4, 2] } };
    const checkpoint = await opened(
      {
        'all.weight': fp8(6, 3),
        'all.weight_scale': f32(1),
        'rows.weight': fp8(6, 3),
        'rows.weight_scale': f32(6, 1),
        'blocks.weight': fp8(6, 3),
        'blocks.weight_scale_inv': f32(2, 2),
      },
      config,
    );
    for (const [name, block] of [
      ['all', [6, 3]],
      ['rows', [1, 3]],
      ['blocks', [4, 2]],
    ] as const) {
      expect(requireWeight(checkpoint, `${name}.weight`, [6, 3])).toMatchObject({ kind: 'fp8', block });
    }
  });

  it('stacks MXFP4 experts as blocks and scales, and knows where in the file each one lies', async () => {
    const checkpoint = await opened({ down_blocks: u8(3, 5, 2, 16), down_scales: u8(3, 5, 2) });
    const stacked = requireWeight(checkpoint, 'down', [3, 64, 5]);
    const [blocks, scales] = ['down_blocks', 'down_scales'].map((name) => checkpoint.unreadable.get(name)!);
    expect(rowOf(stacked, 2)).toMatchObject({
      kind: 'mxfp4',
      blocks: { shape: [5, 2, 16], offset: blocks!.offset + 2 * 160, byteLength: 160 },
      scales: { shape: [5, 2], offset: scales!.offset + 2 * 10, byteLength: 10 },
    });
  });

  it.each<[what: string, tensors: Parameters<typeof safetensorsOf>[0], shape: number[], message: RegExp]>([
    ['an FP8 weight without a scale', { w: fp8(4, 4) }, [4, 4], /no scale[\s\S]*w_scale_inv or w_scale/],
    [
      'scales of blocks whose size nothing says',
      { w: fp8(4, 4), w_scale: f32(2, 2) },
      [4, 4],
      /weight_block_size/,
    ],
    ['scales of another number of rows', { w: fp8(4, 4), w_scale: f32(3, 1) }, [4, 4], /do not fit/],
    ['an FP8 weight of another shape', { w: fp8(4, 4), w_scale: f32(1) }, [4, 5], /another shape/],
    [
      'stacked FP8 weights',
      { w: fp8(2, 4, 4), w_scale: f32(1) },
      [2, 4, 4],
      /no matrix[\s\S]*stacked in one tensor/,
    ],
    ['MXFP4 blocks without scales', { w_blocks: u8(5, 2, 16) }, [64, 5], /lacks its scales/],
    [
      'MXFP4 blocks of another shape',
      { w_blocks: u8(5, 1, 16), w_scales: u8(5, 2) },
      [64, 5],
      /another shape/,
    ],
    [
      'an MXFP4 weight that ends inside a block',
      { w_blocks: u8(5, 2, 16), w_scales: u8(5, 2) },
      [60, 5],
      /inside a block/,
    ],
    ['bytes where a weight should be', { w: u8(4, 4) }, [4, 4], /U8/],
  ])('refuses %s', async (_, tensors, shape, message) => {
    const checkpoint = await opened(tensors);
    expect(() => requireWeight(checkpoint, 'w', shape)).toThrow(CheckpointError);
    expect(() => requireWeight(checkpoint, 'w', shape)).toThrow(message);
  });
});

describe('checkQuantisation', () => {
  const check = (quantization_config: unknown) => () =>
    checkQuantisation({ folder: 'model', config: { quantization_config } });

  it.each([
    [{ quant_method: 'gptq', bits: 4 }, /quantised with gptq[\s\S]*the checkpoint that was quantised/],
    [{ quant_method: 'awq', bits: 4 }, /quantised with awq[\s\S]*the checkpoint that was quantised/],
    [
      { quant_method: 'bitsandbytes', load_in_4bit: true },
      /quantised with bitsandbytes[\s\S]*dequantize\(\)/,
    ],
    [
      { quant_method: 'compressed-tensors', format: 'pack-quantized' },
      /compressed-tensors \(pack-quantized\)/,
    ],
    [{ bits: 4 }, /quantised with unknown/],
  ])('refuses %j and says what to give instead', (config, message) => {
    expect(check(config)).toThrow(CheckpointError);
    expect(check(config)).toThrow(message);
  });

  it.each([
    [['a.qweight', 'a.qzeros', 'a.scales', 'a.g_idx'], /quantised with gptq, by their names[\s\S]*a\.g_idx/],
    [['a.qweight', 'a.qzeros', 'a.scales'], /quantised with awq, by their names[\s\S]*a\.qweight/],
    [
      ['a.weight', 'a.weight.absmax', 'a.weight.quant_state.bitsandbytes__nf4'],
      /quantised with bitsandbytes[\s\S]*a\.weight\.absmax[\s\S]*dequantize\(\)/,
    ],
    [['a.weight', 'a.SCB'], /quantised with bitsandbytes[\s\S]*a\.SCB/],
  ])('refuses tensors named %j where the configuration keeps silent', async (names, message) => {
    const checkpoint = await opened(Object.fromEntries(names.map((name) => [name, u8(4)])), QWEN2);
    expect(() => openModel(checkpoint)).toThrow(CheckpointError);
    expect(() => openModel(checkpoint)).toThrow(message);
  });

  it.each([
    [undefined],
    [null],
    [{ quant_method: 'fp8', weight_block_size: [128, 128] }],
    [{ quant_method: 'fbgemm_fp8' }],
    [{ quant_method: 'mxfp4' }],
    [{ quant_method: 'compressed-tensors', format: 'float-quantized' }],
  ])('lets %j pass', (config) => {
    expect(check(config)).not.toThrow();
  });
});
