import { UsageError } from '../errors.js';
import {
  ITEM_ARRAYS,
  type LayerArrayName,
  type RunPlan,
  SCORED_TYPES,
  type ScoredType,
  type StatisticName,
} from '../store/index.js';
import { SCORE_NAMES, type ScoreName, type SkippedScore } from './types.js';

/** Checks names given by a user. @throws UsageError */
export function parseScoreNames(names: readonly string[] = SCORE_NAMES): ReadonlySet<ScoreName> {
  for (const name of names) {
    if (!isScoreName(name)) {
      throw new UsageError({
        what: `there is no score ${JSON.stringify(name)}`,
        where: '--scores',
        expected: SCORE_NAMES.join(', '),
        remedy: 'name scores from this list, separated by commas',
      });
    }
  }
  return new Set(names.filter(isScoreName));
}

function isScoreName(name: string): name is ScoreName {
  return (SCORE_NAMES as readonly string[]).includes(name);
}

const RECORDED: Readonly<Record<ScoredType, readonly StatisticName[]>> = {
  neuron: ['mlp.fire'],
  head: ['head.norm.sum', 'head.importance.sum'],
  expert: ['expert.count'],
  residual: ['resid.sum'],
};

/** What a run has not recorded where it lacks these. */
const LACKING: Readonly<Record<ScoredType, string>> = {
  neuron: 'firing of neurons (mlp.hook_pre)',
  head: 'norms of heads (attn.hook_z)',
  expert: 'routing (mlp.hook_router)',
  residual: 'residual stream; capture with --hooks hook_resid_post',
};

const NOT_IMPORTED = 'what was imported does not tell; capture the checkpoint itself for it';

/** Scores of the grid of items and languages. */
const PARALLEL: ReadonlySet<ScoreName> = new Set(['twoWay', 'vectorShare', 'alignment']);

/** Scores that need every language of an item. */
const FULL_GRID: ReadonlySet<ScoreName> = new Set(['twoWay', 'vectorShare']);

/** Scores that need no pooled values. */
const OF_RATES: ReadonlySet<ScoreName> = new Set(['lape', 'exclusivity']);

/** Which units of a run can be scored, and which of the scores asked for can be computed. */
export interface Available {
  readonly scores: ReadonlyMap<ScoredType, ReadonlySet<ScoreName>>;
  readonly skipped: readonly SkippedScore[];
}

/**
 * What the arrays of a run's layers, and the number of items that every language has, allow.
 *
 * @param asked null: whatever the run has data for. What a hook that was not asked for would have given is then no
 *   score that is missing.
 * @param parallel Whether items have several languages.
 * @param mixture Whether the model has experts.
 * @param imported Whether another program counted what the run holds.
 */
export function availableScores(
  names: ReadonlySet<LayerArrayName>,
  asked: ReadonlySet<ScoreName> | null,
  keep: RunPlan['keep'],
  completeItems: number,
  languages: number,
  parallel: boolean,
  mixture: boolean,
  imported: boolean,
): Available {
  const scores = new Map<ScoredType, ReadonlySet<ScoreName>>();
  const skipped: SkippedScore[] = [];
  const noItems = (type: ScoredType) => {
    if (keep === 'folds') return 'the run keeps no pooled values; capture with --keep items';
    return mixture && type === 'neuron'
      ? 'the run keeps no pooled values of neurons of routed experts, and there are no others; capture with --keep expert-items'
      : 'the run has no pooled values of these units';
  };
  for (const type of SCORED_TYPES) {
    if (type === 'expert' && !mixture) {
      if (asked?.has('exclusivity')) {
        skipped.push({ type, score: 'exclusivity', reason: 'the model has no experts' });
      }
      continue;
    }
    const recorded = RECORDED[type].some((array) => names.has(array));
    const reasonAgainst = (score: ScoreName): string | null => {
      if (imported && !(recorded && OF_RATES.has(score))) return NOT_IMPORTED;
      if (!recorded) return `the run recorded no ${LACKING[type]}`;
      if (score === 'pattern') {
        return names.has('head.pattern.entropy.sum')
          ? null
          : 'the run recorded no attention patterns; capture with --hooks attn.hook_pattern';
      }
      if (languages < 2) return 'the run has one language';
      if (OF_RATES.has(score)) return null;
      if (PARALLEL.has(score) && !parallel) {
        return 'the items of a language are its own: there is no grid of items and languages';
      }
      if (!names.has(score === 'vectorShare' ? 'head.items' : ITEM_ARRAYS[type])) return noItems(type);
      if (FULL_GRID.has(score) && completeItems < 2) {
        return `fewer than two items have every language (${completeItems})`;
      }
      return null;
    };
    const computed = new Set<ScoreName>();
    for (const score of asked ?? SCORE_NAMES) {
      if (!applies(score, type)) continue;
      const reason = reasonAgainst(score);
      if (reason === null) computed.add(score);
      else if (asked !== null || ((type !== 'residual' || recorded) && score !== 'pattern'))
        skipped.push({ type, score, reason });
    }
    if (recorded) scores.set(type, computed);
  }
  return { scores, skipped };
}

/**
 * A residual dimension does not fire; vectors and patterns are those of heads, alignment that of the residual stream; only
 * experts are chosen.
 */
function applies(score: ScoreName, type: ScoredType): boolean {
  if (score === 'alignment') return type === 'residual';
  if (score === 'lape') return type !== 'residual';
  if (score === 'exclusivity') return type === 'expert';
  return type === 'head' || (score !== 'vectorShare' && score !== 'pattern');
}
