import type { DescMessage } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import {
  type GraphProto,
  ModelProtoSchema,
  type TensorProto,
  TensorProto_DataType,
} from '../../graph/index.js';

/** Fields of a graph and all it holds; one of eighty layers has a hundred thousand. Each becomes an object or a value. */
const MOST_FIELDS = 5_000_000;
/** Bytes of numbers that are not stored as they are in memory. Weights lie in raw data, or beside the graph. */
const MOST_PACKED_BYTES = 2 ** 27; // 128 MiB
/** Messages within each other: graphs in attributes of nodes, some levels deep. */
const MOST_DEPTH = 64;

/**
 * Counts what a protocol buffer holds before it is decoded: a field of two bytes takes a hundred in memory.
 *
 * @throws Error for what no exporter writes
 */
export function checkFields(bytes: Uint8Array): void {
  const reader = new BinaryReader(bytes);
  let fields = 0;
  let packed = 0;
  const read = (end: number, message: DescMessage, depth: number): void => {
    if (depth > MOST_DEPTH) throw new Error(`messages within each other more than ${MOST_DEPTH} deep`);
    while (reader.pos < end) {
      const [number, type] = reader.tag();
      if (++fields > MOST_FIELDS) throw new Error(`more than ${MOST_FIELDS} fields`);
      if (type !== WireType.LengthDelimited) {
        reader.skip(type, number);
        continue;
      }
      const inside = reader.uint32();
      const next = reader.pos + inside;
      if (next > end) throw new Error(`a field of ${inside} bytes, ${end - reader.pos} before the end`);
      const field = message.fields.find((one) => one.number === number);
      if (field?.message !== undefined) read(next, field.message, depth + 1);
      else if (field?.fieldKind === 'list') packed += inside;
      if (packed > MOST_PACKED_BYTES)
        throw new Error(`more than ${MOST_PACKED_BYTES} bytes of packed numbers`);
      reader.pos = next;
    }
  };
  read(bytes.byteLength, ModelProtoSchema, 0);
}

/** Bits an element takes in raw data. */
const ELEMENT_BITS: Readonly<Partial<Record<number, number>>> = {
  [TensorProto_DataType.FLOAT]: 32,
  [TensorProto_DataType.FLOAT16]: 16,
  [TensorProto_DataType.BFLOAT16]: 16,
  [TensorProto_DataType.DOUBLE]: 64,
  [TensorProto_DataType.INT64]: 64,
  [TensorProto_DataType.INT32]: 32,
  [TensorProto_DataType.INT8]: 8,
  [TensorProto_DataType.UINT8]: 8,
  [TensorProto_DataType.INT4]: 4,
  [TensorProto_DataType.UINT4]: 4,
  [TensorProto_DataType.BOOL]: 8,
};

/** Elements of a tensor. */
export function elementsOf({ dims }: Pick<TensorProto, 'dims'>): number {
  return dims.reduce((product, dim) => product * Number(dim), 1);
}

/** Bytes of a tensor's elements, by its shape and type. */
export function byteLength(tensor: TensorProto): number {
  return Math.ceil((elementsOf(tensor) * (ELEMENT_BITS[tensor.dataType] ?? 0)) / 8);
}

/** All tensors that a graph holds: initializers and values of attributes, those of graphs within it too. */
export function* tensorsOf(graph: GraphProto): Generator<TensorProto> {
  yield* graph.initializer;
  for (const { attribute } of graph.node) {
    for (const { t, g } of attribute) {
      if (t !== undefined) yield t;
      if (g !== undefined) yield* tensorsOf(g);
    }
  }
}

/** Most elements that a number of a list can hold: eight of four bits in an int32. */
const PACKED_ELEMENTS = 8;

/**
 * What is wrong with a tensor's sizes, null if nothing: its elements must be as many as its data.
 *
 * @param storedBytes bytes of external data; undefined for a tensor that holds its own
 */
export function sizeFault(tensor: TensorProto, storedBytes?: number): string | null {
  const { name, dims, rawData, floatData, int32Data, int64Data } = tensor;
  const shown = `tensor ${JSON.stringify(name)} of shape [${dims.join(', ')}]`;
  const elements = elementsOf(tensor);
  if (dims.some((dim) => dim < 0n) || !Number.isSafeInteger(elements))
    return `${shown}, which no tensor can have`;
  const bytes = storedBytes ?? rawData.byteLength;
  const known = ELEMENT_BITS[tensor.dataType] !== undefined;
  if (storedBytes !== undefined || bytes > 0)
    return known && bytes !== byteLength(tensor) ? `${shown} with ${bytes} bytes` : null;
  const listed = floatData.length + int32Data.length + int64Data.length;
  // Types that are not known here lie in fields that are not known either.
  return known && (tensor.$unknown ?? []).length === 0 && elements > PACKED_ELEMENTS * listed
    ? `${shown} with ${listed} values`
    : null;
}
