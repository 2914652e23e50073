import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';

const folders: string[] = [];

afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
});

/** A folder that is removed after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'babelscope-'));
  folders.push(folder);
  return folder;
}

export interface TensorSpec {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
}

export const bf16 = (...shape: number[]): TensorSpec => ({
  dtype: 'BF16',
  shape,
  bytes: 2 * shape.reduce((a, b) => a * b, 1),
});

/** The bytes of a safetensors file: its header as given, then as many zeros. */
export function rawSafetensors(
  header: string | Uint8Array,
  dataBytes: number,
  claimedLength?: bigint,
): Uint8Array {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const file = new Uint8Array(8 + text.byteLength + dataBytes);
  new DataView(file.buffer).setBigUint64(0, claimedLength ?? BigInt(text.byteLength), true);
  file.set(text, 8);
  return file;
}

/** A well-formed file of zeros. */
export function safetensorsOf(tensors: Readonly<Record<string, TensorSpec>>): Uint8Array {
  let offset = 0;
  const header: Record<string, unknown> = {};
  for (const [name, { dtype, shape, bytes }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + bytes] };
    offset += bytes;
  }
  return rawSafetensors(JSON.stringify(header), offset);
}

export const CONFIG = {
  architectures: ['Qwen2ForCausalLM'],
  model_type: 'qwen2',
  hidden_size: 4,
  tie_word_embeddings: true,
};

/** A folder with the given files; objects are written as JSON, and config.json is there unless given as null. */
export async function checkpointFolder(
  files: Readonly<Record<string, Uint8Array | string | object | null>>,
  folder?: string,
): Promise<string> {
  const root = folder ?? (await temporaryFolder());
  await mkdir(root, { recursive: true });
  for (const [name, content] of Object.entries({ 'config.json': CONFIG, ...files })) {
    if (content === null) continue;
    const isBytes = typeof content === 'string' || content instanceof Uint8Array;
    await writeFile(join(root, name), isBytes ? content : JSON.stringify(content));
  }
  return root;
}
