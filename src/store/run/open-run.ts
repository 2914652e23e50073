import ndarray, { type NdArray } from 'ndarray';
import { RunError } from '../../errors.js';
import { expertsOf } from '../../hooks/index.js';
import {
  expectedLayerArrays,
  type ItemsName,
  type LayerArrayName,
  neuronsWithoutItems,
  type StatisticName,
} from '../arrays/run-arrays.js';
import type { UnitRange } from '../arrays/unit-layout.js';
import { type Float16Bits, fromFloat16 } from '../files/float16.js';
import {
  type ArrayDescription,
  arrayBytes,
  openSafetensors,
  type SafetensorsFile,
  slabs,
} from '../files/safetensors.js';
import { type CheckOptions, DamagedError } from '../integrity/checksum.js';
import { checkListed, commandOf } from '../integrity/record.js';
import type { RunManifest } from './manifest.js';
import { type ListedManifest, layerName, layerPath, readListedManifest } from './run-folder.js';

/** A merged layer of a run, open for reading. */
export interface RunLayer {
  readonly layer: number;
  /** Which of `RUN_ARRAYS` it holds. */
  readonly names: ReadonlySet<LayerArrayName>;
  /**
   * A whole array with its shape, for looking into: `(await layer.array('mlp.fire')).pick(null, 0, 12)` is neuron 12 in
   * the first language, fold by fold. float16 is widened to float32.
   *
   * @throws RunError if the run does not keep it.
   */
  array(name: LayerArrayName): Promise<NdArray<Uint32Array | Float32Array | Float64Array>>;
  /** [fold, language], counted tokens. */
  readTokens(): Promise<Uint32Array>;
  /** [fold, language, unit], row-major, of all units or unitStart … unitEnd − 1; counts as exact float64. */
  readStatistic(name: StatisticName, unitStart?: number, unitEnd?: number): Promise<Float64Array>;
  /** Units unitStart … unitEnd − 1 are those that have pooled values. @throws RunError if the run does not keep any. */
  unitsWith(name: ItemsName): UnitRange;
  /** [item, language, unit − unitStart (, headDim)] for units unitStart … unitEnd − 1. NaN: no value. */
  readItems(name: ItemsName, unitStart: number, unitEnd: number): Promise<Float32Array>;
  /** The same as it is stored, which takes half the room where that is float16. */
  readStoredItems(name: ItemsName, unitStart: number, unitEnd: number): Promise<ItemBlock>;
  close(): Promise<void>;
}

/** Pooled values of some adjacent units of a layer. */
export interface ItemBlock extends UnitRange {
  /** [item, language, unit − unitStart (, headDim)]. NaN: no value. */
  readonly values: Float32Array | Float16Bits;
}

/**
 * Reads a block row by row: the values [unit (, headDim)] of one item in one language. What is returned may be
 * overwritten by the next call.
 *
 * @param rows items × languages.
 */
export function rowReader({ values }: ItemBlock, rows: number): (row: number) => Float32Array {
  const stored = 'bits' in values ? values.bits : values;
  const length = stored.length / rows;
  if (stored instanceof Float32Array) return (row) => stored.subarray(row * length, (row + 1) * length);
  const wide = new Float32Array(length);
  return (row) => fromFloat16(stored.subarray(row * length, (row + 1) * length), wide);
}

/** A run folder that capture has finished. */
export interface Run {
  readonly folder: string;
  readonly manifest: RunManifest;
  /**
   * Opens a layer; the caller closes it. Its bytes are checked against the manifest, once in a process.
   *
   * @throws DamagedError if its file is missing, damaged or of another run; RunError if it does not fit the manifest.
   */
  layer(index: number): Promise<RunLayer>;
  /** Checks the bytes of all layers, for threads that open the run as `checked`. @throws DamagedError; InterruptedError */
  check(signal?: AbortSignal): Promise<void>;
}

export interface OpenRunOptions {
  /** Somebody has checked the layers: they are not read as a whole again. Default false. */
  readonly checked?: boolean;
}

