import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { ChangeResult, ChangeSettings, ChangeTask } from '../../src/compare/units/change-task.js';
import { CHANGE_COLUMNS, writeChanges } from '../../src/compare/units/changes.js';
import { InterruptedError, RunError } from '../../src/errors.js';
import { runTasks } from '../../src/runtime/index.js';
import { readTable, type Table } from '../../src/store/files/table.js';
import { experts, writeExpertRun } from '../scores/expert-run.js';
import { expectValues } from '../scores/reference-run.js';
import { writeSyntheticRun } from '../support/synthetic-run.js';

/** Runs and answers written by test/reference/make_compare.py (NumPy, SciPy, scikit-learn). */
const FIXTURES = fileURLToPath(new URL('../fixtures/compare', import.meta.url));
const TAGS = ['en', 'de', 'ja'];
const RUNS = ['base', 'tuned'].map((label) => ({ folder: join(FIXTURES, label), label }));

type Rows = readonly (readonly (number | null)[])[];
/** [language, or one row][unit among all layers]. */
const expected: Readonly<Record<string, { readonly delta: Rows; readonly se?: Rows; readonly q?: Rows }>> =
  JSON.parse(readFileSync(join(FIXTURES, 'score-changes.json'), 'utf8'));

let folder: string;
let table: Table;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'babelscope-score-changes-'));
  await writeChanges(folder, RUNS, { changes: 'full', threads: 1 });
  table = await readTable(join(folder, 'changes.parquet'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A column of units, by default neurons, unit by unit, for one score and language. */
function column(name: string, score: string, language: string | null, type = 'neuron'): number[] {
  const of = (key: string) => table.columns.get(key)!;
  const rows = [...of('type').keys()].filter(
    (row) => of('type')[row] === type && of('score')[row] === score && of('language')[row] === language,
  );
  const width = type === 'neuron' ? 100 : 6;
  rows.forEach((row, unit) => {
    expect([of('layer')[row], of('index')[row]]).toEqual([Math.floor(unit / width), unit % width]);
  });
  return rows.map((row) => of(name)[row] as number);
}

test.each(Object.keys(expected))(
  'change of %s, its paired jackknife error over items of folds and its q are those of scikit-learn, NumPy and SciPy',
  (score) => {
    const { delta, se, q } = expected[score]!;
    let values = 0;
    let misses = 0;
    for (const [row, language] of (delta.length === 1 ? [null] : TAGS).entries()) {
      for (const [name, answers, tolerance] of [
        ['change', delta[row]!, 1e-6],
        ['se', se?.[row], 1e-5],
        ['q', q?.[row], 1e-4],
      ] as const) {
        // Those of overlap and mutual information are from half-samples: item-changes.test.ts.
        if (answers === undefined) continue;
        const found = column(name, score, language);
        expect(found.length).toBe(answers.length);
        for (const [unit, answer] of answers.entries()) {
          values++;
          if (answer === null) expect(found[unit], `${name} in ${language}, unit ${unit}`).toBeNaN();
          else if (!(Math.abs(found[unit]! - answer) < tolerance * Math.max(1, Math.abs(answer)))) misses++;
        }
      }
    }
    // A value of half precision that lies on an edge of a bin may be counted on either side of it.
    expect(misses / values).toBeLessThanOrEqual(score === 'overlap' ? 0.01 : 0);
  },
);

test('the change of the share of variance of hook_z between items is that of NumPy, with its interval, p and q', () => {
  const { headScoreChanges } = JSON.parse(readFileSync(join(FIXTURES, 'expected.json'), 'utf8'));
  for (const [name, answers] of Object.entries<number[]>(headScoreChanges.vector_share_item)) {
    const found = column(name === 'delta' ? 'change' : name, 'vector_share_item', null, 'head');
    expect(found.length).toBe(answers.length);
    // Standard errors are kept as float32.
    for (const [head, answer] of answers.entries()) expect(found[head]! / answer, name).toBeCloseTo(1, 4);
  }
});

test('a change is other − reference, its interval t₅ standard errors wide, clipped to what a score can change by', () => {
  const t = 2.570581835636314; // SciPy: stats.t.ppf(0.975, 5)
  for (const [score, most] of [
    ['ap', 1],
    ['rate', 1],
    ['selectivity', Infinity],
    ['overlap', 1],
    ['eta2_language', 1],
    ['omega2_item', Infinity],
  ] as const) {
    const language = score === 'eta2_language' || score === 'omega2_item' ? null : 'de';
    const [reference, other, delta, se, low, high] = [
      'reference',
      'other',
      'change',
      'se',
      'low',
      'high',
    ].map((name) => column(name, score, language)) as number[][];
    let intervals = 0;
    for (const [u, value] of delta!.entries()) {
      if (Number.isNaN(value)) continue;
      expect(value).toBe(other![u]! - reference![u]!);
      if (Number.isNaN(se![u]!)) continue;
      expect(low![u]).toBeCloseTo(Math.max(-most, value - t * se![u]!), 9);
      expect(high![u]).toBeCloseTo(Math.min(most, value + t * se![u]!), 9);
      intervals++;
    }
    expect(intervals).toBeGreaterThan(390);
  }
});

test('a unit that is dead in one run has no change of LAPE; its LAPE in the other run, and all others, stand', () => {
  const [reference, other, change] = ['reference', 'other', 'change'].map((name) =>
    column(name, 'lape', null),
  ) as [number[], number[], number[]];
  // Neuron 9 of layer 2 is dead in the tuned run.
  const unit = 2 * 100 + 9;
  expect(reference[unit]).toBeGreaterThan(0);
  expect([other[unit], change[unit]]).toEqual([Number.NaN, Number.NaN]);
  expect(change[unit + 1]).toBe(other[unit + 1]! - reference[unit + 1]!);
  expect(change.filter(Number.isNaN).length).toBe(
    reference.filter((value, u) => Number.isNaN(value) || Number.isNaN(other[u])).length,
  );
});

test('threads are started once for all runs and types of units, give every run its own values, and leave no file open', async () => {
  const out = await mkdtemp(join(tmpdir(), 'babelscope-score-changes-'));
  onTestFinished(() => rm(out, { recursive: true, force: true }));
  const layers = () =>
    readdirSync('/proc/self/fd').filter((file) => {
      try {
        return readlinkSync(`/proc/self/fd/${file}`).startsWith(FIXTURES);
      } catch {
        return false; // gone meanwhile
      }
    });
  let threads = 0;
  const count = () => threads++;
  process.on('worker', count);
  try {
    const runs = [RUNS[0]!, { ...RUNS[0]!, label: 'same' }, RUNS[1]!];
    await writeChanges(out, runs, { changes: 'full', threads: 2 });
  } finally {
    process.removeListener('worker', count);
  }
  expect(threads).toBe(2);
  expect(layers()).toEqual([]);
  const { columns } = await readTable(join(out, 'changes.parquet'));
  const rows = (of: ReadonlyMap<string, readonly unknown[]>, label: string, name: string) =>
    of.get(name)!.filter((_, row) => of.get('label')![row] === label);
  for (const name of ['type', 'score', 'change', 'se', 'q'])
    expect(rows(columns, 'tuned', name)).toEqual(rows(table.columns, 'tuned', name));
  const changes = rows(columns, 'same', 'change') as number[];
  expect(changes.every((value) => value === 0 || Number.isNaN(value))).toBe(true);
});

test('how many units of a layer are read at a time changes nothing of their changes', async () => {
  const settings = { reference: RUNS[0]!.folder, seed: 0, cuts: {} } as const;
  const folds = Array.from({ length: 6 }, (_, fold) => fold);
  const kinds = [
    ['folds', 'neuron', 100],
    ['items', 'neuron', 100],
    ['items', 'head', 6],
  ] as const;
  const tasks = kinds.flatMap(([kind, type, units]) =>
    [
      [0, units],
      [0, 1],
      [1, Math.ceil(units / 3)],
      [Math.ceil(units / 3), units],
    ].map(
      ([unitStart, unitEnd]): ChangeTask => ({
        kind,
        type,
        other: RUNS[1]!.folder,
        layer: 1,
        unitStart: unitStart!,
        unitEnd: unitEnd!,
      }),
    ),
  );
  const results = new Map<ChangeTask, ChangeResult>();
  await runTasks<ChangeTask, ChangeResult>(
    new URL('../../src/compare/units/change-worker.js', import.meta.url),
    { ...settings, folds, changes: 'full' } satisfies ChangeSettings,
    tasks,
    1,
    (result, task) => results.set(task, result),
  );
  for (const k of kinds.keys()) {
    const [whole, ...pieces] = tasks.slice(4 * k, 4 * k + 4).map((task) => results.get(task)!) as [
      ChangeResult,
      ...ChangeResult[],
    ];
    expect(pieces.map(({ scores }) => scores)).toEqual(pieces.map(() => whole.scores));
    for (const name of ['reference', 'other', 'se'] as const) {
      const of = (result: ChangeResult, score: number) => {
        const width = result[name].length / result.scores.length;
        return [...result[name].subarray(score * width, (score + 1) * width)];
      };
      for (const score of whole.scores.keys())
        expect(pieces.flatMap((piece) => of(piece, score))).toEqual(of(whole, score));
    }
    expect(pieces.flatMap(({ miShift }) => [...miShift])).toEqual([...whole.miShift]);
  }
});

test('heads have their rates, means, contrasts and item scores too; every unit, score and language is there once', async () => {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const path = join(folder, 'changes.parquet');
  const query = async (sql: string) => (await connection.runAndReadAll(sql)).getRowsJson();
  const ofLanguages = ['ap', 'auroc', 'contrast', 'mean', 'overlap', 'rate', 'selectivity'];
  const neurons = [
    ...[...ofLanguages, 'eta2_item', 'eta2_language', 'gini', 'lape', 'mi'],
    ...['omega2_item', 'omega2_language'],
  ].sort();
  const rows = (units: number, score: string) =>
    String(units * (score === 'overlap' ? 4 : ofLanguages.includes(score) ? 3 : 1));
  expect(
    await query(`select type, score, count(*), count(distinct (layer, index, coalesce(language, ''))), count(change) > 0
                 from '${path}' group by all order by type, score`),
  ).toEqual([
    ...[...neurons, 'vector_share_item', 'vector_share_language'].map((score) => [
      'head',
      score,
      rows(24, score),
      rows(24, score),
      true,
    ]),
    ...neurons.map((score) => ['neuron', score, rows(400, score), rows(400, score), true]),
  ]);
  const words = { VARCHAR: 'string', INTEGER: 'int32', DOUBLE: 'float64' } as Record<string, string>;
  expect(
    (await query(`describe select * from '${path}'`)).map(([name, type]) => [name, words[String(type)]]),
  ).toEqual(CHANGE_COLUMNS.map(({ name, type }) => [name, type]));
  expect(table.metadata).toMatchObject({
    schema: 'babelscope/changes',
    schema_version: '4',
    reference: 'base',
  });
  expect(JSON.parse(table.metadata.languages!).map(({ tokens }: { tokens: number }) => tokens > 0)).toEqual([
    true,
    true,
    true,
  ]);
});

test('a run against itself changes nothing: every Δ and error is 0, and nothing is a discovery', async () => {
  const out = join(folder, 'same');
  await writeChanges(out, [RUNS[0]!, { ...RUNS[0]!, label: 'again' }], { changes: 'full', threads: 1 });
  const { columns, rows } = await readTable(join(out, 'changes.parquet'));
  expect(rows).toBe(table.rows);
  for (const name of ['change', 'se']) {
    expect(columns.get(name)!.every((value) => value === 0 || Number.isNaN(value))).toBe(true);
  }
  expect(columns.get('q')!.every((value) => value === 1 || Number.isNaN(value))).toBe(true);
});

test('the reference can be any of the runs, and the number of threads any: then changes are negated and nothing else differs', async () => {
  const back = join(folder, 'back');
  await writeChanges(back, RUNS, { changes: 'full', threads: 3, reference: 'tuned' });
  const { columns, rows } = await readTable(join(back, 'changes.parquet'));
  expect(rows).toBe(table.rows);
  const same = ['type', 'layer', 'index', 'score', 'language', 'se', 'p', 'q'];
  for (const name of same) expect(columns.get(name), name).toEqual(table.columns.get(name));
  expect(columns.get('reference')).toEqual(table.columns.get('other'));
  expect(columns.get('other')).toEqual(table.columns.get('reference'));
  const negated = (values: readonly unknown[]) => values.map((value) => 0 - (value as number));
  const signed = (values: readonly unknown[]) => values.map((value) => 0 + (value as number));
  for (const [name, mirrored] of [
    ['change', 'change'],
    ['low', 'high'],
    ['high', 'low'],
  ] as const) {
    expect(signed(columns.get(name)!), name).toEqual(negated(table.columns.get(mirrored)!));
  }
});

test('without pooled values rates, means and contrasts are left; runs that do not match are refused; aborting writes nothing', async () => {
  const [a, b, c] = ['a', 'b', 'c'].map((name) => ({ folder: join(folder, name), label: name })) as [
    (typeof RUNS)[0],
    (typeof RUNS)[0],
    (typeof RUNS)[0],
  ];
  const small = { layers: 2, neurons: 20, heads: 2, items: 12, folds: 4 };
  await writeSyntheticRun(a.folder, { ...small, keep: 'folds' });
  await writeSyntheticRun(b.folder, { ...small, keep: 'folds', noise: 2 });
  await writeSyntheticRun(c.folder, small);
  const out = join(folder, 'folds');
  await writeChanges(out, [a, b], { changes: 'full', threads: 1 });
  const { columns } = await readTable(join(out, 'changes.parquet'));
  expect(new Set(columns.get('score'))).toEqual(new Set(['rate', 'mean', 'contrast', 'lape', 'gini']));
  await expect(writeChanges(out, [a, c])).rejects.toThrow(RunError);
  await expect(writeChanges(out, [a, c])).rejects.toThrow(/plan.keep differs/);
  const stopped = join(folder, 'stopped');
  const work = writeChanges(stopped, [a, b], { signal: AbortSignal.abort() });
  await expect(work).rejects.toThrow(InterruptedError);
  await expect(readFile(join(stopped, 'changes.parquet'))).rejects.toThrow('ENOENT');
});

test('units of a mixture are told apart by expert, and have the scores that NumPy and scikit-learn computed', async () => {
  const [a, b] = ['mixture', 'same mixture'].map((name) => ({ folder: join(folder, name), label: name })) as [
    (typeof RUNS)[0],
    (typeof RUNS)[0],
  ];
  await writeExpertRun(a.folder);
  await writeExpertRun(b.folder);
  const out = join(folder, 'experts');
  await writeChanges(out, [a, b], { changes: 'full', threads: 1 });
  const { columns, rows } = await readTable(join(out, 'changes.parquet'));
  const of = (name: string) => columns.get(name)!;
  const chosen = (wanted: Readonly<Record<string, unknown>>) =>
    [...Array(rows).keys()].filter((row) =>
      Object.entries(wanted).every(([name, value]) => of(name)[row] === value),
    );
  const { width, shared, experts: count, expected } = experts;
  for (const [layer, { neuron, expert }] of expected.entries()) {
    const neurons = chosen({ type: 'neuron', score: 'rate', language: 'de', layer });
    expectValues(
      neurons.map((row) => of('reference')[row] as number),
      neuron.rate.value[1]!,
    );
    const experts = Array.from({ length: count * width }, (_, u) => Math.floor(u / width));
    expect(neurons.map((row) => of('expert')[row])).toEqual(
      layer === 0 ? neurons.map(() => null) : [...experts, ...new Array<null>(shared).fill(null)],
    );
    for (const score of ['rate', 'ap', 'selectivity'] as const) {
      const own = chosen({ type: 'expert', score, language: 'ja', layer });
      expect(own.map((row) => of('expert')[row])).toEqual(expert === null ? [] : [...Array(count).keys()]);
      const values = score === 'rate' ? expert?.rate.value : expert?.[score];
      expectValues(
        own.map((row) => of('reference')[row] as number),
        values?.[3] ?? [],
      );
    }
    const exclusive = chosen({ type: 'expert', score: 'exclusivity', language: null, layer });
    expectValues(
      exclusive.map((row) => of('reference')[row] as number),
      expert?.exclusivity.value ?? [],
    );
  }
  expect(chosen({ type: 'head' }).every((row) => of('expert')[row] === null)).toBe(true);
  expect(of('change').every((value) => value === 0 || Number.isNaN(value))).toBe(true);
});
