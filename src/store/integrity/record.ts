import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { RunError } from '../../errors.js';
import { readWholeFile } from '../../read-file.js';
import { readJsonObject } from '../../read-json.js';
import { formatJson } from '../files/text-files.js';
import { writeFileAtomic } from '../files/write-file-atomic.js';
import { type CheckOptions, type Checksums, checkFile, DamagedError } from './checksum.js';

/**
 * Records: the JSON file that a verb writes last. It lists the verb's other files with their checksums, names the command
 * that makes them anew, and ends in a checksum of its own bytes.
 */
export const RECORDS = {
  'manifest.json': {
    of: 'run',
    verb: 'capture',
    command: 'babelscope capture <checkpoint> --probes <set> --out <folder>',
  },
  'scores.json': { of: 'scores', verb: 'score', command: 'babelscope score <folder>' },
  'comparison.json': {
    of: 'comparison',
    verb: 'compare',
    command: 'babelscope compare <run> <run> --out <folder>',
  },
  'selection.json': {
    of: 'selection',
    verb: 'import',
    command: 'babelscope import <files> --format <format> --out <folder>',
  },
  'matrix.json': {
    of: 'matrix',
    verb: 'import',
    command: 'babelscope import <files> --format perplexity --out <folder>',
  },
  'selections.json': {
    of: 'comparison',
    verb: 'compare',
    command: 'babelscope compare <selection> <selection> --out <folder>',
  },
  'report.json': { of: 'report', verb: 'report', command: 'babelscope report <comparison> --out <folder>' },
} as const;
export type RecordName = keyof typeof RECORDS;

export interface RecordMeta {
  /** null: the verb has not finished. */
  readonly files: Checksums | null;
  /** `<folder>` stands for the folder it is in. */
  readonly command: string;
}

export interface ReadRecord extends RecordMeta {
  /** The whole object. */
  readonly value: Readonly<Record<string, unknown>>;
}

const metaSchema = z.object({
  // Paths that stay in the folder, and words that are safe to print.
  checksums: z
    .record(
      z.string().regex(/^(?!.*\.\.)[\w.-]+(\/[\w.-]+)*$/),
      z.object({ bytes: z.number().int(), sha256: z.string() }),
    )
    .nullable(),
  command: z.string().regex(/^\P{Cc}*$/u),
});

const NO_DIGEST = '0'.repeat(64);
/** The end of a record, as `writeRecord` writes it. */
const SEAL = /"sha256": ?"([0-9a-f]{64})"\s*\}\n$/;

/** Writes a record, whole or not at all; equal values give equal bytes. @throws OutputError */
export async function writeRecord(
  path: string,
  value: object,
  { files, command }: RecordMeta,
): Promise<void> {
  const listed = files && Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)));
  const meta = { checksums: listed, command: command.replaceAll(/\p{Cc}/gu, '?'), sha256: NO_DIGEST };
  // They come last, also where a record that was read brings its own along.
  const rest = Object.entries(value).filter(([key]) => !Object.hasOwn(meta, key));
  const open = `${formatJson({ ...Object.fromEntries(rest), ...meta })}\n`;
  const sha256 = createHash('sha256').update(open).digest('hex');
  const at = open.lastIndexOf(NO_DIGEST);
  const text = open.slice(0, at) + sha256 + open.slice(at + sha256.length);
  await writeFileAtomic(path, [new TextEncoder().encode(text)]);
}

/**
 * Reads a record and checks its own bytes.
 *
 * @param version The schema version that the caller reads. Records of others are given back for it to refuse, without
 *   their lists; null: whoever reads nothing but the list.
 * @throws DamagedError if its bytes are not those that were written; RunError if it cannot be read
 */
export async function readRecord(path: string, version: null): Promise<ReadRecord>;
export async function readRecord(path: string, version: number): Promise<ReadRecord | OtherVersion>;
export async function readRecord(path: string, version: number | null): Promise<ReadRecord | OtherVersion> {
  const remedy = remedyOf(path);
  const value = await readJsonObject(path, remedy, DamagedError);
  const { schemaVersion } = value;
  const bytes = await readWholeFile(path, Number.MAX_SAFE_INTEGER);
  const seal = SEAL.exec(bytes.subarray(-200).toString('latin1'));
  if (seal === null && version !== null && typeof schemaVersion === 'number' && schemaVersion !== version)
    return { value, files: undefined };
  const fail = (what: string): never => {
    throw new DamagedError({ what: `${basename(path)} is damaged: ${what}`, where: path, remedy });
  };
  if (seal === null)
    return fail('it does not end in its own checksum, or is of a version before there were any');
  const at = bytes.length - Math.min(200, bytes.length) + seal.index + seal[0].indexOf(seal[1]!);
  const hash = createHash('sha256')
    .update(bytes.subarray(0, at))
    .update(NO_DIGEST)
    .update(bytes.subarray(at + 64));
  if (hash.digest('hex') !== seal[1]) return fail('its bytes are not those that were written');
  if (version !== null && schemaVersion !== version) return { value, files: undefined };
  const meta = metaSchema.safeParse(value);
  if (!meta.success) return fail('it does not list its files');
  return { value, files: meta.data.checksums, command: meta.data.command };
}

/** A record of another version, of which nothing but the value is known. */
export interface OtherVersion {
  readonly value: Readonly<Record<string, unknown>>;
  readonly files: undefined;
}

/** The command that makes the files of a record anew. */
export function commandOf(folder: string, { command }: Pick<RecordMeta, 'command'>): string {
  return command.replaceAll('<folder>', quoted(folder));
}

/** Advice where the record itself cannot be trusted. */
function remedyOf(path: string): string {
  const known = RECORDS[basename(path) as RecordName] as (typeof RECORDS)[RecordName] | undefined;
  if (known === undefined) return 'write it again';
  return `make it anew, with the options of then: ${commandOf(dirname(path), known)}`;
}

/**
 * Checks a file against the record that lists it, once in a process.
 *
 * @throws DamagedError if it is missing, damaged, or not one that the record lists
 */
export async function checkListed(
  folder: string,
  record: RecordName,
  { files, command }: RecordMeta,
  name: string,
  options: CheckOptions = {},
): Promise<void> {
  const remedy = `make it anew: ${commandOf(folder, { command })}`;
  const expected = files?.[name];
  if (expected !== undefined) return checkFile(join(folder, name), expected, remedy, options);
  throw new DamagedError({
    what: `${name} does not belong to ${record} beside it`,
    where: join(folder, name),
    expected: files === null ? `${RECORDS[record].verb} to have finished` : listedNames(files),
    remedy,
  });
}

function listedNames(files: Checksums): string {
  return Object.keys(files).join(', ') || 'no further file';
}

/** Records that a folder holds. */
export function recordsIn(folder: string): RecordName[] {
  return (Object.keys(RECORDS) as RecordName[]).filter((name) => existsSync(join(folder, name)));
}

/** A word of a shell command. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./<>-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** @throws RunError for a record of another version */
export function otherVersion(path: string, found: unknown, version: number): RunError {
  const newer = typeof found === 'number' && found > version;
  const record = RECORDS[basename(path) as RecordName];
  const anew = `make it anew with this version, with the options of then: ${commandOf(dirname(path), record)}`;
  return new RunError({
    what: `the ${record.of} ${record.of === 'scores' ? 'were' : 'was'} written by ${newer ? 'a newer' : 'an older'} version of babelscope`,
    where: path,
    expected: `schemaVersion ${version}`,
    found: String(found),
    remedy: newer ? `update babelscope, or ${anew}` : anew,
  });
}
