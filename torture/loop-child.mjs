// Captures and scores again and again in one process, and says after each time what the process holds.
import { readdirSync, rmSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { capture } from '../.transpiled/capture/index.js';
import { scoreRun } from '../.transpiled/scores/index.js';

const [times, checkpoint, probes, out] = process.argv.slice(2);
for (let time = 0; time < Number(times); time++) {
  rmSync(out, { recursive: true, force: true });
  await capture({ checkpoint, probes, out, threads: 1, limit: 20 });
  await scoreRun(out, { threads: 1, splits: 2 });
  // Threads and processes that were told to end are gone a moment later.
  await setTimeout(50);
  globalThis.gc();
  const { rss, heapUsed, external } = process.memoryUsage();
  const [files, threads] = ['/proc/self/fd', '/proc/self/task'].map((folder) => readdirSync(folder).length);
  console.log(JSON.stringify({ memory: rss, heap: heapUsed + external, files, threads }));
}
