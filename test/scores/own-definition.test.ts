import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { renderScoresPage, scoreTable } from '../../scripts/score-table.js';
import { writeChanges } from '../../src/compare/index.js';
import { loadDefinitions, SCORE_DEFINITIONS, scoreRun } from '../../src/scores/index.js';
import { readTable } from '../../src/store/index.js';
import { writeSyntheticRun } from '../support/synthetic-run.js';

const OWN = new URL('../fixtures/own-scores.mjs', import.meta.url).href;

let folder: string;
let base: string;
let tuned: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'babelscope-own-score-'));
  [base, tuned] = [join(folder, 'base'), join(folder, 'tuned')];
  await writeSyntheticRun(base, { layers: 2, neurons: 20 });
  await writeSyntheticRun(tuned, { layers: 2, neurons: 20, noise: 7 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The highest rate less the lowest of every neuron, from `unit_languages.parquet`. */
async function reachOf(run: string): Promise<number[]> {
  const { columns } = await readTable(join(run, 'unit_languages.parquet'));
  const at = (name: string, row: number) => columns.get(name)![row];
  const rates = new Map<string, number[]>();
  for (const row of columns.get('rate')!.keys()) {
    if (at('type', row) !== 'neuron') continue;
    const unit = `${at('layer', row)} ${at('index', row)}`;
    rates.set(unit, [...(rates.get(unit) ?? []), at('rate', row) as number]);
  }
  return [...rates.values()].map((own) => Math.max(...own) - Math.min(...own));
}

test('a score in a list of its own stands in units.parquet with its interval, and has a reliability', async () => {
  const { reliability } = await scoreRun(base, { definitions: OWN, threads: 1 });
  const { columns, metadata } = await readTable(join(base, 'units.parquet'));
  const reach = [...(columns.get('reach') as readonly number[])].filter(
    (_, row) => columns.get('type')![row] === 'neuron',
  );
  expect(reach).toEqual(await reachOf(base));
  for (const end of ['se', 'low', 'high']) expect(columns.has(`reach_${end}`)).toBe(true);
  expect(JSON.parse(metadata.columns!).reach).toBe('highest rate over languages less the lowest');
  expect(columns.has('lape')).toBe(false);
  const own = reliability.find(({ score }) => score === 'reach')!;
  expect(own.units).toBe(40);
  expect(own.halves).toBeGreaterThan(-1);
});

test('it is asked for by its name, and an unknown one is refused with the names of the list', async () => {
  await expect(scoreRun(base, { definitions: OWN, scores: ['lape'] })).rejects.toThrow(/reach/);
  await scoreRun(tuned, { definitions: OWN, scores: ['reach'], threads: 1 });
});

test('its change stands in changes.parquet', async () => {
  const out = join(folder, 'changes');
  const runs = [
    { folder: base, label: 'base' },
    { folder: tuned, label: 'tuned' },
  ];
  await writeChanges(out, runs, { definitions: OWN, threads: 1 });
  const { columns } = await readTable(join(out, 'changes.parquet'));
  expect(new Set(columns.get('score')!)).toEqual(new Set(['reach']));
  const [before, after] = [await reachOf(base), await reachOf(tuned)];
  expect(columns.get('change')).toHaveLength(40);
  for (const [row, change] of (columns.get('change') as readonly number[]).entries())
    expect(change).toBeCloseTo(after[row]! - before[row]!, 12);
});

test('its row stands in the documentation, which is made from the list', async () => {
  expect(scoreTable(await loadDefinitions(OWN))).toContain('| `reach` | `reach` | Reach of rates | neuron |');
  const page = readFileSync(fileURLToPath(new URL('../../docs/scores.md', import.meta.url)), 'utf8');
  expect(page, 'run `npx tsx scripts/make-files-doc.ts`').toBe(renderScoresPage(page, SCORE_DEFINITIONS));
});
