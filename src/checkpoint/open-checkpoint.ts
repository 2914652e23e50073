import { readdir, realpath, stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { CheckpointError, listed } from '../errors.js';
import { readJsonObject } from '../read-json.js';
import { commonFolder, isInside, parseHubPath, resolveHubModelFolder } from './hub/cache-folder.js';
import { parseHubReference } from './hub/reference.js';
import type { DownloadOptions } from './hub/snapshot.js';
import { hubSnapshot } from './hub/snapshot.js';
import { baseMismatch, readAdapter, type StoredAdapter } from './lora/read-adapter.js';
import { notReadBeside } from './not-read-beside.js';
import { readSafetensorsHeader, type SafetensorsHeader, type StoredTensor } from './safetensors/header.js';
import { INDEX_FILE, RESAVE, readWeightMap, SINGLE_FILE } from './safetensors/weight-map.js';
import type { Checkpoint, UnreadableTensor, WeightDtype, WeightTensor } from './types.js';

export interface OpenCheckpointOptions extends DownloadOptions {
  /** `optional` accepts a folder with no weights, for what config.json alone can tell. Default: `required`. */
  readonly weights?: 'required' | 'optional';
  /** A PEFT LoRA adapter to apply: its folder, or `hf://org/name@revision`. Default: none. */
  readonly adapter?: string | undefined;
}

/**
 * Opens a Hugging Face checkpoint folder, a path into the hub's cache, or a model on the hub (`hf://org/name@revision`,
 * downloaded into the cache unless it is there): config.json is parsed, the headers of the weight files are read and
 * checked, the weights themselves are not touched.
 *
 * @throws CheckpointError naming the file, what was expected and the way out; for a model on the hub UsageError,
 *   HubError, OutputError and InterruptedError too
 */
export async function openCheckpoint(
  source: string,
  { weights = 'required', adapter, ...download }: OpenCheckpointOptions = {},
): Promise<Checkpoint> {
  const reference = parseHubReference(source);
  const folder =
    reference === null
      ? resolve(source)
      : await hubSnapshot(reference, weights === 'optional' ? 'config' : 'weights', download);
  const found = await listFolder(folder, source);
  const config = await readJsonObject(join(found.folder, 'config.json'), RESAVE);
  const stored = adapter === undefined ? null : await readAdapter(adapter, download);
  const { headers, warnings } = await readWeightHeaders(found.folder, found.names, weights);
  const { adapterTensors, ...located } = await placeTensors(found.folder, headers, stored);
  const fileOrNull = (name: string) => (found.names.has(name) ? join(found.folder, name) : null);
  return {
    folder: found.folder,
    ref: reference?.revision ?? null,
    config,
    ...located,
    adapter:
      stored === null
        ? null
        : {
            folder: stored.folder,
            ref: stored.ref,
            config: stored.config,
            tensors: adapterTensors,
            warnings: [...stored.warnings, ...baseMismatch(stored, found.folder, config)],
          },
    warnings: [
      ...warnings,
      ...notReadBeside(found.names, [...headers.keys()], stored?.folder === found.folder),
    ],
    tokenizerJson: fileOrNull('tokenizer.json'),
    tokenizerConfig: fileOrNull('tokenizer_config.json'),
  };
}

async function listFolder(
  folder: string,
  source: string,
): Promise<{ folder: string; names: ReadonlySet<string> }> {
  const entry = await stat(folder).catch((cause: unknown) => {
    throw new CheckpointError(
      {
        what: 'there is no such checkpoint folder',
        where: folder,
        expected: 'a folder with config.json, *.safetensors and tokenizer.json',
        remedy: /^[\w.-]+\/[\w.-]+$/.test(source)
          ? `check the path; for the model of that name on the hub: hf://${source}`
          : 'give the path of a checkpoint, or a model on the hub as hf://org/name',
      },
      { cause },
    );
  });
  if (!entry.isDirectory()) {
    throw new CheckpointError({
      what: 'a checkpoint is a folder, not a file',
      where: folder,
      expected: 'a folder with config.json, *.safetensors and tokenizer.json',
      remedy: folder.endsWith('.safetensors')
        ? `give the folder that holds it: ${join(folder, '..')}`
        : folder.endsWith('.gguf')
          ? 'GGUF files hold quantised weights only: give the Hugging Face folder they were made from'
          : 'give the Hugging Face folder of the model',
    });
  }
  const names = new Set(
    await readdir(folder).catch((cause: unknown) => {
      throw new CheckpointError(
        { what: 'the folder cannot be read', where: folder, remedy: 'check its permissions' },
        { cause },
      );
    }),
  );
  if (names.has('config.json')) return { folder, names };
  const snapshot = await resolveHubModelFolder(folder);
  if (snapshot !== null) return listFolder(snapshot, source);
  throw new CheckpointError({
    what: 'there is no config.json in the folder',
    where: folder,
    expected: 'config.json beside the weights, as save_pretrained() writes it',
    found: describeNames(names),
    remedy: missingConfigRemedy(names),
  });
}

function missingConfigRemedy(names: ReadonlySet<string>): string {
  if (names.has('adapter_config.json')) return adapterRemedy;
  if (names.has('snapshots')) return 'give one of the folders below snapshots/';
  if (some(names, '.gguf')) return 'GGUF is not read: give the Hugging Face folder it was made from';
  return 'give the folder that from_pretrained() would load';
}

const adapterRemedy =
  'this is a LoRA/PEFT adapter: give its base as the checkpoint, and this folder with --adapter';

interface WeightHeaders {
  /** By file name. */
  readonly headers: ReadonlyMap<string, SafetensorsHeader>;
  readonly warnings: readonly string[];
}

/** Headers of the checkpoint's weight files. */
async function readWeightHeaders(
  folder: string,
  names: ReadonlySet<string>,
  need: 'required' | 'optional',
): Promise<WeightHeaders> {
  if (names.has(SINGLE_FILE)) return { headers: await readHeaders(folder, [SINGLE_FILE]), warnings: [] };
  if (names.has(INDEX_FILE)) {
    const weightMap = await readWeightMap(join(folder, INDEX_FILE));
    const shards = [...new Set(weightMap.values())].sort();
    const missing = shards.filter((shard) => !names.has(shard));
    if (missing.length > 0) {
      throw new CheckpointError({
        what: `${missing.length} of ${shards.length} weight files are missing`,
        where: folder,
        expected: `the files named in ${INDEX_FILE}`,
        found: `no ${listed(missing, 5)}`,
        remedy: 'download the missing files into the folder',
      });
    }
    const headers = await readHeaders(folder, shards);
    return { headers, warnings: checkAgainstIndex(folder, weightMap, headers) };
  }
  if (need === 'optional') return { headers: new Map(), warnings: [] };
  throw new CheckpointError({
    what: 'there are no safetensors weights in the folder',
    where: folder,
    expected: `${SINGLE_FILE} or ${INDEX_FILE}`,
    found: describeNames(names),
    remedy: missingWeightsRemedy(names),
  });
}

function missingWeightsRemedy(names: ReadonlySet<string>): string {
  if (names.has('adapter_config.json')) return adapterRemedy;
  if (some(names, '.bin') || some(names, '.pt') || some(names, '.pth')) {
    return (
      'these are PyTorch pickles: convert them once with AutoModelForCausalLM.from_pretrained(folder)' +
      '.save_pretrained(folder, safe_serialization=True)'
    );
  }
  if (some(names, '.gguf')) return 'GGUF is not read: give the Hugging Face folder it was made from';
  if (some(names, '.h5') || some(names, '.msgpack')) {
    return 'TensorFlow and Flax weights are not read: convert them to safetensors with transformers';
  }
  if (some(names, '.safetensors')) return `name the file ${SINGLE_FILE}, or add the index of its shards`;
  return 'download the weights into the folder';
}

/** Headers by file name, in the order of the names. */
async function readHeaders(
  folder: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, SafetensorsHeader>> {
  const headers = new Map<string, SafetensorsHeader>();
  for (const name of names) headers.set(name, await readSafetensorsHeader(join(folder, name)));
  return headers;
}

/**
 * @returns a warning of tensors that the index does not name. They are read as all others are; transformers passes them over.
 * @throws CheckpointError where index and shards contradict each other
 */
function checkAgainstIndex(
  folder: string,
  weightMap: ReadonlyMap<string, string>,
  headers: ReadonlyMap<string, SafetensorsHeader>,
): string[] {
  const outside: string[] = [];
  for (const [tensor, file] of weightMap) {
    if (!headers.get(file)!.tensors.has(tensor)) {
      throw new CheckpointError({
        what: `tensor ${JSON.stringify(tensor)} is not in ${file}, where ${INDEX_FILE} says it is`,
        where: folder,
        remedy: 'index and shards are of different checkpoints: download all of them again',
      });
    }
  }
  for (const [file, header] of headers) {
    for (const tensor of header.tensors.keys()) {
      const entry = weightMap.get(tensor);
      if (entry === file) continue;
      if (entry === undefined) {
        outside.push(`${tensor} (${file})`);
        continue;
      }
      throw new CheckpointError({
        what: `tensor ${JSON.stringify(tensor)} is in ${file}, but ${INDEX_FILE} says ${entry}`,
        where: folder,
        remedy: 'index and shards are of different checkpoints: download all of them again',
      });
    }
  }
  return outside.length === 0
    ? []
    : [
        `${INDEX_FILE} does not name ${outside.length} tensors of the shards, which transformers passes over: ` +
          `${listed(outside, 8)}; those that the model has were read all the same`,
      ];
}

interface PlacedTensors extends Pick<Checkpoint, 'weightsRoot' | 'tensors' | 'unreadable'> {
  readonly adapterTensors: ReadonlyMap<string, WeightTensor>;
}

/**
 * Gives every tensor its location below one folder. The runtime refuses locations that are absolute, contain `..`
 * or leave the folder through a symlink, so locations are those of the real files and the folder is chosen to hold
 * them all: the checkpoint folder; for the hub's cache the model's folder (snapshots link to blobs beside them);
 * otherwise the deepest common one.
 */
async function placeTensors(
  folder: string,
  headers: ReadonlyMap<string, SafetensorsHeader>,
  adapter: StoredAdapter | null,
): Promise<PlacedTensors> {
  const realFolder = await realpath(folder);
  const all = [...headers.values(), ...(adapter === null ? [] : [adapter.header])];
  const files = new Map<SafetensorsHeader, string>();
  for (const header of all) files.set(header, await realpath(header.path));
  const hub = parseHubPath(realFolder);
  const roots = hub === null ? [realFolder] : [realFolder, hub.modelRoot];
  const paths = [...files.values()];
  const weightsRoot =
    roots.find((root) => paths.every((file) => isInside(root, file))) ?? commonFolder(paths);

  const tensors = new Map<string, WeightTensor>();
  const unreadable = new Map<string, UnreadableTensor>();
  const adapterTensors = new Map<string, WeightTensor>();
  for (const [header, path] of files) {
    const location = relative(weightsRoot, path).split(sep).join('/');
    for (const tensor of header.tensors.values()) {
      const { name, dtype } = tensor;
      const readable = isWeightDtype(dtype);
      if (header === adapter?.header) {
        if (!readable) throw adapterDtype(path, tensor);
        adapterTensors.set(name, { ...tensor, dtype, location });
      } else if (readable) tensors.set(name, { ...tensor, dtype, location });
      else unreadable.set(name, { ...tensor, location });
    }
  }
  return { weightsRoot, tensors, unreadable, adapterTensors };
}

function adapterDtype(where: string, { name, dtype }: StoredTensor): CheckpointError {
  return new CheckpointError({
    what: `tensor ${JSON.stringify(name)} of the adapter is stored in a type that is not supported`,
    where,
    expected: 'F64, F32, F16 or BF16',
    found: dtype,
    remedy: 'save the adapter in bfloat16 or float32',
  });
}

function isWeightDtype(dtype: string): dtype is WeightDtype {
  return dtype === 'F64' || dtype === 'F32' || dtype === 'F16' || dtype === 'BF16';
}

function some(names: ReadonlySet<string>, ending: string): boolean {
  return [...names].some((name) => name.endsWith(ending));
}

function describeNames(names: ReadonlySet<string>): string {
  return names.size === 0 ? 'an empty folder' : listed([...names].sort(), 8);
}
