import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { TINY_PROBES, writeTinyCheckpoint } from '../../test/support/tiny-checkpoint.js';
import type { Fault, Trial } from '../trial.js';

const CHILD = fileURLToPath(new URL('../loop-child.mjs', import.meta.url));

/** Bytes that memory may be larger in the last quarter of the loop than in the second: allocators do not give all back. */
const MOST_GROWTH = 16e6;

interface Reading {
  readonly memory: number;
  readonly heap: number;
  readonly files: number;
  readonly threads: number;
}

export const loop: Trial = {
  name: 'long loop',
  about: `captures and scores in one process: neither files nor threads are left open, and memory grows by no more than ${MOST_GROWTH / 1e6} MB between the second and the last quarter`,
  tries: { quick: 20, whole: 200 },
  run: async ({ firstSeed, tries, folder, onProgress }) => {
    const checkpoint = `${folder}/checkpoint`;
    writeTinyCheckpoint(checkpoint);
    const args = ['--expose-gc', CHILD, String(tries), checkpoint, TINY_PROBES, `${folder}/run`];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const readings: Reading[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => {
      readings.push(JSON.parse(line) as Reading);
      onProgress(readings.length, tries);
    });
    const code = await new Promise((resolve) =>
      child.on('close', (status, signal) => resolve(status ?? signal)),
    );
    const faults: Fault[] = [];
    const fail = (problem: string) => faults.push({ seed: firstSeed, problem, silent: true });
    if (code !== 0) fail(`ended with ${code} after ${readings.length}`);
    const quarter = Math.floor(tries / 4);
    const [early, late] = [readings.slice(quarter, 2 * quarter), readings.slice(-quarter)];
    const grown = (of: keyof Reading) =>
      median(late.map((one) => one[of])) - median(early.map((one) => one[of]));
    for (const of of ['files', 'threads'] as const) if (grown(of) > 0) fail(`${grown(of)} more ${of}`);
    for (const of of ['memory', 'heap'] as const)
      if (grown(of) > MOST_GROWTH) fail(`${of} grew by ${(grown(of) / 1e6).toFixed(1)} MB`);
    const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
    const measured = `from the second to the last quarter: resident memory ${megabytes(grown('memory'))} MB more (${megabytes(median(late.map(({ memory }) => memory)))} MB), heap ${megabytes(grown('heap'))} MB more, files ${grown('files')}, threads ${grown('threads')}`;
    return { tried: readings.length, faults, measured };
  },
};

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
