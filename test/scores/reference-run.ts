import { readFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { fromFloat16 } from '../../src/store/files/float16.js';
import { openSafetensors } from '../../src/store/files/safetensors.js';
import { layerPath } from '../../src/store/run/run-folder.js';
import { sealRun } from '../support/seal-run.js';
import { writeSyntheticRun } from '../support/synthetic-run.js';

const FIXTURES = fileURLToPath(new URL('../fixtures/scores/', import.meta.url));

/** [unit] or [language][unit]; null where there is no value. */
export type Expected = readonly (number | null)[];
export type ExpectedByLanguage = readonly Expected[];

interface ExpectedTwoWay {
  readonly eta2Language: Expected;
  readonly eta2Item: Expected;
  readonly omega2Language: Expected;
  readonly omega2Item: Expected;
}
interface ExpectedShare {
  readonly vectorShareLanguage: Expected;
  readonly vectorShareItem: Expected;
}
interface ExpectedEnds<E> {
  readonly se: E;
  readonly low: E;
  readonly high: E;
}
export interface ExpectedUnits extends ExpectedTwoWay {
  readonly lape: Expected;
  readonly lapeSe: Expected;
  readonly lapeLow: Expected;
  readonly lapeHigh: Expected;
  readonly rate: ExpectedByLanguage;
  readonly mean: ExpectedByLanguage;
  readonly ap: ExpectedByLanguage;
  readonly auroc: ExpectedByLanguage;
  readonly selectivity: ExpectedByLanguage;
  readonly mi: Expected;
  readonly apJackknife: ExpectedEnds<ExpectedByLanguage>;
  readonly halfSamples: { readonly mi: ExpectedEnds<Expected>; readonly overlap: ExpectedEnds<Expected> };
  /** With the other languages, on average. */
  readonly overlap: ExpectedByLanguage;
  /** [language][language][unit], of the first units only. */
  readonly overlapPairs: readonly ExpectedByLanguage[];
  readonly overlapMean: Expected;
  readonly eta2LanguageInterval: ExpectedEnds<Expected>;
  readonly omega2LanguageInterval: ExpectedEnds<Expected>;
}
/** [unit among all layers, its languages] */
type Members = readonly (readonly [number, readonly number[]])[];

/** What `test/reference/make_scores.py` computed. */
export interface ReferenceRun {
  readonly layers: number;
  readonly neurons: number;
  readonly heads: number;
  readonly headDim: number;
  readonly languages: number;
  readonly items: number;
  readonly folds: number;
  readonly foldOf: readonly number[];
  readonly missing: readonly (readonly [number, number])[];
  readonly halfFolds: readonly number[];
  /** Halves of the folds, and languages permuted within items [permutation][prompt], for intervals. */
  readonly halvings: readonly (readonly [readonly number[], readonly number[]])[];
  readonly permutations: readonly (readonly number[])[];
  readonly completeItems: number;
  readonly chance: readonly number[];
  readonly expected: readonly {
    readonly neuron: ExpectedUnits & {
      readonly rateJackknife: ExpectedEnds<ExpectedByLanguage>;
      readonly contrastJackknife: ExpectedEnds<ExpectedByLanguage>;
      /** Items weighted as a bootstrap draw weights them; of the first layer. */
      readonly weighted?: {
        readonly weight: readonly number[];
        readonly ap: ExpectedByLanguage;
        readonly auroc: ExpectedByLanguage;
        readonly selectivity: ExpectedByLanguage;
      };
      readonly half: ExpectedTwoWay & { readonly lape: Expected; readonly ap: ExpectedByLanguage };
    };
    readonly head: ExpectedUnits & ExpectedShare & { readonly half: ExpectedTwoWay & ExpectedShare };
  }[];
  /** Scores of the first layer's neurons without the cells [item, language] of `absent`. */
  readonly sparse: {
    readonly absent: readonly (readonly [number, number])[];
    readonly ap: ExpectedByLanguage;
    readonly auroc: ExpectedByLanguage;
    readonly selectivity: ExpectedByLanguage;
    readonly mi: Expected;
    readonly overlap: ExpectedByLanguage;
  };
  readonly fraction: number;
  readonly tang2024: { readonly bar: number; readonly entropyCut: number; readonly members: Members };
  readonly polyfact2026: { readonly members: Members };
  readonly otherRates: readonly (readonly number[])[];
  readonly otherReference: { readonly members: Members };
}

export const reference = JSON.parse(readFileSync(join(FIXTURES, 'run.json'), 'utf8')) as ReferenceRun;
export const statistics = JSON.parse(readFileSync(join(FIXTURES, 'statistics.json'), 'utf8')) as {
  readonly t: readonly (readonly [number, number, number])[];
  readonly beta: readonly (readonly [number, number, number, number])[];
  readonly x: readonly number[];
  readonly tied: readonly number[];
  readonly midranks: readonly number[];
  readonly spearman: number;
  readonly quantiles: readonly (readonly [number, number])[];
};

export const shape = { folds: reference.folds, languages: reference.languages, units: reference.neurons };
export const TAGS = ['en', 'de', 'fr', 'ja'] as const;

const lacks = new Set(reference.missing.map(([item, k]) => item * reference.languages + k));
export const completeItems = Array.from({ length: reference.items }, (_, item) => item).filter((item) =>
  TAGS.every((_, k) => !lacks.has(item * reference.languages + k)),
);

/** An array of a layer of the reference run; half precision as numbers. */
export async function readArray(
  layer: number,
  name: string,
): Promise<Float64Array | Float32Array | Uint32Array> {
  const file = await openSafetensors(join(FIXTURES, `layer-${layer}.safetensors`));
  try {
    const values = await file.read(name);
    return values instanceof Uint16Array ? fromFloat16(values) : (values as Float64Array);
  } finally {
    await file.close();
  }
}

/** Lays the reference run out as capture would. */
export async function writeReferenceRun(folder: string): Promise<void> {
  const { layers, neurons, heads, headDim, items, folds } = reference;
  await writeSyntheticRun(folder, { languages: TAGS, layers, neurons, heads, headDim, items, folds });
  for (let layer = 0; layer < layers; layer++) {
    await copyFile(join(FIXTURES, `layer-${layer}.safetensors`), layerPath(folder, layer));
  }
  await sealRun(folder);
}

/** Every value within 1e-9 (absolute) of the expected one; null stands for NaN. */
export function expectValues(found: ArrayLike<number>, expected: Expected, tolerance = 1e-9): void {
  expect(found.length).toBe(expected.length);
  const worst = expected.reduce<number>((most, value, u) => {
    if (value === null) return Number.isNaN(found[u]!) ? most : Infinity;
    const difference = Math.abs(found[u]! - value);
    return Number.isNaN(difference) ? Infinity : Math.max(most, difference);
  }, 0);
  expect(worst).toBeLessThanOrEqual(tolerance);
}
