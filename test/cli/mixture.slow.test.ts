import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readTable } from '../../src/store/files/table.js';
import { openRun } from '../../src/store/run/open-run.js';
import { babelscope, temporaryFolder } from '../support/command-line.js';
import { readWeight, spoilWeight, TINY_PROBES, tinyMixture } from '../support/tiny-checkpoint.js';

// Slow because it is the whole way of two mixtures, all changes included; the rooms' own tests show each step.

const ROUTER = 'model.layers.2.mlp.gate.weight';
const [PER_TOKEN, EXPERTS, WIDTH] = [3, 7, 9];

test('from two mixtures to a report: capture, score, compare and report know experts and their neurons', async () => {
  const folder = temporaryFolder();
  const [base, other] = [tinyMixture(), tinyMixture()];
  for (const [index, value] of (await readWeight(other, ROUTER)).entries()) {
    if (index % 3 === 0) await spoilWeight(other, ROUTER, index, -value);
  }
  const runs = [join(folder, 'base'), join(folder, 'other')];
  const succeed = async (...args: string[]) => {
    const outcome = await babelscope(args);
    expect(outcome.stderr).not.toContain('babelscope: ');
    expect(outcome.code).toBe(0);
    return outcome;
  };
  for (const [i, checkpoint] of [base, other].entries()) {
    const { stderr } = await succeed('capture', checkpoint, '--probes', TINY_PROBES, '--out', runs[i]!);
    const [, size] = /the run will take ([0-9.]+) kB on disk/.exec(stderr)!;
    const layers = readdirSync(join(runs[i]!, 'layers')).map(
      (name) => statSync(join(runs[i]!, 'layers', name)).size,
    );
    // Headers come on top.
    const written = layers.reduce((a, b) => a + b) / 1e3;
    expect(written).toBeGreaterThan(Number(size));
    expect(written).toBeLessThan(1.05 * Number(size));
    const { stdout } = await succeed('score', runs[i]!);
    expect(stdout).toMatch(/^expert +exclusivity/m);
    expect(stdout).toMatch(/^neuron +ap/m);
  }

  const { columns } = await readTable(join(runs[0]!, 'unit_languages.parquet'));
  const rows = [...columns.get('type')!.keys()];
  const where = (wanted: Record<string, unknown>) =>
    rows.filter((row) => Object.entries(wanted).every(([name, value]) => columns.get(name)![row] === value));
  for (const language of ['en', 'de', 'uk']) {
    const frequencies = where({ type: 'expert', layer: 2, language }).map(
      (row) => columns.get('rate')![row] as number,
    );
    expect(frequencies).toHaveLength(EXPERTS);
    expect(frequencies.reduce((a, b) => a + b)).toBeCloseTo(PER_TOKEN, 9);
    const mass = where({ type: 'expert', layer: 2, language }).map(
      (row) => columns.get('mean')![row] as number,
    );
    expect(mass.reduce((a, b) => a + b)).toBeCloseTo(1, 6);
  }
  const layer = await (await openRun(runs[0]!)).layer(1);
  const [fire, count] = [await layer.array('mlp.fire'), await layer.array('expert.count')];
  await layer.close();
  const folds = fire.shape[0]!;
  const neuron = 4 * WIDTH + 2;
  const total = (of: (fold: number) => number) =>
    Array.from({ length: folds }, (_, fold) => of(fold)).reduce((a, b) => a + b);
  const [row] = where({ type: 'neuron', layer: 1, index: neuron, language: 'de' });
  expect(columns.get('expert')![row!]).toBe(4);
  const german = (await openRun(runs[0]!)).manifest.plan.languages.indexOf('de');
  expect(columns.get('rate')![row!]).toBe(
    total((fold) => fire.get(fold, german, neuron)) / total((fold) => count.get(fold, german, 4)),
  );

  const comparison = join(folder, 'comparison');
  const { stdout } = await succeed(
    ...['compare', ...runs, '--labels', 'base,other', '--changes', 'full', '--out', comparison],
  );
  for (const units of ['neurons', 'heads', 'experts'])
    expect(stdout).toMatch(new RegExp(`^${units} +other +mean_lape`, 'm'));
  const full = (await readTable(join(comparison, 'changes.parquet'))).columns;
  expect(new Set(full.get('type'))).toEqual(new Set(['neuron', 'head', 'expert']));

  const scored = await Promise.all(runs.map((run) => readTable(join(run, 'unit_languages.parquet'))));
  const rate = (side: number, at: number) => scored[side]!.columns.get('rate')![at] as number;
  const neurons = where({ type: 'neuron', layer: 2, language: 'de' });
  const changed = [...full.get('type')!.keys()].filter((at) =>
    Object.entries({ type: 'neuron', score: 'rate', layer: 2, language: 'de' }).every(
      ([name, value]) => full.get(name)![at] === value,
    ),
  );
  const of = (name: string) => changed.map((at) => full.get(name)![at]);
  expect(of('change')).toEqual(neurons.map((at) => rate(1, at) - rate(0, at)));
  expect(of('change').some((change) => change !== 0 && !Number.isNaN(change))).toBe(true);
  expect(of('expert')).toEqual(neurons.map((at) => columns.get('expert')![at]));
  expect(new Set(of('expert'))).toEqual(new Set([...Array(EXPERTS).keys(), null]));

  await succeed('report', comparison, '--out', join(folder, 'report'), '--formats', 'html,svg');
  for (const figure of ['forest-experts', 'expert-map']) {
    expect(existsSync(join(folder, 'report', 'figures', `${figure}.svg`))).toBe(true);
  }
});
