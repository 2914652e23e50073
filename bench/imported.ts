/**
 * Imports activation counts of two models of LLaMA-2-7B's size (32 layers of 11,008 neurons, seven languages, four shards of
 * 25 million tokens each), scores and compares the runs and draws the report. Build first, make the counts, then:
 *
 *     python test/reference/check_lape_mask.py make /scratch/a 1
 *     python test/reference/check_lape_mask.py make /scratch/b 2
 *     npx tsx bench/imported.ts /scratch/a /scratch/b
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DIST, measure } from './measure.js';

const folders = process.argv.slice(2);
if (folders.length !== 2) throw new Error('name two folders of activation.*.pt');
const runs = folders.map((folder) => join(folder, `run-${process.pid}`));
const out = join(runs[0]!, 'comparison');

for (const [i, folder] of folders.entries()) {
  const files = readdirSync(folder).filter((name) => name.endsWith('.pt'));
  const sources = files.map((name) => ({ path: join(folder, name), language: null }));
  measure(
    `import of ${files.length} files`,
    `const { importFiles } = await import('${DIST}interchange/index.js');
     await importFiles(${JSON.stringify(sources)}, { format: 'lape-counts', out: ${JSON.stringify(runs[i])} });`,
  );
  measure(
    'score',
    `const { scoreRun } = await import('${DIST}scores/index.js');
     await scoreRun(${JSON.stringify(runs[i])}, { threads: 2 });`,
  );
}
measure(
  'compare',
  `const { compareRuns, writeComparison } = await import('${DIST}compare/index.js');
   const runs = ${JSON.stringify(runs)}.map((folder) => ({ folder }));
   await writeComparison(${JSON.stringify(out)}, await compareRuns(runs));`,
);
measure(
  'report',
  `const { readComparison } = await import('${DIST}compare/index.js');
   const { writeReport } = await import('${DIST}report/index.js');
   await writeReport(await readComparison(${JSON.stringify(out)}), ${JSON.stringify(join(out, 'report'))});`,
);