/** Opens a run. @throws RunError if the manifest is missing, damaged or of another version. */
export async function openRun(folder: string, { checked = false }: OpenRunOptions = {}): Promise<Run> {
  const listed = await readListedManifest(folder);
  const { manifest } = listed;
  return {
    folder,
    manifest,
    layer: async (index) => {
      if (!Number.isInteger(index) || index < 0 || index >= manifest.shape.layers) {
        throw new RangeError(`layer ${index} of ${manifest.shape.layers}`);
      }
      if (!checked) await checkLayer(folder, listed, index);
      return openLayer(folder, manifest, index);
    },
    check: async (signal) => {
      for (let layer = 0; layer < manifest.shape.layers; layer++) {
        await checkLayer(folder, listed, layer, { signal });
      }
    },
  };
}

/** @throws DamagedError that says whose layer it is, where it is another's. */
export async function checkLayer(
  folder: string,
  listed: ListedManifest,
  layer: number,
  options: CheckOptions = {},
): Promise<void> {
  const path = layerPath(folder, layer);
  if (listed.files === null) {
    throw new RunError({
      what: 'the run is not finished',
      where: folder,
      expected: 'layers that were merged',
      remedy: `go on with it: ${commandOf(folder, listed)}; where all shards are done, babelscope merge`,
    });
  }
  try {
    await checkListed(folder, 'manifest.json', listed, layerName(layer), options);
  } catch (error) {
    if (error instanceof DamagedError) await sayWhose(path, listed.manifest, layer, error);
    throw error;
  }
}

/** A layer that says of itself that it is another's, is that: not damaged. */
async function sayWhose(
  path: string,
  { planSha256 }: RunManifest,
  layer: number,
  error: DamagedError,
): Promise<void> {
  const file = await openSafetensors(path).catch(() => null);
  if (file === null) return;
  await file.close();
  const { 'babelscope.plan': plan = planSha256, 'babelscope.layer': own = String(layer) } = file.metadata;
  if (plan === planSha256 && own === String(layer)) return;
  throw new DamagedError(
    {
      ...error.details,
      what: 'the file is of another run or layer',
      expected: `layer ${layer} of plan ${planSha256.slice(0, 12)}`,
      found: `layer ${own} of plan ${plan.slice(0, 12)}`,
    },
    { cause: error },
  );
}

async function openLayer(folder: string, manifest: RunManifest, layer: number): Promise<RunLayer> {
  const path = layerPath(folder, layer);
  const file = await openSafetensors(path);
  const names = new Set<LayerArrayName>();
  for (const [name, expected] of expectedLayerArrays(manifest, layer)) {
    const found = file.arrays.get(name);
    if (found === undefined) continue;
    if (found.dtype !== expected.dtype || found.shape.join() !== expected.shape.join()) {
      await file.close();
      throw new RunError({
        what: `array ${JSON.stringify(name)} does not fit the manifest`,
        where: path,
        expected: `${expected.dtype} [${expected.shape.join(', ')}]`,
        found: `${found.dtype} [${found.shape.join(', ')}]`,
        remedy: 'layers and manifest are of different runs: run `babelscope merge` or capture again',
      });
    }
    names.add(name);
  }
  const unitsWith = (name: ItemsName) => {
    const { shape } = describeItems(file, name);
    const unitStart = name === 'mlp.items' ? neuronsWithoutItems(manifest, layer) : 0;
    return { unitStart, unitEnd: unitStart + shape[2]! };
  };
  const readStoredItems = async (name: ItemsName, unitStart: number, unitEnd: number): Promise<ItemBlock> => {
    const { unitStart: first } = unitsWith(name);
    return { unitStart, unitEnd, values: await readUnits(file, name, unitStart - first, unitEnd - first) };
  };
  return {
    layer,
    names,
    array: async (name) => {
      if (!names.has(name)) throw notKept(name, path);
      const values = await file.read(name);
      const wide = values instanceof Uint16Array ? fromFloat16(values) : values;
      return ndarray(wide as Uint32Array | Float32Array | Float64Array, [...file.arrays.get(name)!.shape]);
    },
    unitsWith,
    readTokens: () => file.read('tokens', 'U32'),
    readStatistic: (name, unitStart, unitEnd) => readSums(file, name, unitStart, unitEnd),
    readItems: async (name, unitStart, unitEnd) => {
      const { values } = await readStoredItems(name, unitStart, unitEnd);
      return 'bits' in values ? fromFloat16(values.bits) : values;
    },
    readStoredItems,
    close: () => file.close(),
  };
}

