import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from '@commander-js/extra-typings';
import { compareRuns, writeComparison } from '../compare/index.js';
import { writeReport } from '../report/index.js';
import { scoreRun } from '../scores/index.js';
import { captureWithProgress } from './capture.js';
import { printHeadlines } from './compare.js';
import { interruptSignal, say } from './terminal.js';

const CHECKPOINTS = fileURLToPath(new URL('../../demo/checkpoints', import.meta.url));
/** The languages the demo's model was trained on; the facts exist in more. */
const LANGUAGES = ['en', 'es', 'fr', 'ja', 'ko', 'pt', 'uk', 'zh'];
const REGIMES = ['base', 'sft'];
const PROBE_SETS = ['facts', 'pydocs'];

export function demoCommand() {
  return new Command('demo')
    .description('the whole job on the bundled checkpoints: capture, score, compare, report')
    .option('--out <folder>', 'where runs, comparisons, pages and figures go', 'babelscope-demo')
    .action(async ({ out }) => {
      const signal = interruptSignal();
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
