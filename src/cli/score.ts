import { Command } from '@commander-js/extra-typings';
import {
  SCORE_DEFINITIONS,
  type ScoreSummary,
  type SkippedScore,
  scoreNames,
  scoreRun,
} from '../scores/index.js';
import type { ScoredType } from '../store/index.js';
import { choice, parseList, parsePositiveInteger, parseSeed } from './options.js';
import { interruptSignal, printJson, printTable, say, withLayerProgress } from './terminal.js';

export function scoreCommand() {
  return new Command('score')
    .argument('<run>', 'a captured run')
    .option(
      '--scores <names>',
      `only these scores, comma-separated, of ${scoreNames(SCORE_DEFINITIONS).join(', ')} (default: all the run has data for)`,
      parseList,
    )
    .addOption(uncertaintyOption())
    .option('--draws <n>', 'bootstrap draws of --uncertainty full (default: 1000)', parsePositiveInteger)
    .option(
      '--permutations <n>',
      'permutations of --uncertainty full (default: 1000); no p is below 1 / (n + 1)',
      parsePositiveInteger,
    )
    .option('--threads <n>', 'threads (default: the physical cores, at most 8)', parsePositiveInteger)
    .option('--seed <n>', 'seed of random halves, draws and permutations', parseSeed, 0)
    .option('--overwrite', 'replace finer scores of the run: more of them, or more draws or permutations')
    .option('--json', 'print one JSON object')
    .action(async (run, { json, ...options }) => {
      const signal = interruptSignal();
      const summary = await withLayerProgress('score', (onLayer) =>
        scoreRun(run, { ...options, signal, onProgress: ({ done, layers }) => onLayer(done, layers) }),
      );
      if (json) printJson(summary);
      else printSummary(run, summary);
    });
}

/** How much is computed about how sure scores are. */
export function uncertaintyOption() {
  return choice(
    '--uncertainty <how much>',
    'basic: intervals from folds, and reliability; full: bootstrap intervals and permutation p and q of every unit too, which takes minutes to hours',
    ['basic', 'full'],
    'basic',
  );
}

function printSummary(run: string, summary: ScoreSummary): void {
  const number = (value: number | null) => (value === null ? '–' : value.toFixed(3));
  printTable(
    ['unit', 'score', 'reliability (halves)', 'stepped up'],
    summary.reliability.map((row) => [row.type, row.score, number(row.halves), number(row.stepUp)]),
  );
  for (const line of describeSkipped(summary.skipped)) say(line);
  const aligned = summary.alignment === null ? '' : ' alignment.parquet,';
  say(
    `\nwrote ${run}/units.parquet, unit_languages.parquet,${aligned} scores.json\nNext: babelscope compare ${run} <run> --out <folder>`,
  );
}

/** A line a reason: which scores of which units it rules out. */
export function describeSkipped(skipped: readonly SkippedScore[]): string[] {
  const reasons = new Map<string, Map<ScoredType, string[]>>();
  for (const { type, score, reason } of skipped) {
    const types = reasons.get(reason) ?? new Map<ScoredType, string[]>();
    reasons.set(reason, types.set(type, [...(types.get(type) ?? []), score]));
  }
  return [...reasons].map(([reason, types]) => {
    const what = [...types].map(([type, scores]) => `${scores.join(', ')} of ${PLURALS[type]}`).join('; ');
    return `not computed: ${what}: ${reason}`;
  });
}

const PLURALS: Readonly<Record<ScoredType, string>> = {
  neuron: 'neurons',
  head: 'heads',
  expert: 'experts',
  residual: 'residual dimensions',
};
