import { UsageError } from '../errors.js';
import { LAYER_ARRAYS } from '../store/manifest.js';
import type { ItemsName, RunLayer } from '../store/open-run.js';
import { SCORE_NAMES, SCORED_TYPES, type ScoredType, type ScoreName, type SkippedScore } from './types.js';

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

/** Pooled values that item scores of a type are made of. */
export const ITEM_ARRAYS: Readonly<Record<ScoredType, ItemsName>> = {
  neuron: LAYER_ARRAYS.mlpItems,
  head: LAYER_ARRAYS.headNormItems,
  residual: LAYER_ARRAYS.residItems,
};

const RECORDED: Readonly<Record<ScoredType, readonly (keyof typeof LAYER_ARRAYS)[]>> = {
  neuron: ['mlpFire'],
  head: ['headNormSum', 'headImportanceSum'],
  residual: ['residSum'],
};

/** What a run has not recorded where it lacks these. */
const LACKING: Readonly<Record<ScoredType, string>> = {
  neuron: 'firing of neurons (mlp.hook_pre)',
  head: 'norms of heads (attn.hook_z)',
  residual: 'residual stream; capture with --hooks hook_resid_post',
};

/** Scores of the grid of items and languages. */
const PARALLEL: ReadonlySet<ScoreName> = new Set(['twoWay', 'vectorShare', 'alignment']);

/** Scores that need every language of an item. */
const FULL_GRID: ReadonlySet<ScoreName> = new Set(['twoWay', 'vectorShare']);

/** Which units of a run can be scored, and which of the scores asked for can be computed. */
export interface Available {
  readonly scores: ReadonlyMap<ScoredType, ReadonlySet<ScoreName>>;
  readonly skipped: readonly SkippedScore[];
}

/**
 * What the arrays of a layer, and the number of items that every language has, allow.
 *
 * @param asked null: whatever the run has data for. What a hook that was not asked for would have given is then no
 *   score that is missing.
 * @param parallel Whether items have several languages.
 */
export function availableScores(
  { names }: RunLayer,
  asked: ReadonlySet<ScoreName> | null,
  keep: 'items' | 'folds',
  completeItems: number,
  languages: number,
  parallel: boolean,
  mixture: boolean,
): Available {
  const scores = new Map<ScoredType, ReadonlySet<ScoreName>>();
  const skipped: SkippedScore[] = [];
  const noItems =
    keep === 'folds'
      ? 'the run keeps no pooled values; capture with --keep items'
      : 'the run has no pooled values of these units';
  for (const type of SCORED_TYPES) {
    // Their layers differ in width, and their rates in what they are divided by.
    const ofExperts = mixture && type === 'neuron';
    const recorded = RECORDED[type].some((array) => names.has(LAYER_ARRAYS[array])) && !ofExperts;
    const reasonAgainst = (score: ScoreName): string | null => {
      if (ofExperts) return 'neurons of a mixture of experts are recorded, but not scored by this version';
      if (!recorded) return `the run recorded no ${LACKING[type]}`;
      if (score === 'pattern') {
        return names.has(LAYER_ARRAYS.patternEntropySum)
          ? null
          : 'the run recorded no attention patterns; capture with --hooks attn.hook_pattern';
      }
      if (languages < 2) return 'the run has one language';
      if (score === 'lape') return null;
      if (PARALLEL.has(score) && !parallel) {
        return 'the items of a language are its own: there is no grid of items and languages';
      }
      if (!names.has(score === 'vectorShare' ? LAYER_ARRAYS.headItems : ITEM_ARRAYS[type])) return noItems;
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

/** A residual dimension does not fire; vectors and patterns are those of heads, alignment that of the residual stream. */
function applies(score: ScoreName, type: ScoredType): boolean {
  if (score === 'alignment') return type === 'residual';
  if (score === 'lape') return type !== 'residual';
  return type === 'head' || (score !== 'vectorShare' && score !== 'pattern');
}
