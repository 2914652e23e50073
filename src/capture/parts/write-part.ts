import type { ChunkProgress, ModelRunner } from '../../runtime/index.js';
import { type PlannedArray, partPath, type RunManifest, streamSafetensors } from '../../store/index.js';
import { layerArrays, partArrayName, partShape, plannedTaps } from '../plan/recording.js';
import { describePrompt, type Grid } from '../prompts/grid.js';
import { type PromptPlace, reduceLayer } from './reduce-layer.js';

/** Array of a part, [layer]: pooled values beyond half precision's range. */
export const SATURATED_ARRAY = 'saturated';

export interface PartRequest {
  readonly folder: string;
  readonly manifest: RunManifest;
  readonly grid: Grid;
  readonly chunk: number;
  readonly runner: ModelRunner;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (progress: ChunkProgress) => void;
  readonly onLayer: (layer: number) => void;
}

/**
 * Runs one chunk and writes its part, a layer at a time as layers are done: memory holds a layer or two of it, and the
 * file appears whole or not at all.
 */
export async function writePart(request: PartRequest): Promise<void> {
  const { folder, manifest, grid, chunk, runner, signal, onProgress, onLayer } = request;
  const { plan, shape, planSha256 } = manifest;
  const items = plan.chunks[chunk]!;
  const { prompts, places, names } = promptsOf(grid, items);

  const saturated = new Uint32Array(shape.layers);
  const layers = new Mailbox<readonly ArrayBufferView[]>();
  async function* values() {
    for await (const buffers of layers) yield* buffers;
    yield saturated;
  }

  const writing = streamSafetensors(
    partPath(folder, chunk, plan.chunks.length),
    [...partArrays(manifest, chunk), { name: SATURATED_ARRAY, dtype: 'U32', shape: [shape.layers] }],
    values(),
    { 'babelscope.chunk': String(chunk), 'babelscope.plan': planSha256 },
  );
  writing.catch(() => layers.abandon());
  try {
    await runner.runChunk({
      prompts,
      taps: plannedTaps(manifest),
      signal,
      describePrompt: (prompt) => names[prompt]!,
      onProgress,
      onLayer: (readings) => {
        onLayer(readings.layer);
        const reduced = reduceLayer(
          layerArrays(manifest, readings.layer),
          readings,
          places,
          items.length,
          plan.languages.length,
        );
        saturated[readings.layer] = reduced.saturated;
        return layers.put(reduced.buffers);
      },
    });
    layers.end();
  } catch (error) {
    layers.fail(error);
  }
  await writing; // fails with what the chunk failed with, or with what writing failed with
}

/** Every array of a part but the last, in order. */
function partArrays(manifest: RunManifest, chunk: number): PlannedArray[] {
  const items = manifest.plan.chunks[chunk]!.length;
  return Array.from({ length: manifest.shape.layers }, (_, layer) =>
    layerArrays(manifest, layer).map((array) => ({
      name: partArrayName(layer, array.name),
      dtype: array.dtype,
      shape: partShape(array, items),
    })),
  ).flat();
}

function promptsOf({ probes, cells }: Grid, items: readonly number[]) {
  const present = items.flatMap((item, i) =>
    cells[item]!.flatMap((cell, language) => (cell === null ? [] : [{ cell, item, i, language }])),
  );
  return {
    prompts: present.map(({ cell }) => cell),
    places: present.map(({ cell, i, language }): PromptPlace => {
      return { item: i, language, countedTokens: cell.countedTokens };
    }),
    names: present.map(({ item, language }) =>
      describePrompt(probes.items[item]!.id, probes.languages[language]!.tag),
    ),
  };
}

interface Letter<T> {
  readonly value: T;
  readonly taken: () => void;
}

/** One side puts values and can wait for each to be taken; the other side iterates over them. */
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
