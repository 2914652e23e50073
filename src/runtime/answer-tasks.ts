import { parentPort } from 'node:worker_threads';
import { BabelscopeError } from '../errors.js';
import type { Answer } from './run-tasks.js';

/**
 * Makes this thread answer the tasks of `runTasks`, one after another.
 *
 * @param runner What runs them, once it is ready.
 * @param arraysOf Arrays of a result that are handed over, not copied.
 */
export function answerTasks<Task, Result>(
  runner: Promise<{ run(task: Task): Promise<Result> }>,
  arraysOf: (result: Result) => Iterable<Float64Array>,
): void {
  // Whoever asks first hears of it.
  runner.catch(() => {});
  const post = (answer: Answer<Result>, transfer: readonly ArrayBuffer[] = []) =>
    parentPort!.postMessage(answer, transfer);
  parentPort!.on('message', (task: Task) => {
    runner
      .then((ready) => ready.run(task))
      .then(
        (result) =>
          post(
            { result },
            // Two arrays may be views of one buffer.
            [...new Set(Array.from(arraysOf(result), ({ buffer }) => buffer as ArrayBuffer))],
          ),
        (error: unknown) => {
          const details =
            error instanceof BabelscopeError
              ? error.details
              : { what: error instanceof Error ? (error.stack ?? error.message) : String(error) };
          post({ failure: { kind: error instanceof BabelscopeError ? error.name : 'Error', details } });
        },
      );
  });
}
