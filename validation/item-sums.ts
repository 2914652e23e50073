import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { capture, FOLDS } from '../src/capture/index.js';
import { loadProbes, type ProbeItem } from '../src/probes/index.js';
import { openRun } from '../src/store/index.js';

/** Neurons of all layers, item by item: a population that simulated runs draw their items from. */
export interface ItemSums {
  readonly items: number;
  readonly languages: number;
  /** Over all layers. */
  readonly units: number;
  /** [item, language, unit]: counted tokens at which the neuron fires. */
  readonly fire: Uint16Array;
  /** [item, language]: counted tokens. */
  readonly tokens: Uint16Array;
  /** [item, language, unit]: hook_post, mean over counted tokens. */
  readonly pooled: Float32Array;
}

export interface ItemSumsOptions {
  readonly checkpoint: string;
  readonly probes: string;
  readonly languages: readonly string[];
  /** Taken evenly from the whole set, so that its parts keep their shares. */
  readonly items: number;
  /** Where runs and the sums are kept. */
  readonly work: string;
  readonly onProgress?: ((step: string) => void) | undefined;
}

/**
 * Captures a probe set so that every item is a fold of its own: a run of no more items than there are folds deals one to
 * each, so the set is captured in pieces.
 */
export async function captureItemSums(options: ItemSumsOptions): Promise<ItemSums> {
  const { checkpoint, probes, languages, work, onProgress } = options;
  const set = await loadProbes(probes, { languages: [...languages] });
  const complete = set.items.filter(({ prompts }) => languages.every((tag) => prompts.has(tag)));
  const items = spread(complete, Math.min(options.items, complete.length));
  const file = join(work, `sums-${items.length}.bin`);
  if (existsSync(file)) return fromBytes(await readFile(file), items.length, languages.length);
  let sums: ItemSums | null = null;
  for (let start = 0; start < items.length; start += FOLDS) {
    onProgress?.(`items ${start} of ${items.length}`);
    const piece = items.slice(start, start + FOLDS);
    const out = join(work, `piece-${start}`);
    await capture({ checkpoint, probes: { ...set, items: piece }, out, threads: 1 });
    const run = await openRun(out);
    const { layers, dMlp } = run.manifest.shape;
    const width = dMlp!;
    sums ??= empty(items.length, languages.length, layers * width);
    const { plan } = run.manifest;
    for (let l = 0; l < layers; l++) {
      const layer = await run.layer(l);
      const tokens = await layer.readTokens();
      const fire = await layer.readStatistic('mlp.fire');
      const pooled = await layer.readItems('mlp.items', 0, width);
      await layer.close();
      for (const [i, { fold }] of plan.items.entries()) {
        for (let k = 0; k < languages.length; k++) {
          const cell = (start + i) * languages.length + k;
          sums.tokens[cell] = tokens[fold * languages.length + k]!;
          const at = cell * sums.units + l * width;
          const from = (fold * languages.length + k) * width;
          sums.fire.set(fire.subarray(from, from + width), at);
          sums.pooled.set(
            pooled.subarray((i * languages.length + k) * width, (i * languages.length + k + 1) * width),
            at,
          );
        }
      }
    }
  }
  await writeFile(file, toBytes(sums!));
  return sums!;
}

function spread(items: readonly ProbeItem[], count: number): ProbeItem[] {
  return Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)]!);
}

function empty(items: number, languages: number, units: number): ItemSums {
  const cells = items * languages;
  return {
    items,
    languages,
    units,
    fire: new Uint16Array(cells * units),
    tokens: new Uint16Array(cells),
    pooled: new Float32Array(cells * units),
  };
}

function toBytes({ fire, tokens, pooled }: ItemSums): Buffer {
  return Buffer.concat(
    [pooled, fire, tokens].map((of) => Buffer.from(of.buffer, of.byteOffset, of.byteLength)),
  );
}

/** The sums that `toBytes` wrote: per cell one number of tokens, and six bytes a unit. */
function fromBytes(bytes: Buffer, items: number, languages: number): ItemSums {
  const cells = items * languages;
  const units = (bytes.byteLength / cells - 2) / 6;
  const { buffer } = new Uint8Array(bytes);
  return {
    items,
    languages,
    units,
    pooled: new Float32Array(buffer, 0, cells * units),
    fire: new Uint16Array(buffer, 4 * cells * units, cells * units),
    tokens: new Uint16Array(buffer, 6 * cells * units, cells),
  };
}
