import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from '@commander-js/extra-typings';
import { capture } from '../capture/index.js';
import {
  againstReference,
  type Comparison,
  compareRuns,
  type RunToCompare,
  writeChanges,
  writeComparison,
} from '../compare/index.js';
import { UsageError } from '../errors.js';
import { CALLS, plantedDemo, verdictsOf } from '../planted/index.js';
import { loadProbes } from '../probes/index.js';
import { writeReport } from '../report/index.js';
import { scoreRun } from '../scores/index.js';
import { uncertaintyOption } from './score.js';
import { formatSeconds, interruptSignal, print, printTable, say, startProgress } from './terminal.js';

const CHECKPOINTS = fileURLToPath(new URL('../../demo/checkpoints', import.meta.url));
/** Further training seeds of some regimes, in folders such as `sft-2`; in the repository, not in the package. */
const SEEDS = fileURLToPath(new URL('../../demo/seeds', import.meta.url));
/** The languages the demo's model was trained on; the facts exist in more. */
const LANGUAGES = ['en', 'es', 'fr', 'ja', 'ko', 'pt', 'uk', 'zh'];
/** Which of them fine-tuning and GRPO trained. */
const GROUPS = [
  { name: 'seen', languages: ['en', 'es', 'fr', 'ja', 'uk', 'zh'] },
  { name: 'unseen', languages: ['ko', 'pt'] },
];
const REGIMES = ['base', 'cpt', 'sft', 'grpo', 'cpt+grpo'];
const CONTRAST = ['sft', 'grpo'] as const;

/** One comparison of the regimes on a probe set: the folder it goes to, and how many items it takes (default all). */
interface Comparing {
  readonly name: string;
  readonly probes: string;
  readonly items?: number;
  /** Whether further training seeds are captured too. */
  readonly seeds: boolean;
}

const SHORT: readonly Comparing[] = [{ name: 'short', probes: 'facts', items: 300, seeds: false }];
/** With 300 of 400 messages, nine checkpoints on both sets stay within six minutes on two cores. */
const FULL: readonly Comparing[] = [
  { name: 'facts', probes: 'facts', seeds: true },
  { name: 'pydocs', probes: 'pydocs', items: 300, seeds: true },
];

export function demoCommand() {
  return new Command('demo')
    .option('--out <folder>', 'where runs, comparisons, pages and figures go', 'babelscope-demo')
    .option('--full', 'two probe sets, all items and further training seeds, in some minutes')
    .option(
      '--planted',
      'known answers instead: plant language-tied neurons and look for them, and compare nothing with nothing',
    )
    .addOption(uncertaintyOption())
    .action(async ({ out, planted, full, uncertainty }) => {
      const signal = interruptSignal();
      if (planted) {
        await knownAnswers(join(out, 'planted'), signal);
        return;
      }
      const regimes = REGIMES.filter((regime) => existsSync(join(CHECKPOINTS, regime)));
      if (regimes.length === 0) {
        throw new UsageError({
          what: 'the demo has no checkpoints',
          where: CHECKPOINTS,
          remedy: 'install babelscope again',
        });
      }
      if (full && !existsSync(SEEDS)) {
        say(
          'Further training seeds are in the repository alone: whether another training changes the same is not measured here.',
        );
      }
      const comparings = full ? FULL : SHORT;
      // Each comparison captures its checkpoints, scores one, compares all and draws.
      const checkpoints = (seeds: boolean) => regimes.length + (seeds ? regimes.flatMap(seedsOf).length : 0);
      const steps = new Steps(comparings.reduce((sum, { seeds }) => sum + checkpoints(seeds) + 3, 0));
      const pages: string[] = [];
      for (const comparing of comparings) {
        const { comparison, runs } = await compareRegimes(comparing, regimes, steps, {
          out,
          uncertainty,
          signal,
        });
        const folder = join(out, comparing.name);
        await writeComparison(folder, comparison);
        await writeChanges(folder, runs, { units: comparison.units, signal });
        await steps.run('report', `draw ${folder}`, () => writeReport(comparison, folder));
        printCounts(comparison, comparing);
        pages.push(join(folder, 'report.html'));
      }
      if (!full) {
        say(
          '\nThis was the short demo. It left out the other items of facts, the probe set pydocs and further training ' +
            'seeds; --full has them.',
        );
      }
      say(steps.inWords());
      say(`Open ${pages.join(' and ')}`);
    });
}

