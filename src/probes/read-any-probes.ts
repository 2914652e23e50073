import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../errors.js';
import { isBlankRow, readRows, type SourceRow, TABLE_EXTENSIONS } from './files/read-rows.js';
import { listSourceFiles, type SourceFile } from './files/source-files.js';
import type { SampleFile } from './formats/format.js';
import { OWN_FORMAT, PROBE_FORMATS, type ProbeFormat } from './formats/format-list.js';
import { importProbes } from './import-probes.js';
import { type ReadProbes, readProbes } from './own/read-probes.js';
import type { ReportProblem } from './problems.js';
import type { LanguageTag } from './types.js';

/**
 * Reads a probe set of our own or of a published format: the one named, or the one its files look like. `wanted` as `importProbes`
 * takes it.
 *
 * @throws UsageError for a format that does not exist
 */
export async function readAnyProbes(
  path: string,
  format: string | undefined,
  report: ReportProblem,
  wanted?: ReadonlySet<LanguageTag>,
): Promise<ReadProbes | undefined> {
  if (!existsSync(path)) {
    report({
      what: 'no such probe set',
      where: path,
      expected: 'a folder with probe.json and items.jsonl, or files of a published set',
      found: 'neither a file nor a folder',
      remedy: 'check the path; "babelscope probes list" names the built-in sets',
    });
    return undefined;
  }
  const isOwn = ['probe.json', 'items.jsonl'].some((file) => existsSync(join(path, file)));
  if (format === OWN_FORMAT || (format === undefined && isOwn)) {
    return readProbes(path, report);
  }
  const named = PROBE_FORMATS.filter(({ name }) => format === undefined || name === format);
  if (named.length === 0) {
    throw new UsageError({
      what: `there is no probe format ${JSON.stringify(format)}`,
      where: '--format',
      expected: `${OWN_FORMAT}, ${[...new Set(PROBE_FORMATS.map(({ name }) => name))].join(', ')}`,
      remedy: '"babelscope probes list" describes them',
    });
  }
  const files = await listSourceFiles(path);
  const sample = sampler();
  const recognised = await recognise(files, named, sample);
  if (recognised !== undefined)
    return importProbes(path, recognised.format, recognised.files, report, wanted);
  const said = format === undefined ? undefined : possible(files, named);
  const tables = said?.files.filter(({ extension }) => TABLE_EXTENSIONS.has(extension)) ?? [];
  const lookLike = (await recognise(tables, PROBE_FORMATS, sample))?.format.name;
  if (said !== undefined && lookLike === undefined)
    return importProbes(path, said.format, said.files, report, wanted);
  report({
    what:
      format === undefined ? 'no probe set, nor a published one of a known format' : `no files of ${format}`,
    where: path,
    expected:
      format === undefined
        ? 'probe.json and items.jsonl, or files as "babelscope probes list" describes them'
        : named.map((one) => one.files).join('; or '),
    found: `${await describeFiles(files, sample)}${lookLike === undefined ? '' : `, which look like those of ${lookLike}`}`,
    remedy: remedyFor(files, format, lookLike),
  });
  return undefined;
}

function remedyFor(
  files: readonly SourceFile[],
  format: string | undefined,
  lookLike: string | undefined,
): string {
  if (files.length === 0) return 'check the path: the folder is empty';
  if (lookLike !== undefined) return `give --format ${lookLike}, or no --format`;
  return format === undefined
    ? 'name the format with --format; for plain text, aligned-text or unaligned-text'
    : 'check the path, or name another format with --format';
}

interface ChosenFormat {
  readonly format: ProbeFormat;
  readonly files: readonly SourceFile[];
}

/** The first format that takes some of the files for its own. */
async function recognise(
  files: readonly SourceFile[],
  formats: readonly ProbeFormat[],
  sample: SampleFile,
): Promise<ChosenFormat | undefined> {
  for (const format of formats) {
    const recognised = await format.recognise(files, sample);
    if (recognised.length > 0) return { format, files: recognised };
  }
  return undefined;
}

/** Said to be of a format: whatever could be is read, so that its faults are named. */
function possible(files: readonly SourceFile[], formats: readonly ProbeFormat[]): ChosenFormat | undefined {
  for (const format of formats) {
    const able = format.possible(files);
    if (able.length > 0) return { format, files: able };
  }
  return undefined;
}

/** Reads the first record of each file once. */
function sampler(): SampleFile {
  const samples = new Map<SourceFile, Promise<SourceRow | undefined>>();
  return (file) => {
    let first = samples.get(file);
    if (first === undefined) {
      first = firstRow(file);
      samples.set(file, first);
    }
    return first;
  };
}

async function firstRow(file: SourceFile): Promise<SourceRow | undefined> {
  if (!TABLE_EXTENSIONS.has(file.extension)) return undefined;
  // What cannot be read is not of the format; reading it for good tells what is wrong.
  return (await readRows(file, () => {})).find(({ value, fields }) => !isBlankRow(value, fields));
}

/** How many there are, the first names, and what the first record of the first table has. */
async function describeFiles(files: readonly SourceFile[], sample: SampleFile): Promise<string> {
  if (files.length === 0) return 'no files';
  const shown = files.slice(0, 3).map(({ name }) => name);
  const named = `${files.length} files: ${shown.join(', ')}${files.length > 3 ? ', …' : ''}`;
  for (const file of files) {
    const fields = (await sample(file))?.fields ?? [];
    if (fields.length === 0) continue;
    return `${named}; ${file.name} has the fields ${fields.slice(0, SHOWN_FIELDS).join(', ')}`;
  }
  return named;
}

const SHOWN_FIELDS = 10;
