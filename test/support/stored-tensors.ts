import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A tensor with its bytes as a safetensors file holds it. */
export interface StoredBytes {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Buffer;
}

export type StoredTensors = ReadonlyMap<string, StoredBytes>;

export function readTensors(path: string): StoredTensors {
  const file = readFileSync(path);
  const length = Number(file.readBigUInt64LE(0));
  const { __metadata__, ...header } = JSON.parse(file.toString('utf8', 8, 8 + length));
  return new Map(
    Object.entries(header as Record<string, { dtype: string; shape: number[]; data_offsets: number[] }>).map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [begin, end],
        },
      ]) => [name, { dtype, shape, bytes: file.subarray(8 + length + begin!, 8 + length + end!) }],
    ),
  );
}

export function writeTensors(path: string, tensors: Iterable<readonly [string, StoredBytes]>): void {
  const header: Record<string, unknown> = {};
  const data: Buffer[] = [];
  let offset = 0;
  for (const [name, { dtype, shape, bytes }] of tensors) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + bytes.length] };
    data.push(bytes);
    offset += bytes.length;
  }
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  writeFileSync(path, Buffer.concat([length, padded, ...data]));
}

/** Stores the weights of a folder anew, in one file. */
export function rewriteTensors(
  folder: string,
  change: (tensors: StoredTensors) => Iterable<readonly [string, StoredBytes]>,
): void {
  const path = join(folder, 'model.safetensors');
  writeTensors(path, [...change(readTensors(path))]);
}
