import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RunError } from '../../src/errors.js';
import {
  compareSelections,
  exportLapeMask,
  readSelectionComparison,
  writeSelectionComparison,
} from '../../src/interchange/index.js';
import { writePytorch } from '../../src/interchange/pytorch/write-pytorch.js';
import { selectionFigure, writeSelectionReport } from '../../src/report/index.js';
import { readScores, scoreRun } from '../../src/scores/index.js';
import { writeRecord } from '../../src/store/integrity/record.js';
import { babelscope, temporaryFolder } from '../support/command-line.js';
import { importSelection } from '../support/import-files.js';
import { writeSyntheticRun } from '../support/synthetic-run.js';

const FIXTURES = fileURLToPath(new URL('../fixtures/', import.meta.url));
const MASK = join(FIXTURES, 'pytorch', 'mask.pt');
const SELFCOND = ['en', 'fr'].map((name) => join(FIXTURES, 'selfcond', `${name}.csv`));
const LANGUAGES = ['en', 'zh', 'fr'];
/** [language][layer]: neurons, as the released identify.py selected them. */
const PUBLISHED = (
  JSON.parse(readFileSync(join(FIXTURES, 'pytorch', 'lape.json'), 'utf8')) as { mask: number[][][] }
).mask;

/** `layer index` by language, of units.parquet. */
async function membersOf(folder: string): Promise<Record<string, string[]>> {
  const { columns, rows } = await readScores(folder, 'units');
  const members: Record<string, string[]> = {};
  for (let row = 0; row < rows; row++) {
    const unit = `${columns.get('layer')![row]} ${columns.get('index')![row]}`;
    for (const tag of String(columns.get('selected_imported')![row]).split(','))
      members[tag] = [...(members[tag] ?? []), unit];
  }
  return members;
}

const published = () =>
  Object.fromEntries(
    LANGUAGES.map((tag, k) => [
      tag,
      PUBLISHED[k]!.flatMap((own, layer) => own.map((index) => `${layer} ${index}`)),
    ]),
  );

describe('selections of others are imported', () => {
  test('a mask that torch.save wrote has the neurons that the released identify.py selected', async () => {
    const out = join(temporaryFolder(), 'mask');
    expect(await importSelection('lape-mask', [MASK], { out, languages: LANGUAGES })).toMatchObject({
      layers: 3,
      languages: LANGUAGES,
    });
    expect(await membersOf(out)).toEqual(published());
    expect(Object.values(published()).flat().length).toBeGreaterThan(3);
  });

  test('a JSON result counts layers from 1, and is the same selection', async () => {
    const folder = temporaryFolder();
    const result = Object.fromEntries(
      [2, 0, 1].map((layer) => [
        String(layer + 1),
        Object.fromEntries(LANGUAGES.map((tag, k) => [tag, PUBLISHED[k]![layer]!])),
      ]),
    );
    writeFileSync(join(folder, 'result.json'), JSON.stringify(result));
    const out = join(folder, 'json');
    expect(await importSelection('lape-json', [join(folder, 'result.json')], { out })).toMatchObject({
      layers: 3,
    });
    expect(await membersOf(out)).toEqual(published());
  });

  test('expertise.csv: average precisions of MLP neurons, and the 1 % of highest as the selection', async () => {
    const out = join(temporaryFolder(), 'selfcond');
    const { notes } = await importSelection('selfcond', SELFCOND, { out });
    expect(notes).toEqual([expect.stringContaining(`left out: ${2 * 2 * (8 + 24)} rows`)]);
    const { columns, rows } = await readScores(out, 'unit_languages');
    expect(rows).toBe(2 * 2 * 60);
    const csv = readFileSync(SELFCOND[1]!, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(','))
      .filter(([, , , , layer]) => layer!.includes('c_fc'));
    const own = columns.get('language')!.flatMap((tag, row) => (tag === 'fr' ? [row] : []));
    expect(
      own.map((row) => ['ap', 'off_mean', 'on_p50', 'on_p90', 'index'].map((c) => columns.get(c)![row])),
    ).toEqual(csv.map(([ap, off, p50, p90, , unit]) => [ap, off, p50, p90, unit].map(Number)));
    const best = csv.reduce((a, b) => (Number(b[0]) > Number(a[0]) ? b : a));
    const members = await membersOf(out);
    expect(members.fr).toEqual([`${/h\.(\d)/.exec(best[4]!)![1]} ${best[5]}`]);
  });
});