/** Names every array that some layer of the run holds. A mixture's layers are of two kinds, with experts and without. */
export async function recordedArrays({ manifest: { shape }, layer }: Run): Promise<Set<LayerArrayName>> {
  const layers = Array.from({ length: shape.layers }, (_, index) => index);
  const isMixture = (index: number): boolean => expertsOf(shape, index) > 0;
  const kinds = [layers.find(isMixture), layers.find((index) => !isMixture(index))];
  const names = new Set<LayerArrayName>();
  for (const index of kinds) {
    if (index === undefined) continue;
    const opened = await layer(index);
    for (const name of opened.names) names.add(name);
    await opened.close();
  }
  return names;
}

/** Units unitStart … unitEnd − 1 of [fold, language, unit]. */
async function readSums(
  file: SafetensorsFile,
  name: StatisticName,
  unitStart = 0,
  unitEnd?: number,
): Promise<Float64Array> {
  const units = file.arrays.get(name)?.shape.at(-1) ?? 0;
  const end = unitEnd ?? units;
  const whole = (unitStart === 0 && end === units) || !file.arrays.has(name);
  const values = await (whole ? file.read(name) : file.readColumns(name, unitStart, end));
  return values instanceof Float64Array ? values : Float64Array.from(values as Uint32Array);
}

/**
 * Units unitStart … unitEnd − 1 of [item, language, unit, …]. A block of units is a narrow strip of every row, so
 * whole items are read in slabs and the strip is cut out: sequential reads, which the page cache makes cheap to
 * repeat, rather than a read call a row.
 */
async function readUnits(
  file: SafetensorsFile,
  name: ItemsName,
  unitStart: number,
  unitEnd: number,
): Promise<Float32Array | Float16Bits> {
  const { dtype, shape } = describeItems(file, name);
  const [items = 0, languages = 0, units = 0] = shape;
  if (!(unitStart >= 0 && unitStart <= unitEnd && unitEnd <= units)) {
    throw new RangeError(`units ${unitStart} … ${unitEnd} of ${name}, which has ${units}`);
  }
  const unitBytes = arrayBytes({ dtype, shape: shape.slice(3) });
  const rowBytes = units * unitBytes;
  const stripBytes = (unitEnd - unitStart) * unitBytes;
  const strips = new Uint8Array(items * languages * stripBytes);
  let written = 0;
  for (const { start, end } of slabs(items, languages * rowBytes)) {
    const { buffer, byteLength } = await file.readRange(name, start, end - start);
    for (let row = 0; row < byteLength; row += rowBytes) {
      strips.set(new Uint8Array(buffer, row + unitStart * unitBytes, stripBytes), written);
      written += stripBytes;
    }
  }
  return dtype === 'F16' ? { bits: new Uint16Array(strips.buffer) } : new Float32Array(strips.buffer);
}

function describeItems(file: SafetensorsFile, name: ItemsName): ArrayDescription {
  const description = file.arrays.get(name);
  if (description !== undefined) return description;
  throw notKept(name, file.path);
}

function notKept(name: LayerArrayName, path: string): RunError {
  return new RunError({
    what: `the run does not keep the array ${JSON.stringify(name)}`,
    where: path,
    remedy: name.endsWith('.items') ? 'capture with --keep items' : 'capture again with this version',
  });
}
