import type { PickleReader } from './pickle-reader.js';
import { STORAGE_TYPES, type StorageType, type TorchStorage, TorchTensor } from './tensor.js';

/** The values that a pickle may hold. Lists and tuples are arrays, dicts (ordered ones too) are maps, dtypes their names. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | TorchTensor
  | readonly PickleValue[]
  | ReadonlyMap<PickleKey, PickleValue>;
export type PickleKey = null | boolean | number | bigint | string;

/** A name that the pickle looks up; the only ones there are. Nothing is ever imported or called by name. */
class Global {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}
/** A storage that a persistent id stands for. */
class StorageReference {
  readonly storage: TorchStorage;

  constructor(storage: TorchStorage) {
    this.storage = storage;
  }
}
export type Item = PickleValue | Global | StorageReference | readonly Item[] | Map<PickleKey, Item>;

const ORDERED_DICT = 'collections.OrderedDict';
const REBUILD_TENSOR = 'torch._utils._rebuild_tensor_v2';
const REBUILD_PARAMETER = 'torch._utils._rebuild_parameter';
const DTYPES = new Set(Object.values(STORAGE_TYPES).map(({ dtype }) => `torch.${dtype}`));

/** Containers within containers: published files have three. Also what ends a container that contains itself. */
const MAX_DEPTH = 64;
/** Values of the result, each counted wherever it occurs: sharing must not blow a small file up. */
const MAX_VALUES = 10_000_000;
/** Elements that all tensors may have beyond those of the storages: views of stride 0 repeat what is stored once. */
const MAX_REPEATED = 2 ** 20;
const MAX_AXES = 64;

/** The meaning of a name. Nothing is ever imported or called by name. @throws ImportError of any other name. */
export function lookUp(reader: PickleReader, module: string, name: string): Item {
  const full = `${module}.${name}`;
  if (DTYPES.has(full)) return full;
  const known =
    full === ORDERED_DICT ||
    full === REBUILD_TENSOR ||
    full === REBUILD_PARAMETER ||
    (module === 'torch' && Object.hasOwn(STORAGE_TYPES, name));
  if (!known) {
    throw reader.refuse(
      `the global ${full}`,
      'tensors, dicts, lists, numbers and strings; nothing of the file was executed',
    );
  }
  return new Global(full);
}

/** The storage that a persistent id stands for: ('storage', type, key, location, elements). */
export function storageOf(reader: PickleReader, storages: ReadonlyMap<string, Uint8Array>, id: Item): Item {
  const [kind, type, key, , length] = Array.isArray(id) ? (id as readonly Item[]) : [];
  const name = type instanceof Global ? type.name.slice('torch.'.length) : '';
  if (
    kind !== 'storage' ||
    typeof key !== 'string' ||
    !Object.hasOwn(STORAGE_TYPES, name) ||
    !isCount(length)
  ) {
    throw reader.refuse('a persistent id that is no storage');
  }
  const bytes = storages.get(key);
  const { dtype, bytes: width } = STORAGE_TYPES[name as StorageType];
  if (bytes?.byteLength !== length * width) {
    throw reader.malformed(
      `storage ${JSON.stringify(key)} of ${length} ${dtype} has ${bytes?.byteLength ?? 'no'} bytes`,
    );
  }
  return new StorageReference({ dtype, bytes, length });
}

/** Builds what one of the known names makes of its arguments. */
export function build(reader: PickleReader, callable: Item, args: Item): Item {
  if (!(callable instanceof Global) || !Array.isArray(args)) throw reader.refuse('a call');
  const given = args as readonly Item[];
  switch (callable.name) {
    case ORDERED_DICT:
      if (given.length > 0) throw reader.refuse('an ordered dict made from arguments');
      return new Map<PickleKey, Item>();
    case REBUILD_PARAMETER:
      if (!(given[0] instanceof TorchTensor)) throw reader.malformed('a parameter without a tensor');
      return given[0];
    case REBUILD_TENSOR:
      return tensor(reader, given);
    default:
      throw reader.refuse(`a call of ${callable.name}`);
  }
}

/** (storage, offset, size, stride, requires_grad, backward_hooks) */
function tensor(reader: PickleReader, [storage, offset, shape, strides]: readonly Item[]): TorchTensor {
  if (
    !(storage instanceof StorageReference) ||
    !isCount(offset) ||
    !isCounts(shape) ||
    !isCounts(strides) ||
    shape.length !== strides.length ||
    shape.length > MAX_AXES
  ) {
    throw reader.malformed('a tensor whose offset, shape or strides are no whole numbers from 0 on');
  }
  const elements = shape.reduce((product, length) => product * length, 1);
  const most = storage.storage.length + MAX_REPEATED;
  if (!(elements <= most)) {
    const found = `a tensor of ${elements} elements in a storage of ${storage.storage.length}`;
    throw reader.refuse(found, `at most ${most}: save a copy of a view that repeats its elements`);
  }
  try {
    return new TorchTensor(storage.storage, offset, shape, strides);
  } catch (cause) {
    throw reader.malformed(cause instanceof Error ? cause.message : String(cause));
  }
}

/** How often all tensors together may show the bytes that are stored. */
const MAX_TIMES_STORED = 4;

/** Checks that nothing but values is left, of bounded depth and size. */
export function plainValue(reader: PickleReader, item: Item): PickleValue {
  let count = 0;
  let elements = 0;
  const storages = new Set<TorchStorage['bytes']>();
  const check = (value: Item, depth: number): void => {
    if (++count > MAX_VALUES) throw reader.refuse(`more than ${MAX_VALUES} values`);
    if (value instanceof Global) throw reader.refuse(`the global ${value.name} as a value`);
    if (value instanceof StorageReference) throw reader.refuse('a storage as a value');
    if (value instanceof TorchTensor) {
      elements += value.size;
      storages.add(value.storage.bytes);
      return;
    }
    if (typeof value !== 'object' || value === null) return;
    if (depth === MAX_DEPTH) {
      throw reader.refuse(`containers within each other ${MAX_DEPTH} deep, or one that contains itself`);
    }
    for (const inner of value.values()) check(inner as Item, depth + 1);
  };
  check(item, 0);
  const stored = [...storages].reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (elements > MAX_TIMES_STORED * stored + MAX_REPEATED)
    throw reader.refuse(`${elements} elements of tensors in ${stored} bytes of storages`);
  return item as PickleValue;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every(isCount);
}
