import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openSafetensors } from '../../src/store/files/safetensors.js';
import { writeSyntheticRun } from './synthetic-run.js';

const FIXTURES = fileURLToPath(new URL('../fixtures/alignment/', import.meta.url));

/** Value, standard error, and the ends of the 95 % interval. */
type ExpectedInterval = readonly [number, number, number, number];
/** [margin, MEXA] */
type ExpectedMeans = readonly [number, number];

export interface ExpectedPair {
  readonly a: number;
  readonly b: number;
  readonly items: number;
  readonly leftOut: number;
  readonly same: number;
  readonly different: number;
  readonly margin: ExpectedInterval;
  readonly mexa: ExpectedInterval;
}

interface ExpectedPlace {
  readonly group: string;
  readonly layer: number | null;
  readonly measure: 'margin' | 'mexa';
}

/** What `test/reference/make_alignment.py` computed. */
export const aligned = JSON.parse(readFileSync(join(FIXTURES, 'expected.json'), 'utf8')) as {
  readonly layers: number;
  readonly items: number;
  readonly languages: number;
  readonly dimension: number;
  readonly folds: number;
  readonly foldOf: readonly number[];
  /** By run, [layer][pair]. */
  readonly pairs: Readonly<Record<string, readonly (readonly ExpectedPair[])[]>>;
  /** By group and run, [layer], by bit mask of folds. */
  readonly means: Readonly<
    Record<string, Readonly<Record<string, readonly Readonly<Record<string, ExpectedMeans>>[]>>>
  >;
  /** Of rewarded, with a second seed, − tuned, with a second seed, against base. */
  readonly contrasts: readonly (ExpectedPlace & {
    readonly changesFrom: readonly number[];
    readonly changesTo: readonly number[];
    readonly difference: ExpectedInterval;
  })[];
  /** Over base, rewarded-2, rewarded, tuned, tuned-2 as checkpoints of one training run. */
  readonly trends: readonly (ExpectedPlace & {
    readonly s: number;
    readonly tau: number;
    readonly p: number;
  })[];
};

export const ALIGNED_TAGS = ['en', 'de', 'fr', 'ja'] as const;

/** The pooled stream of a layer, [item, language, dimension]. */
export async function readStream(run: string, layer: number): Promise<Float32Array> {
  const file = await openSafetensors(join(FIXTURES, `${run}.safetensors`));
  try {
    return (await file.read(`0${layer}`)) as Float32Array;
  } finally {
    await file.close();
  }
}

/** Lays a run of the fixture out as capture would, with made-up neurons and heads. */
export async function writeAlignedRun(folder: string, run: string): Promise<void> {
  const { layers, items, folds } = aligned;
  const streams = await Promise.all(Array.from({ length: layers }, (_, layer) => readStream(run, layer)));
  await writeSyntheticRun(folder, {
    languages: ALIGNED_TAGS,
    layers,
    items,
    folds,
    neurons: 20,
    // Weights of their own, as training seeds must have.
    noise: 1 + Object.keys(aligned.means.all!).indexOf(run),
    residual: (layer) => streams[layer]!,
  });
}
