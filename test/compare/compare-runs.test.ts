import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareRuns } from '../../src/compare/compare-runs.js';
import type { Change, Comparison, Measure } from '../../src/compare/comparison.js';
import { InterruptedError, UsageError } from '../../src/errors.js';
import { openSafetensors } from '../../src/store/files/safetensors.js';
import { layerPath, readManifest } from '../../src/store/run/run-folder.js';
import { unitViews } from '../support/comparison-views.js';
import { createRunFolder } from '../support/create-run-folder.js';
import { sealRun } from '../support/seal-run.js';
import { type PlantedNeuron, writeSyntheticRun } from '../support/synthetic-run.js';
import { unitChangesOf } from '../support/unit-changes.js';
import { type NamedArray, writeSafetensors } from '../support/write-safetensors.js';

const FIXTURES = fileURLToPath(new URL('../fixtures/compare', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'babelscope-compare-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);

function headline(comparison: Comparison, measure: Measure, type = 'neuron'): Change {
  return unitViews(comparison)
    .find((unit) => unit.type === type)!
    .headlines.find((h) => h.measure === measure)!;
}

describe('where nothing changed', () => {
  test('a run against itself is not distinguishable from sampling in any measure, whatever the seed of the halves', async () => {
    await writeSyntheticRun(at('self'));
    for (let seed = 0; seed < 8; seed++) {
      const units = unitViews(
        await compareRuns([{ folder: at('self') }, { folder: at('self') }], {
          seed,
          fraction: 0.05,
        }),
      );
      for (const { verdict, shareOutside, change, measure } of units.flatMap((unit) => unit.headlines)) {
        expect(verdict, measure).not.toBe('changed');
        if (verdict === 'not measured') continue;
        expect(shareOutside).toBeLessThanOrEqual(0.1);
        const isShared = ['jaccard', 'language_kept', 'same_language_top_heads'].includes(measure);
        expect(change.value, measure).toBe(isShared ? 1 : 0);
        expect(change.low).toBe(change.high);
      }
    }
  });

  test('a run without any noise between its halves, against itself, is no change either', async () => {
    const planted = Array.from({ length: 5 }, (_, u) => ({ layer: 0, index: u, language: 0, rate: 1 }));
    await writeSyntheticRun(at('ties'), { layers: 1, neurons: 20, folds: 4, items: 8, planted });
    const units = unitViews(
      await compareRuns([{ folder: at('ties') }, { folder: at('ties') }], { fraction: 0.25 }),
    );
    for (const { verdict } of units.flatMap((unit) => unit.headlines)) expect(verdict).not.toBe('changed');
    // More than one rate in twenty is 1, which is then the bar that none exceeds.
    expect(units[0]!.policy).toMatchObject({ bar: 1, entropyCut: null });
    expect(units[0]!.headlines.find(({ measure }) => measure === 'selected')).toMatchObject({
      verdict: 'not measured',
      note: 'the reference selects none: no neuron with an entropy has a rate above the bar, the 95th percentile of all (1)',
    });
  });
});

describe('where something was planted', () => {
  const shared = { layers: 4, neurons: 150, items: 60, folds: 20 };
  const planted = (layers: readonly number[], language: (u: number) => number): PlantedNeuron[] =>
    layers.flatMap((layer) =>
      Array.from({ length: 40 / layers.length }, (_, u) => ({ layer, index: u, language: language(u) })),
    );
  const compareAB = () =>
    compareRuns(
      [
        { folder: at('a'), label: 'base' },
        { folder: at('b'), label: 'sft' },
      ],
      { fraction: 0.05 },
    );

  test('language-tied units that are gone are a change of their number, of Jaccard and of mean LAPE', async () => {
    await writeSyntheticRun(at('a'), { ...shared, noise: 1, planted: planted([1, 2], (u) => u % 4) });
    const left = planted([1, 2], (u) => u % 4).filter(({ index }) => index >= 14);
    await writeSyntheticRun(at('b'), { ...shared, noise: 2, planted: left });
    const comparison = await compareAB();
    for (const measure of ['selected', 'jaccard', 'mean_lape', 'mean_omega2_language'] as const) {
      expect(headline(comparison, measure).verdict, measure).toBe('changed');
    }
    expect(headline(comparison, 'selected').change.high).toBeLessThan(0);
    expect(headline(comparison, 'mean_lape').change.low).toBeGreaterThan(0);
    const of = await unitChangesOf([{ folder: at('a') }, { folder: at('b') }], comparison);
    const changes = of('neuron', 'lape');
    expect(changes.low![shared.neurons]).toBeGreaterThan(0);
    expect(changes.language_reference![shared.neurons]).toBe(comparison.languages[0]!.tag);
    expect(changes.language_other![shared.neurons]).toBeNull();
  });

  test('where the other run selects nothing its halves have no Jaccard: their number changed, the rest is not measured', async () => {
    await writeSyntheticRun(at('a'), { ...shared, noise: 1, planted: planted([1, 2], (u) => u % 4) });
    await writeSyntheticRun(at('b'), { ...shared, noise: 2 });
    const comparison = await compareAB();
    expect(headline(comparison, 'selected').verdict).toBe('changed');
    const jaccard = headline(comparison, 'jaccard');
    expect(jaccard.change.value).toBeLessThan(0.1);
    expect(jaccard.verdict).toBe('not measured');
    expect(jaccard.note).toMatch(/^cannot be computed in \d+ of 50 split halves within the second run/);
  });

  test('units that only took up another language change the share kept and the reallocation, not their number', async () => {
    await writeSyntheticRun(at('a'), { ...shared, noise: 1, planted: planted([1, 2], () => 0) });
    await writeSyntheticRun(at('b'), {
      ...shared,
      noise: 2,
      planted: planted([1, 2], (u) => (u < 10 ? 0 : 1)),
    });
    const comparison = await compareAB();
    expect(headline(comparison, 'language_kept').verdict).toBe('changed');
    expect(headline(comparison, 'selected').verdict).toBe('not distinguishable from sampling');
    const { matrix } = comparison.units[0]!.reallocations[0]!;
    expect(matrix[0]!.slice(0, 2).map((units) => units > 10)).toEqual([true, true]);
  });

  test('units that moved to deeper layers change the depth profile', async () => {
    await writeSyntheticRun(at('a'), { ...shared, noise: 1, planted: planted([0, 1], (u) => u % 4) });
    await writeSyntheticRun(at('b'), { ...shared, noise: 2, planted: planted([2, 3], (u) => u % 4) });
    const comparison = await compareAB();
    expect(headline(comparison, 'depth_distance').verdict).toBe('changed');
    expect(headline(comparison, 'mean_depth').verdict).toBe('changed');
    expect(headline(comparison, 'mean_depth').change.low).toBeGreaterThan(1);
    expect(headline(comparison, 'jaccard').verdict).toBe('changed');
  });
});

describe('languages', () => {
  test('permuting them in both runs permutes counts and reallocation, and leaves every headline', async () => {
    const order = [2, 0, 1];
    for (const name of ['base', 'tuned']) await permuteLanguages(join(FIXTURES, name), at(name), order);
    const options = { fraction: 0.05, seed: 5 };
    const plain = await compareRuns(
      ['base', 'tuned'].map((name) => ({ folder: join(FIXTURES, name), label: name })),
      options,
    );
    const permuted = await compareRuns(
      ['base', 'tuned'].map((name) => ({ folder: at(name), label: name })),
      options,
    );
    expect(permuted.languages.map(({ tag }) => tag)).toEqual(order.map((k) => plain.languages[k]!.tag));
    const [a, b] = [unitViews(plain)[0]!, unitViews(permuted)[0]!];
    const axis = [...order, order.length];
    expect(b.reallocations[0]!.matrix).toEqual(
      axis.map((row) => axis.map((column) => a.reallocations[0]!.matrix[row]![column])),
    );
    b.profiles.forEach((profile, run) => {
      expect(profile.counts).toEqual(a.profiles[run]!.counts.map((ofLayer) => order.map((k) => ofLayer[k])));
    });
    b.headlines.forEach(({ change, verdict }, i) => {
      expect(change.value).toBeCloseTo(a.headlines[i]!.change.value!, 10);
      expect(change.low).toBeCloseTo(a.headlines[i]!.change.low!, 8);
      expect(verdict).toBe(a.headlines[i]!.verdict);
    });
  });
});

describe('what can be compared', () => {
  test('a single run is described, without headlines', async () => {
    const single = await compareRuns([{ folder: join(FIXTURES, 'base') }], { fraction: 0.05 });
    expect(single.runs.map(({ label }) => label)).toEqual(['base']);
    expect(single.units.map(({ type }) => type)).toEqual(['neuron', 'head']);
    expect(single.units[0]!.profiles[0]!.selected).toBe(20);
    expect([...single.changes, ...single.units.flatMap(({ reallocations }) => reallocations)]).toEqual([]);
    expect(single.headMaps).toHaveLength(1);
  });

  test('three runs: every two of them, the first the reference of all', async () => {
    const three = await compareRuns(
      ['base', 'tuned', 'tuned'].map((name) => ({ folder: join(FIXTURES, name) })),
      { fraction: 0.05 },
    );
    expect(three.runs.map(({ label }) => label)).toEqual(['base', 'tuned', 'tuned (2)']);
    const [neurons] = unitViews(three);
    expect(neurons!.reallocations.map(({ from, to }) => `${from} → ${to}`)).toEqual([
      'base → tuned',
      'base → tuned (2)',
      'tuned → tuned (2)',
    ]);
    const of = (from: string, label: string) =>
      neurons!.headlines.filter((h) => h.from === from && h.to === label).map((h) => ({ ...h, to: '' }));
    expect(of('base', 'tuned (2)')).toEqual(of('base', 'tuned'));
    expect(of('tuned', 'tuned (2)').map(({ verdict }) => verdict)).not.toContain('changed');
  });

  test('runs that kept no items have no ω², and say so', async () => {
    await writeSyntheticRun(at('folds'), { keep: 'folds' });
    const comparison = await compareRuns([{ folder: at('folds') }, { folder: at('folds') }]);
    const omega2 = headline(comparison, 'mean_omega2_language');
    expect(omega2.verdict).toBe('not measured');
    expect(omega2.note).toContain('--keep items');
    expect(comparison.units[0]!.profiles[0]!.meanOmega2Language.every((value) => value === null)).toBe(true);
    expect(comparison.completeItems).toBe(40);
  });

  test('a fraction that rounds to no unit leaves everything about selected units unmeasured', async () => {
    await writeSyntheticRun(at('few'));
    const comparison = await compareRuns([{ folder: at('few') }, { folder: at('few') }]);
    expect(comparison.units[1]!.policy.entropyCut).toBeNull();
    const selected = headline(comparison, 'selected', 'head');
    expect(selected.verdict).toBe('not measured');
    expect(selected.note).toBe('the reference selects none: 1 % of 24 heads is 0.24');
    expect(headline(comparison, 'mean_lape', 'head').verdict).toBe('not distinguishable from sampling');
  });

  test('the same runs, seed and options give the same comparison', async () => {
    const runs = ['base', 'tuned'].map((name) => ({ folder: join(FIXTURES, name) }));
    const options = { seed: 9, fraction: 0.05 };
    expect(await compareRuns(runs, options)).toEqual(await compareRuns(runs, options));
  });

  test('no run, or a label twice, is refused', async () => {
    const base = join(FIXTURES, 'base');
    await expect(compareRuns([])).rejects.toThrow(UsageError);
    await expect(
      compareRuns([
        { folder: base, label: 'a' },
        { folder: base, label: 'a' },
      ]),
    ).rejects.toThrow('two runs have the same label');
  });

  test('progress counts layers, and an aborted signal interrupts between them', async () => {
    const runs = ['base', 'tuned'].map((name) => ({ folder: join(FIXTURES, name) }));
    const seen: number[] = [];
    await compareRuns(runs, { splits: 4, onProgress: ({ done, total }) => seen.push(done / total) });
    expect(seen).toHaveLength(2 * 2 * 4);
    expect(seen.at(-1)).toBe(1);
    const controller = new AbortController();
    const interrupted = compareRuns(runs, {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(interrupted).rejects.toThrow(InterruptedError);
  });
});

/** Copies a run with its languages in another order: language k of the copy is language order[k]. */
async function permuteLanguages(from: string, to: string, order: readonly number[]): Promise<void> {
  const manifest = await readManifest(from);
  await createRunFolder(to);
  for (let layer = 0; layer < manifest.shape.layers; layer++) {
    const file = await openSafetensors(layerPath(from, layer));
    const arrays: NamedArray[] = [];
    for (const [name, { dtype, shape }] of file.arrays) {
      const data = (await file.read(name)) as Float64Array;
      const [outer = 0, languages = 0, ...inner] = shape;
      const width = inner.reduce((product, size) => product * size, 1);
      const permuted = data.slice();
      for (let row = 0; row < outer; row++) {
        for (let k = 0; k < languages; k++) {
          const start = (row * languages + order[k]!) * width;
          permuted.set(data.subarray(start, start + width), (row * languages + k) * width);
        }
      }
      arrays.push({ name, dtype, shape, data: permuted } as NamedArray);
    }
    await file.close();
    await writeSafetensors(layerPath(to, layer), arrays);
  }
  await sealRun(to, {
    ...manifest,
    languages: order.map((k) => manifest.languages[k]!),
    plan: { ...manifest.plan, languages: order.map((k) => manifest.plan.languages[k]!) },
  });
}
