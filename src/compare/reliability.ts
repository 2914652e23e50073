import { readSummary } from '../scores/index.js';
import { UNIT_TYPES, type UnitType } from '../store/index.js';
import type { Comparison } from './comparison.js';
import type { RunSource } from './inputs/run-source.js';
import type { RunWarning } from './run-warnings.js';

export interface RunReliability {
  readonly type: UnitType;
  readonly score: string;
  readonly halves: number | null;
  readonly stepUp: number | null;
}

/**
 * Reliabilities of a run from its `scores.json`; of a run that was not scored, or captured anew since, those the
 * comparison computed itself, with a warning.
 *
 * @throws DamagedError if `scores.json` is damaged; RunError if it is of another version.
 */
export async function reliabilityOf(
  { folder, label, manifest }: RunSource,
  computed: readonly RunReliability[],
): Promise<{ readonly reliability: Comparison['reliability']; readonly warnings: readonly RunWarning[] }> {
  const own = (rows: readonly RunReliability[]) =>
    rows.map(({ type, score, halves, stepUp }) => ({ label, type, score, halves, stepUp }));
  const warning = (text: string): RunWarning => ({ label, against: null, text });
  const instead = (why: string) => ({
    reliability: own(computed),
    warnings: [
      warning(`${why}; reliability is given for what the comparison computes. Run \`babelscope score\`.`),
    ],
  });
  const scores = await readSummary(folder);
  if (scores === null) return instead('the run is not scored');
  const { planSha256, skipped } = scores.summary;
  const reliability = scores.summary.reliability.flatMap(({ type, ...row }): RunReliability[] =>
    isUnitType(type) ? [{ type, ...row }] : [],
  );
  if (planSha256 !== manifest.planSha256) return instead('the scores are of another capture');
  return {
    reliability: own(reliability),
    warnings: skipped.map(({ type, score, reason }) =>
      warning(`${score} of ${type}s was not computed (${reason}).`),
    ),
  };
}

/** Residual dimensions are scored and not compared. */
function isUnitType(type: string): type is UnitType {
  return (UNIT_TYPES as readonly string[]).includes(type);
}
