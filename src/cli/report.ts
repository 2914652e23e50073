import { existsSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import { type Comparison, compareRuns, readComparison } from '../compare/index.js';
import {
  describeSelection,
  isMatrix,
  isSelection,
  readMatrix,
  readSelectionComparison,
  type SelectionComparison,
} from '../interchange/index.js';
import {
  REPORT_FORMATS,
  type WriteReportOptions,
  writeMatrixReport,
  writeReport,
  writeSelectionReport,
} from '../report/index.js';
import { type FileChecksum, sha256OfFile, withFolderLock, writeRecord } from '../store/index.js';
import { VERSION } from '../version.js';
import { parseChoices } from './options.js';
import { interruptSignal, say } from './terminal.js';

export function reportCommand() {
  return new Command('report')
    .argument('<run|comparison|import>', 'what `capture`, `compare` or `import` wrote')
    .requiredOption('--out <folder>', 'where report.html and figures/ go')
    .option('--formats <list>', `of ${REPORT_FORMATS.join(', ')}`, parseChoices(REPORT_FORMATS), [
      ...REPORT_FORMATS,
    ])
    .action(async (folder, { out, formats }) => {
      const files = await withFolderLock(out, { what: 'report' }, async () => {
        const drawn = await draw(folder, out, { formats });
        await recordReport(out, drawn.files);
        return drawn.files;
      });
      for (const file of files) say(`wrote ${file}`);
    });
}

/** Writes `report.json`, which lists what was drawn with its checksums. */
async function recordReport(out: string, files: readonly string[]): Promise<void> {
  const checksums: Record<string, FileChecksum> = {};
  for (const file of files) checksums[relative(out, file).split(sep).join('/')] = await sha256OfFile(file);
  await writeRecord(
    join(out, 'report.json'),
    { schema: 'babelscope/report', schemaVersion: 1, babelscope: VERSION },
    { files: checksums, command: 'babelscope report <run or comparison> --out <folder>' },
  );
}

async function draw(folder: string, out: string, options: WriteReportOptions) {
  if (isMatrix(folder)) return writeMatrixReport(await readMatrix(folder), out, options);
  const selections = await selectionsOf(folder);
  if (selections !== null) return writeSelectionReport(selections, out, options);
  return writeReport(await comparisonOf(folder), out, options);
}

/** An imported selection, or a comparison of several; null of a folder that holds neither. */
async function selectionsOf(folder: string): Promise<SelectionComparison | null> {
  if (existsSync(join(folder, 'selections.json'))) return readSelectionComparison(folder);
  return isSelection(folder) ? describeSelection(folder) : null;
}

/** A comparison as it stands, or a single run described. */
async function comparisonOf(folder: string): Promise<Comparison> {
  if (existsSync(join(folder, 'comparison.json'))) return readComparison(folder);
  return compareRuns([{ folder }], { signal: interruptSignal() });
}
