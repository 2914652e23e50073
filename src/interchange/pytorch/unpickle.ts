import {
  build,
  type Item,
  lookUp,
  type PickleKey,
  type PickleValue,
  plainValue,
  storageOf,
} from './pickle-objects.js';
import { PickleReader } from './pickle-reader.js';

const MAX_LONG_BYTES = 64;
/** Steps of a pickle. A list of a million numbers takes a million; a file of counts some hundred. */
const MAX_OPCODES = 4_000_000;
/** Lists, tuples, dicts, tensors, marks and names: each takes a hundred times the byte that asks for it. */
const MAX_CONTAINERS = 400_000;
/** Opcodes that make one. */
const CONTAINERS = new Set([0x28, 0x5d, 0x29, 0x7d, 0x85, 0x86, 0x87, 0x74, 0x63, 0x93, 0x51, 0x52]);

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
    let containers = 0;
    for (let opcodes = 1; ; opcodes++) {
      const opcode = reader.nextOpcode();
      if (opcodes > MAX_OPCODES) throw reader.refuse(`more than ${MAX_OPCODES} opcodes`);
      if (CONTAINERS.has(opcode) && ++containers > MAX_CONTAINERS)
        throw reader.refuse(`more than ${MAX_CONTAINERS} lists, tuples, dicts and tensors`);
      if (opcode === 0x2e /* STOP */) return plainValue(reader, this.#pop());
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
        push(this.#long(reader.uint8()));
        return;
      case 0x8b: // LONG4
        push(this.#long(reader.int32()));
        return;
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
        push(lookUp(reader, reader.line(), reader.line()));
        return;
      case 0x93: {
        // STACK_GLOBAL
        const [module, name] = this.#popMany(2);
        if (typeof module !== 'string' || typeof name !== 'string')
          throw reader.refuse('a global without a name');
        push(lookUp(reader, module, name));
        return;
      }
      case 0x51: // BINPERSID
        push(storageOf(reader, this.#storages, this.#pop()));
        return;
      case 0x52: {
        // REDUCE
        const [callable, args] = this.#popMany(2);
        push(build(reader, callable!, args!));
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

  #long(length: number): number | bigint {
    if (length < 0 || length > MAX_LONG_BYTES)
      throw this.#reader.refuse(`an integer of ${length} bytes`, 'a number');
    return this.#reader.long(length);
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
}
