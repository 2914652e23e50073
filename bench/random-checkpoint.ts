/** Writes checkpoints of any architecture and size with random weights, as fast as the disk takes them. */
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { FAMILIES } from '../src/models/choose-family.js';
import { Block } from '../src/models/layers/block.js';
import type { WeightSource } from '../src/models/layers/weights.js';

/** Elements drawn; longer tensors repeat them. A prime, so that no two rows of a matrix are alike. */
const DRAWN = 4_194_301;

/**
 * A folder with config.json and bfloat16 weights: ±0.0078 to ±0.031, every bit of sign and mantissa random (products of
 * regular weights run faster than a model's do); those of norms 1 to 1.99. No tokenizer.
 */
export function writeRandomCheckpoint(path: string, config: Readonly<Record<string, unknown>>): void {
  mkdirSync(path, { recursive: true });
  const tensors = weightsOf(config);
  const header: Record<string, unknown> = {};
  let offset = 0;
  for (const [name, shape] of tensors) {
    const end = offset + 2 * elements(shape);
    header[name] = { dtype: 'BF16', shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const file = openSync(join(path, 'model.safetensors'), 'w');
  try {
    writeSync(file, length);
    writeSync(file, json);
    const [weights, norms] = [draw(0x3c00, 0x80ff), draw(0x3f80, 0x007f)];
    let written = 0;
    for (const [name, shape] of tensors) {
      const source = name.includes('norm') ? norms : weights;
      for (let left = elements(shape); left > 0; ) {
        const from = written % DRAWN;
        const piece = source.subarray(from, Math.min(DRAWN, from + left));
        writeSync(file, new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
        written += piece.length;
        left -= piece.length;
      }
    }
  } finally {
    closeSync(file);
  }
  // Last: a folder without it is no checkpoint.
  writeFileSync(join(path, 'config.json'), JSON.stringify(config));
}

/** Every weight that the graphs of a configuration ask for. */
function weightsOf(config: Readonly<Record<string, unknown>>): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  const source: WeightSource = (name, shape) => {
    shapes.set(name, shape);
    return { name, shape, dtype: 'BF16', location: '', offset: 0, byteLength: 0 };
  };
  const [architecture] = config.architectures as [string];
  const family = FAMILIES.find(({ architectures }) => architectures.includes(architecture))!;
  const { embed, layer, unembed, shape } = family.read({ folder: '', config }, architecture);
  const hidden = (block: Block) => block.graph.input('hidden', 'float32', ['batch', 'seq', shape.dModel]);
  const first = new Block('embed', source);
  embed(first, first.graph.input('ids', 'int64', ['batch', 'seq']));
  for (let index = 0; index < shape.layers; index++) {
    const block = new Block(`layer ${index}`, source);
    layer(block, index, hidden(block));
  }
  const last = new Block('unembed', source);
  unembed(last, hidden(last));
  return shapes;
}

/** bfloat16 values with the bits of `base` and, under the mask, random ones of a linear congruential generator. */
function draw(base: number, mask: number): Uint16Array {
  let state = 1;
  return Uint16Array.from({ length: DRAWN }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return base | ((state >>> 16) & mask);
  });
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
