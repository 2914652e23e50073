import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { uniqueName } from './temporary-name.js';
import { toOutputError } from './write-file-atomic.js';

type Floats = Float64Array | Float32Array;

/**
 * Room on disk for numbers that are computed in one order and needed in another, and would not fit into memory. The file
 * loses its name as soon as it is open: however the process ends, nothing of it is left.
 */
export class Scratch {
  readonly #path: string;
  readonly #file: number;
  #end = 0;

  /** @throws OutputError if the folder cannot be written. */
  constructor(folder: string) {
    this.#path = uniqueName(join(folder, 'scratch'));
    try {
      this.#file = openSync(this.#path, 'wx+');
      unlinkSync(this.#path);
    } catch (cause) {
      throw toOutputError(cause, this.#path);
    }
  }

  /** Puts values aside. @returns where they begin, for `read`. @throws OutputError if the disk is full. */
  append({ buffer, byteOffset, byteLength }: Floats): number {
    const start = this.#end;
    this.#end += byteLength;
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    try {
      for (let done = 0; done < byteLength; ) {
        done += writeSync(this.#file, bytes, done, byteLength - done, start + done);
      }
    } catch (cause) {
      throw toOutputError(cause, this.#path);
    }
    return start;
  }

  /** Fills `into` from a byte on. */
  read({ buffer, byteOffset, byteLength }: Floats, start: number): void {
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    for (let done = 0; done < byteLength; ) {
      const read = readSync(this.#file, bytes, done, byteLength - done, start + done);
      if (read === 0) throw new RangeError(`byte ${start + done} of ${this.#end}`);
      done += read;
    }
  }

  /** @throws OutputError if the disk has a fault. */
  close(): void {
    try {
      closeSync(this.#file);
    } catch (cause) {
      throw toOutputError(cause, this.#path);
    }
  }
}

/** Some adjacent columns of a `ScratchArray`. */
interface Segment {
  readonly start: number;
  readonly columns: number;
  /** Byte at which their values [row, column − start] begin. */
  readonly at: number;
}

/** An array [row, column] in a scratch file. Any adjacent columns are set, and read, at a time; what was not set is NaN. */
export class ScratchArray {
  readonly rows: number;
  readonly #scratch: Scratch;
  readonly #Type: Float64ArrayConstructor | Float32ArrayConstructor;
  readonly #segments: Segment[] = [];

  constructor(scratch: Scratch, rows: number, precision: 'double' | 'single' = 'double') {
    this.#scratch = scratch;
    this.rows = rows;
    this.#Type = precision === 'single' ? Float32Array : Float64Array;
  }

  /** Sets the values [row, n] of columns start … start + n − 1, which none has set before. @returns them as they are kept. */
  set(start: number, values: Floats): Floats {
    const kept = values instanceof this.#Type ? values : this.#Type.from(values);
    const at = this.#scratch.append(kept);
    this.#segments.push({ start, columns: kept.length / this.rows, at });
    return kept;
  }

  /** The values [row, column − start] of columns start … end − 1. */
  read(start: number, end: number): Floats {
    const width = end - start;
    const values = new this.#Type(this.rows * width).fill(Number.NaN);
    for (const segment of this.#segments) {
      const first = Math.max(start, segment.start);
      const past = Math.min(end, segment.start + segment.columns);
      for (let row = 0; first < past && row < this.rows; row++) {
        const to = row * width - start;
        const from = row * segment.columns + first - segment.start;
        this.#scratch.read(
          values.subarray(to + first, to + past),
          segment.at + from * this.#Type.BYTES_PER_ELEMENT,
        );
      }
    }
    return values;
  }
}
