import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { type Answer, type Answers, type Request, SIGNALS } from './protocol.js';
import { startChild } from './start-child.js';

type Task = Request['task'];

/** An idle process ends: it holds the vocabulary a second time. Another starts when it is needed. */
const IDLE_MS = 2_000;
/** Characters of texts that are encoded at once. */
const BATCH_CHARACTERS = 2 ** 20;
/** What is kept of the library's last words. */
const LAST_WORDS = 4_000;

/** Limits of a request: what any takes, and what follows from the size of tokenizer.json (MB) and of the texts (MB). */
export const LIMITS = {
  /** Processor time. Real tokenizers of 30 MB load in two seconds, and encode a megabyte in one. */
  milliseconds: { any: 5_000, megabyteOfJson: 2_000, megabyteOfText: 20_000 },
  /** Real ones take ten bytes for one of their file, and some hundred for one of a text. */
  bytes: { any: 768e6, megabyteOfJson: 32e6, megabyteOfText: 512e6 },
};

/** The library refused, and said why. */
export class LibraryRefusal extends Error {}

/** The library ended its process, or was ended. */
export class LibraryEnd extends Error {}

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (cause: Error) => void;
}

/**
 * The tokenizer library with one tokenizer, in a process of its own: whatever it does, this process lives. Requests run
 * one after another.
 */
export class Library {
  readonly #json: string;
  readonly #limits: typeof LIMITS;
  #child: ChildProcess | undefined;
  #words = '';
  #waiting: Waiting | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #idle: NodeJS.Timeout | undefined;
  #requests = 0;

  /** @param json A tokenizer.json. */
  constructor(json: string, limits = LIMITS) {
    this.#json = json;
    this.#limits = limits;
  }

  /** Builds the tokenizer. @throws LibraryRefusal; LibraryEnd */
  load(): Promise<Answers['load']> {
    return this.#inTurn(() => this.#start());
  }

  /** Ids of each text. @throws LibraryRefusal; LibraryEnd */
  async encode(texts: readonly string[], addSpecialTokens: boolean): Promise<Uint32Array[]> {
    const ids: Uint32Array[] = [];
    for (const batch of batches(texts)) {
      const task = { kind: 'encode', texts: batch, addSpecialTokens } as const;
      const size = batch.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
      for (const one of await this.#ask<'encode'>(task, size)) ids.push(one);
    }
    return ids;
  }

  /** Texts of tokens, special ones spelt out. @throws LibraryRefusal; LibraryEnd */
  decode(ids: readonly (readonly number[])[]): Promise<Answers['decode']> {
    const size = ids.reduce((sum, one) => sum + 4 * one.length, 0);
    return this.#ask<'decode'>({ kind: 'decode', ids }, size);
  }

  #ask<K extends keyof Answers>(task: Task, textBytes: number): Promise<Answers[K]> {
    return this.#inTurn(async () => {
      if (this.#child === undefined) await this.#start();
      return (await this.#request(task, textBytes)) as Answers[K];
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(async () => {
      clearTimeout(this.#idle);
      hold(this.#child, true);
      try {
        return await work();
      } finally {
        hold(this.#child, false);
        this.#idle = setTimeout(() => this.#end(), IDLE_MS).unref();
      }
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #start(): Promise<Answers['load']> {
    const child = startChild(new URL('./child.js', import.meta.url));
    this.#child = child;
    this.#words = '';
    const ended = (how: string) => {
      if (this.#child === child) this.#child = undefined;
      this.#waiting?.reject(new LibraryEnd(how));
    };
    child.on('error', (cause) => ended(`its process does not start: ${cause.message}`));
    child.on('message', (answer: Answer) => this.#waiting?.resolve(answer));
    child.stderr?.on('data', (text: Buffer) => {
      this.#words = (this.#words + text.toString()).slice(0, LAST_WORDS);
    });
    // After its output has come.
    child.on('close', (code, signal) => ended(this.#howEnded(code, signal)));
    return (await this.#request({ kind: 'load', json: this.#json }, 0)) as Answers['load'];
  }

  async #request(task: Task, textBytes: number): Promise<Answers[keyof Answers]> {
    const id = ++this.#requests;
    const limit = (kind: keyof typeof LIMITS) => {
      const { any, megabyteOfJson, megabyteOfText } = this.#limits[kind];
      return any + (megabyteOfJson * this.#json.length + megabyteOfText * textBytes) / 1e6;
    };
    const limits = { milliseconds: limit('milliseconds'), bytes: limit('bytes') };
    const answer = await new Promise<Answer>((resolve, reject) => {
      this.#waiting = { resolve, reject };
      // A process that is gone says so by its end.
      this.#child?.send({ id, limits, task } satisfies Request, () => undefined);
    }).finally(() => {
      this.#waiting = undefined;
    });
    if ('error' in answer) throw new LibraryRefusal(answer.error);
    return answer.value;
  }

  #howEnded(code: number | null, signal: NodeJS.Signals | null): string {
    if (signal === SIGNALS.time) return 'it took more processor time than a text of that length justifies';
    if (signal === SIGNALS.memory) return 'it took more memory than a text of that length justifies';
    const [, words] = /panicked at [^\n]*\n([^\n]*)/.exec(this.#words) ?? [];
    return `${words ?? this.#words.trim().split('\n')[0]} (${signal ?? `exit ${code}`})`;
  }

  #end(): void {
    const child = this.#child;
    this.#child = undefined;
    if (child?.connected) child.disconnect();
  }
}

/** Whether a process keeps this one from ending. */
function hold(child: ChildProcess | undefined, busy: boolean): void {
  if (child === undefined) return;
  const stderr = child.stderr as (Readable & { ref(): void; unref(): void }) | null;
  for (const part of [child, child.channel, stderr]) {
    if (busy) part?.ref();
    else part?.unref();
  }
}

function* batches(texts: readonly string[]): Generator<readonly string[]> {
  for (let start = 0; start < texts.length; ) {
    let end = start + 1;
    let characters = texts[start]!.length;
    while (end < texts.length && characters + texts[end]!.length <= BATCH_CHARACTERS)
      characters += texts[end++]!.length;
    yield texts.slice(start, end);
    start = end;
  }
}
