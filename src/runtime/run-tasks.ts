import type { Worker } from 'node:worker_threads';
import type { BabelscopeError, ErrorDetails } from '../errors.js';
import * as errors from '../errors.js';
import { startThread } from './start-thread.js';

/** A thread of `answerTasks` answers one task with this. */
export type Answer<Result> =
  | { readonly result: Result }
  | { readonly failure: { readonly kind: string; readonly details: ErrorDetails } };

/** Errors of ours by name, to be thrown again on this side. */
type Thrown = new (details: ErrorDetails) => BabelscopeError;

/**
 * Computes tasks in worker threads, each of which reads what it needs by itself. Results come in whatever order; they do
 * not depend on the number of threads.
 *
 * @param script Of a thread that calls `answerTasks`.
 * @param settings What each thread is started with.
 * @param onResult Called for each result.
 * @throws what a worker threw; what `signal` was aborted with, at once.
 */
export async function runTasks<Task, Result>(
  script: URL,
  settings: unknown,
  tasks: readonly Task[],
  threads: number,
  onResult: (result: Result, task: Task) => void,
  signal?: AbortSignal,
): Promise<void> {
  let next = 0;
  const workers: Worker[] = [];
  const work = async () => {
    if (next >= tasks.length) return;
    const worker = startThread(script, settings);
    workers.push(worker);
    while (next < tasks.length) {
      const task = tasks[next++]!;
      onResult(await ask<Result>(worker, task), task);
    }
  };
  let abort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () =>
      reject(
        new errors.InterruptedError({ what: 'stopped; no table was written' }, { cause: signal?.reason }),
      );
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
  try {
    await Promise.race([aborted, Promise.all(Array.from({ length: threads }, work))]);
  } finally {
    if (abort !== undefined) signal?.removeEventListener('abort', abort);
    next = tasks.length;
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function ask<Result>(worker: Worker, task: unknown): Promise<Result> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: Answer<Result>) => {
      settle();
      if ('result' in message) resolve(message.result);
      else reject(revive(message.failure));
    };
    const onError = (error: Error) => {
      settle();
      reject(error);
    };
    const onExit = (code: number) => {
      settle();
      reject(new Error(`a thread ended with status ${code}`));
    };
    const settle = () => worker.off('message', onMessage).off('error', onError).off('exit', onExit);
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    worker.postMessage(task);
  });
}

/** An error that crossed from a thread, as what it was. */
function revive({ kind, details }: { readonly kind: string; readonly details: ErrorDetails }): Error {
  const classes: Readonly<Record<string, unknown>> = { ...errors };
  const Thrown = classes[kind];
  return typeof Thrown === 'function' ? new (Thrown as Thrown)(details) : new Error(details.what);
}
