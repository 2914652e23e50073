import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { type Answer, type Answers, type Request, SIGNALS } from './protocol.js';

/**
 * The process that the tokenizer library runs in. A tokenizer.json may make the library end its process, run without end or
 * fill the memory; here it ends this process alone. A thread watches how much time and memory a request takes.
 */

/** A byte becomes a token at most; the longest normalised form of a character has eleven times its bytes. */
const MOST_TOKENS_A_BYTE = 16;
/** What may be put around a text, or stand for an empty one. */
const TOKENS_BESIDES = 1024;

/** How often the watching thread looks; memory grows by some 100 MB meanwhile. */
const WATCH_MS = 20;
/** A request that waits for something that never comes. */
const MOST_WAIT_MS = 30 * 60_000;

/** Shared with the watching thread: [1 while a request runs, its number], [processor milliseconds, bytes]. */
interface Watched {
  readonly state: Int32Array;
  readonly limits: Float64Array;
}

if (isMainThread) await serve();
else watch(workerData as Watched);

function watch({ state, limits }: Watched): void {
  parentPort?.postMessage('watching');
  for (;;) {
    Atomics.wait(state, 0, 0);
    const request = Atomics.load(state, 1);
    const started = performance.now();
    const before = processorMs();
    while (Atomics.load(state, 0) === 1 && Atomics.load(state, 1) === request) {
      const [milliseconds = 0, bytes = 0] = limits;
      if (process.memoryUsage.rss() > bytes) process.kill(process.pid, SIGNALS.memory);
      if (processorMs() - before > milliseconds || performance.now() - started > MOST_WAIT_MS)
        process.kill(process.pid, SIGNALS.time);
      Atomics.wait(state, 0, 1, WATCH_MS);
    }
  }
}

function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function serve(): Promise<void> {
  const watched: Watched = {
    state: new Int32Array(new SharedArrayBuffer(8)),
    limits: new Float64Array(new SharedArrayBuffer(16)),
  };
  const watcher = new Worker(new URL(import.meta.url), { workerData: watched });
  watcher.unref();
  const watching = once(watcher, 'message');
  // Ctrl-C goes to every process of a terminal; the parent decides what ends.
  process.on('SIGINT', () => undefined);
  process.on('disconnect', () => process.exit(0));
  const { Tokenizer } = await import('tokenizers');
  await watching;
  let library: InstanceType<typeof Tokenizer> | undefined;

  const answer = async ({ task }: Request): Promise<Answers[keyof Answers]> => {
    if (task.kind === 'load') {
      library = Tokenizer.fromString(task.json);
      library.disableTruncation();
      library.disablePadding();
      const vocabulary = library.getVocab(true) as Record<string, number>;
      let vocabSize = 0;
      for (const id of Object.values(vocabulary)) vocabSize = Math.max(vocabSize, id + 1);
      return { vocabulary: JSON.stringify(vocabulary), vocabSize };
    }
    if (library === undefined) throw new Error('no tokenizer was loaded');
    if (task.kind === 'decode') {
      return library.decodeBatch(
        task.ids.map((ids) => [...ids]),
        false,
      );
    }
    const { addSpecialTokens } = task;
    const encodings = await library.encodeBatch([...task.texts], { addSpecialTokens });
    return encodings.map((encoding, i) => {
      const bytes = Buffer.byteLength(task.texts[i]!);
      const tokens = encoding.getLength();
      if (tokens > MOST_TOKENS_A_BYTE * bytes + TOKENS_BESIDES)
        throw new Error(`a text of ${bytes} bytes became ${tokens} tokens`);
      return Uint32Array.from(encoding.getIds());
    });
  };

  process.on('message', (request: Request) => {
    const { id, limits } = request;
    watched.limits.set([limits.milliseconds, limits.bytes]);
    Atomics.add(watched.state, 1, 1);
    Atomics.store(watched.state, 0, 1);
    Atomics.notify(watched.state, 0);
    const done = (reply: Answer) => {
      Atomics.store(watched.state, 0, 0);
      Atomics.notify(watched.state, 0);
      process.send!(reply);
    };
    answer(request).then(
      (value) => done({ id, value }),
      (cause: unknown) => done({ id, error: cause instanceof Error ? cause.message : String(cause) }),
    );
  });
}
