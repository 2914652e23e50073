import { readFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { layerPath } from '../../src/store/run/run-folder.js';
import { sealRun } from '../support/seal-run.js';
import { writeSyntheticRun } from '../support/synthetic-run.js';
import { type Expected, type ExpectedByLanguage, reference, TAGS } from './reference-run.js';

const FOLDER = fileURLToPath(new URL('../fixtures/scores/experts/', import.meta.url));

interface ExpectedInterval<E> {
  readonly value: E;
  readonly se: E;
  readonly low: E;
  readonly high: E;
}

/** What `test/reference/make_expert_scores.py` computed. */
export const experts = JSON.parse(readFileSync(join(FOLDER, 'run.json'), 'utf8')) as {
  readonly layers: number;
  readonly experts: number;
  readonly perToken: number;
  /** Neurons of an expert, those that all tokens pass, and those of the dense first layer. */
  readonly width: number;
  readonly shared: number;
  readonly dense: number;
  readonly heads: number;
  /** Experts that no token reaches; that none of language 2 does; that one of language 1 does, in one fold. */
  readonly never: number;
  readonly notInLanguage2: number;
  readonly onceInLanguage1: number;
  readonly expected: readonly {
    readonly neuron: {
      readonly rate: ExpectedInterval<ExpectedByLanguage>;
      readonly lape: ExpectedInterval<Expected>;
      readonly mean: ExpectedInterval<ExpectedByLanguage>;
      readonly contrast: ExpectedInterval<ExpectedByLanguage>;
    };
    readonly expert: {
      readonly rate: ExpectedInterval<ExpectedByLanguage>;
      readonly lape: ExpectedInterval<Expected>;
      readonly exclusivity: ExpectedInterval<Expected>;
      readonly mean: ExpectedInterval<ExpectedByLanguage>;
      readonly ap: ExpectedByLanguage;
      readonly auroc: ExpectedByLanguage;
      readonly selectivity: ExpectedByLanguage;
      readonly overlap: ExpectedByLanguage;
      readonly mi: Expected;
      readonly overlapMean: Expected;
      readonly eta2Language: Expected;
      readonly eta2Item: Expected;
      readonly omega2Language: Expected;
      readonly omega2Item: Expected;
    } | null;
  }[];
  readonly tang2024: {
    readonly fraction: number;
    readonly bar: number;
    readonly members: readonly (readonly [unit: number, languages: readonly number[]])[];
  };
};

/** Lays the run of the mixture out as capture would. */
export async function writeExpertRun(folder: string): Promise<void> {
  const { layers, heads, dense, width, shared, perToken, experts: count } = experts;
  const { items, folds } = reference;
  await writeSyntheticRun(folder, {
    languages: TAGS,
    layers,
    heads,
    items,
    folds,
    neurons: dense,
    manifest: (manifest) => ({
      ...manifest,
      shape: {
        ...manifest.shape,
        experts: count,
        mixture: { perToken, dExpert: width, dShared: shared, layers: [1, 2] },
      },
    }),
  });
  for (let layer = 0; layer < layers; layer++) {
    await copyFile(join(FOLDER, `layer-${layer}.safetensors`), layerPath(folder, layer));
  }
  await sealRun(folder);
}
