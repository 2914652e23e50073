import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { RunError } from '../../errors.js';
import {
  checkListed,
  commandOf,
  DamagedError,
  otherVersion,
  type ReadRecord,
  readManifest,
  readRecord,
  readTable,
  type Table,
} from '../../store/index.js';
import { SCORES_FILE, SCORES_SCHEMA_VERSION, type ScoreSummary } from './summary.js';
import { SCORE_TABLES, type ScoreTableName } from './write-scores.js';

/** Of `scores.json` its readers rely on these. */
const summarySchema = z.object({
  schema: z.literal('babelscope/scores'),
  planSha256: z.string(),
  seed: z.number(),
  splits: z.number(),
  resampling: z.object({ draws: z.number(), permutations: z.number(), seed: z.number() }).nullable(),
  units: z.array(z.object({ type: z.string(), scores: z.array(z.string()) })),
  reliability: z.array(
    z.object({
      type: z.string(),
      score: z.string(),
      halves: z.number().nullable(),
      stepUp: z.number().nullable(),
    }),
  ),
  skipped: z.array(z.object({ type: z.string(), score: z.string(), reason: z.string() })),
});

/** `scores.json` as it was written, with the list of its tables. */
export interface ListedScores extends ReadRecord {
  readonly summary: ScoreSummary;
}

/**
 * Reads `scores.json` of a run; null of a run that is not scored.
 *
 * @throws DamagedError if its bytes are not those that were written; RunError if it is of another version
 */
export async function readSummary(folder: string): Promise<ListedScores | null> {
  const path = join(folder, SCORES_FILE);
  if (!existsSync(path)) return null;
  const record = await readRecord(path, SCORES_SCHEMA_VERSION);
  if (record.files === undefined) throw otherVersion(path, record.value.schemaVersion, SCORES_SCHEMA_VERSION);
  const parsed = summarySchema.safeParse(record.value);
  if (parsed.success) return { ...record, summary: record.value as unknown as ScoreSummary };
  const issue = parsed.error.issues[0]!;
  throw new DamagedError({
    what: `field "${issue.path.join('.')}" of the scores is unusable`,
    where: path,
    expected: issue.message,
    remedy: 'Run `babelscope score` again with this version.',
  });
}

/**
 * Checks that a table of a scored run, or of an imported selection, is the one that was written with the others, and for
 * this capture.
 *
 * @throws DamagedError if it is missing, damaged or of another scoring; RunError if the run is not scored, or was captured
 *   anew since
 */
export async function checkScoreTable(folder: string, name: ScoreTableName): Promise<void> {
  const file = `${name}.parquet`;
  const selection = join(folder, 'selection.json');
  if (existsSync(selection)) {
    return checkListed(folder, 'selection.json', await readRecord(selection, null), file);
  }
  const scores = await readSummary(folder);
  if (scores === null) {
    throw new RunError({
      what: existsSync(join(folder, file)) ? 'the table lies without scores.json' : 'there is no such table',
      where: join(folder, file),
      expected: 'a run that was scored',
      remedy: 'score the run first: babelscope score <run>',
    });
  }
  await checkListed(folder, SCORES_FILE, scores, file);
  const { planSha256 } = await readManifest(folder);
  if (planSha256 === scores.summary.planSha256) return;
  throw new RunError({
    what: 'the scores are of another capture than the run beside them',
    where: join(folder, SCORES_FILE),
    expected: `plan ${planSha256.slice(0, 12)}`,
    found: `plan ${scores.summary.planSha256.slice(0, 12)}`,
    remedy: `score the run again: ${commandOf(folder, scores)}`,
  });
}

/**
 * Reads a run's `units.parquet`, `unit_languages.parquet` or `alignment.parquet`: columns by name, and what the table says of itself.
 *
 * @param columns names; default all.
 * @throws DamagedError and RunError as `checkScoreTable` does; RunError if it is no such table.
 */
export async function readScores(
  folder: string,
  name: ScoreTableName,
  columns?: readonly string[],
): Promise<Table> {
  await checkScoreTable(folder, name);
  const path = join(folder, `${name}.parquet`);
  const table = await readTable(path, columns);
  const { schema } = table.metadata;
  const expected = SCORE_TABLES[name];
  if (schema === expected) return table;
  throw new RunError({
    what: 'the table is not what its name says',
    where: path,
    expected: `schema ${expected}`,
    found: schema ?? 'no schema',
    remedy: 'write it again with `babelscope score`',
  });
}
