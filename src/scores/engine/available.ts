import { UsageError } from '../../errors.js';
import {
  ITEM_ARRAYS,
  type LayerArrayName,
  type RunManifest,
  SCORED_TYPES,
  type ScoredType,
  type StatisticName,
} from '../../store/index.js';
import type { ScoreDefinition } from '../definition.js';
import type { ScoreName, SkippedScore } from '../tables/summary.js';

/** Every name that `--scores` takes, in the order of the list. */
export function scoreNames(definitions: readonly ScoreDefinition[]): ScoreName[] {
  return [...new Set(definitions.flatMap(({ asked }) => asked ?? []))];
}

/** Checks names given by a user. @throws UsageError */
export function parseScoreNames(
  names: readonly string[],
  definitions: readonly ScoreDefinition[],
): ReadonlySet<ScoreName> {
  const known = scoreNames(definitions);
  for (const name of names) {
    if (!known.includes(name)) {
      throw new UsageError({
        what: `there is no score ${JSON.stringify(name)}`,
        where: '--scores',
        expected: known.join(', '),
        remedy: 'name scores from this list, separated by commas',
      });
    }
  }
  return new Set(names);
}

/** Definitions that a type of units has, among those that were asked for or are always given. */
export function definitionsOf(
  definitions: readonly ScoreDefinition[],
  type: ScoredType,
  asked: ReadonlySet<ScoreName>,
): ScoreDefinition[] {
  return definitions.filter(
    ({ types, asked: name }) => types.includes(type) && (name === null || asked.has(name)),
  );
}

const RECORDED: Readonly<Record<ScoredType, readonly StatisticName[]>> = {
  neuron: ['mlp.fire', 'mlp.rate.sum'],
  head: ['head.norm.sum', 'head.importance.sum'],
  expert: ['expert.count'],
  residual: ['resid.sum'],
};

/** Reasons name this where a run has not recorded it. */
const LACKING: Readonly<Record<ScoredType, string>> = {
  neuron: 'firing of neurons (mlp.hook_pre)',
  head: 'norms of heads (attn.hook_z)',
  expert: 'routing (mlp.hook_router)',
  residual: 'residual stream; capture with --hooks hook_resid_post',
};

const NOT_IMPORTED = 'what was imported does not tell; capture the checkpoint itself for it';

/** The contents of a run that decide which scores can be computed: arrays of its layers, items that every language has. */
interface RunHoldings {
  readonly manifest: RunManifest;
  readonly names: ReadonlySet<LayerArrayName>;
  readonly completeItems: number;
}

/**
 * Tells which units of a run can be scored, and which of the scores asked for can be computed.
 *
 * @param asked null: whatever the run has data for. What a hook that was not asked for would have given is then no
 *   score that is missing.
 */
export function availableScores(
  definitions: readonly ScoreDefinition[],
  run: RunHoldings,
  asked: ReadonlySet<ScoreName> | null,
): { readonly scores: ReadonlyMap<ScoredType, ReadonlySet<ScoreName>>; readonly skipped: SkippedScore[] } {
  const scores = new Map<ScoredType, ReadonlySet<ScoreName>>();
  const skipped: SkippedScore[] = [];
  for (const type of SCORED_TYPES) {
    const own = new Map(
      definitions.flatMap((definition) =>
        definition.asked !== null && definition.types.includes(type)
          ? [[definition.asked, definition] as const]
          : [],
      ),
    );
    if (type === 'expert' && run.manifest.shape.mixture === null) {
      for (const [score, { types }] of own) {
        if (asked?.has(score) && types.length === 1) {
          skipped.push({ type, score, reason: 'the model has no experts' });
        }
      }
      continue;
    }
    const recorded = RECORDED[type].some((array) => run.names.has(array));
    const computed = new Set<ScoreName>();
    for (const score of asked ?? own.keys()) {
      const definition = own.get(score);
      if (definition === undefined) continue;
      const reason = reasonAgainst(definition, type, recorded, run);
      if (reason === null) computed.add(score);
      else if (asked !== null || ((type !== 'residual' || recorded) && !needsHook(definition))) {
        skipped.push({ type, score, reason });
      }
    }
    if (recorded) scores.set(type, computed);
  }
  return { scores, skipped };
}

function needsHook(definition: ScoreDefinition): boolean {
  return definition.from === 'folds' && definition.needs !== undefined;
}

function reasonAgainst(
  definition: ScoreDefinition,
  type: ScoredType,
  recorded: boolean,
  { manifest: { plan, shape, probe, imported }, names, completeItems }: RunHoldings,
): string | null {
  const { from } = definition;
  const ofRates = from === 'folds' && definition.needs === undefined;
  if (imported && !(recorded && ofRates)) return NOT_IMPORTED;
  if (!recorded) return `the run recorded no ${LACKING[type]}`;
  if (from === 'folds' && definition.needs !== undefined) {
    return names.has(definition.needs.array) ? null : definition.needs.reason;
  }
  if (plan.languages.length < 2) return 'the run has one language';
  if (from === 'folds') return null;
  if (from !== 'prompts' && probe.parallel === false) {
    return 'the items of a language are its own: there is no grid of items and languages';
  }
  if (!names.has(from === 'vectors' ? 'head.items' : ITEM_ARRAYS[type])) {
    if (plan.keep === 'folds') return 'the run keeps no pooled values; capture with --keep items';
    return shape.mixture !== null && type === 'neuron'
      ? 'the run keeps no pooled values of neurons of routed experts, and there are no others; capture with --keep expert-items'
      : 'the run has no pooled values of these units';
  }
  if ((from === 'values' || from === 'vectors') && completeItems < 2) {
    return `fewer than two items have every language (${completeItems})`;
  }
  return null;
}
