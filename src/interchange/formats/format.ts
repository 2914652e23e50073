import { ImportError } from '../../errors.js';
import type { ImportedRun } from '../imported-run.js';
import type { ImportedMatrix } from '../matrix.js';
import type { PickleValue } from '../pytorch/pickle-objects.js';
import { TorchTensor } from '../pytorch/tensor.js';
import type { ImportedSelection } from '../selection.js';
import type { SourceFile } from '../source-files.js';
import type { FactName, FileOption, Said } from './facts.js';

/** The contents of a file, as far as they tell its format. */
export type Sample =
  | { readonly kind: 'pytorch'; readonly value: PickleValue }
  | { readonly kind: 'json'; readonly value: unknown }
  /** The first lines of any other file. */
  | { readonly kind: 'text'; readonly lines: readonly string[] };

/** Files as they were read: a run, a selection or a matrix, to be written. */
export type Imported =
  | ({ readonly becomes: 'run' } & ImportedRun)
  | ({ readonly becomes: 'selection' } & ImportedSelection)
  | ({ readonly becomes: 'matrix' } & ImportedMatrix);

/** The files of an import. */
export interface ImportSources {
  readonly files: readonly SourceFile[];
  readonly prefix: readonly SourceFile[];
  readonly baseline: SourceFile | null;
}

/** How files that another program wrote are read. */
export interface ImportFormat {
  /** The name that `--format` takes. */
  readonly name: string;
  /** One line that says what is in the files, and what they become. */
  readonly title: string;
  /** The files it is recognised by. */
  readonly files: string;
  /** `each`: a file holds one language; `one`: a single file holds all. */
  readonly languages: 'each' | 'one';
  /** Facts and files that it takes besides `model`. */
  readonly options: readonly (Exclude<FactName, 'model'> | FileOption)[];
  /** Whether a file is of this format and of no other. */
  recognise(sample: Sample): boolean;
  /** @throws ImportError, UsageError */
  read(sources: ImportSources, said: Said): Promise<Imported>;
}

/** The kind of a value, in words. */
export function describe(value: PickleValue): string {
  if (value instanceof TorchTensor) return `a tensor ${value.dtype} [${value.shape.join(', ')}]`;
  if (value instanceof Map)
    return `a dict of ${[...value.keys()].slice(0, 8).map(String).join(', ') || 'nothing'}`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return value === null ? 'None' : `a ${typeof value}`;
}

/** Makes the errors of one file that is not of its format, each with what was found instead. */
export function unusableFile(
  what: string,
  where: string,
  expected: string,
  remedy = 'give the file as it was released, or name another --format',
): (found: string, cause?: unknown) => ImportError {
  return (found, cause) => new ImportError({ what, where, expected, found, remedy }, { cause });
}
