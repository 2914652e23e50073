import { Worker } from 'node:worker_threads';

/**
 * Stands in for `src/runtime/start-thread.ts` under tests: the thread runs the transpiled source, which loads in a tenth
 * of the time that tsx takes.
 */
export function startThread(script: URL, workerData: unknown): Worker {
  return new Worker(new URL(script.href.replace('/src/', '/.transpiled/')), { workerData, execArgv: [] });
}
