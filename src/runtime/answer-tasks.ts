import { parentPort } from 'node:worker_threads';
import { BabelscopeError } from '../errors.js';
import { deviceError } from '../system-errors.js';
import { type Answer, CLOSE } from './run-tasks.js';

/** What a thread computes tasks with. */
export interface TaskRunner<Task, Result> {
  run(task: Task): Promise<Result>;
  /** Closes the files that it has open. */
  close(): Promise<void>;
}

/**
 * Makes this thread answer the tasks of `TaskThreads`, one after another.
 *
 * @param runner What runs them, once it is ready.
 * @param arraysOf Arrays of a result that are handed over, not copied.
 */
export function answerTasks<Task, Result>(
  runner: Promise<TaskRunner<Task, Result>>,
  arraysOf: (result: Result) => Iterable<Float64Array>,
): void {
  // Whoever asks first hears of it.
  runner.catch(() => {});
  const post = (answer: Answer<Result | null>, transfer: readonly ArrayBuffer[] = []) =>
    parentPort!.postMessage(answer, transfer);
  parentPort!.on('message', (task: Task | typeof CLOSE) => {
    runner
      .then(async (ready) => {
        if (task !== CLOSE) return ready.run(task);
        await ready.close();
        return null;
      })
      .then(
        (result) =>
          post(
            { result },
            // Two arrays may be views of one buffer.
            [
              ...new Set(
                Array.from(result === null ? [] : arraysOf(result), ({ buffer }) => buffer as ArrayBuffer),
              ),
            ],
          ),
        (cause: unknown) => {
          const error = deviceError(cause);
          const details =
            error instanceof BabelscopeError
              ? error.details
              : { what: error instanceof Error ? (error.stack ?? error.message) : String(error) };
          post({ failure: { kind: error instanceof BabelscopeError ? error.name : 'Error', details } });
        },
      );
  });
}
