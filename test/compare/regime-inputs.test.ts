import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CompareOptions, compareRuns } from '../../src/compare/compare-runs.js';
import type { Estimate } from '../../src/compare/comparison.js';
import { languageGroups } from '../../src/compare/inputs/language-groups.js';
import type { RunToCompare } from '../../src/compare/inputs/regimes.js';
import { RunError, UsageError } from '../../src/errors.js';
import { mannKendall } from '../../src/stats/tests/mann-kendall.js';
import { unitViews } from '../support/comparison-views.js';
import { type PlantedNeuron, writeSyntheticRun } from '../support/synthetic-run.js';

const SMALL = { layers: 2, neurons: 60, heads: 4, headDim: 2, items: 16, folds: 4 };
const OPTIONS = { fraction: 0.1, splits: 10 };
const LANGUAGES = [
  { tag: 'en', name: 'English', script: 'Latn', family: 'Indo-European' },
  { tag: 'de', name: 'German', script: 'Latn', family: 'Indo-European' },
  { tag: 'ja', name: 'Japanese', script: 'Jpan', family: 'Japonic' },
];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'babelscope-regimes-'));
  for (let n = 0; n < 6; n++) {
    // Fewer tied units at every step.
    const planted: PlantedNeuron[] = Array.from({ length: 12 - 2 * n }, (_, u) => ({
      layer: u % 2,
      index: u,
      language: u % 4,
    }));
    await writeSyntheticRun(at(n), { ...SMALL, noise: n + 1, planted });
  }
  await writeSyntheticRun(join(folder, 'wider'), { ...SMALL, neurons: 61 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const at = (n: number) => join(folder, `run-${n}`);
const run = (n: number, more: Partial<RunToCompare> = {}): RunToCompare => ({
  folder: at(n),
  label: `step${n * 100}`,
  ...more,
});
const compare = (runs: readonly RunToCompare[], options: CompareOptions = {}) =>
  compareRuns(runs, { ...OPTIONS, ...options });

async function refusal(work: Promise<unknown>): Promise<UsageError | RunError> {
  const error = await work.then(
    () => null,
    (cause: unknown) => cause,
  );
  expect(error === null ? 'not refused' : 'refused').toBe('refused');
  return error as UsageError;
}

describe('groups of languages', () => {
  test('family and script are those the probe set names; a list and a file are taken as they are', async () => {
    const file = join(folder, 'groups.json');
    await writeFile(file, JSON.stringify({ west: ['en', 'de'] }));
    expect(await languageGroups(['family', 'mine=en, ja', file], LANGUAGES)).toEqual([
      { name: 'Indo-European', languages: ['en', 'de'] },
      { name: 'Japonic', languages: ['ja'] },
      { name: 'mine', languages: ['en', 'ja'] },
      { name: 'west', languages: ['en', 'de'] },
    ]);
    expect(await languageGroups(['named=English,jpn_Jpan, DE'], LANGUAGES)).toEqual([
      { name: 'named', languages: ['en', 'ja', 'de'] },
    ]);
    expect((await languageGroups(['script'], LANGUAGES)).map(({ name }) => name)).toEqual(['Latn', 'Jpan']);
  });

  test.each([
    ['a language the runs lack', 'seen=en,fr', 'fr'],
    ['a language twice', 'seen=en,en', 'en, en'],
    ['no language', 'seen=', 'seen'],
    ['a file that is not there', 'nowhere.json', 'nowhere.json'],
  ])('%s is refused', async (_, spec, found) => {
    const error = await refusal(languageGroups([spec], LANGUAGES));
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toContain(found);
    expect(error.details.remedy).toBeTruthy();
  });

  test('groups may share languages: each is measured by itself', async () => {
    const groups = await languageGroups(['a=en,de', 'b=de,ja'], LANGUAGES);
    expect(groups.map(({ languages }) => languages)).toEqual([
      ['en', 'de'],
      ['de', 'ja'],
    ]);
  });

  test.each([
    ['a language the runs lack', { seen: ['en', 'fr'] }, 'en, fr'],
    ['a group without languages', { seen: ['en'], unseen: [] }, 'none'],
    ['a group without a name', { '': ['en'] }, '--groups'],
    ['a language twice', { seen: ['de', 'de'] }, 'de, de'],
    ['a tag that is no text', { seen: ['en', 3] }, '.json'],
  ])('a file with %s is refused', async (_, groups, found) => {
    const file = join(folder, 'unusable.json');
    await writeFile(file, JSON.stringify(groups));
    const error = await refusal(languageGroups([file], LANGUAGES));
    expect(error).toBeInstanceOf(UsageError);
    expect(error.details.where).toBe('--groups');
    expect(error.message).toContain(found);
  });

  test('a name twice is refused, and so is a file of another shape', async () => {
    expect(await refusal(languageGroups(['a=en', 'a=de'], LANGUAGES))).toBeInstanceOf(UsageError);
    const file = join(folder, 'list.json');
    await writeFile(file, '["en"]');
    expect(await refusal(languageGroups([file], LANGUAGES))).toBeInstanceOf(UsageError);
  });

  test('a group of all languages has the numbers of no group', async () => {
    const everything = ['en', 'de', 'fr', 'ja'];
    const units = unitViews(
      await compare([run(0), run(3)], { groups: [{ name: 'every', languages: everything }] }),
    );
    for (const { headlines } of units) {
      const of = (group: string | null) =>
        headlines.filter((h) => h.group === group).map((h) => ({ ...h, group: null }));
      expect(of('every')).toEqual(of(null));
    }
  });
});

describe('which run is what', () => {
  test('the reference can be any of the runs: it comes first and sets the cut', async () => {
    const chosen = await compare([run(3), run(0)], { reference: 'step0' });
    const ordered = await compare([run(0), run(3)]);
    expect([chosen.units, chosen.changes]).toEqual([ordered.units, ordered.changes]);
    const error = await refusal(compare([run(0), run(1)], { reference: 'sft' }));
    expect(error.details).toMatchObject({ expected: 'step0, step100', found: 'sft' });
  });

  test('a training seed must match the reference, as a run must, and have weights of its own', async () => {
    const wider = await refusal(compare([run(0), run(1, { seeds: [join(folder, 'wider')] })]));
    expect(wider).toBeInstanceOf(RunError);
    expect(wider.message).toContain('shape.dMlp');
    const twice = await refusal(compare([run(0), run(1, { seeds: [at(1)] })]));
    expect(twice).toBeInstanceOf(RunError);
    expect(twice.message).toContain('two training seeds of one regime have the same weights');
  });

  test('a contrast needs two runs that are not the reference', async () => {
    for (const pair of [
      ['step0', 'step100'],
      ['step100', 'step100'],
      ['step100', 'sft'],
    ] as const) {
      const error = await refusal(compare([run(0), run(1), run(2)], { contrasts: [pair] }));
      expect(error).toBeInstanceOf(UsageError);
      expect(error.details.found).toBe(pair.join(', '));
    }
    const units = unitViews(await compare([run(0), run(1), run(2)], { contrasts: [['step200', 'step100']] }));
    expect(units[0]!.contrasts[0]).toMatchObject({ from: 'step200', to: 'step100', reference: 'step0' });
  });
});

describe('a trajectory', () => {
  test('has each measure by step, whatever the order of the runs, and its Mann–Kendall test', async () => {
    const runs = [run(0), run(4), run(2), run(1), run(3), run(5)];
    const comparison = await compare(runs, { trajectory: true });
    expect(comparison.runs.map(({ step }) => step)).toEqual([0, 400, 200, 100, 300, 500]);
    const [neurons] = unitViews(comparison);
    const selected = neurons!.trends.find(({ measure }) => measure === 'selected')!;
    expect(selected.points.map(({ step }) => step)).toEqual([0, 100, 200, 300, 400, 500]);
    const values = selected.points.map(({ value }: { readonly value: Estimate }) => value.value!);
    expect(values[0]).toBe(12);
    const { s, tau, p } = mannKendall(values);
    expect(selected).toMatchObject({ s, tau, p, finding: 'changed' });
    expect(s).toBeLessThan(-10);
    // Between the first run and each other: one point less.
    const jaccard = neurons!.trends.find(({ measure }) => measure === 'jaccard')!;
    expect(jaccard.points.map(({ step }) => step)).toEqual([100, 200, 300, 400, 500]);
  });

  test('of four checkpoints no order could be told from chance: not measured', async () => {
    const units = unitViews(await compare([run(0), run(1), run(2), run(3)], { trajectory: true }));
    const trend = units[0]!.trends.find(({ measure }) => measure === 'selected')!;
    expect(trend).toMatchObject({ finding: 'not measured', note: 'no order of 4 values has a p below 0.05' });
  });

  test('runs that tie are tested with ties; where all are alike there is no trend to test', async () => {
    // The first two checkpoints are the same, so that each of their measures ties.
    const runs = [0, 0, 1, 2, 3, 4, 5].map((n, i) => run(n, { label: `step${10 * i}` }));
    const [neurons] = unitViews(await compare(runs, { trajectory: true }));
    const selected = neurons!.trends.find(({ measure, group }) => measure === 'selected' && group === null)!;
    const values = selected.points.map(({ value }) => value.value!);
    expect(values[0]).toBe(values[1]);
    const { s, tau, p } = mannKendall(values);
    expect(selected).toMatchObject({ s, tau, p });
    expect(Math.abs(tau)).toBeLessThan(1.0001);

    const alike = [0, 1, 2, 3, 4, 5].map((i) => run(0, { label: `step${10 * i}` }));
    const [same] = unitViews(await compare(alike, { trajectory: true }));
    for (const { measure, finding, note, p: none } of same!.trends) {
      expect([measure, finding, none]).toEqual([measure, 'not measured', null]);
      expect(note).toBe('a trend needs three values that differ');
    }
  });

  test('steps come from the option before the label; without one, twice, or of two runs it is refused', async () => {
    const given = await compare([run(0, { step: 7 }), run(1, { step: 5 }), run(2)], { trajectory: true });
    expect(given.runs.map(({ step }) => step)).toEqual([7, 5, 200]);
    const refused: [readonly RunToCompare[], string][] = [
      [[run(0), run(1)], 'needs more runs'],
      [[run(0), run(1), run(2, { label: 'final' })], 'has no step'],
      [[run(0), run(1, { step: 0 }), run(2)], 'the same step'],
    ];
    for (const [runs, message] of refused) {
      const error = await refusal(compare(runs, { trajectory: true }));
      expect(error).toBeInstanceOf(UsageError);
      expect(error.message).toContain(message);
    }
  });
});
