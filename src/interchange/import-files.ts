import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ImportError, messageOf, UsageError } from '../errors.js';
import { openFile, readFully } from '../read-file.js';
import { readJson } from '../read-json.js';
import { quoted, type RunManifest } from '../store/index.js';
import { type FactName, type Facts, type FileOption, optionOf } from './formats/facts.js';
import type { ImportFormat, Sample } from './formats/format.js';
import { formatNamed, IMPORT_FORMATS } from './formats/format-list.js';
import { writeImportedRun } from './imported-run.js';
import { type MatrixDescription, writeMatrix } from './matrix.js';
import { readPytorch } from './pytorch/read-pytorch.js';
import { checkSelection, type SelectionDescription, writeSelection } from './selection.js';
import { describeFiles } from './sidecar.js';
import type { SourceFile } from './source-files.js';

/** A file's beginning that tells a table of text, in bytes. */
const HEAD_BYTES = 2 ** 16; // 64 KiB

export interface ImportOptions extends Facts {
  /** Folder that the import becomes. */
  readonly out: string;
  /** Default: recognised by the first file. */
  readonly format?: string | undefined;
  /** Counts of prefixes alone, which are subtracted. */
  readonly prefix?: readonly SourceFile[] | undefined;
  /** The numbers of a model that nothing was done to, for a matrix. */
  readonly baseline?: SourceFile | undefined;
}

/** The description of an import that was written, with the sidecars that were read. */
export type ImportResult = {
  readonly format: string;
  readonly sidecars: readonly string[];
  /** Options that say something else than a sidecar, each in a sentence. */
  readonly overridden: readonly string[];
} & (
  | { readonly becomes: 'run'; readonly manifest: RunManifest }
  | { readonly becomes: 'selection'; readonly description: SelectionDescription; readonly notes: string[] }
  | { readonly becomes: 'matrix'; readonly description: MatrixDescription }
);

/**
 * Imports files of another program into a folder: a run, a selection of units, or a matrix of languages. Nothing in a file
 * is executed. A sidecar, `<file>.json`, says what a file does not; options override it. Everything is checked before
 * anything is written.
 *
 * @throws ImportError if a file or sidecar is malformed; UsageError if options do not fit, or something must be said;
 *   OutputError.
 */
export async function importFiles(
  sources: readonly SourceFile[],
  { out, format: name, prefix = [], baseline, ...facts }: ImportOptions,
): Promise<ImportResult> {
  for (const { path } of [...sources, ...prefix, ...(baseline === undefined ? [] : [baseline])]) {
    if (existsSync(path)) continue;
    throw new UsageError({
      what: 'there is no such file',
      where: path,
      expected: `a file${name === undefined ? '' : ` of the format ${name}`}, or language=file`,
      remedy: 'check the path',
    });
  }
  const format = name === undefined ? await recognise(sources) : formatNamed(name);
  assertApplies(format, {
    ...facts,
    prefix: prefix.length > 0 ? prefix : undefined,
    baseline,
  });
  assertFree(out);
  if (format.languages === 'one' && sources.length !== 1) {
    throw new UsageError({
      what: `one file of ${format.name} holds all languages`,
      expected: 'one file',
      found: `${sources.length}`,
      remedy: 'import each into a folder of its own',
    });
  }
  const { files, said, sidecars, overridden } = await describeFiles(format, sources, facts);
  const imported = await format.read({ files, prefix, baseline: baseline ?? null }, said);
  const paths = [...files, ...prefix, ...(baseline === undefined ? [] : [baseline])].map(({ path }) => path);
  const command = importCommand(format, { files, prefix, baseline }, said.facts);
  const about = { format: format.name, model: said.facts.model, paths, command };
  const result = { format: format.name, sidecars, overridden };
  switch (imported.becomes) {
    case 'run': {
      const manifest = await writeImportedRun(out, imported, about);
      return { ...result, becomes: 'run', manifest };
    }
    case 'matrix':
      return { ...result, becomes: 'matrix', description: await writeMatrix(out, about, imported) };
    case 'selection': {
      const description = await writeSelection(out, about, checkSelection(imported, said));
      return { ...result, becomes: 'selection', description, notes: [...imported.notes] };
    }
  }
}

