import { join } from 'node:path';
import { capture } from '../capture/index.js';
import { compareRuns } from '../compare/index.js';
import type { Comparison, Headline } from '../compare/types.js';
import type { ProbeSet } from '../probes/types.js';
import { addWeightNoise } from './add-weight-noise.js';

export interface NullOptions {
  readonly checkpoint: string;
  readonly probes: ProbeSet | string;
  /** Of a named set. */
  readonly languages?: readonly string[] | undefined;
  readonly limit?: number | undefined;
  /** Folder for the noisy checkpoints and the runs. */
  readonly out: string;
  /** A noisy copy of the checkpoint for each. Default [1]. */
  readonly noiseSeeds?: readonly number[] | undefined;
  /** Share of units that the reference selects; default 0.01. */
  readonly fraction?: number | undefined;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((step: string) => void) | undefined;
}

/**
 * Compares a checkpoint with itself, captured a second time, and with copies whose weights moved by no more than rounding
 * to bfloat16 would move them. Whatever `falseChanges` finds in the result is a fault of the instrument.
 */
export async function nullComparison(options: NullOptions): Promise<Comparison> {
  const { checkpoint, probes, languages, limit, out, noiseSeeds = [1], threads, signal } = options;
  const models = [
    { label: 'checkpoint', folder: checkpoint },
    { label: 'the same again', folder: checkpoint },
    ...noiseSeeds.map((seed) => ({
      label: `bf16 noise, seed ${seed}`,
      folder: join(out, 'checkpoints', `noise-${seed}`),
      seed,
    })),
  ];
  const runs: { label: string; folder: string }[] = [];
  for (const [n, model] of models.entries()) {
    options.onProgress?.(model.label);
    if ('seed' in model) await addWeightNoise(checkpoint, model.folder, { seed: model.seed });
    const folder = join(out, 'runs', `null-${n}`);
    await capture({ checkpoint: model.folder, probes, languages, limit, out: folder, threads, signal });
    runs.push({ label: model.label, folder });
  }
  return compareRuns(runs, { fraction: options.fraction, signal });
}

/** Headlines that a comparison calls changed. */
export function falseChanges({ units }: Pick<Comparison, 'units'>): Headline[] {
  return units.flatMap(({ headlines }) => headlines.filter(({ verdict }) => verdict === 'changed'));
}
