import { join } from 'node:path';
import { capture } from '../capture/index.js';
import { type Comparison, compareRuns, type LanguageGroup, type Verdict } from '../compare/index.js';
import type { ProbeSet } from '../probes/index.js';
import type { UnitType } from '../store/index.js';
import { addWeightNoise } from './add-weight-noise.js';

export interface NullOptions {
  readonly checkpoint: string;
  readonly probes: ProbeSet | string;
  /** Of a named set. */
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

/** What a verdict is about: a headline number, a difference in differences, or a headline's part. */
export const VERDICT_KINDS = ['headline', 'contrast', 'layer', 'language'] as const;
export type VerdictKind = (typeof VERDICT_KINDS)[number];

/** One verdict of a comparison on sampling, wherever it stands. */
export interface GivenVerdict {
  readonly kind: VerdictKind;
  readonly type: UnitType;
  readonly measure: string;
  /** Group of languages; null: all. */
  readonly group: string | null;
  readonly from: string;
  readonly to: string;
  /** Index of the layer or of the language; null of headlines and contrasts. */
  readonly part: number | null;
  readonly shareOutside: number | null;
  readonly verdict: Verdict;
}

/** All verdicts of a comparison: every pair of runs, group of languages, contrast, layer and language. */
export function verdictsOf({ units }: Pick<Comparison, 'units'>): GivenVerdict[] {
  return units.flatMap(({ type, headlines, contrasts, pairs }) => [
    ...headlines.map((own): GivenVerdict => ({ kind: 'headline', part: null, ...only(own) })),
    ...contrasts.map((own): GivenVerdict => ({ kind: 'contrast', part: null, ...only(own) })),
    ...pairs.flatMap(({ from, to, layers, selectedByLanguage }) => {
      const named = [
        ...Object.entries(layers).map(([measure, own]) => ({ kind: 'layer' as const, measure, own })),
        { kind: 'language' as const, measure: 'selected', own: selectedByLanguage },
      ];
      return named.flatMap(({ kind, measure, own }) =>
        own.map(({ shareOutside, verdict }, part): GivenVerdict => {
          return { kind, type, measure, group: null, from, to, part, shareOutside, verdict };
        }),
      );
    }),
  ]);
}

function only(own: Omit<GivenVerdict, 'kind' | 'part'>): Omit<GivenVerdict, 'kind' | 'part'> {
  const { type, measure, group, from, to, shareOutside, verdict } = own;
  return { type, measure, group, from, to, shareOutside, verdict };
}

/** Verdicts that say `changed`. */
export function falseChanges(comparison: Pick<Comparison, 'units'>): GivenVerdict[] {
  return verdictsOf(comparison).filter(({ verdict }) => verdict === 'changed');
}
