import { ImportError } from '../../errors.js';

/** Opcodes that are refused, as Python's pickletools calls them. */
const REFUSED: Readonly<Record<number, string>> = {
  66: 'BINBYTES',
  67: 'SHORT_BINBYTES',
  142: 'BINBYTES8',
  150: 'BYTEARRAY8',
  143: 'EMPTY_SET',
  144: 'ADDITEMS',
  145: 'FROZENSET',
  105: 'INST',
  111: 'OBJ',
  129: 'NEWOBJ',
  146: 'NEWOBJ_EX',
  130: 'EXT1',
  131: 'EXT2',
  132: 'EXT4',
  80: 'PERSID',
  151: 'NEXT_BUFFER',
  152: 'READONLY_BUFFER',
};
/** A line of text: module or name of a global. */
const MAX_LINE_BYTES = 1024;

/** Reads a pickle's opcodes and their arguments, never beyond its end. */
export class PickleReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #path: string;
  #at = 0;
  /** Where the opcode in hand begins. */
  #opcodeAt = 0;

  constructor(bytes: Uint8Array, path: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#path = path;
  }

  nextOpcode(): number {
    this.#opcodeAt = this.#at;
    return this.uint8();
  }

  /** Moves past some bytes. Returns where they begin. */
  take(count: number): number {
    const start = this.#at;
    if (!(count <= this.#bytes.length - start)) throw this.malformed('it ends in the middle');
    this.#at += count;
    return start;
  }

  uint8(): number {
    return this.#view.getUint8(this.take(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.take(2), true);
  }

  int32(): number {
    return this.#view.getInt32(this.take(4), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.take(4), true);
  }

  uint64(): number {
    return Number(this.#view.getBigUint64(this.take(8), true));
  }

  float64(): number {
    return this.#view.getFloat64(this.take(8));
  }

  /** Two's complement, little-endian; a number where it is exact. */
  long(length: number): number | bigint {
    const start = this.take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[start + i]!);
    if (length > 0 && this.#bytes[start + length - 1]! >= 0x80) value -= 1n << BigInt(8 * length);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  text(length: number): string {
    const start = this.take(length);
    return this.#decode(this.#bytes.subarray(start, start + length));
  }

  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end === -1 || end - this.#at > MAX_LINE_BYTES) throw this.malformed('a name without an end');
    const start = this.take(end + 1 - this.#at);
    return this.#decode(this.#bytes.subarray(start, end));
  }

  opcodeName(opcode: number): string {
    return `the opcode ${REFUSED[opcode] ?? `0x${opcode.toString(16).padStart(2, '0')}`}`;
  }

  /** Something that is not read. */
  refuse(found: string, expected = 'tensors, dicts, lists, numbers and strings'): ImportError {
    return new ImportError({
      what: 'the file holds something that is not read',
      where: this.#path,
      expected,
      found: `${found} at byte ${this.#opcodeAt} of data.pkl`,
      remedy: 'load it in Python if you trust it, and save tensors, dicts, lists, numbers and strings alone',
    });
  }

  /** Something that no program writes. */
  malformed(found: string): ImportError {
    return new ImportError({
      what: 'the pickle in the file is malformed',
      where: this.#path,
      found: `${found}, at byte ${this.#opcodeAt} of data.pkl`,
      remedy: 'check that the file is whole; write it again with torch.save',
    });
  }

  #decode(bytes: Uint8Array): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw this.malformed('a string that is not UTF-8');
    }
  }
}
