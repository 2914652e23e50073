import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import { type Comparison, compareRuns, readComparison } from '../compare/index.js';
import { readSelectionComparison } from '../interchange/index.js';
import { REPORT_FORMATS, writeReport, writeSelectionReport } from '../report/index.js';
import { parseChoices } from './options.js';
import { interruptSignal, say } from './terminal.js';

export function reportCommand() {
  return new Command('report')
    .argument('<run|comparison>', 'what `capture` or `compare` wrote')
    .requiredOption('--out <folder>', 'where report.html and figures/ go')
    .option('--formats <list>', `of ${REPORT_FORMATS.join(', ')}`, parseChoices(REPORT_FORMATS), [
      ...REPORT_FORMATS,
    ])
    .action(async (folder, { out, formats }) => {
      if (existsSync(join(folder, 'selections.json'))) {
        const { files } = await writeSelectionReport(await readSelectionComparison(folder), out, { formats });
        for (const file of files) say(`wrote ${file}`);
        return;
      }
      const { files } = await writeReport(await comparisonOf(folder), out, { formats });
      for (const file of files) say(`wrote ${file}`);
    });
}

/** A comparison as it stands, or a single run described. */
async function comparisonOf(folder: string): Promise<Comparison> {
  if (existsSync(join(folder, 'comparison.json'))) return readComparison(folder);
  return compareRuns([{ folder }], { signal: interruptSignal() });
}
