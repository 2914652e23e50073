import type { Activation } from '../types.js';
import type { FromWorker } from '../worker/protocol.js';

type LayerMessage = Extract<FromWorker, { type: 'layer' }>;

/** The share of a chunk that one worker runs. */
export interface Share {
  /** Indices into the chunk's prompts, ascending. */
  readonly prompts: readonly number[];
  /** Indices into `prompts`, one list a batch. */
  readonly batches: readonly (readonly number[])[];
}

/**
 * Deals batches to so many workers that each has about as many tokens, padding included: the largest first, each to the
 * worker that has the fewest. A worker that would get none has no share.
 */
export function dealBatches(
  batches: readonly (readonly number[])[],
  lengths: readonly number[],
  workers: number,
): Share[] {
  const size = (batch: readonly number[]) => batch.length * Math.max(...batch.map((row) => lengths[row]!));
  const sizes = batches.map(size);
  const order = [...batches.keys()].sort((a, b) => sizes[b]! - sizes[a]! || a - b);
  const hands = Array.from({ length: workers }, () => ({ tokens: 0, batches: [] as number[] }));
  for (const batch of order) {
    const hand = hands.reduce((least, other) => (other.tokens < least.tokens ? other : least));
    hand.tokens += sizes[batch]!;
    hand.batches.push(batch);
  }
  return hands
    .filter((hand) => hand.batches.length > 0)
    .map((hand) => {
      const own = hand.batches.sort((a, b) => a - b).map((batch) => batches[batch]!);
      const prompts = own.flat().sort((a, b) => a - b);
      const place = new Map(prompts.map((prompt, i) => [prompt, i]));
      return { prompts, batches: own.map((batch) => batch.map((prompt) => place.get(prompt)!)) };
    });
}

/** Puts together what the workers hand over of their shares, in the order of the chunk's prompts. */
export class Gathering {
  readonly #shares: readonly Share[];
  readonly #prompts: number;
  /** [share]: tokens × layers done. */
  readonly #tokenLayers: number[];
  /** By layer: what some of the shares have handed over. */
  readonly #layers = new Map<number, { missing: number; readonly whole: WholeLayer }>();
  readonly #logits: Activation[] = [];
  readonly #losses: Float64Array;

  constructor(shares: readonly Share[]) {
    this.#shares = shares;
    this.#prompts = shares.reduce((sum, { prompts }) => sum + prompts.length, 0);
    this.#tokenLayers = shares.map(() => 0);
    this.#losses = new Float64Array(this.#prompts);
  }

  /** Tokens × layers that all shares have done by now. */
  progress(share: number, tokenLayers: number): number {
    this.#tokenLayers[share] = tokenLayers;
    return this.#tokenLayers.reduce((a, b) => a + b, 0);
  }

  /** The whole layer once every share of it is there; null before. */
  layer(share: number, message: LayerMessage): LayerMessage | null {
    if (this.#shares.length === 1) return message;
    const { layer } = message;
    const gathered = this.#layers.get(layer) ?? {
      missing: this.#shares.length,
      whole: { readings: new Map(), tensors: new Map() },
    };
    this.#layers.set(layer, gathered);
    this.#place(share, message, gathered.whole);
    gathered.missing--;
    if (gathered.missing > 0) return null;
    this.#layers.delete(layer);
    const { readings, tensors } = gathered.whole;
    return { type: 'layer', layer, readings: [...readings], tensors: [...tensors] };
  }

  /** [prompt], once every share is in. */
  logits(share: number, tensors: readonly Activation[]): readonly Activation[] {
    for (const [i, prompt] of this.#shares[share]!.prompts.entries()) this.#logits[prompt] = tensors[i]!;
    return this.#logits;
  }

  /** [prompt]; of prompts whose share is not in yet 0. */
  losses(share: number, losses: Float64Array): Float64Array {
    for (const [i, prompt] of this.#shares[share]!.prompts.entries()) this.#losses[prompt] = losses[i]!;
    return this.#losses;
  }

  #place(share: number, message: LayerMessage, { readings, tensors }: WholeLayer): void {
    const { prompts } = this.#shares[share]!;
    for (const [output, rows] of message.readings) {
      const width = rows.length / prompts.length;
      const whole = readings.get(output) ?? new Float32Array(this.#prompts * width);
      readings.set(output, whole);
      for (const [i, prompt] of prompts.entries()) {
        whole.set(rows.subarray(i * width, (i + 1) * width), prompt * width);
      }
    }
    for (const [output, perPrompt] of message.tensors) {
      const whole = tensors.get(output) ?? [];
      tensors.set(output, whole);
      for (const [i, prompt] of prompts.entries()) whole[prompt] = perPrompt[i]!;
    }
  }
}

interface WholeLayer {
  readonly readings: Map<string, Float32Array>;
  readonly tensors: Map<string, Activation[]>;
}
