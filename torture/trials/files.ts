import { buildChild, fuzz } from '../../test/fuzz/fuzz.js';
import { KINDS } from '../../test/fuzz/kinds.js';
import type { Fault, Trial } from '../trial.js';

/** Those that start processes take a hundred times as long. */
const SLOW_SHARE = 0.1;

export const files: Trial = {
  name: 'hostile files',
  about:
    'damaged files of every kind of input (a tenth as many of those whose reader starts processes): read, or refused with exit 2, in bounded time and memory',
  tries: { quick: 30, whole: 10_000 },
  run: async ({ firstSeed, tries, onProgress }) => {
    await buildChild();
    const faults: Fault[] = [];
    let tried = 0;
    let [longest, most] = [0, 0];
    for (const [k, { name, slow }] of KINDS.entries()) {
      const seeds = slow ? Math.ceil(tries * SLOW_SHARE) : tries;
      const result = await fuzz(name, firstSeed, seeds);
      tried += result.read + result.refused + result.faults.length;
      for (const problem of result.faults) {
        const seed = Number(/seed (\d+)/.exec(problem)?.[1] ?? firstSeed);
        faults.push({ seed, problem: `${name}: ${problem}`, silent: false });
      }
      longest = Math.max(longest, result.milliseconds);
      most = Math.max(most, result.bytes);
      onProgress(k + 1, KINDS.length);
    }
    const measured = `${KINDS.length} kinds; at most ${longest.toFixed(0)} ms of processor time a file and ${(most / 1e6).toFixed(0)} MB a process`;
    return { tried, faults, measured };
  },
};
