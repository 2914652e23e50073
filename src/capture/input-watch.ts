import { stat } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import type { ModelIdentity } from '../checkpoint/index.js';
import { CheckpointError, listed } from '../errors.js';
import type { Subject } from '../models/index.js';

/**
 * Watches the files that decide what a capture records: weights, configuration, tokenizer, adapter. Their sizes, times and
 * places on disk tell whether they were touched; then every byte is read again.
 */
export class InputWatch {
  readonly #subject: Subject;
  /** The model as its bytes are. */
  readonly identity: ModelIdentity;
  #states: readonly string[];

  private constructor(subject: Subject, identity: ModelIdentity, states: readonly string[]) {
    this.#subject = subject;
    this.identity = identity;
    this.#states = states;
  }

  /** Identifies the model. @throws CheckpointError if a file was changed meanwhile, or cannot be read */
  static async start(subject: Subject): Promise<InputWatch> {
    const states = await statesOf(subject.inputs);
    const watch = new InputWatch(subject, await subject.identify(), states);
    await watch.check();
    return watch;
  }

  /** @throws CheckpointError if a file holds other bytes than when the capture began */
  async check(): Promise<void> {
    const { inputs } = this.#subject;
    const states = await statesOf(inputs);
    const touched = inputs.filter((_, i) => states[i] !== this.#states[i]);
    if (touched.length === 0) return;
    const found = await this.#subject.identify().catch(() => null);
    const still = await statesOf(inputs);
    if (isDeepStrictEqual(found, this.identity) && isDeepStrictEqual(still, states)) {
      this.#states = states;
      return;
    }
    throw new CheckpointError({
      what: 'the checkpoint was changed while it was being captured',
      where: listed(touched, 5),
      expected: 'the bytes that the capture began with',
      remedy:
        'finished parts are kept, and are of the checkpoint as it was: put it back and repeat the command, or capture the new one into another folder',
    });
  }
}

async function statesOf(paths: readonly string[]): Promise<string[]> {
  return Promise.all(
    paths.map(async (path) => {
      const stats = await stat(path, { bigint: true }).catch(() => null);
      if (stats === null) return 'missing';
      const { dev, ino, size, mtimeNs, ctimeNs } = stats;
      return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
    }),
  );
}
