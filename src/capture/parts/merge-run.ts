import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InterruptedError, listed, RunError } from '../../errors.js';
import {
  arrayBytes,
  type Checksums,
  checkSealed,
  commandOf,
  type FileChecksum,
  type ListedManifest,
  layerName,
  layerPath,
  makeFolder,
  openSafetensors,
  partPath,
  type RunManifest,
  readListedManifest,
  type SafetensorsFile,
  slabs,
  streamSafetensors,
  withFolderLock,
  writeManifest,
} from '../../store/index.js';
import { type LayerArray, layerArrays, partArrayName } from '../plan/recording.js';
import { damagedLayers, missingParts } from './open-run-folder.js';
import { SATURATED_ARRAY } from './write-part.js';

export interface MergeOptions {
  /** Leave `parts/`, which hold the same numbers once more. Default false. */
  readonly keepParts?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Joins the parts of a run into one file a layer and removes them. Each array is read and written in pieces, so memory
 * does not grow with the run. A merged run whose layers are whole is left as it is.
 *
 * @returns the manifest, with what merging found added to its warnings
 * @throws RunError if parts are missing, unreadable or made with another plan; OutputError; InterruptedError
 */
export async function mergeRun(folder: string, options: MergeOptions = {}): Promise<RunManifest> {
  await readListedManifest(folder); // a folder that is no run is left alone
  return withFolderLock(folder, { what: 'merge' }, () => mergeParts(folder, options));
}

/** The same where this process has the folder's lock. */
export async function mergeParts(
  folder: string,
  { keepParts = false, signal }: MergeOptions = {},
): Promise<RunManifest> {
  const listed = await readListedManifest(folder);
  const { manifest, command } = listed;
  const [damaged] = listed.files === null ? [] : await damagedLayers(folder, listed, signal);
  if (listed.files !== null && damaged === undefined) {
    if (!keepParts) await removeParts(folder);
    return manifest;
  }
  const missing = missingParts(folder, manifest);
  if (damaged !== undefined && missing.length === manifest.plan.chunks.length) throw damaged;
  if (missing.length > 0) throw partsAreMissing(folder, manifest, missing);
  const parts = new Parts(folder, listed, signal);
  try {
    await makeFolder(join(folder, 'layers'));
    const layers: Record<string, FileChecksum> = {};
    for (let layer = 0; layer < manifest.shape.layers; layer++) {
      if (signal?.aborted) throw new InterruptedError({ what: 'interrupted' }, { cause: signal.reason });
      layers[layerName(layer)] = await mergeLayer(folder, manifest, layer, parts);
    }
    const merged = { ...manifest, warnings: addSaturation(manifest.warnings, await parts.saturated()) };
    // It lists the layers only now: until then the run is unfinished, whatever lies in the folder.
    await writeManifest(folder, merged, layers satisfies Checksums, command);
    if (!keepParts) await removeParts(folder);
    return merged;
  } finally {
    await parts.close();
  }
}

async function removeParts(folder: string): Promise<void> {
  await rm(join(folder, 'parts'), { recursive: true, force: true });
}

function partsAreMissing(folder: string, { plan }: RunManifest, missing: readonly number[]): RunError {
  const count = plan.chunks.length;
  const names = missing.map((chunk) => partPath('', chunk, count));
  return new RunError({
    what: `${missing.length} of ${count} parts are missing`,
    where: folder,
    found: `no ${listed(names, 5)}`,
    remedy:
      'run the capture again with the same options (for shards: each that has not finished), then merge',
  });
}

async function mergeLayer(
  folder: string,
  manifest: RunManifest,
  layer: number,
  parts: Parts,
): Promise<FileChecksum> {
  const arrays = layerArrays(manifest, layer);
  async function* values() {
    for (const array of arrays) {
      const name = partArrayName(layer, array.name);
      if (array.per === 'fold') yield await sumFolds(manifest, array, name, parts);
      else yield* gatherItems(manifest, array, name, parts);
    }
  }
  return streamSafetensors(layerPath(folder, layer), arrays, values(), {
    'babelscope.layer': String(layer),
    'babelscope.plan': manifest.planSha256,
  });
}

/** Adds up the chunks of each fold, in the order of the plan. */
async function sumFolds({ plan }: RunManifest, array: LayerArray, name: string, parts: Parts) {
  const perFold = array.shape.slice(1).reduce((a, b) => a * b, 1);
  const sums = new (array.dtype === 'U32' ? Uint32Array : Float64Array)(plan.folds * perFold);
  for (const [chunk, items] of plan.chunks.entries()) {
    const part = await (await parts.open(chunk)).read(name, array.dtype as 'U32' | 'F64');
    const start = plan.items[items[0]!]!.fold * perFold;
    for (let j = 0; j < perFold; j++) sums[start + j]! += part[j]!;
  }
  return sums;
}

/** Puts the items of all chunks into the order of the plan, a slab of items at a time. */
async function* gatherItems({ plan }: RunManifest, array: LayerArray, name: string, parts: Parts) {
  const itemBytes = arrayBytes({ dtype: array.dtype, shape: array.shape.slice(1) });
  for (const { start, end } of slabs(plan.items.length, itemBytes)) {
    const bytes = new Uint8Array((end - start) * itemBytes);
    for (const [chunk, items] of plan.chunks.entries()) {
      // Items of a chunk ascend, so those of the slab lie together.
      const first = items.findIndex((item) => item >= start);
      const inside = items.filter((item) => item >= start && item < end);
      if (inside.length === 0) continue;
      const { buffer } = await (await parts.open(chunk)).readRange(name, first, inside.length);
      for (const [i, item] of inside.entries()) {
        bytes.set(new Uint8Array(buffer, i * itemBytes, itemBytes), (item - start) * itemBytes);
      }
    }
    yield bytes;
  }
}

const SATURATION =
  'pooled values lie beyond half precision and are stored as infinite: scores of pooled values are empty for their units';

function addSaturation(warnings: readonly string[], saturated: number): string[] {
  const others = warnings.filter((warning) => !warning.endsWith(SATURATION)); // a merge that was cut short wrote it
  return saturated === 0 ? others : [...others, `${saturated} ${SATURATION}`];
}

/** Files held open at once, below the usual limit of 1,024 a process. */
const OPEN_FILES = 256;

/** The parts of a run, opened when first needed and checked to be of its plan. */
class Parts {
  readonly #folder: string;
  readonly #listed: ListedManifest;
  readonly #signal: AbortSignal | undefined;
  readonly #open = new Map<number, SafetensorsFile>();

