import { UsageError } from '../../errors.js';
import { commandOf } from '../../store/index.js';
import { readSummary } from '../tables/read-scores.js';
import type { ScoreSummary } from '../tables/summary.js';

/** How much a scoring computes: each key a count, of which more is finer. */
type Fineness = ReadonlyMap<string, number>;

/** What decides it of a scoring that is planned. */
export type PlannedScores = Pick<ScoreSummary, 'planSha256' | 'resampling' | 'splits'> & {
  readonly units: readonly Pick<ScoreSummary['units'][number], 'type' | 'scores'>[];
};

/**
 * Refuses to put a scoring in the place of one of the same run that has more: further scores, permutations, draws or
 * random halves. Scores that are damaged, of another capture or of another version are no loss.
 *
 * @throws UsageError
 */
export async function refuseCoarser(folder: string, planned: PlannedScores): Promise<void> {
  const found = await readSummary(folder).catch(() => null);
  if (found === null || found.summary.planSha256 !== planned.planSha256) return;
  const [old, own] = [finenessOf(found.summary), finenessOf(planned)];
  const lost = [...old].filter(([name, count]) => count > (own.get(name) ?? 0));
  if (lost.length === 0) return;
  throw new UsageError({
    what: 'the run has finer scores, which these would replace',
    where: folder,
    expected: lost.map(([name, count]) => (count === 1 ? name : `${count} ${name}`)).join(', '),
    found: lost.map(([name]) => `${own.get(name) ?? 0} ${name}`).join(', '),
    remedy: `ask for as much (${commandOf(folder, found)}), or give --overwrite`,
  });
}

function finenessOf({ resampling, splits, units }: Omit<PlannedScores, 'planSha256'>): Fineness {
  return new Map([
    ...units.flatMap(({ type, scores }) => scores.map((score) => [`${score} of ${type}s`, 1] as const)),
    ['bootstrap draws', resampling?.draws ?? 0],
    ['permutations', resampling?.permutations ?? 0],
    ['random halves', splits],
  ]);
}
