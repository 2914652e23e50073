import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { comparisonSchema } from '../../src/compare/comparison.js';
import { CHANGE_COLUMNS, compareRuns, writeChanges } from '../../src/compare/index.js';
import { RunError } from '../../src/errors.js';
import { scoreRun } from '../../src/scores/engine/score-run.js';
import { ALIGNMENT_COLUMNS } from '../../src/scores/tables/alignment-columns.js';
import { readScores } from '../../src/scores/tables/read-scores.js';
import { UNIT_COLUMNS, UNIT_LANGUAGE_COLUMNS } from '../../src/scores/tables/table-columns.js';
import { benjaminiHochberg } from '../../src/stats/tests/benjamini-hochberg.js';
import { readTable, streamTable, type Table } from '../../src/store/files/table.js';
import { writeRecord } from '../../src/store/integrity/record.js';
import { runManifestSchema } from '../../src/store/run/manifest.js';
import { temporaryFolder } from '../store/temporary-folder.js';
import { documented, documentedFields } from '../support/documented.js';
import { fieldsOfSchema, fieldsOfValue } from '../support/field-paths.js';
import { writeSyntheticRun } from '../support/synthetic-run.js';
import { expectValues, reference, TAGS, writeReferenceRun } from './reference-run.js';

const FULL = { uncertainty: 'full', draws: 40, permutations: 40, splits: 4, threads: 1 } as const;

let run: string;
let units: Table;
let languages: Table;
beforeAll(async () => {
  run = await mkdtemp(join(tmpdir(), 'babelscope-tables-'));
  await writeReferenceRun(run);
  await scoreRun(run, FULL);
  units = await readScores(run, 'units');
  languages = await readScores(run, 'unit_languages');
});

afterAll(() => rm(run, { recursive: true, force: true }));

test('docs/files.md documents every column that is written, and writes of no other', async () => {
  for (const [marker, table, specs] of [
    ['columns units', units, UNIT_COLUMNS],
    ['columns unit_languages', languages, UNIT_LANGUAGE_COLUMNS],
  ] as const) {
    const rows = await documented(marker);
    expect(rows.map(([name]) => name)).toEqual([...table.columns.keys()].map((name) => `\`${name}\``));
    expect(rows.map(([, , about]) => about)).toEqual(specs.map(({ about }) => about.replaceAll('|', '\\|')));
    expect(JSON.parse(table.metadata.columns!)).toEqual(
      Object.fromEntries(specs.map(({ name, about }) => [name, about])),
    );
  }
});

test('docs/files.md documents the columns of changes.parquet as the table itself does', async () => {
  const words = { float64: 'double', int32: 'int', string: 'string', boolean: 'boolean' };
  expect(await documented('columns changes')).toEqual(
    CHANGE_COLUMNS.map(({ name, type, about }) => [`\`${name}\``, words[type], about]),
  );
});

test('docs/files.md documents every field of manifest.json, scores.json and comparison.json, and no other', async () => {
  // Every record ends in these.
  const ofRecords = ['checksums', 'command', 'sha256'];
  expect(await documentedFields('record')).toEqual(ofRecords);
  expect(await documentedFields('manifest')).toEqual(fieldsOfSchema(runManifestSchema).sort());

  const scored: unknown = JSON.parse(await readFile(join(run, 'scores.json'), 'utf8'));
  expect((await documentedFields('scores')).filter((name) => !name.startsWith('skipped[]'))).toEqual(
    fieldsOfValue(scored)
      .filter((name) => name !== 'skipped' && !ofRecords.includes(name.split('.')[0]!))
      .sort(),
  );

  const { model, shape, probe } = runManifestSchema.shape;
  // Described once, where they first stand.
  const { seeds, change } = comparisonSchema.shape.changes.unwrap().element.shape;
  const named = new Set<unknown>([model, shape, probe, change, seeds]);
  expect(await documentedFields('comparison')).toEqual(fieldsOfSchema(comparisonSchema, named).sort());
});

test('docs/files.md documents the columns of alignment.parquet', async () => {
  const rows = await documented('columns alignment');
  expect(rows.map(([name]) => name)).toEqual(ALIGNMENT_COLUMNS.map(({ name }) => `\`${name}\``));
  expect(rows.map(([, , about]) => about)).toEqual(ALIGNMENT_COLUMNS.map(({ about }) => about));
});

