import { PickleReader } from './pickle-reader.js';
import { STORAGE_TYPES, type StorageType, type TorchStorage, TorchTensor } from './tensor.js';

/** What a pickle may hold. Lists and tuples are arrays, dicts (ordered ones too) are maps, dtypes their names. */
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
type Item = PickleValue | Global | StorageReference | readonly Item[] | Map<PickleKey, Item>;

const ORDERED_DICT = 'collections.OrderedDict';
const REBUILD_TENSOR = 'torch._utils._rebuild_tensor_v2';
const REBUILD_PARAMETER = 'torch._utils._rebuild_parameter';
const DTYPES = new Set(Object.values(STORAGE_TYPES).map(({ dtype }) => `torch.${dtype}`));

/** Containers within containers: published files have three. Also what ends a container that contains itself. */
const MAX_DEPTH = 64;
/** Values of the result, each counted wherever it occurs: sharing must not blow a small file up. */
const MAX_VALUES = 10_000_000;
/** Elements of one tensor; of LLaMA-2-70B's counts 2.3 million. A view of stride 0 may have more than its storage. */
const MAX_ELEMENTS = 2 ** 27;
const MAX_AXES = 64;
const MAX_LONG_BYTES = 1024;

/**
 * Reads the pickle of a `.pt` file (protocols 2 to 5) without executing anything: tensors, dicts, lists, tuples,
 * numbers, strings, booleans and None. Whatever else a pickle names, calls or builds is refused.
 *
 * @param storages bytes by key, from the archive.
 * @param path of the file, for messages.
 * @throws ImportError that names what was refused, and the offset in data.pkl.
 */
export function unpickle(
  bytes: Uint8Array,
  storages: ReadonlyMap<string, Uint8Array>,
  path: string,
): PickleValue {
  return new Unpickler(new PickleReader(bytes, path), storages).load();
}

class Unpickler {
  readonly #reader: PickleReader;
  readonly #storages: ReadonlyMap<string, Uint8Array>;
  #stack: Item[] = [];
  /** Stacks below each mark. */
  readonly #marks: Item[][] = [];
  readonly #memo = new Map<number, Item>();

  constructor(reader: PickleReader, storages: ReadonlyMap<string, Uint8Array>) {
    this.#reader = reader;
    this.#storages = storages;
  }

  load(): PickleValue {
    const reader = this.#reader;
    for (;;) {
      const opcode = reader.nextOpcode();
      if (opcode === 0x2e /* STOP */) return this.#result(this.#pop());
      this.#step(opcode);
    }
  }

