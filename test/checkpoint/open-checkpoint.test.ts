import { createHash } from 'node:crypto';
import { mkdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { identifyCheckpoint } from '../../src/checkpoint/identify-checkpoint.js';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { requireTensor } from '../../src/checkpoint/safetensors/require-tensor.js';
import { CheckpointError } from '../../src/errors.js';
import { bf16, CONFIG, checkpointFolder, safetensorsOf, temporaryFolder } from './checkpoint-folder.js';

const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
const EMBED = 'model.embed_tokens.weight';
const one = safetensorsOf({ [EMBED]: bf16(3, 4), 'model.norm.weight': bf16(4) });

/** What opening a folder says when it is refused. */
async function refusal(folder: string): Promise<string> {
  const error: unknown = await openCheckpoint(folder).then(
    () => 'accepted',
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(CheckpointError);
  expect((error as CheckpointError).details.remedy).toBeTruthy();
  return (error as CheckpointError).message;
}

describe('openCheckpoint', () => {
  it('locates every weight of a single file relative to the folder', async () => {
    const folder = await checkpointFolder({ [SINGLE]: one, 'tokenizer.json': '{}' });
    const checkpoint = await openCheckpoint(folder);
    expect(checkpoint.folder).toBe(folder);
    expect(checkpoint.weightsRoot).toBe(await realpath(folder));
    expect(checkpoint.config).toEqual(CONFIG);
    expect(checkpoint.tokenizerJson).toBe(join(folder, 'tokenizer.json'));
    expect(checkpoint.tokenizerConfig).toBeNull();
    expect([...checkpoint.tensors.keys()].sort()).toEqual([EMBED, 'model.norm.weight']);
    const headerBytes = one.byteLength - 32;
    expect(checkpoint.tensors.get(EMBED)).toEqual({
      name: EMBED,
      dtype: 'BF16',
      shape: [3, 4],
      location: SINGLE,
      offset: headerBytes,
      byteLength: 24,
    });
  });

  it('reads a file that the reference implementation wrote, setting apart what graphs cannot read', async () => {
    const bytes = await readFile(join(import.meta.dirname, '../fixtures/safetensors/model.safetensors'));
    const checkpoint = await openCheckpoint(await checkpointFolder({ [SINGLE]: bytes }));
    expect([...checkpoint.tensors.values()].map(({ name, dtype }) => [name, dtype]).sort()).toEqual([
      [EMBED, 'BF16'],
      ['model.layers.0.mlp.up_proj.weight', 'F32'],
      ['model.norm.weight', 'F16'],
    ]);
    expect([...checkpoint.unreadable.values()].map(({ name, dtype }) => [name, dtype]).sort()).toEqual([
      ['position_ids', 'I64'],
      ['quantised.weight', 'F8_E4M3'],
    ]);
  });

  it('joins the shards that an index names', async () => {
    const folder = await checkpointFolder({
      [INDEX]: { metadata: {}, weight_map: { a: 'model-1.safetensors', b: 'model-2.safetensors' } },
      'model-1.safetensors': safetensorsOf({ a: bf16(2) }),
      'model-2.safetensors': safetensorsOf({ b: bf16(3) }),
      'unrelated.safetensors': 'not read',
    });
    const { tensors } = await openCheckpoint(folder);
    expect([tensors.get('a')?.location, tensors.get('b')?.location]).toEqual([
      'model-1.safetensors',
      'model-2.safetensors',
    ]);
  });

  it('names the shards that are missing', async () => {
    const weight_map = { a: 'model-1.safetensors', b: 'model-2.safetensors' };
    const files = { [INDEX]: { weight_map }, 'model-1.safetensors': safetensorsOf({ a: bf16(2) }) };
    expect(await refusal(await checkpointFolder(files))).toMatch(
      /1 of 2 weight files[\s\S]*model-2\.safetensors/,
    );
  });

  it('refuses an index that does not agree with its shards', async () => {
    const open = async (weight_map: object, tensors: string[]) =>
      refusal(
        await checkpointFolder({
          [INDEX]: { weight_map },
          's.safetensors': safetensorsOf(Object.fromEntries(tensors.map((name) => [name, bf16(1)]))),
        }),
      );
    expect(await open({ a: 's.safetensors', b: 's.safetensors' }, ['a'])).toMatch(
      /"b" is not in s\.safetensors/,
    );
  });

  it('reads tensors that the index does not name, with a warning', async () => {
    const folder = await checkpointFolder({
      [INDEX]: { weight_map: { a: 's.safetensors' } },
      's.safetensors': safetensorsOf({ a: bf16(1), b: bf16(1) }),
    });
    const { tensors, warnings } = await openCheckpoint(folder);
    expect([...tensors.keys()]).toEqual(['a', 'b']);
    expect(warnings).toEqual([expect.stringMatching(/does not name 1 tensors.*b \(s\.safetensors\)/)]);
  });

  it('refuses an index whose files lie outside the folder, or that is malformed', async () => {
    for (const file of ['../s.safetensors', '/etc/passwd', '..', '', 'a\\b']) {
      const folder = await checkpointFolder({ [INDEX]: { weight_map: { a: file } } });
      expect(await refusal(folder)).toMatch(/outside the folder/);
    }
    expect(await refusal(await checkpointFolder({ [INDEX]: {} }))).toMatch(/no usable weight_map/);
    expect(await refusal(await checkpointFolder({ [INDEX]: '{"weight_map":' }))).toMatch(/not valid JSON/);
  });

  it('reads a snapshot in the hub cache through its links, from the model folder', async () => {
    const { snapshot, modelRoot } = await hubCache();
    const checkpoint = await openCheckpoint(snapshot);
    expect(checkpoint.weightsRoot).toBe(modelRoot);
    expect(checkpoint.tensors.get(EMBED)?.location).toBe('blobs/0123abcd');
    const identity = await identifyCheckpoint(checkpoint);
    expect([identity.name, identity.revision]).toEqual(['org/some-name', 'f00d']);
  });

  it('takes the model folder of the hub cache for the snapshot that refs/main names', async () => {
    const { snapshot, modelRoot } = await hubCache();
    expect((await openCheckpoint(modelRoot)).folder).toBe(snapshot);
    await mkdir(join(modelRoot, 'snapshots', 'other'));
    await mkdir(join(modelRoot, 'refs'));
    await writeFile(join(modelRoot, 'refs', 'main'), 'f00d\n');
    expect((await openCheckpoint(modelRoot)).folder).toBe(snapshot);
  });

  it('names the link when the cache lacks the file it points to', async () => {
    const { snapshot, modelRoot } = await hubCache();
    await rm(join(modelRoot, 'blobs', '0123abcd'));
    expect(await refusal(snapshot)).toMatch(/model\.safetensors: cannot be read/);
  });

  it('places weights linked from elsewhere below the deepest folder that holds them all', async () => {
    const root = await realpath(await temporaryFolder());
    await mkdir(join(root, 'store/one/x'), { recursive: true });
    await mkdir(join(root, 'store/two'), { recursive: true });
    await writeFile(join(root, 'store/one/x/a'), safetensorsOf({ a: bf16(2) }));
    await writeFile(join(root, 'store/two/b'), safetensorsOf({ b: bf16(2) }));
    const weight_map = { a: 'model-1.safetensors', b: 'model-2.safetensors' };
    const folder = await checkpointFolder({ [INDEX]: { weight_map } }, join(root, 'checkpoint'));
    await symlink('../store/one/x/a', join(folder, 'model-1.safetensors'));
    await symlink('../store/two/b', join(folder, 'model-2.safetensors'));
    const { weightsRoot, tensors } = await openCheckpoint(folder);
    expect(weightsRoot).toBe(join(root, 'store'));
    expect([tensors.get('a')?.location, tensors.get('b')?.location]).toEqual(['one/x/a', 'two/b']);
  });

  it('opens a folder with only config.json when weights are optional', async () => {
    const folder = await checkpointFolder({});
    const checkpoint = await openCheckpoint(folder, { weights: 'optional' });
    expect(checkpoint.tensors.size).toBe(0);
    await expect(identifyCheckpoint(checkpoint)).rejects.toThrow(/no weights/);
  });

  it.each([
    ['pytorch_model.bin', /safe_serialization/],
    ['model.gguf', /GGUF is not read/],
    ['tf_model.h5', /TensorFlow and Flax/],
    ['model.fp16.safetensors', /name the file model\.safetensors/],
    ['README.md', /download the weights/],
    ['adapter_config.json', /--adapter/],
  ])('says what to do about a folder whose weights are %s', async (name, remedy) => {
    const message = await refusal(await checkpointFolder({ [name]: '' }));
    expect(message).toMatch(/no safetensors weights/);
    expect(message).toContain(name);
    expect(message).toMatch(remedy);
  });

  it('refuses a path that is no folder', async () => {
    const folder = await checkpointFolder({ [SINGLE]: one, 'model.gguf': '' });
    expect(await refusal(join(folder, 'absent'))).toMatch(/no such checkpoint folder/);
    expect(await refusal(join(folder, SINGLE))).toContain(`give the folder that holds it: ${folder}`);
    expect(await refusal(join(folder, 'model.gguf'))).toMatch(/GGUF/);
  });

  it.each([
    ['absent', null, /no config\.json/],
    ['truncated', '{"a": ', /not valid JSON/],
    ['empty', '', /not valid JSON/],
    ['an array', '[]', /an array/],
    ['invalid UTF-8', Uint8Array.of(0x7b, 0xff), /not valid UTF-8/],
  ])('refuses a config.json that is %s', async (_, config, message) => {
    expect(await refusal(await checkpointFolder({ 'config.json': config, [SINGLE]: one }))).toMatch(message);
  });

  it('passes on what is wrong with the weight file', async () => {
    expect(await refusal(await checkpointFolder({ [SINGLE]: one.subarray(0, -1) }))).toMatch(
      /outside the file/,
    );
  });
});

describe('requireTensor', () => {
  it('returns the weight, or names what is missing, misshapen or of an unsupported type', async () => {
    const bytes = safetensorsOf({
      'model.layers.0.mlp.up_proj.weight': bf16(4, 2),
      'model.layers.0.mlp.down_proj.weight': { dtype: 'F8_E4M3', shape: [2, 4], bytes: 8 },
    });
    const checkpoint = await openCheckpoint(await checkpointFolder({ [SINGLE]: bytes }));
    expect(requireTensor(checkpoint, 'model.layers.0.mlp.up_proj.weight', [4, 2]).byteLength).toBe(16);
    const refused = (name: string, shape: number[]) => () => requireTensor(checkpoint, name, shape);
    expect(refused('model.layers.0.mlp.up_proj.weight', [2, 4])).toThrow(
      /expected: \[2, 4\][\s\S]*found: +\[4, 2\]/,
    );
    expect(refused('model.layers.0.mlp.up_proj.weight', [4])).toThrow(CheckpointError);
    expect(refused('model.layers.0.mlp.down_proj.weight', [2, 4])).toThrow(/F8_E4M3/);
    expect(refused('layers.0.mlp.up_proj.weight', [4, 2])).toThrow(/nearest: model\.layers\.0\.mlp\.up_proj/);
  });
});

describe('identifyCheckpoint', () => {
  it('counts stored parameters, tied weights once, and fingerprints config, weights and tokenizer', async () => {
    const files = {
      [INDEX]: { weight_map: { [EMBED]: 'b.safetensors', 'lm_head.weight': 'a.safetensors' } },
      'a.safetensors': safetensorsOf({ 'lm_head.weight': bf16(3, 4) }),
      'b.safetensors': safetensorsOf({ [EMBED]: bf16(3, 4) }),
      'tokenizer.json': '{}',
    };
    const folder = await checkpointFolder(files);
    const sha256 = (...parts: (string | Uint8Array)[]) =>
      parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex');
    const identity = await identifyCheckpoint(await openCheckpoint(folder));
    expect(identity).toEqual({
      name: folder.split('/').at(-1),
      revision: null,
      ref: null,
      adapter: null,
      architecture: 'Qwen2ForCausalLM',
      modelType: 'qwen2',
      parameters: 12,
      dtype: 'BF16',
      configSha256: sha256(JSON.stringify(CONFIG)),
      weightsSha256: sha256(files['a.safetensors'], files['b.safetensors']),
      tokenizerSha256: sha256('{}'),
      tokenizerFiles: { 'tokenizer.json': sha256('{}') },
    });
    await writeFile(join(folder, 'config.json'), JSON.stringify({ ...CONFIG, tie_word_embeddings: false }));
    expect((await identifyCheckpoint(await openCheckpoint(folder))).parameters).toBe(24);
  });

  it('has the type for the architecture where config.json names none', async () => {
    const folder = await checkpointFolder({ 'config.json': { model_type: 'qwen2' }, [SINGLE]: one });
    const identity = await identifyCheckpoint(await openCheckpoint(folder));
    expect([identity.architecture, identity.modelType]).toEqual(['qwen2', 'qwen2']);
  });
});

/** `models--org--some-name` with one snapshot whose files are links to blobs, as huggingface_hub lays it out. */
async function hubCache(): Promise<{ snapshot: string; modelRoot: string }> {
  const modelRoot = join(await realpath(await temporaryFolder()), 'hub', 'models--org--some-name');
  const snapshot = join(modelRoot, 'snapshots', 'f00d');
  await mkdir(join(modelRoot, 'blobs'), { recursive: true });
  await mkdir(snapshot, { recursive: true });
  await writeFile(join(modelRoot, 'blobs', '0123abcd'), one);
  await writeFile(join(modelRoot, 'blobs', 'c0ff'), JSON.stringify(CONFIG));
  await symlink('../../blobs/0123abcd', join(snapshot, SINGLE));
  await symlink('../../blobs/c0ff', join(snapshot, 'config.json'));
  return { snapshot, modelRoot };
}
