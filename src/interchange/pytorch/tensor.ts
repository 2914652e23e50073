import { getFloat16 } from '@petamoriken/float16';

/** Types of elements that are read, by the name of their storage class in `torch`. */
export const STORAGE_TYPES = {
  DoubleStorage: { dtype: 'float64', bytes: 8 },
  FloatStorage: { dtype: 'float32', bytes: 4 },
  HalfStorage: { dtype: 'float16', bytes: 2 },
  BFloat16Storage: { dtype: 'bfloat16', bytes: 2 },
  LongStorage: { dtype: 'int64', bytes: 8 },
  IntStorage: { dtype: 'int32', bytes: 4 },
  ShortStorage: { dtype: 'int16', bytes: 2 },
  CharStorage: { dtype: 'int8', bytes: 1 },
  ByteStorage: { dtype: 'uint8', bytes: 1 },
  BoolStorage: { dtype: 'bool', bytes: 1 },
} as const;
export type StorageType = keyof typeof STORAGE_TYPES;
export type TorchDtype = (typeof STORAGE_TYPES)[StorageType]['dtype'];

/** Memory that tensors are views of. */
export interface TorchStorage {
  readonly dtype: TorchDtype;
  readonly bytes: Uint8Array;
  /** Elements. */
  readonly length: number;
}

/** A view into a storage, as PyTorch keeps it: element (i, j, …) lies at offset + i·strides[0] + j·strides[1] + … */
export class TorchTensor {
  readonly dtype: TorchDtype;
  readonly shape: readonly number[];
  readonly #strides: readonly number[];
  readonly #offset: number;
  readonly storage: TorchStorage;

  /** @throws RangeError if the view reaches beyond its storage. */
  constructor(storage: TorchStorage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.dtype = storage.dtype;
    this.shape = shape;
    this.#strides = strides;
    this.#offset = offset;
    this.storage = storage;
    const last = shape.reduce((at, size, axis) => at + (size - 1) * strides[axis]!, offset);
    if (this.size > 0 && !(last < storage.length)) {
      throw new RangeError(
        `a tensor of shape [${shape.join(', ')}], strides [${strides.join(', ')}] and offset ${offset} reaches element ${last} of a storage of ${storage.length}`,
      );
    }
  }

  /** Number of elements. */
  get size(): number {
    return this.shape.reduce((product, length) => product * length, 1);
  }

  /** Entry `index` along the first axis: a view of the same storage. */
  at(index: number): TorchTensor {
    const [rows = 0, ...shape] = this.shape;
    if (!(index >= 0 && index < rows)) throw new RangeError(`entry ${index} of ${rows}`);
    const [stride = 0, ...strides] = this.#strides;
    return new TorchTensor(this.storage, this.#offset + index * stride, shape, strides);
  }

  /**
   * All elements, row-major, exactly; true is 1.
   *
   * @throws RangeError for an int64 beyond ±2⁵³ that a float64 cannot hold.
   */
  values(): Float64Array {
    const read = READERS[this.dtype](this.storage);
    const values = new Float64Array(this.size);
    if (values.length === 0) return values;
    const index = this.shape.map(() => 0);
    let at = this.#offset;
    for (let i = 0; i < values.length; i++) {
      values[i] = read(at);
      // An odometer: the last axis turns fastest.
      for (let axis = index.length - 1; axis >= 0; axis--) {
        at += this.#strides[axis]!;
        if (++index[axis]! < this.shape[axis]!) break;
        at -= this.#strides[axis]! * this.shape[axis]!;
        index[axis] = 0;
      }
    }
    return values;
  }
}

/** Reads element i of a storage. */
const READERS: Readonly<Record<TorchDtype, (storage: TorchStorage) => (i: number) => number>> = {
  float64: (storage) => elements(storage, (v) => (i) => v.getFloat64(8 * i, true)),
  float32: (storage) => elements(storage, (v) => (i) => v.getFloat32(4 * i, true)),
  float16: (storage) => elements(storage, (v) => (i) => getFloat16(v, 2 * i, true)),
  bfloat16: (storage) => {
    // The upper half of a float32.
    const wide = new DataView(new ArrayBuffer(4));
    return elements(storage, (v) => (i) => {
      wide.setUint16(0, v.getUint16(2 * i, true));
      return wide.getFloat32(0);
    });
  },
  int64: (storage) =>
    elements(storage, (v) => (i) => {
      const value = v.getBigInt64(8 * i, true);
      const number = Number(value);
      if (BigInt(number) !== value) throw new RangeError(`the int64 ${value} is no exact float64`);
      return number;
    }),
  int32: (storage) => elements(storage, (v) => (i) => v.getInt32(4 * i, true)),
  int16: (storage) => elements(storage, (v) => (i) => v.getInt16(2 * i, true)),
  int8: (storage) => elements(storage, (v) => (i) => v.getInt8(i)),
  uint8: (storage) => elements(storage, (v) => (i) => v.getUint8(i)),
  bool: (storage) => elements(storage, (v) => (i) => (v.getUint8(i) === 0 ? 0 : 1)),
};

function elements({ bytes }: TorchStorage, of: (view: DataView) => (i: number) => number) {
  return of(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}