  /** One opcode; names and meanings are those of Python's pickletools. */
  #step(opcode: number): void {
    const reader = this.#reader;
    const push = (item: Item) => this.#stack.push(item);
    switch (opcode) {
      case 0x80: {
        const protocol = reader.uint8();
        if (protocol < 2 || protocol > 5)
          throw reader.refuse(`pickle protocol ${protocol}`, 'protocol 2 to 5');
        return;
      }
      case 0x95: // FRAME: how much may be read at once
        reader.take(8);
        return;
      case 0x28: // MARK
        this.#marks.push(this.#stack);
        this.#stack = [];
        return;
      case 0x30: // POP
        if (this.#stack.length === 0) this.#popMark();
        else this.#pop();
        return;
      case 0x31: // POP_MARK
        this.#popMark();
        return;
      case 0x32: // DUP
        push(this.#top());
        return;
      case 0x4e: // NONE
        push(null);
        return;
      case 0x88: // NEWTRUE
        push(true);
        return;
      case 0x89: // NEWFALSE
        push(false);
        return;
      case 0x4a: // BININT
        push(reader.int32());
        return;
      case 0x4b: // BININT1
        push(reader.uint8());
        return;
      case 0x4d: // BININT2
        push(reader.uint16());
        return;
      case 0x8a: // LONG1
        push(reader.long(reader.uint8()));
        return;
      case 0x8b: {
        // LONG4
        const length = reader.int32();
        if (length < 0 || length > MAX_LONG_BYTES)
          throw reader.refuse(`an integer of ${length} bytes`, 'a number');
        push(reader.long(length));
        return;
      }
      case 0x47: // BINFLOAT
        push(reader.float64());
        return;
      case 0x58: // BINUNICODE
        push(reader.text(reader.uint32()));
        return;
      case 0x8c: // SHORT_BINUNICODE
        push(reader.text(reader.uint8()));
        return;
      case 0x8d: // BINUNICODE8
        push(reader.text(reader.uint64()));
        return;
      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
        push([]);
        return;
      case 0x7d: // EMPTY_DICT
        push(new Map<PickleKey, Item>());
        return;
      case 0x61: // APPEND
        this.#append([this.#pop()]);
        return;
      case 0x65: // APPENDS
        this.#append(this.#popMark());
        return;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        push(this.#popMany(opcode - 0x84));
        return;
      case 0x74: // TUPLE
        push(this.#popMark());
        return;
      case 0x73: // SETITEM
        this.#setItems(this.#popMany(2));
        return;
      case 0x75: // SETITEMS
        this.#setItems(this.#popMark());
        return;
      case 0x71: // BINPUT
        this.#memo.set(reader.uint8(), this.#top());
        return;
      case 0x72: // LONG_BINPUT
        this.#memo.set(reader.uint32(), this.#top());
        return;
      case 0x94: // MEMOIZE
        this.#memo.set(this.#memo.size, this.#top());
        return;
      case 0x68: // BINGET
        push(this.#remembered(reader.uint8()));
        return;
      case 0x6a: // LONG_BINGET
        push(this.#remembered(reader.uint32()));
        return;
      case 0x63: // GLOBAL
        push(this.#global(reader.line(), reader.line()));
        return;
      case 0x93: {
        // STACK_GLOBAL
        const [module, name] = this.#popMany(2);
        if (typeof module !== 'string' || typeof name !== 'string')
          throw reader.refuse('a global without a name');
        push(this.#global(module, name));
        return;
      }
      case 0x51: // BINPERSID
        push(this.#persistent(this.#pop()));
        return;
      case 0x52: {
        // REDUCE
        const [callable, args] = this.#popMany(2);
        push(this.#rebuild(callable!, args!));
        return;
      }
      case 0x62: {
        // BUILD: `__dict__` of an ordered dict, which holds `_metadata` of a state dict
        this.#pop();
        if (!(this.#top() instanceof Map)) throw reader.refuse('the state of an object');
        return;
      }
      default:
        throw reader.refuse(`${reader.opcodeName(opcode)}`, 'tensors, dicts, lists, numbers and strings');
    }
  }

  #pop(): Item {
    if (this.#stack.length === 0) throw this.#reader.malformed('the stack is empty');
    return this.#stack.pop()!;
  }

  #top(): Item {
    if (this.#stack.length === 0) throw this.#reader.malformed('the stack is empty');
    return this.#stack.at(-1)!;
  }

  #popMany(count: number): Item[] {
    if (this.#stack.length < count) throw this.#reader.malformed('the stack is too short');
    return this.#stack.splice(this.#stack.length - count);
  }

  #popMark(): Item[] {
    const above = this.#stack;
    const below = this.#marks.pop();
    if (below === undefined) throw this.#reader.malformed('there is no mark');
    this.#stack = below;
    return above;
  }

  #append(items: readonly Item[]): void {
    const list = this.#top();
    if (!Array.isArray(list)) throw this.#reader.malformed('what is appended to is no list');
    for (const item of items) (list as Item[]).push(item);
  }

  #setItems(items: readonly Item[]): void {
    const dict = this.#top();
    if (!(dict instanceof Map) || items.length % 2 !== 0)
      throw this.#reader.malformed('no dict, or a key without value');
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i]!;
      if (typeof key === 'object' && key !== null)
        throw this.#reader.refuse('a dict key that is no number or string');
      (dict as Map<PickleKey, Item>).set(key, items[i + 1]!);
    }
  }

  #remembered(index: number): Item {
    const item = this.#memo.get(index);
    if (item === undefined) throw this.#reader.malformed(`nothing is remembered under ${index}`);
    return item;
  }

  #global(module: string, name: string): Item {
    const full = `${module}.${name}`;
    if (DTYPES.has(full)) return full;
    const known =
      full === ORDERED_DICT ||
      full === REBUILD_TENSOR ||
      full === REBUILD_PARAMETER ||
      (module === 'torch' && Object.hasOwn(STORAGE_TYPES, name));
    if (!known) {
      throw this.#reader.refuse(
        `the global ${full}`,
        'tensors, dicts, lists, numbers and strings; nothing of the file was executed',
      );
    }
    return new Global(full);
  }

  /** ('storage', type, key, location, elements) */
  #persistent(id: Item): Item {
    const [kind, type, key, , length] = Array.isArray(id) ? (id as readonly Item[]) : [];
    const name = type instanceof Global ? type.name.slice('torch.'.length) : '';
    if (
      kind !== 'storage' ||
      typeof key !== 'string' ||
      !Object.hasOwn(STORAGE_TYPES, name) ||
      !isCount(length)
    ) {
      throw this.#reader.refuse('a persistent id that is no storage');
    }
    const bytes = this.#storages.get(key);
    const { dtype, bytes: width } = STORAGE_TYPES[name as StorageType];
    if (bytes?.byteLength !== length * width) {
      throw this.#reader.malformed(
        `storage ${JSON.stringify(key)} of ${length} ${dtype} has ${bytes?.byteLength ?? 'no'} bytes`,
      );
    }
    return new StorageReference({ dtype, bytes, length });
  }

  #rebuild(callable: Item, args: Item): Item {
    const reader = this.#reader;
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
        return this.#tensor(given);
      default:
        throw reader.refuse(`a call of ${callable.name}`);
    }
  }

  /** (storage, offset, size, stride, requires_grad, backward_hooks) */
  #tensor([storage, offset, shape, strides]: readonly Item[]): TorchTensor {
    const reader = this.#reader;
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
    if (!(elements <= MAX_ELEMENTS))
      throw reader.refuse(`a tensor of ${elements} elements`, `at most ${MAX_ELEMENTS}`);
    try {
      return new TorchTensor(storage.storage, offset, shape, strides);
    } catch (cause) {
      throw reader.malformed(cause instanceof Error ? cause.message : String(cause));
    }
  }

  /** Checks that nothing but values is left, of bounded depth and size. */
  #result(item: Item): PickleValue {
    const reader = this.#reader;
    let count = 0;
    const check = (value: Item, depth: number): void => {
      if (++count > MAX_VALUES) throw reader.refuse(`more than ${MAX_VALUES} values`);
      if (value instanceof Global) throw reader.refuse(`the global ${value.name} as a value`);
      if (value instanceof StorageReference) throw reader.refuse('a storage as a value');
      if (typeof value !== 'object' || value === null || value instanceof TorchTensor) return;
      if (depth === MAX_DEPTH) {
        throw reader.refuse(`containers within each other ${MAX_DEPTH} deep, or one that contains itself`);
      }
      for (const inner of value.values()) check(inner as Item, depth + 1);
    };
    check(item, 0);
    return item as PickleValue;
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every(isCount);
}
