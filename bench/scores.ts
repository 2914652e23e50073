/**
 * Scores a synthetic run of the demo's size, and times average precision of one layer's neurons beside scikit-learn's
 * `average_precision_score` on the same values.
 *
 *     npx tsx bench/scores.ts            PYTHON names an interpreter with scikit-learn and safetensors
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scoreRun } from '../src/scores/index.js';
import { layerPath } from '../src/store/run-folder.js';
import { writeSyntheticRun } from '../test/support/synthetic-run.js';

const DEMO = {
  layers: 8,
  neurons: 640,
  heads: 6,
  headDim: 32,
  languages: ['en', 'es', 'fr', 'ja', 'ko', 'pt', 'uk', 'zh'],
  items: 1000,
  folds: 20,
};
const ONE_LAYER = { ...DEMO, layers: 1 };

const seconds = async (work: () => Promise<unknown>) => {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
};

const folder = await mkdtemp(join(tmpdir(), 'babelscope-bench-'));
try {
  const run = join(folder, 'run');
  await writeSyntheticRun(run, DEMO);
  const times: number[] = [];
  for (let i = 0; i < 3; i++) times.push(await seconds(() => scoreRun(run)));
  console.log(`all scores, 8 × 640 neurons + 48 heads, 8 languages × 1,000 items: ${format(times)}`);
  for (const scores of ['lape', 'twoWay', 'ap', 'vectorShare']) {
    console.log(`  ${scores} alone: ${format([await seconds(() => scoreRun(run, { scores: [scores] }))])}`);
  }
  console.log(
    `  ap without reliability: ${format([await seconds(() => scoreRun(run, { scores: ['ap'], splits: 0 }))])}`,
  );
  console.log(`peak memory ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`);

  const layer = join(folder, 'layer');
  await writeSyntheticRun(layer, ONE_LAYER);
  await scoreRun(layer, { scores: ['ap'], splits: 0 });
  const ours = await seconds(() => scoreRun(layer, { scores: ['ap'], splits: 0 }));
  const script = fileURLToPath(new URL('scores_peer.py', import.meta.url));
  const peer = spawnSync(process.env.PYTHON ?? 'python3', [script, layerPath(layer, 0)], {
    encoding: 'utf8',
  });
  if (peer.status !== 0) throw new Error(peer.stderr);
  const { seconds: theirs, units } = JSON.parse(peer.stdout) as { seconds: number; units: number };
  console.log(
    `average precision of ${units} neurons × 8 languages: ours ${ours.toFixed(2)} s with reading and writing, scikit-learn ${theirs.toFixed(2)} s; ratio ${(theirs / ours).toFixed(0)}`,
  );
} finally {
  await rm(folder, { recursive: true });
}

function format(times: readonly number[]): string {
  return `${times.map((time) => time.toFixed(2)).join(', ')} s`;
}
