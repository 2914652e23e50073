import type { ColumnMetaData, PageHeader } from 'hyparquet';
import { PARQUET_CODECS } from './read-parquet-codecs.js';

/** How deep a column's values lie in lists and in what may be missing. */
export interface Levels {
  readonly repetition: number;
  readonly definition: number;
}

/** Writers fill a run up to some eight values. */
const PADDING = 512;

/**
 * Checks the runs of equal values in a page: hyparquet writes as many values as a run claims, beyond those of the page too.
 *
 * @throws Error for a run of more values than the page has
 */
export function checkRuns(
  page: Uint8Array,
  header: PageHeader,
  column: ColumnMetaData,
  levels: Levels,
): void {
  const { data_page_header: first, data_page_header_v2: second } = header;
  const encoding = (first ?? second)?.encoding ?? '';
  const values = (first ?? second)?.num_values ?? 0;
  let stored = page;
  if (second !== undefined) {
    const repetition = second.repetition_levels_byte_length;
    const start = repetition + second.definition_levels_byte_length;
    if (!(repetition >= 0 && repetition <= start && start <= page.byteLength))
      throw new Error(`levels of ${start} bytes in a page of ${page.byteLength}`);
    if (levels.repetition > 0) checkStream(page.subarray(0, repetition), levels.repetition, values);
    if (levels.definition > 0) checkStream(page.subarray(repetition, start), levels.definition, values);
    stored = page.subarray(start);
    const isPlain = column.codec === 'UNCOMPRESSED' || second.is_compressed === false;
    stored = isPlain ? stored : unpacked(stored, header.uncompressed_page_size - start, column.codec);
  } else if (column.codec !== 'UNCOMPRESSED') {
    stored = unpacked(page, header.uncompressed_page_size, column.codec);
  }
  if (first !== undefined) {
    for (const level of [levels.repetition, levels.definition])
      if (level > 0) stored = afterStream(stored, bitsOf(level), values);
  }
  if (encoding === 'RLE') afterStream(stored, 1, values);
  else if (encoding.endsWith('_DICTIONARY')) runs(stored.subarray(1), stored[0] ?? 0, values);
}

const bitsOf = (level: number): number => 32 - Math.clz32(level);

function checkStream(bytes: Uint8Array, level: number, values: number): void {
  runs(bytes, bitsOf(level), values);
}

/** What follows a stream that begins with its length. */
function afterStream(bytes: Uint8Array, bits: number, values: number): Uint8Array {
  if (bytes.byteLength < 4) throw new Error(`a page that ends in its levels`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  if (length > bytes.byteLength - 4)
    throw new Error(`levels of ${length} bytes in a page of ${bytes.byteLength}`);
  runs(bytes.subarray(4, 4 + length), bits, values);
  return bytes.subarray(4 + length);
}

function runs(bytes: Uint8Array, bits: number, values: number): void {
  if (bits > 32) throw new Error(`indices of ${bits} bits`);
  let seen = 0;
  for (let at = 0; at < bytes.byteLength && seen < values; ) {
    let head = 0;
    let shift = 1;
    for (let more = true; more && at < bytes.byteLength; shift *= 128) {
      const byte = bytes[at++]!;
      head += (byte & 0x7f) * shift;
      more = byte >= 0x80;
    }
    const count = head % 2 === 1 ? 8 * Math.floor(head / 2) : head / 2;
    if (count > values - seen + PADDING) throw new Error(`a run of ${count} values in a page of ${values}`);
    at += head % 2 === 1 ? (count / 8) * bits : Math.ceil(bits / 8);
    seen += count;
  }
}

function unpacked(bytes: Uint8Array, size: number, codec: string): Uint8Array {
  const unpack = PARQUET_CODECS[codec as keyof typeof PARQUET_CODECS];
  if (unpack === undefined) throw new Error(`pages packed with ${codec}`);
  if (!(size >= 0)) throw new Error(`a page of ${size} bytes`);
  return unpack(bytes, size);
}
