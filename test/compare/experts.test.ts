import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { capture } from '../../src/capture/index.js';
import type { Comparison } from '../../src/compare/comparison.js';
import { compareRuns } from '../../src/compare/index.js';
import { RunSource } from '../../src/compare/inputs/run-source.js';
import { RunError } from '../../src/errors.js';
import { fromFloat16 } from '../../src/store/files/float16.js';
import { openSafetensors } from '../../src/store/files/safetensors.js';
import type { RunManifest } from '../../src/store/run/manifest.js';
import { layerPath } from '../../src/store/run/run-folder.js';
import { experts, writeExpertRun } from '../scores/expert-run.js';
import { expectValues } from '../scores/reference-run.js';
import { temporaryFolder } from '../store/temporary-folder.js';
import { unitViews } from '../support/comparison-views.js';
import { sealRun } from '../support/seal-run.js';
import { type SyntheticRunOptions, writeSyntheticRun } from '../support/synthetic-run.js';
import { TINY_PROBES, tinyMixture } from '../support/tiny-checkpoint.js';
import { unitChangesOf } from '../support/unit-changes.js';
import { type NamedArray, writeSafetensors } from '../support/write-safetensors.js';

const [LAYERS, UNITS] = [3, 100];
const OPTIONS = { layers: LAYERS, neurons: UNITS, heads: 2, items: 40 };

/** Experts of one neuron each, in every layer. */
const asMixture = (manifest: RunManifest): RunManifest => ({
  ...manifest,
  shape: {
    ...manifest.shape,
    experts: UNITS,
    mixture: { perToken: 2, dExpert: 1, dShared: 0, layers: [0, 1, 2] },
  },
});

/** A run of a mixture whose experts were chosen as often as the neurons of a dense run fire, with their pooled values. */
async function writeTwins(dense: string, mixture: string, options: SyntheticRunOptions): Promise<void> {
  await writeSyntheticRun(dense, options);
  await writeSyntheticRun(mixture, { ...options, manifest: asMixture });
  for (let layer = 0; layer < LAYERS; layer++) {
    const path = layerPath(mixture, layer);
    const file = await openSafetensors(path);
    const fire = (await file.read('mlp.fire')) as Uint32Array;
    const items = fromFloat16((await file.read('mlp.items')) as Uint16Array);
    const shape = file.arrays.get('mlp.fire')!.shape;
    const arrays: NamedArray[] = [
      { name: 'expert.count', dtype: 'U32', shape, data: fire },
      { name: 'expert.prob.items', dtype: 'F32', shape: file.arrays.get('mlp.items')!.shape, data: items },
    ];
    for (const [name, description] of file.arrays) {
      if (name !== 'mlp.items')
        arrays.push({ name, ...description, data: await file.read(name) } as NamedArray);
    }
    await file.close();
    await writeSafetensors(path, arrays);
  }
  await sealRun(mixture);
}

async function twins(options: SyntheticRunOptions) {
  const [dense, mixture] = [await temporaryFolder(), await temporaryFolder()];
  await writeTwins(dense, mixture, options);
  return { dense, mixture };
}

/** What is said of one type, without the names of type and rate, and p-values, which depend on how many tests there are. */
function unitsOf(comparison: Comparison, type: 'neuron' | 'expert') {
  const { rate, ...own } = unitViews(comparison).find((one) => one.type === type)!;
  expect(rate).toBe(type === 'neuron' ? 'firing rate' : 'selection frequency');
  const drawn = new Set(['p', 'adjusted', 'finding']);
  const text = JSON.stringify(own, (key, value) => (drawn.has(key) ? undefined : value));
  return JSON.parse(text.replaceAll(`"type":"${type}"`, '"type":"unit"')) as unknown;
}

test('experts are compared by selection frequency as neurons are by firing rate', async () => {
  const planted = [{ layer: 1, index: 4, language: 2 }];
  const a = await twins({ ...OPTIONS, planted });
  const b = await twins({ ...OPTIONS, noise: 2, planted: [] });
  const compare = (kind: 'dense' | 'mixture') =>
    compareRuns(
      [
        { folder: a[kind], label: 'a' },
        { folder: b[kind], label: 'b' },
      ],
      { splits: 6 },
    );
  const [dense, mixture] = [await compare('dense'), await compare('mixture')];
  expect(mixture.units.map(({ type }) => type)).toEqual(['neuron', 'head', 'expert']);
  expect(unitsOf(mixture, 'expert')).toEqual(unitsOf(dense, 'neuron'));
  const changesOf = (kind: 'dense' | 'mixture', comparison: typeof dense) =>
    unitChangesOf([{ folder: a[kind] }, { folder: b[kind] }], comparison);
  const [ofDense, ofMixture] = [await changesOf('dense', dense), await changesOf('mixture', mixture)];
  expect(ofMixture('expert', 'lape').se).toEqual(ofDense('neuron', 'lape').se);
  expect(ofMixture('expert', 'omega2_language').q).toEqual(ofDense('neuron', 'omega2_language').q);
  const [map] = mixture.expertMaps;
  expect(map!.topLanguage[1]![4]).toBe(2);
  expect(map!.exclusivity[1]![4]).toBeGreaterThan(0.9);
  expect(dense.expertMaps).toEqual([]);
});

