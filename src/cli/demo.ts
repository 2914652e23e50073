import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from '@commander-js/extra-typings';
import { compareRuns, writeComparison } from '../compare/index.js';
import { writeReport } from '../report/index.js';
import { scoreRun } from '../scores/index.js';
import { CALLS, falseChanges, plantedDemo } from '../validation/index.js';
import { captureWithProgress } from './capture.js';
import { printHeadlines } from './compare.js';
import { formatTable, interruptSignal, print, say } from './terminal.js';

const CHECKPOINTS = fileURLToPath(new URL('../../demo/checkpoints', import.meta.url));
/** The languages the demo's model was trained on; the facts exist in more. */
const LANGUAGES = ['en', 'es', 'fr', 'ja', 'ko', 'pt', 'uk', 'zh'];
const REGIMES = ['base', 'sft'];
const PROBE_SETS = ['facts', 'pydocs'];

export function demoCommand() {
  return new Command('demo')
    .description('the whole job on the bundled checkpoints: capture, score, compare, report')
    .option('--out <folder>', 'where runs, comparisons, pages and figures go', 'babelscope-demo')
    .option(
      '--planted',
      'known answers instead: plant language-tied neurons and look for them, and compare nothing with nothing',
    )
    .action(async ({ out, planted }) => {
      const signal = interruptSignal();
      if (planted) {
        await knownAnswers(join(out, 'planted'), signal);
        return;
      }
      const pages: string[] = [];
      for (const probes of PROBE_SETS) {
        const runs: { folder: string; label: string }[] = [];
        for (const regime of REGIMES) {
          const folder = join(out, 'runs', `${regime}-${probes}`);
          say(`\n${regime} on ${probes}`);
          await captureWithProgress(
            {
              checkpoint: join(CHECKPOINTS, regime),
              probes,
              languages: LANGUAGES,
              out: folder,
              signal,
            },
            `${regime} on ${probes}`,
          );
          await scoreRun(folder, { signal });
          runs.push({ folder, label: regime });
        }
        const comparison = await compareRuns(runs, { signal });
        const folder = join(out, probes);
        await writeComparison(folder, comparison);
        await writeReport(comparison, folder);
        printHeadlines(comparison);
        pages.push(join(folder, 'report.html'));
      }
      say('');
      for (const page of pages) say(`open ${page} (figures and tables beside it)`);
    });
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
  const changes = falseChanges(nothing).length;
  const measured = nothing.units
    .flatMap(({ headlines }) => headlines)
    .filter((h) => h.verdict !== 'not measured').length;
  print(
    `\nThe checkpoint against itself and against a copy moved by bfloat16 rounding: ${changes} of ${measured} called changed.`,
  );
  say(`\nwrote ${join(out, 'known-answers.json')}`);
}
