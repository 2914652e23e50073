import type { Worker } from 'node:worker_threads';
import { BabelscopeError } from '../../errors.js';
import { startThread } from '../start-thread.js';
import { FailureMessage, RunnerError } from './failures.js';
import type { FromWorker, ToWorker, WorkerSettings } from './protocol.js';

/** A thread that owns onnxruntime, seen from outside: it does one thing at a time. */
export class WorkerHandle {
  readonly #worker: Worker;
  #waiting: { onMessage: (message: FromWorker) => void; onDeath: (error: Error) => void } | null = null;
  #death: Error | null = null;

  constructor(settings: WorkerSettings) {
    this.#worker = startThread(new URL('./worker.js', import.meta.url), settings);
    this.#worker.unref(); // a runner nobody closed must not keep an idle process alive
    this.#worker.on('message', (message: FromWorker) => this.#waiting?.onMessage(message));
    this.#worker.on('error', (error) => this.#die(error));
    this.#worker.on('exit', (code) => this.#die(new Error(`the worker thread ended with status ${code}`)));
  }

  /**
   * Posts a message and resolves when the worker reports its end; messages on the way go to `onMessage`.
   *
   * @throws FailureMessage if it failed; RunnerError if the worker died; what it was closed with
   */
  async send(message: ToWorker, onMessage: (message: FromWorker) => void): Promise<void> {
    if (this.#death !== null) throw this.#death;
    this.#worker.ref();
    try {
      await new Promise<void>((resolve, reject) => {
        this.#waiting = {
          onDeath: reject,
          onMessage: (reply) => {
            if (reply.type === 'done' || reply.type === 'opened') resolve();
            else if (reply.type === 'failed') reject(new FailureMessage(reply.failure));
            else onMessage(reply);
          },
        };
        this.#worker.postMessage(message);
      });
    } finally {
      this.#waiting = null;
      this.#worker.unref();
    }
  }

  /** Ends the worker, whatever it is doing; what waits for it is rejected with `reason`. */
  async close(reason: Error): Promise<void> {
    this.#die(reason);
    await this.#worker.terminate();
  }

  #die(cause: Error): void {
    this.#death ??=
      cause instanceof BabelscopeError
        ? cause
        : new RunnerError({ what: 'the worker thread of onnxruntime died', found: cause.message }, null, {
            cause,
          });
    this.#waiting?.onDeath(this.#death);
  }
}