test('of a run with layers of different widths every unit has the LAPE that NumPy computed, and is matched by index', async () => {
  const [a, b] = [await temporaryFolder(), await temporaryFolder()];
  await writeExpertRun(a);
  await writeExpertRun(b);
  const comparison = await compareRuns(
    [
      { folder: a, label: 'a' },
      { folder: b, label: 'b' },
    ],
    { splits: 4, fraction: experts.tang2024.fraction },
  );
  const of = await unitChangesOf([{ folder: a }, { folder: b }], comparison);
  for (const type of ['neuron', 'expert'] as const) {
    const changes = of(type, 'lape') as Record<string, number[]>;
    const expected = experts.expected.flatMap((layer) => layer[type]?.lape.value ?? []);
    expectValues(changes.reference!, expected);
    expectValues(
      changes.change!,
      expected.map((value) => (value === null ? null : 0)),
    );
  }
  const neurons = comparison.units.find(({ type }) => type === 'neuron')!;
  expect(neurons.policy.bar).toBeCloseTo(experts.tang2024.bar, 12);
  expect(neurons.profiles[0]!.selected).toBe(experts.tang2024.members.length);
  const { topLanguage, exclusivity, frequency } = comparison.expertMaps[0]!;
  expect(topLanguage.map(({ length }) => length)).toEqual([0, 6, 6]);
  expect([topLanguage[1]![experts.never], exclusivity[1]![experts.never]]).toEqual([null, null]);
  expect(frequency[1]!.reduce<number>((sum, value) => sum + value!, 0)).toBeCloseTo(experts.perToken, 9);
});

test('how many units of a layer are read at a time changes nothing in a comparison', async () => {
  const planted = [{ layer: 1, index: 4, language: 2 }];
  const a = await twins({ ...OPTIONS, planted });
  const b = await twins({ ...OPTIONS, noise: 2, planted: [] });
  const runs = [
    { folder: a.mixture, label: 'a' },
    { folder: b.mixture, label: 'b' },
    { folder: b.dense, label: 'c' },
  ];
  const options = { splits: 6, fraction: 0.05 };
  for (const compared of [runs.slice(0, 2), [{ ...runs[2]! }, { folder: a.dense, label: 'd' }]]) {
    const whole = await compareRuns(compared, options);
    const blocks = vi.spyOn(RunSource.prototype, 'blocks').mockImplementation(function (
      this: RunSource,
      type,
      layer,
    ) {
      const units = this.layout(type).widths[layer]!;
      const edges = type === 'head' ? [0, 1, units] : [0, 3, 40, units];
      return edges.slice(1).map((unitEnd, i) => ({ layer, unitStart: edges[i]!, unitEnd }));
    });
    const pieces = await compareRuns(compared, options);
    expect(blocks).toHaveBeenCalled();
    blocks.mockRestore();
    expect(pieces).toEqual(whole);
  }
});

test('neurons of a run of a mixture without their pooled values have no ω², and the reason is said', async () => {
  const [a, b] = [await temporaryFolder(), await temporaryFolder()];
  await writeExpertRun(a);
  await writeExpertRun(b);
  const units = unitViews(
    await compareRuns(
      [
        { folder: a, label: 'a' },
        { folder: b, label: 'b' },
      ],
      { splits: 4 },
    ),
  );
  const headline = units[0]!.headlines.find(({ measure }) => measure === 'mean_omega2_language')!;
  expect(headline.verdict).toBe('not measured');
  expect(headline.note).toContain("routed experts' neurons with --keep expert-items");
});

test('mixtures of different layouts are refused', async () => {
  const a = await twins(OPTIONS);
  const b = await temporaryFolder();
  await writeSyntheticRun(b, {
    ...OPTIONS,
    manifest: (manifest) => {
      const { shape, ...rest } = asMixture(manifest);
      return { ...rest, shape: { ...shape, mixture: { ...shape.mixture!, perToken: 3 } } };
    },
  });
  const comparing = compareRuns([
    { folder: a.mixture, label: 'a' },
    { folder: b, label: 'b' },
  ]);
  await expect(comparing).rejects.toThrow(RunError);
  await expect(comparing).rejects.toThrow(/shape\.mixture differs/);
});

test('of a block of a layer of a mixture all units have pooled values or none: shared experts’ neurons are a block of their own', async () => {
  const out = join(await temporaryFolder(), 'run');
  await capture({ checkpoint: tinyMixture(), probes: TINY_PROBES, out, threads: 1 });
  const run = await RunSource.open(out);
  const edges = (layer: number) =>
    run.blocks('neuron', layer).map(({ unitStart, unitEnd }) => [unitStart, unitEnd]);
  expect([edges(0), edges(1)]).toEqual([
    [[0, 23]],
    [
      [0, 63],
      [63, 77],
    ],
  ]);
  const scopes = [{ group: null, languages: [0, 1, 2] }];
  const [routed, shared] = await Promise.all(
    run.blocks('neuron', 1).map((block) => run.readUnits('neuron', block, scopes)),
  );
  expect(routed!.twoWay).toEqual([null]);
  expect(shared!.twoWay[0]).toMatchObject({ units: 14, languages: 3 });
});