test('docs/files.md documents the columns of changes.parquet, and DuckDB finds them', async () => {
  const [a, b, out] = [await temporaryFolder(), await temporaryFolder(), await temporaryFolder()];
  await writeSyntheticRun(a, { layers: 2, neurons: 30 });
  await writeSyntheticRun(b, { layers: 2, neurons: 30, noise: 2 });
  const comparison = await compareRuns([
    { folder: a, label: 'a' },
    { folder: b, label: 'b' },
  ]);
  const runs = [
    { folder: a, label: 'a' },
    { folder: b, label: 'b' },
  ];
  await writeChanges(out, runs, { units: comparison.units, threads: 1 });
  const { columns } = await readTable(join(out, 'changes.parquet'));
  const rows = await documented('columns changes');
  expect(rows.map(([name]) => name)).toEqual([...columns.keys()].map((name) => `\`${name}\``));
  // As DuckDB sees it: two layers of 30 neurons and 6 heads, of one run but the reference.
  const path = join(out, 'changes.parquet');
  expect(await described(path)).toEqual(namesAndTypes(rows));
  expect(
    await query(`select label, type, count(*), count(distinct (layer, index)) from '${path}' group by all`),
  ).toEqual(
    expect.arrayContaining([
      ['b', 'neuron', '180', '60'],
      ['b', 'head', '48', '12'],
    ]),
  );
});

