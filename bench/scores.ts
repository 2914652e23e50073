/**
 * Scores a synthetic run of the demo's size, and times average precision of one layer's neurons beside scikit-learn's
 * `average_precision_score` on the same values. Build first: threads run what is built.
 *
 *     npx tsx bench/scores.ts            PYTHON names an interpreter with scikit-learn and safetensors
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { layerPath } from '../src/store/run/run-folder.js';
import { writeSyntheticRun } from '../test/support/synthetic-run.js';
import { DIST } from './measure.js';

const { scoreRun }: typeof import('../src/scores/index.js') = await import(`${DIST}scores/index.js`);

const DEMO = {
  layers: 8,
  neurons: 640,
  heads: 6,
  headDim: 32,
  languages: ['en', 'es', 'fr', 'ja', 'ko', 'pt', 'uk', 'zh'],
  items: 1301,
  folds: 20,
};
const ONE_LAYER = { ...DEMO, layers: 1 };

/** Wall clock and processor seconds; on a busy machine the second is the one to compare. */
async function time(work: () => Promise<unknown>): Promise<{ wall: number; cpu: number }> {
  const cpuStart = process.cpuUsage();
  const start = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpuStart);
  return { wall: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 };
}

const folder = await mkdtemp(join(tmpdir(), 'babelscope-bench-'));
try {
  const run = join(folder, 'run');
  await writeSyntheticRun(run, DEMO);
  console.log('8 × 640 neurons and 48 heads, 8 languages × 1,301 items');
  report('all scores', await time(() => scoreRun(run)));
  for (const score of ['lape', 'twoWay', 'ap', 'vectorShare']) {
    report(`${score} alone`, await time(() => scoreRun(run, { scores: [score] })));
  }
  report('ap without reliability', await time(() => scoreRun(run, { scores: ['ap'], splits: 0 })));
  console.log(`peak memory ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`);

  const layer = join(folder, 'layer');
  await writeSyntheticRun(layer, ONE_LAYER);
  await scoreRun(layer, { scores: ['ap'], splits: 0 });
  console.log('average precision of the 640 neurons of one layer');
  const ours = await time(() => scoreRun(layer, { scores: ['ap'], splits: 0 }));
  report('babelscope, reading the run and writing the tables included', ours);
  const theirs = timePeer(layerPath(layer, 0));
  report('scikit-learn, average_precision_score alone', theirs);
  console.log(`ratio of processor time: ${(theirs.cpu / ours.cpu).toFixed(1)}`);
} finally {
  await rm(folder, { recursive: true });
}

function timePeer(path: string): { wall: number; cpu: number } {
  const script = fileURLToPath(new URL('scores_peer.py', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.env.PYTHON ?? 'python3', [script, path], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as { wall: number; cpu: number };
}

function report(what: string, { wall, cpu }: { wall: number; cpu: number }): void {
  console.log(`  ${what}: ${wall.toFixed(2)} s (${cpu.toFixed(2)} s of processor time)`);
}