/** The command that imports these files again, without their sidecars. */
function importCommand(
  { name }: ImportFormat,
  { files, prefix, baseline }: { files: readonly SourceFile[] } & Pick<ImportOptions, 'prefix' | 'baseline'>,
  facts: Facts,
): string {
  const source = ({ path, language }: SourceFile) =>
    quoted(language === null ? basename(path) : `${language}=${basename(path)}`);
  const option = (of: FactName | FileOption, value: string) => `${optionOf(of)} ${value}`;
  return [
    'babelscope import',
    ...files.map(source),
    `--format ${name}`,
    ...(Object.entries(facts) as [FactName, unknown][])
      .filter(([, value]) => value !== undefined)
      .map(([of, value]) => option(of, quoted(textOf(value)))),
    ...(prefix === undefined || prefix.length === 0 ? [] : [option('prefix', prefix.map(source).join(' '))]),
    ...(baseline === undefined ? [] : [option('baseline', source(baseline))]),
    '--out <folder>',
  ].join(' ');
}

/** The value of a fact as its option takes it. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.join(',');
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([tag, n]) => `${tag}=${n}`)
    .join(',');
}

async function recognise([first]: readonly SourceFile[]): Promise<ImportFormat> {
  const named = (formats: readonly ImportFormat[]) => formats.map(({ name }) => name).join(', ');
  if (first === undefined) {
    throw new UsageError({ what: 'there is nothing to import', remedy: 'name a file' });
  }
  const sample = await sampleOf(first.path);
  const found = IMPORT_FORMATS.filter((format) => format.recognise(sample));
  if (found.length === 1) return found[0]!;
  throw new UsageError({
    what: 'the contents do not tell which format the file has',
    where: first.path,
    expected: `one of ${named(IMPORT_FORMATS)}`,
    found: found.length === 0 ? 'none of them' : named(found),
    remedy: 'name it with --format',
  });
}

async function sampleOf(path: string): Promise<Sample> {
  let head: string;
  try {
    const { handle, bytes: size } = await openFile(path);
    try {
      const bytes = new Uint8Array(Math.min(size, HEAD_BYTES));
      await readFully(handle, bytes, 0);
      head = new TextDecoder().decode(bytes);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw new ImportError(
      {
        what: 'the file cannot be read',
        where: path,
        found: messageOf(cause),
        remedy: 'check that it is a file and that you may read it',
      },
      { cause },
    );
  }
  if (head.startsWith('PK') || /\.pth?$/.test(path))
    return { kind: 'pytorch', value: await readPytorch(path) };
  if (/^\s*[[{]/.test(head)) {
    return { kind: 'json', value: await readJson(path, 'mend it, or name the --format', ImportError) };
  }
  return { kind: 'text', lines: head.split(/\r?\n/).slice(0, 3) };
}

/** An option that would change nothing is a mistake. @throws UsageError */
function assertApplies(format: ImportFormat, given: Readonly<Record<string, unknown>>): void {
  const own: readonly string[] = ['model', ...format.options];
  const idle = Object.keys(given).find((name) => given[name] !== undefined && !own.includes(name));
  if (idle === undefined) return;
  throw new UsageError({
    what: `files of ${format.name} do not need this option`,
    where: optionOf(idle as FileOption),
    expected: own.map((name) => optionOf(name as FileOption)).join(', '),
    remedy: 'leave it out, or name the --format that the files have',
  });
}

/** @throws UsageError */
function assertFree(out: string): void {
  if (!['manifest.json', 'selection.json', 'matrix.json'].some((name) => existsSync(join(out, name)))) return;
  throw new UsageError({
    what: 'there is a run or an import in the folder already',
    where: out,
    remedy: 'choose another folder with --out',
  });
}
