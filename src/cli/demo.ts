import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from '@commander-js/extra-typings';
import { compareRuns, type RunToCompare, writeComparison } from '../compare/index.js';
import { UsageError } from '../errors.js';
import { CALLS, plantedDemo, verdictsOf } from '../planted/index.js';
import { loadProbes } from '../probes/index.js';
import { writeReport } from '../report/index.js';
import { scoreRun } from '../scores/index.js';
import { captureWithProgress } from './capture.js';
import { printComparison } from './compare.js';
import { uncertaintyOption } from './score.js';
import { formatTable, interruptSignal, print, say } from './terminal.js';

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
/** With 300 of 400 messages the whole demo, nine checkpoints on both sets, stays within six minutes on two cores. */
const PROBE_SETS: readonly ProbesToRun[] = [{ set: 'facts' }, { set: 'pydocs', items: 300 }];

/** What `--quick` leaves. */
const QUICK: { readonly probes: readonly ProbesToRun[] } = { probes: [{ set: 'facts', items: 300 }] };

export function demoCommand() {
  return new Command('demo')
    .option('--out <folder>', 'where runs, comparisons, pages and figures go', 'babelscope-demo')
    .option('--quick', 'less of everything, in under a minute and a half; says what it leaves out')
    .option(
      '--planted',
      'known answers instead: plant language-tied neurons and look for them, and compare nothing with nothing',
    )
    .addOption(uncertaintyOption())
    .action(async ({ out, planted, quick, uncertainty }) => {
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
      if (quick) {
        say(
          `Quick: ${regimes.join(', ')} on ${QUICK.probes.map(inWords).join(', ')}. Left out: ${[
            ...PROBE_SETS.filter(({ set }) => !QUICK.probes.some((one) => one.set === set)).map(
              ({ set }) => `the probe set ${set}`,
            ),
            'further training seeds',
            'the remaining items',
            'scores of single runs',
          ].join(', ')}.`,
        );
      }
      if (!quick && !existsSync(SEEDS))
        say(
          'There are no further training seeds here (they are in the repository): seed floors are not measured.',
        );
      const pages: string[] = [];
      const phases = new Phases();
      for (const { set, items } of quick ? QUICK.probes : PROBE_SETS) {
        if (items !== undefined && !quick) say(`\nFrom here on ${inWords({ set, items })}.`);
        const probes = await loadProbes(set, {
          languages: LANGUAGES,
          ...(items !== undefined && { limit: items }),
        });
        const captureOf = async (name: string, checkpoint: string) => {
          const folder = join(out, 'runs', `${name}-${set}${quick ? '-quick' : ''}`);
          const title = `${name} on ${set}`;
          say(`\n${title}`);
          await phases.time(
            'capture',
            captureWithProgress({ checkpoint, probes, out: folder, signal }, title),
          );
          return folder;
        };
        const runs: RunToCompare[] = [];
        for (const regime of regimes) {
          const folder = await captureOf(regime, join(CHECKPOINTS, regime));
          if (!quick && regime === regimes[0]) {
            await phases.time('score', scoreRun(folder, { uncertainty, signal }));
            say(`Scored ${folder}; \`babelscope score <run>\` scores the others, comparing needs no scores.`);
          }
          const seeds: string[] = [];
          for (const seed of quick ? [] : seedsOf(regime))
            seeds.push(await captureOf(seed, join(SEEDS, seed)));
          runs.push({ folder, label: regime, seeds });
        }
        const contrasts = CONTRAST.every((regime) => regimes.includes(regime)) ? [CONTRAST] : undefined;
        const comparison = await phases.time(
          'compare',
          compareRuns(runs, { groups: GROUPS, contrasts, signal }),
        );
        const folder = join(out, quick ? `${set}-quick` : set);
        await writeComparison(folder, comparison);
        await phases.time('report', writeReport(comparison, folder));
        printComparison(comparison);
        pages.push(join(folder, 'report.html'));
      }
      say('');
      for (const page of pages) say(`open ${page} (figures and tables beside it)`);
      say(phases.inWords());
    });
}

interface ProbesToRun {
  readonly set: string;
  /** At most; all where absent. */
  readonly items?: number;
}

function inWords({ set, items }: ProbesToRun): string {
  return items === undefined ? set : `the first ${items} items of ${set}`;
}

/** Where the time went. */
class Phases {
  readonly #seconds = new Map<string, number>();
  readonly #started = performance.now();

  async time<T>(phase: string, work: Promise<T>): Promise<T> {
    const start = performance.now();
    const result = await work;
    this.#seconds.set(phase, (this.#seconds.get(phase) ?? 0) + (performance.now() - start) / 1000);
    return result;
  }

  inWords(): string {
    const total = (performance.now() - this.#started) / 1000;
    const parts = [...this.#seconds].map(([phase, seconds]) => `${phase} ${seconds.toFixed(0)} s`);
    return `${total.toFixed(0)} s: ${parts.join(', ')}`;
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
  print(
    formatTable(
      ['strength', ...CALLS],
      strengths.map((s) => [String(s), ...CALLS.map((call) => recall(s, call))]),
    ),
  );
  const measured = verdictsOf(nothing).filter(({ verdict }) => verdict !== 'not measured');
  const changes = measured.filter(({ verdict }) => verdict === 'changed').length;
  print(
    `\nThe checkpoint against itself and against a copy moved by bfloat16 rounding: ${changes} of ${measured.length} verdicts say changed.`,
  );
  say(`\nwrote ${join(out, 'known-answers.json')}`);
}
