import { realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { create, fromBinary } from '@bufbuild/protobuf';
import { commonFolder, isInside, parseHubPath } from '../../checkpoint/index.js';
import { CheckpointError, messageOf } from '../../errors.js';
import {
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProtoSchema,
} from '../../graph/index.js';
import { readWholeFile } from '../../read-file.js';
import { byteLength, checkFields, sizeFault, tensorsOf } from './check-onnx.js';

/** Protocol buffers end at 2 GiB; an exporter that needs more writes external data. */
const MAX_ONNX_BYTES = 2 ** 31 - 1;

/** Tensors from this size on are left in the file and mapped by the runtime; shapes and scalars stay in the graph. */
const MAPPED_BYTES = 1024;

/** An .onnx file, decoded; weights are located and not loaded. */
export interface OnnxFile {
  /** Absolute path as given. */
  readonly path: string;
  readonly model: ModelProto;
  readonly graph: GraphProto;
  /** Directory that the locations of external data are relative to, after symlinks were followed. */
  readonly weightsRoot: string;
  /** Absolute paths of the file itself and of its external data. */
  readonly files: readonly string[];
}

/**
 * Reads an .onnx file. Weights inside it become external data in the file itself, those in other files are checked to be
 * there; all of them are mapped when the graph runs.
 *
 * @throws CheckpointError if the file is missing, cut off or no ONNX model, or its external data is.
 */
export async function readOnnx(path: string): Promise<OnnxFile> {
  const given = resolve(path);
  const bytes = await readBytes(given);
  let model: ModelProto;
  try {
    checkFields(bytes);
    model = fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    throw notOnnx(given, cause instanceof Error ? cause.message : String(cause), cause);
  }
  const { graph } = model;
  if (graph === undefined || graph.node.length === 0) throw notOnnx(given, 'no graph in it');
  const self = await realpath(given);
  const places = new Map<string, string>(); // location as written → real path
  for (const tensor of tensorsOf(graph)) {
    if (tensor.dataLocation === TensorProto_DataLocation.EXTERNAL) {
      const { location } = externalPlace(tensor);
      if (!places.has(location)) places.set(location, await locate(given, location));
    }
  }
  const files = [self, ...new Set(places.values())];
  const weightsRoot = commonFolder(files);
  const inRoot = (file: string): string => relative(weightsRoot, file).split(sep).join('/');
  const sizes = new Map<string, number>();
  for (const file of files) sizes.set(file, (await stat(file)).size);
  for (const tensor of tensorsOf(graph)) {
    const isExternal = tensor.dataLocation === TensorProto_DataLocation.EXTERNAL;
    const { location, offset, length } = externalPlace(tensor);
    const fault = sizeFault(tensor, isExternal ? length : undefined);
    if (fault !== null) throw notOnnx(given, fault);
    if (!isExternal) continue;
    const size = sizes.get(places.get(location)!)!;
    if (!(Number.isSafeInteger(offset) && offset >= 0 && offset + length <= size))
      throw cutOff(given, tensor.name, places.get(location)!, size);
  }
  graph.initializer = graph.initializer.map((tensor) => {
    if (tensor.dataLocation === TensorProto_DataLocation.EXTERNAL) {
      const { location, offset, length } = externalPlace(tensor);
      return external(tensor, inRoot(places.get(location)!), offset, length);
    }
    const { rawData } = tensor;
    if (rawData === undefined || rawData.byteLength < MAPPED_BYTES) return tensor;
    const start = rawData.byteOffset - bytes.byteOffset;
    return external(tensor, inRoot(self), start, rawData.byteLength);
  });
  return { path: given, model, graph, weightsRoot, files };
}

async function readBytes(path: string): Promise<Uint8Array> {
  const bytes = await readWholeFile(path, MAX_ONNX_BYTES).catch((cause: unknown) => {
    const found = messageOf(cause);
    const remedy = 'give the path of an .onnx file; export a model of more than 2 GB with external data';
    throw new CheckpointError({ what: 'the file cannot be read', where: path, found, remedy }, { cause });
  });
  if (bytes.subarray(0, 40).toString('latin1').startsWith('version https://git-lfs')) {
    throw notOnnx(path, 'a Git LFS pointer: the file itself was not downloaded');
  }
  return bytes;
}

function notOnnx(path: string, found: string, cause?: unknown): CheckpointError {
  return new CheckpointError(
    {
      what: 'this is no complete ONNX model',
      where: path,
      expected: 'a ModelProto with a graph',
      found,
      remedy: 'download or export the file again',
    },
    { cause },
  );
}

interface Place {
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

function externalPlace(tensor: TensorProto): Place {
  const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value]));
  return {
    location: entries.get('location') ?? '',
    offset: Number(entries.get('offset') ?? 0),
    length: Number(entries.get('length') ?? byteLength(tensor)),
  };
}

/**
 * Real path of a file of external data, which lies in the folder of the model or below. A link may lead to the model's own
 * blobs in the hub's cache, and nowhere else: what a file names must not be opened elsewhere on this machine.
 */
async function locate(path: string, location: string): Promise<string> {
  const folder = dirname(path);
  const inside = location !== '' && !isAbsolute(location) && !location.split(/[\\/]/).includes('..');
  if (!inside) {
    throw new CheckpointError({
      what: 'the graph puts its weights outside of its folder',
      where: path,
      found: JSON.stringify(location),
      remedy: 'export the model again, with external data beside the .onnx file',
    });
  }
  const real = await realpath(join(folder, location)).catch((cause: unknown) => {
    throw new CheckpointError(
      {
        what: 'the external data of the graph is missing',
        where: path,
        expected: join(folder, location),
        remedy: 'download that file too, into the same folder',
      },
      { cause },
    );
  });
  const realFolder = await realpath(folder);
  const self = await realpath(path);
  const roots = [
    realFolder,
    dirname(self),
    (parseHubPath(realFolder) ?? parseHubPath(dirname(realFolder)))?.modelRoot,
  ];
  if (roots.some((root) => root !== undefined && isInside(root, real)) && (await stat(real)).isFile())
    return real;
  throw new CheckpointError({
    what: 'the external data of the graph is a link that leaves its folder, or no file',
    where: path,
    expected: `a file in ${folder}`,
    found: `${join(folder, location)}, which is ${real}`,
    remedy: 'copy that file into the folder of the .onnx file, in place of the link',
  });
}

function cutOff(path: string, tensor: string, file: string, size: number): CheckpointError {
  return new CheckpointError({
    what: `the external data ends before tensor ${JSON.stringify(tensor)} does`,
    where: path,
    found: `${size} bytes in ${file}`,
    remedy: 'download that file again',
  });
}

function external(tensor: TensorProto, location: string, offset: number, length: number): TensorProto {
  return create(TensorProtoSchema, {
    name: tensor.name,
    dims: tensor.dims,
    dataType: tensor.dataType,
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: [
      { key: 'location', value: location },
      { key: 'offset', value: String(offset) },
      { key: 'length', value: String(length) },
    ],
  });
}