describe('selections are compared, with what a run of ours selects too', () => {
  test('Jaccard, overall and by language, beside that of sets drawn at random', async () => {
    const folder = temporaryFolder();
    const run = join(folder, 'run');
    await writeSyntheticRun(run, { languages: LANGUAGES, layers: 3, neurons: 40 });
    await scoreRun(run);
    const mask = join(folder, 'mask');
    await importSelection('lape-mask', [MASK], { out: mask, languages: LANGUAGES });
    const comparison = await compareSelections([mask, run], { labels: ['released', 'ours'] });
    const { columns, rows } = await readScores(run, 'units');
    const ours = Array.from({ length: rows }, (_, row) => row).filter(
      (row) => columns.get('type')![row] === 'neuron' && columns.get('selected_tang2024')![row] !== '',
    );
    const theirs = new Set(Object.values(published()).flat());
    const both = ours.filter((row) =>
      theirs.has(`${columns.get('layer')![row]} ${columns.get('index')![row]}`),
    ).length;
    const expected = (theirs.size * ours.length) / 120;
    expect(comparison.overlaps[0]).toMatchObject({
      a: 'released',
      b: 'ours',
      language: null,
      inA: theirs.size,
      inB: ours.length,
      both,
      jaccard: both / (theirs.size + ours.length - both),
      chance: expected / (theirs.size + ours.length - expected),
    });
    expect(comparison.overlaps.map(({ language }) => language)).toEqual([null, ...LANGUAGES]);
    expect(comparison.sets.map(({ units }) => units)).toEqual([null, 120]);
    const members = Object.values(published()).flat();
    const times = [...theirs].map((unit) => members.filter((other) => other === unit).length);
    expect(comparison.sets[0]!.byLanguageCount).toEqual(
      LANGUAGES.map((_, k) => times.filter((n) => n === k + 1).length),
    );
    await writeSelectionComparison(folder, comparison);
    expect(await readSelectionComparison(folder)).toEqual(comparison);
    const { files } = await writeSelectionReport(comparison, folder);
    expect(files.map((file) => file.split('/').at(-1))).toEqual([
      'selections.svg',
      'selections.png',
      'selection-counts.svg',
      'selection-counts.png',
      'selections.csv',
      'selection-multiplicity.csv',
    ]);
    expect(readFileSync(files[4]!, 'utf8')).toMatch(
      /^a,b,language,inA,inB,both,jaccard,chance,change,change_percent\r\nreleased,ours,,/,
    );
    expect(JSON.stringify(selectionFigure(comparison))).toContain('not measured');
  });

  test('on the command line: import, compare and report', async () => {
    const folder = temporaryFolder();
    const at = (name: string) => join(folder, name);
    for (const name of ['a', 'b']) {
      const args = [
        'import',
        MASK,
        '--format',
        'lape-mask',
        '--languages',
        LANGUAGES.join(),
        '--out',
        at(name),
      ];
      expect(await babelscope(args)).toMatchObject({ code: 0 });
    }
    const compared = await babelscope([
      'compare',
      at('a'),
      at('b'),
      '--labels',
      'first,second',
      '--out',
      at('both'),
    ]);
    expect(compared).toMatchObject({ code: 0 });
    expect(compared.stdout).toMatch(/first, second +any +\d+ +\d+ +0 \(0 %\) +\d+ +1\.000 +–/);
    expect(compared.stderr).toContain('noise floors are not measured');
    const reported = await babelscope(['report', at('both'), '--out', at('report'), '--formats', 'svg,csv']);
    expect(reported).toMatchObject({ code: 0 });
    expect(
      ['figures/selections.svg', 'figures/selections.png', 'tables/selections.csv'].map((f) =>
        existsSync(join(at('report'), f)),
      ),
    ).toEqual([true, false, true]);
    const alone = await babelscope(['report', at('a'), '--out', at('alone'), '--formats', 'svg,csv']);
    expect(alone).toMatchObject({ code: 0 });
    const rows = readFileSync(join(at('alone'), 'tables/selections.csv'), 'utf8')
      .trim()
      .split('\r\n');
    const published = PUBLISHED.flatMap((ofLanguage, k) =>
      ofLanguage.map((own, layer) => `${layer},${LANGUAGES[k]},${own.length}`),
    );
    expect(rows[0]).toBe('layer,language,selected');
    expect(rows.slice(1).sort()).toEqual(published.sort());
    expect(readFileSync(join(at('alone'), 'figures/selections.svg'), 'utf8')).toContain('one selection');
  });

  test('a selection agrees with itself, whatever it is; of imports alone chance is not known', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.uniqueArray(fc.nat(50)), { minLength: 2, maxLength: 2 }), {
          minLength: 2,
          maxLength: 2,
        }),
        async (mask) => {
          const folder = temporaryFolder();
          const path = join(folder, 'mask.pt');
          await writePytorch(
            path,
            mask.map((ofLanguage) => ofLanguage.map((own) => BigInt64Array.from(own, BigInt))),
          );
          const out = join(folder, 'mask');
          await importSelection('lape-mask', [path], { out, languages: ['en', 'de'] });
          const { overlaps } = await compareSelections([out, out]);
          for (const { inA, inB, both, jaccard, chance } of overlaps) {
            expect([inB, both, jaccard, chance]).toEqual([inA, inA, inA === 0 ? null : 1, null]);
          }
        },
      ),
      { numRuns: 10 },
    );
  });

  test('languages that only one has are left out, with a warning', async () => {
    const folder = temporaryFolder();
    await importSelection('lape-mask', [MASK], { out: join(folder, 'a'), languages: ['en', 'zh', 'fr'] });
    await importSelection('lape-mask', [MASK], { out: join(folder, 'b'), languages: ['en', 'ja', 'fr'] });
    const { languages, warnings } = await compareSelections([join(folder, 'a'), join(folder, 'b')]);
    expect(languages).toEqual(['en', 'fr']);
    expect(warnings.join('\n')).toContain(
      'b: selected among 3 languages (en ja fr), of which 2 are compared',
    );
  });
});

