import { join } from 'node:path';
import { type Comparison, headlineChanges } from '../compare/index.js';
import type { ProbeSet } from '../probes/index.js';
import { makeFolder, writeJson } from '../store/index.js';
import { VERSION } from '../version.js';
import { nullComparison } from './null-comparison.js';
import { measureRecovery, type RecoveryPoint } from './recovery.js';

export interface PlantedDemoOptions {
  readonly checkpoint: string;
  readonly probes: ProbeSet | string;
  readonly languages?: readonly string[] | undefined;
  /** Items to use, half of them to find directions on. Default 120. */
  readonly limit?: number | undefined;
  /** Where checkpoints, runs and `known-answers.json` go. */
  readonly out: string;
  /** Default 0, 0.5, 1 and 2. */
  readonly strengths?: readonly number[] | undefined;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((step: string) => void) | undefined;
}

export interface PlantedDemo {
  readonly recovery: readonly RecoveryPoint[];
  /** The checkpoint against itself and against a copy moved by bfloat16 rounding: nothing may be called changed. */
  readonly nothing: Comparison;
}

/** Neurons planted in each checkpoint: as many as the policies select of the demo's 5,120. */
const NEURONS = 51;

/**
 * Known answers at the size of the demo: neurons planted with graded strength among levelled ones are looked for, and a
 * checkpoint is compared with itself and with a copy that only noise tells apart. Writes `known-answers.json`.
 */
export async function plantedDemo(options: PlantedDemoOptions): Promise<PlantedDemo> {
  const { strengths = [0, 0.5, 1, 2], out, limit = 120 } = options;
  await makeFolder(out);
  const recovery = await measureRecovery({
    ...options,
    limit,
    types: ['neuron'],
    strengths,
    planted: { neuron: NEURONS, head: 0 },
  });
  const nothing = await nullComparison({ ...options, limit });
  const headlines = nothing.units.flatMap(({ type }) => headlineChanges(nothing, type));
  const answers = { schema: 'babelscope/known-answers', babelscope: VERSION, recovery, nothing: headlines };
  await writeJson(join(out, 'known-answers.json'), answers);
  return { recovery, nothing };
}
