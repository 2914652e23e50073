import { join } from 'node:path';
import { capture } from '../capture/index.js';
import {
  type Comparison,
  compareRuns,
  type LanguageGroup,
  type QuantityKey,
  type Verdict,
} from '../compare/index.js';
import type { ProbeSet } from '../probes/index.js';
import { addWeightNoise } from './add-weight-noise.js';

export interface NullOptions {
  readonly checkpoint: string;
  readonly probes: ProbeSet | string;
  /** Languages of a named probe set. */
  readonly languages?: readonly string[] | undefined;
  readonly limit?: number | undefined;
  /** Languages that measures are also compared for apart. Default: none. */
  readonly groups?: readonly LanguageGroup[] | undefined;
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
  const { checkpoint, probes, languages, limit, groups, out, noiseSeeds = [1], threads, signal } = options;
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
  return compareRuns(runs, { groups, fraction: options.fraction, signal });
}

/** A verdict is about one of these: a headline number, a difference in differences, or a headline's part. */
export const VERDICT_KINDS = ['headline', 'contrast', 'layer', 'language'] as const;
export type VerdictKind = (typeof VERDICT_KINDS)[number];

/** One verdict of a comparison on sampling, wherever it stands. */
export interface GivenVerdict extends QuantityKey {
  readonly kind: VerdictKind;
  readonly from: string;
  readonly to: string;
  readonly shareOutside: number | null;
  readonly verdict: Verdict;
}

type Given = Omit<GivenVerdict, 'kind'>;

/** All verdicts of a comparison on units: every pair of runs, group of languages, contrast, layer and language. */
export function verdictsOf({
  changes,
  contrasts,
}: Pick<Comparison, 'changes' | 'contrasts'>): GivenVerdict[] {
  const kindOf = ({ layer, language }: Given): VerdictKind =>
    layer !== null ? 'layer' : language !== null ? 'language' : 'headline';
  return [
    ...changes.map((own): GivenVerdict => ({ kind: kindOf(own), ...given(own) })),
    ...contrasts.map((own): GivenVerdict => ({ kind: 'contrast', ...given(own) })),
  ].filter(({ type }) => type !== null);
}

function given({ measure, type, group, layer, language, from, to, shareOutside, verdict }: Given): Given {
  return { measure, type, group, layer, language, from, to, shareOutside, verdict };
}

/** Verdicts that say `changed`. */
export function falseChanges(comparison: Pick<Comparison, 'changes' | 'contrasts'>): GivenVerdict[] {
  return verdictsOf(comparison).filter(({ verdict }) => verdict === 'changed');
}
