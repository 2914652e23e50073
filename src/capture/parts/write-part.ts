import { TransformStream } from 'node:stream/web';
import type { ChunkProgress, ModelRunner } from '../../runtime/index.js';
import { type PlannedArray, partPath, type RunManifest, streamSealed } from '../../store/index.js';
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
  /** Throws where the checkpoint has changed since the capture began: the part is not kept. */
  readonly checkInputs: () => Promise<void>;
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
  // A layer is put when it is done, and waits there until it has been written.
  const { readable, writable } = new TransformStream<readonly ArrayBufferView[]>();
  const layers = writable.getWriter();
  async function* values() {
    for await (const buffers of readable.values({ preventCancel: true })) yield* buffers;
    await request.checkInputs();
    yield saturated;
  }

  const writing = streamSealed(
    partPath(folder, chunk, plan.chunks.length),
    [...partArrays(manifest, chunk), { name: SATURATED_ARRAY, dtype: 'U32', shape: [shape.layers] }],
    values(),
    { 'babelscope.chunk': String(chunk), 'babelscope.plan': planSha256 },
  );
  // Whoever waits to put a layer learns that nobody writes any more.
  writing.catch((error) => readable.cancel(error)).catch(() => {});
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
        return layers.write(reduced.buffers);
      },
    });
    await layers.close();
  } catch (error) {
    await layers.abort(error);
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
