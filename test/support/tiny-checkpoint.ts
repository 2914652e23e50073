import { copyFileSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { temporaryFolder } from './temporary-folder.js';

export { temporaryFolder };

const FIXTURES = fileURLToPath(new URL('../fixtures/models/', import.meta.url));

const TINY_TOKENIZER = fileURLToPath(new URL('../fixtures/tokenizer/tiny.tokenizer.json', import.meta.url));

/** Three sentences a prompt, in English, German and Ukrainian; 23 items, one of them without Ukrainian. */
export const TINY_PROBES = fileURLToPath(new URL('../fixtures/probes-tiny', import.meta.url));

/**
 * A Qwen2 of three layers (dModel 24, four heads of ten, dMlp 37, vocabulary 101, 64 positions) with random weights and
 * a tokenizer of single characters, a dozen pairs and a `<s>` in front. It goes with the test.
 */
export function tinyCheckpoint(): string {
  const folder = join(temporaryFolder(), 'tiny');
  writeTinyCheckpoint(folder);
  return folder;
}

/**
 * A Qwen2-MoE with the same tokenizer: three layers, the last two with seven experts of nine neurons, three a token, and a
 * shared one of fourteen; the first with an MLP of 23 neurons. It goes with the test.
 */
export function tinyMixture(): string {
  const folder = join(temporaryFolder(), 'tiny-mixture');
  writeTinyCheckpoint(folder, 'qwen2-moe-bf16');
  return folder;
}

export function writeTinyCheckpoint(folder: string, fixture = 'qwen2-tied-bf16'): void {
  cpSync(join(FIXTURES, fixture), folder, { recursive: true });
  writeTinyTokenizer(folder);
}

/** Single characters, a dozen pairs and a `<s>` in front. */
export function writeTinyTokenizer(folder: string): void {
  copyFileSync(TINY_TOKENIZER, join(folder, 'tokenizer.json'));
  writeFileSync(
    join(folder, 'tokenizer_config.json'),
    JSON.stringify({ bos_token: '<s>', tokenizer_class: 'PreTrainedTokenizerFast' }),
  );
}

/** Overwrites one bfloat16 value of a weight. */
export async function spoilWeight(folder: string, name: string, index: number, value: number): Promise<void> {
  const { tensors, weightsRoot } = await openCheckpoint(folder);
  const { location, offset } = tensors.get(name)!;
  const path = join(weightsRoot, location);
  const bytes = readFileSync(path);
  const bits = new Uint32Array(new Float32Array([value]).buffer)[0]! >>> 16;
  bytes.writeUInt16LE(bits, offset + 2 * index);
  writeFileSync(path, bytes);
}

/** A bfloat16 weight as numbers, row-major. */
export async function readWeight(folder: string, name: string): Promise<Float32Array> {
  const { tensors, weightsRoot } = await openCheckpoint(folder);
  const { location, offset, byteLength } = tensors.get(name)!;
  const bytes = readFileSync(join(weightsRoot, location)).subarray(offset, offset + byteLength);
  return Float32Array.from({ length: byteLength / 2 }, (_, i) => {
    return new Float32Array(new Uint32Array([bytes.readUInt16LE(2 * i) << 16]).buffer)[0]!;
  });
}
