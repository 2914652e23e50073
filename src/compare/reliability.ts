import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { RunError } from '../errors.js';
import { SCORES_SCHEMA_VERSION } from '../scores/index.js';
import { UNIT_TYPES, type UnitType } from '../store/index.js';
import type { Comparison } from './comparison.js';
import type { RunSource } from './inputs/run-source.js';
import type { RunWarning } from './run-warnings.js';

type Reliability = Comparison['reliability'];

/** A comparison takes these over from `scores.json`. */
const scoresSchema = z.object({
  schema: z.literal('babelscope/scores'),
  schemaVersion: z.number().int().max(SCORES_SCHEMA_VERSION),
  planSha256: z.string(),
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

/**
 * Reliabilities of a run from its `scores.json`; of a run that was not scored, or captured anew since, those the
 * comparison computed itself, with a warning.
 *
 * @throws RunError if `scores.json` is malformed or of a newer schema than this version knows.
 */
export async function reliabilityOf(
  { folder, label, manifest }: RunSource,
  computed: Reliability,
): Promise<{ readonly reliability: Reliability; readonly warnings: readonly RunWarning[] }> {
  const warning = (text: string): RunWarning => ({ label, against: null, text });
  const instead = (why: string) => ({
    reliability: computed,
    warnings: [
      warning(`${why}; reliability is given for what the comparison computes. Run \`babelscope score\`.`),
    ],
  });
  const path = join(folder, 'scores.json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    return instead('the run is not scored');
  }
  const parsed = scoresSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new RunError({
      what: `field "${issue.path.join('.')}" of the scores is unusable`,
      where: path,
      expected: issue.message,
      remedy: 'Run `babelscope score` again with this version.',
    });
  }
  const { planSha256, skipped, reliability } = parsed.data;
  if (planSha256 !== manifest.planSha256) return instead('the scores are of another capture');
  return {
    reliability: reliability.flatMap(({ type, ...row }) =>
      isUnitType(type) ? [{ label, type, ...row }] : [],
    ),
    warnings: skipped.map(({ type, score, reason }) =>
      warning(`${score} of ${type}s was not computed (${reason}).`),
    ),
  };
}

/** Residual dimensions are scored and not compared. */
function isUnitType(type: string): type is UnitType {
  return (UNIT_TYPES as readonly string[]).includes(type);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
