import { z } from 'zod';
import { CheckpointError } from '../../errors.js';
import { positiveInteger } from '../config/config-field.js';
import { requireTensor } from '../safetensors/require-tensor.js';
import type { Checkpoint, PackedTensor, QuantisedWeight, UnreadableTensor, WeightTensor } from '../types.js';

/**
 * The named weight, however it is stored: as it is, as FP8 (E4M3) with `{name}_scale_inv` or `{name}_scale` beside it
 * (one for the whole weight, one a row or one a block), or as MXFP4 in `{name}_blocks` and `{name}_scales`, which hold
 * weights [..., in, out] transposed.
 *
 * @throws CheckpointError as `requireTensor` does, and where scales are missing or do not fit the weight.
 */
export function requireWeight(
  checkpoint: Checkpoint,
  name: string,
  shape: readonly number[],
): WeightTensor | QuantisedWeight {
  const values = checkpoint.unreadable.get(name);
  if (values !== undefined && values.dtype === 'F8_E4M3') {
    checkShape(checkpoint, values, shape);
    return fp8(checkpoint, { ...values, dtype: 'F8_E4M3' });
  }
  if (!checkpoint.tensors.has(name) && checkpoint.unreadable.has(`${name}_blocks`)) {
    return mxfp4(checkpoint, name, shape);
  }
  return requireTensor(checkpoint, name, shape);
}

function fp8(checkpoint: Checkpoint, values: PackedTensor): QuantisedWeight {
  const { name, shape } = values;
  const names = [`${name}_scale_inv`, `${name}_scale`];
  const scale = names
    .map((candidate) => checkpoint.tensors.get(candidate))
    .find((found) => found !== undefined);
  const [out, width] = shape;
  if (out === undefined || width === undefined || shape.length !== 2) {
    throw new CheckpointError({
      what: `FP8 weight ${JSON.stringify(name)} is no matrix`,
      where: `${checkpoint.folder}, ${values.location}`,
      expected: '[out, in]; FP8 experts that are stacked in one tensor are not read',
      found: `[${shape.join(', ')}]`,
      remedy: 'convert the weights to bfloat16 with transformers',
    });
  }
  if (scale === undefined) {
    throw new CheckpointError({
      what: `FP8 weight ${JSON.stringify(name)} has no scale`,
      where: `${checkpoint.folder}, ${values.location}`,
      expected: `${names.join(' or ')}, in F32, BF16 or F16`,
      found: names.map((candidate) => checkpoint.unreadable.get(candidate)?.dtype ?? 'nothing').join(' and '),
      remedy: 'download all shards again, or give the unquantised checkpoint',
    });
  }
  const scales = scale.shape.reduce((product, size) => product * size, 1);
  if (scales === 1) return { kind: 'fp8', values, scale, block: [out, width] };
  if (scales === out && scale.shape[0] === out) return { kind: 'fp8', values, scale, block: [1, width] };
  const block = readBlockSize(checkpoint);
  const expected = block === null ? null : [Math.ceil(out / block[0]), Math.ceil(width / block[1])];
  if (block === null || expected!.join() !== scale.shape.join()) {
    throw new CheckpointError({
      what: `the scales of FP8 weight ${JSON.stringify(name)} do not fit it`,
      where: `${checkpoint.folder}, ${scale.location}`,
      expected: `[1], [${out}, 1]${expected === null ? ', or weight_block_size in config.json' : ` or [${expected.join(', ')}]`}`,
      found: `[${scale.shape.join(', ')}] for a weight [${shape.join(', ')}]`,
      remedy: 'config.json and weights are of different models: download both again',
    });
  }
  return { kind: 'fp8', values, scale, block };
}

const quantisationSchema = z.object({ weight_block_size: z.tuple([positiveInteger, positiveInteger]) });

function readBlockSize({ config }: Checkpoint): readonly [number, number] | null {
  const parsed = quantisationSchema.safeParse(config.quantization_config);
  return parsed.success ? parsed.data.weight_block_size : null;
}

/** Numbers that share a scale in MXFP4 (OCP Microscaling Formats v1.0, 2023). */
const MXFP4_GROUP = 32;

function mxfp4(checkpoint: Checkpoint, name: string, shape: readonly number[]): QuantisedWeight {
  const [width = 0, out = 0] = shape.slice(-2);
  const outer = [...shape.slice(0, -2), out];
  const groups = width / MXFP4_GROUP;
  if (!Number.isInteger(groups)) {
    throw new CheckpointError({
      what: `the MXFP4 weight ${JSON.stringify(name)} would end inside a block`,
      where: checkpoint.folder,
      expected: `a multiple of ${MXFP4_GROUP} input dimensions`,
      found: `[${shape.join(', ')}] by config.json`,
      remedy: 'config.json and weights are of different models: download both again',
    });
  }
  const stored = (suffix: string, expected: readonly number[]): PackedTensor => {
    const tensor = checkpoint.unreadable.get(`${name}_${suffix}`);
    if (tensor?.dtype !== 'U8') {
      throw new CheckpointError({
        what: `the MXFP4 weight ${JSON.stringify(name)} lacks its ${suffix}`,
        where: checkpoint.folder,
        expected: `${name}_${suffix}, U8 [${expected.join(', ')}]`,
        found: tensor?.dtype ?? 'nothing',
        remedy: 'download all shards again',
      });
    }
    checkShape(checkpoint, tensor, expected);
    return { ...tensor, dtype: 'U8' };
  };
  return {
    kind: 'mxfp4',
    blocks: stored('blocks', [...outer, groups, MXFP4_GROUP / 2]),
    scales: stored('scales', [...outer, groups]),
  };
}

function checkShape(
  { folder }: Checkpoint,
  { name, shape, location }: UnreadableTensor,
  expected: readonly number[],
): void {
  if (shape.join() === expected.join()) return;
  throw new CheckpointError({
    what: `weight ${JSON.stringify(name)} has another shape than config.json implies`,
    where: `${folder}, ${location}`,
    expected: `[${expected.join(', ')}]`,
    found: `[${shape.join(', ')}]`,
    remedy: 'config.json and weights are of different models: download both again',
  });
}

/** Row `index` of a weight whose first axis stacks others, where it lies in the file. */
export function rowOf<W extends WeightTensor | QuantisedWeight>(weight: W, index: number): W;
export function rowOf(weight: WeightTensor | QuantisedWeight, index: number): WeightTensor | QuantisedWeight {
  if (!('kind' in weight)) return rowOfTensor(weight, index);
  if (weight.kind === 'fp8') throw new Error('stacked FP8 weights are refused when they are opened');
  return {
    kind: 'mxfp4',
    blocks: rowOfTensor(weight.blocks, index),
    scales: rowOfTensor(weight.scales, index),
  };
}

function rowOfTensor<T extends WeightTensor | PackedTensor>(tensor: T, index: number): T {
  const [rows = 1, ...shape] = tensor.shape;
  const byteLength = tensor.byteLength / rows;
  return {
    ...tensor,
    name: `${tensor.name}[${index}]`,
    shape,
    offset: tensor.offset + index * byteLength,
    byteLength,
  };
}
