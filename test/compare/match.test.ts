import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareRuns } from '../../src/compare/compare-runs.js';
import { RunError } from '../../src/errors.js';
import { openSafetensors } from '../../src/store/files/safetensors.js';
import type { RunManifest } from '../../src/store/run/manifest.js';
import { layerPath } from '../../src/store/run/run-folder.js';
import { sealRun } from '../support/seal-run.js';
import { type SyntheticRunOptions, writeSyntheticRun } from '../support/synthetic-run.js';
import { type NamedArray, writeSafetensors } from '../support/write-safetensors.js';

const SMALL: SyntheticRunOptions = { layers: 2, neurons: 30, heads: 4, headDim: 2, items: 8, folds: 4 };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'babelscope-match-'));
  await writeSyntheticRun(join(folder, 'reference'), SMALL);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Compares the reference with a run made with `options`. */
async function compareWith(options: SyntheticRunOptions) {
  const other = join(folder, 'other');
  await rm(other, { recursive: true, force: true });
  await writeSyntheticRun(other, { ...SMALL, ...options });
  return compareRuns([
    { folder: join(folder, 'reference'), label: 'base' },
    { folder: other, label: 'sft' },
  ]);
}

const plan =
  (change: Partial<RunManifest['plan']>) =>
  (manifest: RunManifest): RunManifest => ({ ...manifest, plan: { ...manifest.plan, ...change } });
const probe =
  (change: Partial<RunManifest['probe']>) =>
  (manifest: RunManifest): RunManifest => ({ ...manifest, probe: { ...manifest.probe, ...change } });
const shape =
  (change: Partial<RunManifest['shape']>) =>
  (manifest: RunManifest): RunManifest => ({ ...manifest, shape: { ...manifest.shape, ...change } });
const model =
  (change: Partial<RunManifest['model']>) =>
  (manifest: RunManifest): RunManifest => ({ ...manifest, model: { ...manifest.model, ...change } });

describe('runs that do not match are refused, with the field and both values', () => {
  const cases: readonly [string, SyntheticRunOptions, string, string][] = [
    ['shape.family', { manifest: shape({ family: 'llama' }) }, 'qwen2', 'llama'],
    ['shape.layers', { layers: 3 }, '2', '3'],
    ['shape.dMlp', { neurons: 31 }, '30', '31'],
    ['shape.dModel', { heads: 5 }, '8', '10'],
    ['shape.kvHeads', { manifest: shape({ kvHeads: 4 }) }, '2', '4'],
    ['shape.heads', { heads: 2, headDim: 4 }, '4', '2'],
    ['shape.headDim', { headDim: 4, manifest: shape({ dModel: 8 }) }, '2', '4'],
    ['shape.experts', { manifest: shape({ experts: 8 }) }, 'null', '8'],
    [
      'shape.mixture',
      { manifest: shape({ mixture: { perToken: 2, dExpert: 15, dShared: 0, layers: [1] } }) },
      'null',
      '"perToken":2',
    ],
    ['probe.name', { manifest: probe({ name: 'facts' }) }, 'synthetic', 'facts'],
    ['probe.version', { manifest: probe({ version: '2' }) }, '1', '2'],
    ['probe.sha256', { manifest: probe({ sha256: 'beef' }) }, '', 'beef'],
    ['plan.languages', { languages: ['en', 'de', 'fr', 'th'] }, 'en,de,fr,ja', 'en,de,fr,th'],
    ['plan.languages (order)', { languages: ['de', 'en', 'fr', 'ja'] }, 'en,de,fr,ja', 'de,en,fr,ja'],
    ['plan.positions', { manifest: plan({ positions: 'last' }) }, 'all', 'last'],
    ['plan.countFirst', { manifest: plan({ countFirst: true }) }, 'false', 'true'],
    ['plan.bos', { manifest: plan({ bos: 'on' }) }, 'auto', 'on'],
    ['plan.folds', { folds: 2 }, '4', '2'],
    ['plan.seed', { manifest: plan({ seed: 2 }) }, '1', '2'],
    ['plan.keep', { keep: 'folds' }, 'items', 'folds'],
    ['plan.pooling', { manifest: plan({ pooling: 'max' }) }, 'mean', 'max'],
    ['plan.sequenceLength', { manifest: plan({ sequenceLength: 64 }) }, 'undefined', '64'],
    ['plan.tokensPerLanguage', { manifest: plan({ tokensPerLanguage: 96 }) }, 'undefined', '96'],
    ['plan.items', { items: 9 }, '8 items', '9 items'],
    ['plan.hooks', { manifest: plan({ hooks: ['mlp.hook_pre'] }) }, 'attn.hook_z', 'mlp.hook_pre'],
    [
      'plan.items[1]',
      {
        manifest: (manifest) =>
          plan({ items: manifest.plan.items.map((item, i) => (i === 1 ? { ...item, fold: 3 } : item)) })(
            manifest,
          ),
      },
      'item-1 in fold 1',
      'item-1 in fold 3',
    ],
    ['tokens of en in fold 0', { tokensPerPrompt: 13 }, '24', '26'],
  ];

  test.each(cases)('%s', async (field, options, expected, found) => {
    const error = await compareWith(options).then(
      () => null,
      (cause: unknown) => cause,
    );
    expect(error).toBeInstanceOf(RunError);
    const { details } = error as RunError;
    expect(details.what).toBe(`these runs cannot be compared: ${field} differs`);
    expect(details.where).toBe('base, sft');
    expect(details.expected).toContain(expected);
    expect(details.found).toContain(found);
    expect(details.remedy).toBeTruthy();
  });
});

