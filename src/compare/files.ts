import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { RunError } from '../errors.js';
import {
  type Checksums,
  checkListed,
  DamagedError,
  makeFolder,
  otherVersion,
  quoted,
  readRecord,
  removeStale,
  writeRecord,
} from '../store/index.js';
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
  await writeRecord(join(folder, COMPARISON_FILE), comparisonSchema.parse(comparison), {
    files: {},
    command: commandOfLabels(comparison, optionsOf(comparison)),
  });
}

/**
 * Lists the tables that were written beside `comparison.json` in it, and the option of `compare` that wrote them. A folder
 * without a comparison is left as it is.
 *
 * @throws RunError if the comparison is of other runs; DamagedError if it is damaged
 */
export async function listChanges(
  folder: string,
  files: Checksums,
  changes: 'basic' | 'full',
): Promise<void> {
  if (!existsSync(join(folder, COMPARISON_FILE))) return;
  const comparison = await readOwn(folder);
  await writeRecord(join(folder, COMPARISON_FILE), comparison, {
    files,
    command: commandOfLabels(comparison, [...optionsOf(comparison), ['changes', changes]]),
  });
}

/** @throws RunError if the comparison in the folder, should there be one, is of other runs */
export async function assertSameRuns(
  folder: string,
  runs: readonly { readonly label: string; readonly planSha256: string }[],
): Promise<void> {
  if (!existsSync(join(folder, COMPARISON_FILE))) return;
  const described = (all: typeof runs) =>
    all.map(({ label, planSha256 }) => `${label} ${planSha256.slice(0, 12)}`).join(', ');
  const comparison = await readOwn(folder);
  if (described(comparison.runs) === described(runs)) return;
  throw new RunError({
    what: 'the comparison in the folder is of other runs',
    where: join(folder, COMPARISON_FILE),
    expected: described(runs),
    found: described(comparison.runs),
    remedy: 'write the changes beside the comparison of the same runs, or into another folder',
  });
}

/**
 * Reads `comparison.json` of a folder, and checks that the tables beside it are its own.
 *
 * @throws DamagedError if it or a table is damaged or of another comparison; RunError if it is missing, malformed or of
 *   another schema than this version's.
 */
export async function readComparison(folder: string): Promise<Comparison> {
  const comparison = await readOwn(folder);
  const record = await readRecord(join(folder, COMPARISON_FILE), COMPARISON_SCHEMA_VERSION);
  if (record.files === undefined) return comparison;
  const found = existsSync(join(folder, CHANGES_FILE)) ? [CHANGES_FILE] : [];
  for (const name of new Set([...Object.keys(record.files ?? {}), ...found])) {
    await checkListed(folder, COMPARISON_FILE, record, name);
  }
  return comparison;
}

/** `comparison.json` itself. */
async function readOwn(folder: string): Promise<Comparison> {
  const path = join(folder, COMPARISON_FILE);
  const remedy = 'Give the folder that `babelscope compare --out <folder>` wrote, or compare again.';
  if (!existsSync(path)) throw new RunError({ what: 'there is no comparison to read', where: path, remedy });
  const { value, files } = await readRecord(path, COMPARISON_SCHEMA_VERSION);
  if (files === undefined) {
    const { details } = otherVersion(path, value.schemaVersion, COMPARISON_SCHEMA_VERSION);
    const newer = Number(value.schemaVersion) > COMPARISON_SCHEMA_VERSION;
    throw new RunError({
      ...details,
      remedy: `${newer ? 'Update babelscope, or compare' : 'Compare'} the runs anew with this version, with the options of then: \`${commandAnew(folder, value)}\`.`,
    });
  }
  const parsed = comparisonSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new DamagedError({
    what: `field "${issue.path.join('.')}" of the comparison is unusable`,
    where: path,
    expected: issue.message,
    remedy,
  });
}

/** The command line that makes a comparison of another schema anew, with its labels if they are where they are today. */
function commandAnew(folder: string, value: unknown): string {
  const found = z.object({ runs: z.array(z.object({ label: z.string() })) }).safeParse(value);
  return commandOfLabels(found.data ?? { runs: [] }, []).replace('<folder>', quoted(folder));
}

type Option = readonly [name: string, value: string];

/** `babelscope compare` with these options; the runs are named by their labels, as a comparison holds no paths. */
function commandOfLabels(
  { runs }: { readonly runs: readonly { label: string }[] },
  options: readonly Option[],
): string {
  const labels = runs.map(({ label }) => label);
  const named =
    labels.length === 0
      ? '<run> <run> …'
      : `${labels.map((label) => `<run of ${label}>`).join(' ')} --labels ${quoted(labels.join(','))}`;
  return [
    `babelscope compare ${named} --out <folder>`,
    ...options.map(([name, value]) => `--${name} ${quoted(value)}`),
  ].join(' ');
}

function optionsOf({ runs, groups, contrasts, seed }: Comparison): Option[] {
  const pairs = new Set(contrasts.map(({ from, to }) => `${from},${to}`));
  const steps = runs.flatMap(({ step }) => step ?? []);
  return [
    ...groups.map(({ name, languages }): Option => ['groups', `${name}=${languages.join(',')}`]),
    ...runs.flatMap(({ label, seeds }): Option[] =>
      seeds.length === 0
        ? []
        : [['seeds', `${label}=${seeds.map((_, i) => `<seed ${i + 2} of ${label}>`).join(',')}`]],
    ),
    ...[...pairs].map((pair): Option => ['contrast', pair]),
    ...(steps.length === 0 ? [] : [['steps', steps.join(',')] as const]),
    ...(seed === 0 ? [] : [['seed', String(seed)] as const]),
  ];
}
