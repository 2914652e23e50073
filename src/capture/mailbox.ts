interface Letter<T> {
  readonly value: T;
  readonly taken: () => void;
}

/** What one side puts, the other side iterates over; the putting side can wait for each value to be taken. */
export class Mailbox<T> implements AsyncIterable<T> {
  readonly #letters: Letter<T>[] = [];
  #closed: 'open' | 'ended' | 'abandoned' | { readonly error: unknown } = 'open';
  #wake: () => void = () => {};

  /** Resolves when the value has been taken. @throws if nobody will take it any more */
  async put(value: T): Promise<void> {
    if (this.#closed === 'abandoned') throw new Error('nobody reads this mailbox');
    await new Promise<void>((taken) => {
      this.#letters.push({ value, taken });
      this.#wake();
    });
  }

  /** Nothing more comes; the iteration ends after what is there. */
  end(): void {
    this.#close('ended');
  }

  /** The iteration throws this error next. */
  fail(error: unknown): void {
    this.#close({ error });
  }

  /** Nothing more is taken. */
  abandon(): void {
    this.#close('abandoned');
    for (const { taken } of this.#letters.splice(0)) taken();
  }

  #close(how: 'ended' | 'abandoned' | { readonly error: unknown }): void {
    if (this.#closed === 'open') this.#closed = how;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    for (;;) {
      if (typeof this.#closed === 'object') throw this.#closed.error;
      const letter = this.#letters.shift();
      if (letter !== undefined) {
        letter.taken();
        yield letter.value;
      } else if (this.#closed === 'open') {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      } else return;
    }
  }
}
