/**
 * Scores a synthetic run of Qwen2.5-7B's size: 28 layers of 18,944 neurons and 28 heads, 12 languages, 1,000 items with
 * pooled values kept, 17 GB on disk; or compares two such runs without pooled values. With --mixture the runs are of
 * Qwen3-30B-A3B's size, 48 layers of 128 experts of 768 neurons and 32 heads, without pooled values: half a gigabyte each,
 * for their layers are one file. Build first, then:
 *
 *     npx tsx bench/size.ts --folder /scratch [--layers 28] [--scores ap] [--threads 2] [--uncertainty full] [--draws 100]
 *     npx tsx bench/size.ts --folder /scratch --compare [--layers 28]
 *     npx tsx bench/size.ts --folder /scratch --mixture [--compare] [--layers 48]
 *
 * Runs found in the folder are used as they are. What is measured is a process of its own, so that its memory is its own:
 * its threads and what they hold are in it. Processor time is that of all its threads.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { manifestPath } from '../src/store/run/run-folder.js';
import { type LargeRunOptions, writeLargeRun } from './large-run.js';
import { DIST, measure } from './measure.js';

const { values: options } = parseArgs({
  options: {
    folder: { type: 'string' },
    compare: { type: 'boolean', default: false },
    mixture: { type: 'boolean', default: false },
    layers: { type: 'string' },
    scores: { type: 'string' },
    threads: { type: 'string', default: '2' },
    uncertainty: { type: 'string', default: 'basic' },
    draws: { type: 'string', default: '1000' },
  },
});
if (options.folder === undefined) throw new Error('name a folder on a disk with room: --folder <folder>');
const model = options.mixture ? 'mixture' : 'dense';
const layers = Number(options.layers ?? (options.mixture ? 48 : 28));

if (options.compare) {
  const runs = [];
  for (const seed of [1, 2]) runs.push(await runOf('folds', seed));
  measure(
    `comparison of two runs of ${layers} layers`,
    `const { compareRuns, writeComparison } = await import('${DIST}compare/index.js');
     const runs = ${JSON.stringify(runs)}.map((folder) => ({ folder }));
     await writeComparison(${JSON.stringify(join(options.folder, 'comparison'))}, await compareRuns(runs));`,
  );
} else {
  const run = await runOf(options.mixture ? 'folds' : 'items', 1);
  const scoring = {
    scores: options.scores?.split(','),
    threads: Number(options.threads),
    ...(options.uncertainty === 'full' && {
      uncertainty: 'full',
      draws: Number(options.draws),
      permutations: Number(options.draws),
    }),
  };
  measure(
    `${options.scores ?? 'all scores'} of ${layers} layers`,
    `const { scoreRun } = await import('${DIST}scores/index.js');
     const onProgress = ({ done, layers }) => console.log('  layer', done, 'of', layers, elapsed());
     await scoreRun(${JSON.stringify(run)}, { ...${JSON.stringify(scoring)}, onProgress });`,
  );
}

async function runOf(keep: LargeRunOptions['keep'], seed: number): Promise<string> {
  const run = join(options.folder!, `${options.mixture ? 'mixture-' : ''}${keep}-${layers}-${seed}`);
  if (!existsSync(manifestPath(run))) await writeLargeRun(run, { model, layers, keep, seed });
  return run;
}