/** Captures each regime (and its seeds), scores the first and compares them all. */
async function compareRegimes(
  { name, probes: set, items, seeds }: Comparing,
  regimes: readonly string[],
  steps: Steps,
  { out, uncertainty, signal }: { out: string; uncertainty: 'basic' | 'full'; signal: AbortSignal },
): Promise<{ readonly comparison: Comparison; readonly runs: readonly RunToCompare[] }> {
  const probes = await loadProbes(set, {
    languages: LANGUAGES,
    ...(items !== undefined && { limit: items }),
  });
  const captured = async (regime: string, checkpoint: string): Promise<string> => {
    const folder = join(out, 'runs', `${regime}-${name}`);
    await steps.run('capture', `capture ${regime} on ${set}`, (onProgress) =>
      capture({
        checkpoint,
        probes,
        out: folder,
        signal,
        onProgress: ({ tokensDone, tokensTotal, tokensPerSecond }) =>
          onProgress(tokensDone, tokensTotal, `${Math.round(tokensPerSecond).toLocaleString('en')} tokens/s`),
      }),
    );
    return folder;
  };
  const runs: RunToCompare[] = [];
  for (const regime of regimes) {
    const folder = await captured(regime, join(CHECKPOINTS, regime));
    const others: string[] = [];
    for (const seed of seeds ? seedsOf(regime) : []) others.push(await captured(seed, join(SEEDS, seed)));
    runs.push({ folder, label: regime, seeds: others });
  }
  await steps.run('score', `score ${regimes[0]} on ${set}`, (onProgress) =>
    scoreRun(runs[0]!.folder, {
      uncertainty,
      signal,
      onProgress: ({ done, layers }) => onProgress(done, layers),
    }),
  );
  const contrasts = CONTRAST.every((regime) => regimes.includes(regime)) ? [CONTRAST] : undefined;
  const comparison = await steps.run(
    'compare',
    `compare ${runs.length} checkpoints on ${set}`,
    (onProgress) =>
      compareRuns(runs, {
        groups: GROUPS,
        contrasts,
        signal,
        onProgress: ({ done, total }) => onProgress(done, total),
      }),
  );
  return { comparison, runs };
}

/** How many measures changed from the reference to each regime. */
function printCounts(comparison: Comparison, { probes, items }: Comparing): void {
  const [reference, ...others] = comparison.runs.map(({ label }) => label);
  const count = (regime: string) =>
    comparison.units.map(({ type }) => {
      const measured = againstReference(comparison, type).filter(
        ({ to, test }) => to === regime && test.finding !== 'not measured',
      );
      return `${measured.filter(({ test }) => test.finding === 'changed').length} of ${measured.length}`;
    });
  print(`\nMeasures found changed, on ${items ?? 'all'} items of ${probes}:`);
  printTable(
    [`${reference} →`, ...comparison.units.map(({ type }) => `${type}s`)],
    others.map((regime) => [regime, ...count(regime)]),
  );
}

/** Draws one line of progress over all steps of the demo, and adds up where the time went. */
class Steps {
  readonly #seconds = new Map<string, number>();
  readonly #started = performance.now();
  readonly #total: number;
  #done = 0;

  constructor(total: number) {
    this.#total = total;
  }

  async run<T>(
    phase: string,
    title: string,
    work: (onProgress: (done: number, total: number, rate?: string) => void) => Promise<T>,
  ): Promise<T> {
    const start = performance.now();
    const numbered = `${this.#done + 1}/${this.#total} ${title}`;
    if (!process.stderr.isTTY) say(numbered);
    const progress = startProgress(numbered);
    try {
      return await work((done, total, rate) => {
        const seconds = (performance.now() - start) / 1000;
        progress.update({
          done,
          total,
          rate: rate ?? `${(done / seconds).toFixed(1)} layers/s`,
          secondsLeft: done === 0 ? null : (seconds * (total - done)) / done,
          label: `${formatSeconds((performance.now() - this.#started) / 1000)} so far`,
        });
      });
    } finally {
      progress.stop();
      this.#done++;
      const seconds = (performance.now() - start) / 1000;
      this.#seconds.set(phase, (this.#seconds.get(phase) ?? 0) + seconds);
    }
  }

  /** `41 s: capture 30 s, …` */
  inWords(): string {
    const total = (performance.now() - this.#started) / 1000;
    const parts = [...this.#seconds].map(([phase, seconds]) => `${phase} ${formatSeconds(seconds)}`);
    return `${formatSeconds(total)}: ${parts.join(', ')}`;
  }
}

/** `sft-2`, `sft-3` of `sft`; none where the package came without them. */
function seedsOf(regime: string): string[] {
  if (!existsSync(SEEDS)) return [];
  return readdirSync(SEEDS)
    .filter((name) => name.startsWith(`${regime}-`) && /^\d+$/.test(name.slice(regime.length + 1)))
    .sort();
}

async function knownAnswers(out: string, signal: AbortSignal): Promise<void> {
  const { recovery, nothing } = await plantedDemo({
    checkpoint: join(CHECKPOINTS, 'base'),
    probes: 'pydocs',
    languages: LANGUAGES,
    out,
    signal,
    onProgress: say,
  });
  const strengths = [...new Set(recovery.map(({ strength }) => strength))];
  const recall = (strength: number, call: string) => {
    const point = recovery.find((one) => one.strength === strength && one.call === call);
    return point === undefined ? '–' : `${point.found} of ${point.planted}`;
  };
  print(
    '\nPlanted neurons found (gap between languages in standard deviations within them), by score or policy:',
  );
  printTable(
    ['strength', ...CALLS],
    strengths.map((s) => [String(s), ...CALLS.map((call) => recall(s, call))]),
  );
  const measured = verdictsOf(nothing).filter(({ verdict }) => verdict !== 'not measured');
  const changes = measured.filter(({ verdict }) => verdict === 'changed').length;
  print(
    `\nThe checkpoint against itself and against a copy moved by bfloat16 rounding: ${changes} of ${measured.length} numbers lie beyond the noise floor.`,
  );
  say(`\nwrote ${join(out, 'known-answers.json')}`);
}
