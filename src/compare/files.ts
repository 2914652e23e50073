import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { RunError } from '../errors.js';
import { readJson } from '../read-json.js';
import { makeFolder, removeStale, writeJson } from '../store/index.js';
import { COMPARISON_SCHEMA_VERSION, type Comparison, comparisonSchema } from './comparison.js';

/** The file a comparison is in. */
export const COMPARISON_FILE = 'comparison.json';
/** How scores of each unit changed: one row a unit, score and language of every run but the reference. */
export const CHANGES_FILE = 'changes.parquet';
/** The table that earlier versions wrote beside it. */
const FORMER_CHANGES_FILE = 'score_changes.parquet';

/**
 * Writes `comparison.json`, whole or not at all; the same comparison gives the same bytes. It removes the tables of an
 * earlier comparison in the folder: write `changes.parquet` after it, with `writeChanges`.
 *
 * @throws OutputError if the folder cannot be written.
 */
export async function writeComparison(folder: string, comparison: Comparison): Promise<void> {
  await makeFolder(folder);
  for (const name of [CHANGES_FILE, FORMER_CHANGES_FILE]) await removeStale(join(folder, name));
  await writeJson(join(folder, COMPARISON_FILE), comparisonSchema.parse(comparison));
}

/**
 * Reads `comparison.json` of a folder.
 *
 * @throws RunError if it is missing, malformed or of another schema than this version's.
 */
export async function readComparison(folder: string): Promise<Comparison> {
  const path = join(folder, COMPARISON_FILE);
  const remedy = 'Give the folder that `babelscope compare --out <folder>` wrote, or compare again.';
  if (!existsSync(path)) throw new RunError({ what: 'there is no comparison to read', where: path, remedy });
  const value = await readJson(path, remedy, RunError);
  const version =
    typeof value === 'object' && value !== null && 'schemaVersion' in value && value.schemaVersion;
  if (typeof version === 'number' && version !== COMPARISON_SCHEMA_VERSION) {
    const newer = version > COMPARISON_SCHEMA_VERSION;
    throw new RunError({
      what: `the comparison was written by ${newer ? 'a newer' : 'an older'} version of babelscope`,
      where: path,
      expected: `schemaVersion ${COMPARISON_SCHEMA_VERSION}`,
      found: String(version),
      remedy: `${newer ? 'Update babelscope, or compare' : 'Compare'} the runs anew with this version, with the options of then: \`${commandAnew(folder, value)}\`.`,
    });
  }
  const parsed = comparisonSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new RunError({
    what: `field "${issue.path.join('.')}" of the comparison is unusable`,
    where: path,
    expected: issue.message,
    remedy,
  });
}

/** The command line that makes a comparison of another schema anew, with its labels if they are where they are today. */
function commandAnew(folder: string, value: unknown): string {
  const found = z.object({ runs: z.array(z.object({ label: z.string() })) }).safeParse(value);
  const labels = found.data?.runs.map(({ label }) => label) ?? [];
  const runs =
    labels.length === 0
      ? '<run> <run> …'
      : `${labels.map((label) => `<run of ${label}>`).join(' ')} --labels ${quoted(labels.join(','))}`;
  return `babelscope compare ${runs} --out ${quoted(folder)}`;
}

/** A word of a shell command. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
