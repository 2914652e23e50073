import type { Worker } from 'node:worker_threads';
import type { BabelscopeError, ErrorDetails } from '../errors.js';
import * as errors from '../errors.js';
import { startThread } from './start-thread.js';

/** A thread of `answerTasks` answers one task, or `CLOSE`, with this. */
export type Answer<Result> =
  | { readonly result: Result }
  | { readonly failure: { readonly kind: string; readonly details: ErrorDetails } };

/** Errors of ours by name, to be thrown again on this side. */
type Thrown = new (details: ErrorDetails) => BabelscopeError;

/** Asks a thread to close its files, after its last task. */
export const CLOSE = null;

/**
 * Worker threads that compute tasks, each of which reads what it needs by itself. Threads start with their first task and
 * serve every later `run`; `close` ends them. Results do not depend on the number of threads.
 */
export class TaskThreads<Task, Result> {
  readonly #script: URL;
  readonly #settings: unknown;
  readonly #count: number;
  readonly #signal: AbortSignal | undefined;
  readonly #threads: Worker[] = [];

  /**
   * @param script Of a thread that calls `answerTasks`.
   * @param settings What each thread is started with.
   * @param count At most so many threads.
   */
  constructor(script: URL, settings: unknown, count: number, signal?: AbortSignal) {
    this.#script = script;
    this.#settings = settings;
    this.#count = count;
    this.#signal = signal;
  }

  /**
   * Computes tasks. One call at a time.
   *
   * @param onResult Called for each result, in whatever order they come.
   * @throws what a thread threw; InterruptedError, at once, when the signal is aborted. Then all threads are ended.
   */
  async run(tasks: readonly Task[], onResult: (result: Result, task: Task) => void): Promise<void> {
    let next = 0;
    const work = async (n: number) => {
      if (next >= tasks.length) return;
      const thread = this.#threads[n] ?? startThread(this.#script, this.#settings);
      this.#threads[n] = thread;
      while (next < tasks.length) {
        const task = tasks[next++]!;
        onResult(await ask<Result>(thread, task), task);
      }
    };
    const signal = this.#signal;
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
      await Promise.race([aborted, Promise.all(Array.from({ length: this.#count }, (_, n) => work(n)))]);
    } catch (error) {
      next = tasks.length;
      await this.#end();
      throw error;
    } finally {
      if (abort !== undefined) signal?.removeEventListener('abort', abort);
    }
  }

  /** Lets the threads close their files, and ends them. */
  async close(): Promise<void> {
    try {
      await Promise.all(this.#threads.map((thread) => ask(thread, CLOSE)));
    } finally {
      await this.#end();
    }
  }

  async #end(): Promise<void> {
    await Promise.all(this.#threads.splice(0).map((thread) => thread.terminate()));
  }
}

/** Computes tasks in threads that are started for them, and ended after them, as `TaskThreads` does. */
export async function runTasks<Task, Result>(
  script: URL,
  settings: unknown,
  tasks: readonly Task[],
  threads: number,
  onResult: (result: Result, task: Task) => void,
  signal?: AbortSignal,
): Promise<void> {
  const started = new TaskThreads<Task, Result>(script, settings, threads, signal);
  await started.run(tasks, onResult);
  await started.close();
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
