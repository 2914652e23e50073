import { readSummary } from '../scores/index.js';
import { UNIT_TYPES, type UnitType } from '../store/index.js';
import type { Comparison } from './comparison.js';
import type { RunSource } from './inputs/run-source.js';
import type { RunWarning } from './run-warnings.js';

type Reliability = Comparison['reliability'];

/**
 * Reliabilities of a run from its `scores.json`; of a run that was not scored, or captured anew since, those the
 * comparison computed itself, with a warning.
 *
 * @throws DamagedError if `scores.json` is damaged; RunError if it is of another version.
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
  const scores = await readSummary(folder);
  if (scores === null) return instead('the run is not scored');
  const { planSha256, skipped, reliability } = scores.summary;
  if (planSha256 !== manifest.planSha256) return instead('the scores are of another capture');
  return {
    reliability: reliability.flatMap(({ type, score, halves, stepUp }) =>
      isUnitType(type) ? [{ label, type, score, halves, stepUp }] : [],
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