describe('the rule of each side is said, and chosen', () => {
  test('a run against what its own policy selected shares everything, by the other policy less', async () => {
    const folder = temporaryFolder();
    const at = (name: string) => join(folder, name);
    await writeSyntheticRun(at('run'), { languages: LANGUAGES, layers: 3, neurons: 40 });
    await scoreRun(at('run'));
    await exportLapeMask(at('run'), at('mask.pt'), 'polyfact2026');
    await importSelection('lape-mask', [at('mask.pt')], {
      out: at('mask'),
      languages: LANGUAGES,
      rule: 'polyfact2026',
    });
    const compare = (...options: string[]) =>
      babelscope([
        'compare',
        at('mask'),
        at('run'),
        '--labels',
        'released,ours',
        '--out',
        at('out'),
        ...options,
      ]);
    const same = await compare('--policy', 'polyfact2026');
    expect(same.code).toBe(0);
    expect(same.stdout).toMatch(/released: \d+ neurons, imported lape-mask, selected by polyfact2026/);
    expect(same.stdout).toMatch(/neurons selected for +1 +2 +3/);
    expect(same.stdout).toMatch(/released, ours +any +\d+ +\d+ +0 \(0 %\)/);
    expect(same.stdout).toMatch(/ours: \d+ neurons, selected by polyfact2026/);
    expect(same.stdout).toMatch(/released, ours +any .* 1\.000 /);
    expect(same.stderr).not.toContain('rules');
    const other = await compare();
    expect(other.stdout).not.toMatch(/released, ours +any .* 1\.000 /);
    expect(other.stderr).toMatch(
      /different or unknown rules \(released by polyfact2026; ours by tang2024\)[\s\S]*--policy/,
    );
  });

  test('a policy where there is no selection is refused', async () => {
    const { code, stderr } = await babelscope(['compare', 'a', 'b', '--policy', 'tang2024', '--out', 'c']);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/--policy[\s\S]*remedy:/)]);
  });

  test('what an import read is counted on the terminal, language by language', async () => {
    const out = join(temporaryFolder(), 'mask');
    const args = ['import', MASK, '--format', 'lape-mask', '--languages', LANGUAGES.join(), '--out', out];
    const { stderr } = await babelscope([...args, '--neurons', '40', '--rule', 'tang2024']);
    for (const [k, tag] of LANGUAGES.entries()) {
      expect(stderr).toMatch(new RegExp(`${tag} +${PUBLISHED[k]!.flat().length}\n`));
    }
    expect(stderr).toMatch(/neurons of 3 layers, selected by tang2024 of 120/);
    expect(stderr).toContain('does not name its languages');
  });

  test('with the size of an MLP, chance is known of two imports', async () => {
    const folder = temporaryFolder();
    const [a, b] = [join(folder, 'a'), join(folder, 'b')];
    await importSelection('lape-mask', [MASK], { out: a, languages: LANGUAGES, neurons: 40 });
    await importSelection('lape-mask', [MASK], { out: b, languages: LANGUAGES, neurons: 40 });
    const { overlaps, sets } = await compareSelections([a, b]);
    const n = sets[0]!.selected!;
    expect(sets[0]!.units).toBe(120);
    expect(overlaps[0]!.chance).toBeCloseTo((n * n) / 120 / (2 * n - (n * n) / 120), 12);
  });
});