test('with full uncertainty item scores have intervals, p and q; jackknives are those computed with NumPy', () => {
  const rows = (table: Table, type: string, layer: number) =>
    [...table.columns.get('type')!.keys()].filter(
      (row) => table.columns.get('type')![row] === type && table.columns.get('layer')![row] === layer,
    );
  const column = (table: Table, name: string, of: readonly number[]) =>
    of.map((row) => table.columns.get(name)![row] as number);
  for (const [layer, { neuron, head }] of reference.expected.entries()) {
    for (const [type, expected] of [
      ['neuron', neuron],
      ['head', head],
    ] as const) {
      const own = rows(units, type, layer);
      expectValues(column(units, 'mi', own), expected.mi);
      expectValues(column(units, 'overlap', own), expected.overlapMean);
      for (const end of ['se', 'low', 'high'] as const) {
        for (const [name, ends] of [
          ['eta2_language', expected.eta2LanguageInterval],
          ['omega2_language', expected.omega2LanguageInterval],
        ] as const) {
          expectValues(column(units, `${name}_${end}`, own), ends[end], 1e-6);
        }
      }
      const byLanguage = rows(languages, type, layer);
      const flat = (values: readonly (readonly (number | null)[])[]) =>
        byLanguage.map((_, i) => values[i % TAGS.length]![Math.floor(i / TAGS.length)]!);
      for (const name of ['auroc', 'selectivity', 'overlap'] as const) {
        expectValues(column(languages, name, byLanguage), flat(expected[name]), 1e-7);
      }
      for (const end of ['se', 'low', 'high'] as const) {
        expectValues(column(languages, `ap_${end}`, byLanguage), flat(expected.apJackknife[end]), 1e-6);
      }
      if (type === 'neuron') {
        for (const end of ['se', 'low', 'high'] as const) {
          expectValues(column(languages, `rate_${end}`, byLanguage), flat(neuron.rateJackknife[end]), 1e-6);
          expectValues(
            column(languages, `contrast_${end}`, byLanguage),
            flat(neuron.contrastJackknife[end]),
            1e-6,
          );
        }
      }
    }
  }
  for (const name of ['ap', 'auroc', 'selectivity']) {
    const [value, low, high, p, q] = ['', '_low', '_high', '_p', '_q'].map(
      (end) => languages.columns.get(`${name}${end}`)! as number[],
    );
    for (const [row, x] of value!.entries()) {
      if (Number.isNaN(x)) {
        expect([low![row], p![row], q![row]]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
        continue;
      }
      expect(high![row]!).toBeGreaterThanOrEqual(low![row]!);
      expect(p![row]! >= 1 / 41 - 1e-9 && p![row]! <= 1).toBe(true);
      expect(q![row]!).toBeGreaterThanOrEqual(p![row]! - 1e-7);
    }
  }
  // A constant neuron has no selectivity, hence no test of it.
  expect(units.columns.get('selectivity_best_p')!.some((p) => Number.isNaN(p))).toBe(true);
});

test('q is Benjamini and Hochberg’s of all p of a type, and of all its languages; a score that is missing has neither', () => {
  for (const table of [units, languages]) {
    const types = table.columns.get('type')!;
    const names = [...table.columns.keys()].flatMap((name) => /^(.*)_p$/.exec(name)?.[1] ?? []);
    expect(names.length).toBeGreaterThan(2);
    for (const name of names) {
      const values = table.columns.get(name)! as number[];
      for (const type of new Set(types)) {
        const of = (column: string) =>
          Float64Array.from((table.columns.get(column)! as number[]).filter((_, row) => types[row] === type));
        expectValues(of(`${name}_q`), [...benjaminiHochberg(of(`${name}_p`))].map(nullOf), 1e-6);
      }
      (table.columns.get(`${name}_p`)! as number[]).forEach((p, row) => {
        expect(Number.isNaN(p)).toBe(Number.isNaN(values[row]!));
      });
    }
  }
});

test('the best language of a unit, and the runner-up in selectivity, are the highest and second highest of unit_languages.parquet', () => {
  const K = TAGS.length;
  for (const [score, place, name] of [
    ['ap', 0, 'ap_best'],
    ['auroc', 0, 'auroc_best'],
    ['selectivity', 0, 'selectivity_best'],
    ['selectivity', 1, 'selectivity_second'],
  ] as const) {
    const values = languages.columns.get(score)! as number[];
    for (let unit = 0; unit < units.rows; unit++) {
      const own = values.slice(unit * K, (unit + 1) * K).map((value, k) => ({ value, tag: TAGS[k]! }));
      const placed = own.filter(({ value }) => !Number.isNaN(value)).sort((a, b) => b.value - a.value)[place];
      expect([units.columns.get(name)![unit], units.columns.get(`${name}_language`)![unit]]).toEqual([
        placed?.value ?? Number.NaN,
        placed?.tag ?? null,
      ]);
    }
  }
});

const nullOf = (value: number) => (Number.isNaN(value) ? null : value);

test('the same run and seed give the same bytes, whatever the number of threads', async () => {
  const other = await temporaryFolder();
  await writeReferenceRun(other);
  await scoreRun(other, { ...FULL, threads: 3 });
  for (const name of ['units.parquet', 'unit_languages.parquet', 'scores.json']) {
    expect((await readFile(join(other, name))).equals(await readFile(join(run, name)))).toBe(true);
  }
});

/** Rows that DuckDB answers. */
async function query(sql: string) {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  return (await connection.runAndReadAll(sql)).getRowsJson();
}

/** Names and types of a table's columns as DuckDB sees them, in the words of docs/files.md. */
async function described(path: string): Promise<string[][]> {
  const words: Record<string, string> = {
    VARCHAR: 'string',
    INTEGER: 'int',
    DOUBLE: 'double',
    BOOLEAN: 'boolean',
  };
  const columns = await query(`describe select * from '${path}'`);
  return columns.map(([name, type]) => [`\`${name}\``, words[String(type)] ?? String(type)]);
}

const namesAndTypes = (rows: string[][]) => rows.map(([name, type]) => [name, type]);

test('DuckDB reads both tables with the documented types, every unit and language once, and joins them', async () => {
  const { layers, neurons, heads } = reference;
  for (const [name, rows] of [
    ['units', layers * (neurons + heads)],
    ['unit_languages', layers * (neurons + heads) * TAGS.length],
  ] as const) {
    const path = join(run, `${name}.parquet`);
    expect(await described(path)).toEqual(namesAndTypes(await documented(`columns ${name}`)));
    const keys = name === 'units' ? 'type, layer, index' : 'type, layer, index, language';
    expect(await query(`select count(*), count(distinct (${keys})) from '${path}'`)).toEqual([
      [String(rows), String(rows)],
    ]);
  }
  const joined = await query(
    `select count(*), count(distinct u.type), count(ap) - count(ap_best),
            max(abs(ap_best - ap)) filter (where language = ap_best_language)
     from '${run}/units.parquet' u join '${run}/unit_languages.parquet' l using (type, layer, index)
     where ap is not null`,
  );
  expect(joined).toEqual([
    [String(languages.columns.get('ap')!.filter((x) => !Number.isNaN(x)).length), '2', '0', 0],
  ]);
  expect(
    await query(
      `select decode(value) from parquet_kv_metadata('${run}/units.parquet') where decode(key) = 'schema_version'`,
    ),
  ).toEqual([['5']]);
});

test('a table of a newer schema, or of another, is refused', async () => {
  const folder = await temporaryFolder();
  await writeReferenceRun(folder);
  await scoreRun(folder, { scores: ['lape'], splits: 2, threads: 1 });
  const path = join(folder, 'scores.json');
  const { checksums: files, command, ...scores } = JSON.parse(await readFile(path, 'utf8'));
  await writeRecord(path, { ...scores, schemaVersion: 6 }, { files, command });
  await expect(readScores(folder, 'units')).rejects.toThrow(RunError);
  await expect(readScores(folder, 'units')).rejects.toThrow(/newer version[\s\S]*5[\s\S]*6/);
  const columns = [{ name: 'type', type: 'string' }] as const;
  const table = await streamTable(join(folder, 'units.parquet'), columns, [[['neuron']]], {
    schema: 'babelscope/changes',
  });
  await writeRecord(path, scores, { files, command });
  await expect(readScores(folder, 'units')).rejects.toThrow(/units.parquet is damaged or of another writing/);
  await writeRecord(path, scores, { files: { ...files, 'units.parquet': table }, command });
  await expect(readScores(folder, 'units')).rejects.toThrow(/not what its name says/);
  await writeFile(join(folder, 'units.parquet'), 'x');
  await expect(readScores(folder, 'units')).rejects.toThrow(RunError);
});