  constructor(folder: string, listed: ListedManifest, signal: AbortSignal | undefined) {
    this.#folder = folder;
    this.#listed = listed;
    this.#signal = signal;
  }

  async open(chunk: number): Promise<SafetensorsFile> {
    const opened = this.#open.get(chunk);
    if (opened !== undefined) return opened;
    if (this.#open.size >= OPEN_FILES) await this.close();
    const file = await openPart(this.#folder, this.#listed, chunk, this.#signal);
    this.#open.set(chunk, file);
    return file;
  }

  async saturated(): Promise<number> {
    let sum = 0;
    for (const chunk of this.#listed.manifest.plan.chunks.keys()) {
      const perLayer = await (await this.open(chunk)).read(SATURATED_ARRAY, 'U32');
      for (const count of perLayer) sum += count;
    }
    return sum;
  }

  async close(): Promise<void> {
    for (const file of this.#open.values()) await file.close();
    this.#open.clear();
  }
}

/**
 * Opens a part whose bytes are those that were written.
 *
 * @throws DamagedError if they are not; RunError if the part is unreadable or was made with another plan
 */
export async function openPart(
  folder: string,
  listed: ListedManifest,
  chunk: number,
  signal?: AbortSignal,
): Promise<SafetensorsFile> {
  const { manifest } = listed;
  const path = partPath(folder, chunk, manifest.plan.chunks.length);
  await checkSealed(path, `make it anew: ${commandOf(folder, listed)}`, { signal });
  const file = await openSafetensors(path);
  const plan = file.metadata['babelscope.plan'];
  if (plan === manifest.planSha256 && file.metadata['babelscope.chunk'] === String(chunk)) return file;
  await file.close();
  throw new RunError({
    what: 'the part was made with a different plan: another model, probe set, seed, option or version',
    where: path,
    expected: `plan ${manifest.planSha256.slice(0, 12)}, chunk ${chunk}`,
    found: `plan ${plan?.slice(0, 12) ?? 'unknown'}, chunk ${file.metadata['babelscope.chunk'] ?? 'unknown'}`,
    remedy: 'remove the part and run the capture again; shards must share checkpoint, probes and options',
  });
}