test('a pooled value that one run lacks is refused, with language and item', async () => {
  const other = join(folder, 'gap');
  await writeSyntheticRun(other, SMALL);
  // Layer 0 says which prompts have values; cell 13 is item 3 in German.
  const path = layerPath(other, 0);
  const file = await openSafetensors(path);
  const arrays = await Promise.all(
    [...file.arrays].map(async ([name, { dtype, shape: sizes }]) => {
      const data = await file.read(name);
      if (name === 'head.norm.items') (data as Float32Array).fill(Number.NaN, 13 * 4, 14 * 4);
      return { name, dtype, shape: sizes, data } as NamedArray;
    }),
  );
  await file.close();
  await writeSafetensors(path, arrays);
  await sealRun(other);
  for (const [first, second] of [
    ['reference', 'gap'],
    ['gap', 'reference'],
  ] as const) {
    const runs = [first, second].map((name) => ({ folder: join(folder, name), label: name }));
    const error = await compareRuns(runs).then(
      () => null,
      (cause: unknown) => cause,
    );
    expect(error).toBeInstanceOf(RunError);
    const { details } = error as RunError;
    expect(details.what).toBe('these runs cannot be compared: pooled de of item item-3 differs');
    expect(details.found).toContain(second === 'gap' ? 'none' : 'a pooled value');
  }
});

describe('differences that do not stand in the way are warnings', () => {
  const warned: readonly [string, SyntheticRunOptions, RegExp][] = [
    ['vocabulary', { manifest: shape({ vocab: 600 }) }, /vocabulary size differs \(600, not 512\)/],
    [
      'storage type',
      { manifest: model({ dtype: 'F32' }) },
      /storage type of the weights differs \(F32, not BF16\)/,
    ],
    [
      'a tokenizer written anew that counts the same tokens',
      { manifest: model({ tokenizerSha256: 'beef' }) },
      /tokenizer files differ, but every language has the same counted tokens/,
    ],
    ['chunks', { manifest: plan({ chunks: [[0, 4], [1, 5], [2, 6], [3], [7]] }) }, /./],
  ];

  test.each(warned)('%s', async (_, options, message) => {
    const { warnings } = await compareWith(options);
    expect(warnings.join('\n')).toMatch(message);
  });

  test("a run's own warnings are copied, with its label", async () => {
    const { warnings } = await compareWith({
      manifest: (manifest) => ({ ...manifest, warnings: ['ja has three times the tokens of en'] }),
    });
    expect(warnings).toContain('sft: ja has three times the tokens of en');
  });

  test('the same text is said once, with all runs that it is about', async () => {
    const texts = async (name: string, options: SyntheticRunOptions) => {
      await writeSyntheticRun(join(folder, name), { ...SMALL, ...options });
      return { folder: join(folder, name), label: name };
    };
    const warned: SyntheticRunOptions = {
      manifest: (manifest) => ({ ...model({ dtype: 'F32' })(manifest), warnings: ['ja is long'] }),
    };
    const runs = [
      await texts('base', { manifest: (manifest) => ({ ...manifest, warnings: ['ja is long'] }) }),
      await texts('sft', warned),
      await texts('grpo', warned),
    ];
    const { warnings } = await compareRuns(runs);
    expect(warnings.slice(0, 3)).toEqual([
      'sft, grpo against base: both runs are of the same weights (weightsSha256), so that nothing can have changed.',
      'base, sft, grpo: ja is long',
      'sft, grpo against base: storage type of the weights differs (F32, not BF16).',
    ]);
    expect(warnings.filter((text) => text.includes('the run is not scored'))).toEqual([
      expect.stringMatching(/^base, sft, grpo: /),
    ]);
    expect(new Set(warnings).size).toBe(warnings.length);
  });
});