describe('what cannot be used is refused with exit 2, and leaves nothing', () => {
  const folder = () => temporaryFolder();
  const importing = async (args: readonly string[]) =>
    babelscope(['import', ...args, '--out', join(folder(), 'out')]);
  const json = (value: string) => {
    const path = join(folder(), 'result.json');
    writeFileSync(path, value);
    return path;
  };
  const cases: Readonly<Record<string, [() => readonly string[], RegExp]>> = {
    'a mask without languages': [
      () => [MASK, '--format', 'lape-mask'],
      /--languages[\s\S]*en,zh,fr,es,vi,id,ja/,
    ],
    'a mask of other languages': [
      () => [MASK, '--format', 'lape-mask', '--languages', 'en,zh'],
      /expected: 3 languages/,
    ],
    'counts for a mask': [
      () => [join(FIXTURES, 'pytorch', 'activation.en.0.pt'), '--format', 'lape-mask', '--languages', 'en'],
      /no mask of neurons[\s\S]*a dict of n, over_zero/,
    ],
    'layers from 0': [() => [json('{"0": {"en": [1]}}'), '--format', 'lape-json'], /layer "0"/],
    'a layer that no model has': [
      () => [json('{"1": {"en": [1]}, "99999": {"en": [1]}}'), '--format', 'lape-json'],
      /layer "99999"/,
    ],
    'a layer of a module that no model has': [
      () => [json('ap,layer,unit,concept\n0.5,h.99999999999.mlp.c_fc:0,0,en\n'), '--format', 'selfcond'],
      /a layer is unusable[\s\S]*99999999999/,
    ],
    'a unit beyond what a table holds': [
      () => [json('ap,layer,unit,concept\n0.5,h.0.mlp.c_fc:0,2147483648,en\n'), '--format', 'selfcond'],
      /column unit is unusable/,
    ],
    'a quotation mark that is never closed': [
      () => [json(`ap,layer,unit,concept\n0.5,"${'h.0\n'.repeat(2 ** 19)}`), '--format', 'selfcond'],
      /no expertise table[\s\S]*record/i,
    ],
    'two names of one language': [
      () => [json('{"1": {"zh": [1], "zho_Hans": [2]}}'), '--format', 'lape-json'],
      /zh and zho_Hans, which are one language/,
    ],
    'a neuron that is no number': [
      () => [json('{"1": {"en": ["1"]}}'), '--format', 'lape-json'],
      /neuron "1"/,
    ],
    'JSON cut short': [() => [json('{"1": {'), '--format', 'lape-json'], /is not valid JSON/],
    'a table of another kind': [
      () => [json('a,b\n1,2\n'), '--format', 'selfcond'],
      /no column ap among a, b/,
    ],
    'a table that is not there': [
      () => ['none.csv', '--format', 'selfcond'],
      /none\.csv: there is no such file[\s\S]*selfcond/,
    ],
    'a concept that is no language': [
      () => [json('ap,layer,unit,concept\n0.5,h.0.mlp.c_fc:0,0,football-1\n'), '--format', 'selfcond'],
      /"football-1" is no known language[\s\S]*en=/,
    ],
    'a neuron beyond those that the model is said to have': [
      () => [MASK, '--format', 'lape-mask', '--languages', LANGUAGES.join(), '--neurons', '2'],
      /--neurons[\s\S]*intermediate_size/,
    ],
    'an option that the format has no use for': [
      () => [json('{"1": {"en": [1]}}'), '--format', 'lape-json', '--languages', 'en'],
      /--languages: files of lape-json do not need this option/,
    ],
    'an average precision above 1': [
      () => [json('ap,layer,unit,concept\n1.5,h.0.mlp.c_fc:0,0,en\n'), '--format', 'selfcond'],
      /column ap is unusable/,
    ],
  };
  for (const [name, [args, message]] of Object.entries(cases)) {
    test(name, async () => {
      const { code, stderr } = await importing(args());
      expect(stderr).toMatch(message);
      expect(stderr).toContain('remedy:');
      expect(code).toBe(2);
    });
  }

  test('selection.json and selections.json of a newer schema, or of another kind', async () => {
    const [a, out] = [join(folder(), 'a'), folder()];
    await importSelection('lape-mask', [MASK], { out: a, languages: LANGUAGES });
    await writeSelectionComparison(out, await compareSelections([a, a]));
    for (const [path, read] of [
      [join(a, 'selection.json'), () => compareSelections([a, a])],
      [join(out, 'selections.json'), () => readSelectionComparison(out)],
    ] as const) {
      const text = readFileSync(path, 'utf8');
      const { checksums: files, command, ...value } = JSON.parse(text);
      await writeRecord(path, { ...value, schemaVersion: 4 }, { files, command });
      await expect(read()).rejects.toThrow(/newer version of babelscope[\s\S]*3\n[\s\S]*found: +4/);
      await writeRecord(path, { ...value, schema: 'babelscope/run' }, { files, command });
      await expect(read()).rejects.toThrow(/field "schema" is unusable/);
      writeFileSync(path, text.replace('babelscope/selection', 'babelscope/run'));
      await expect(read()).rejects.toThrow(/is damaged/);
      await expect(read()).rejects.toThrow(RunError);
    }
  });

  test('imports alone of models of different numbers of layers or neurons', async () => {
    const where = folder();
    const mask = async (name: string, layers: number, neurons?: number) => {
      const path = join(where, `${name}.pt`);
      await writePytorch(path, [Array.from({ length: layers }, () => BigInt64Array.of(1n))]);
      await importSelection('lape-mask', [path], { out: join(where, name), languages: ['en'], neurons });
      return join(where, name);
    };
    const result = async (name: string, layers: number) => {
      const path = join(where, `${name}.json`);
      writeFileSync(path, JSON.stringify({ [layers]: { en: [1] } }));
      await importSelection('lape-json', [path], { out: join(where, name) });
      return join(where, name);
    };
    const [llama, larger, wide] = [
      await mask('llama', 32),
      await mask('larger', 40),
      await mask('wide', 32, 9),
    ];
    await expect(compareSelections([llama, larger])).rejects.toThrow(
      /different sizes[\s\S]*32 layers[\s\S]*40/,
    );
    const many = join(where, 'many.pt');
    await writePytorch(many, [[BigInt64Array.from({ length: 300_000 }, (_, index) => BigInt(index))]]);
    await importSelection('lape-mask', [many], { out: join(where, 'many'), languages: ['en'] });
    await expect(compareSelections([join(where, 'many'), llama])).rejects.toThrow(/neurons up to 299999/);
    const narrow = await mask('narrow', 32, 8);
    await expect(compareSelections([wide, narrow])).rejects.toThrow(/9 neurons[\s\S]*8 neurons/);
    await expect(compareSelections([llama, await result('deep', 33)])).rejects.toThrow(/at least 33 layers/);
    const fewer = await compareSelections([await result('x', 30), await result('y', 31), llama]);
    expect(fewer.warnings.join()).toMatch(/x: 30; y: 31/);
  });

  test('selections of models of different sizes, and of no language in common', async () => {
    const where = folder();
    await importSelection('lape-mask', [MASK], { out: join(where, 'a'), languages: LANGUAGES });
    await importSelection('lape-mask', [MASK], { out: join(where, 'b'), languages: ['ja', 'de', 'ko'] });
    await writeSyntheticRun(join(where, 'run'), { languages: LANGUAGES, layers: 2, neurons: 40 });
    await scoreRun(join(where, 'run'));
    const compare = (...names: string[]) => compareSelections(names.map((name) => join(where, name)));
    await expect(compare('a', 'run')).rejects.toThrow(/different sizes[\s\S]*2 layers of 40/);
    await expect(compare('a', 'b')).rejects.toThrow('no language in common');
  });
});
