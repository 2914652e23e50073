import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unzipSync, zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { samplingFloor } from '../../src/compare/floors.js';
import { compareRuns } from '../../src/compare/index.js';
import { RunError, UsageError } from '../../src/errors.js';
import { writeImportedRun } from '../../src/interchange/imported-run.js';
import {
  exportTransformerLens,
  parseSource,
  type SourceFile,
  TorchTensor,
} from '../../src/interchange/index.js';
import { buildFigures } from '../../src/report/figures/list.js';
import { buildTables } from '../../src/report/tables/tables.js';
import { readScores, scoreRun } from '../../src/scores/index.js';
import { Random } from '../../src/stats/sampling/random.js';
import { randomHalves } from '../../src/stats/sampling/resampling.js';
import { openRun } from '../../src/store/run/open-run.js';
import { readManifest } from '../../src/store/run/run-folder.js';
import { babelscope, temporaryFolder } from '../support/command-line.js';
import { unitViews } from '../support/comparison-views.js';
import { importRun } from '../support/import-files.js';
import { writeSyntheticRun } from '../support/synthetic-run.js';

const FIXTURES = fileURLToPath(new URL('../fixtures/pytorch/', import.meta.url));
const LANGUAGES = ['en', 'zh', 'fr'];
/** What a literal reading of the released identify.py makes of the same counts. */
const PUBLISHED = JSON.parse(readFileSync(join(FIXTURES, 'lape.json'), 'utf8')) as {
  readonly tokens: readonly number[];
  readonly rates: readonly (readonly (readonly number[])[])[];
  readonly entropy: readonly (readonly (number | null)[])[];
};
const counts = (folds: readonly number[]) =>
  LANGUAGES.flatMap((language) =>
    folds.map((fold) => parseSource(join(FIXTURES, `activation.${language}.${fold}.pt`))),
  );
const matrices = (folds: readonly number[]) =>
  LANGUAGES.flatMap((language) =>
    folds.map((fold) => parseSource(join(FIXTURES, `aya_${language}.${fold}.pth`))),
  );

const importLapeCounts = (sources: readonly SourceFile[], out: string) =>
  importRun('lape-counts', sources, { out });
/** The fixtures are uniform random numbers, of which nobody can tell what they are. */
const importLahis = (sources: readonly SourceFile[], out: string) =>
  importRun('lahis', sources, { out, kind: 'importances' });

describe('LAPE counts become a run', () => {
  test('rates and LAPE of two shards a language are those of the released identify.py on their sum', async () => {
    const out = join(temporaryFolder(), 'imported');
    await importLapeCounts(counts([0, 1]), out);
    await scoreRun(out);
    const { manifest } = await openRun(out);
    expect(manifest.plan.folds).toBe(2);
    expect(manifest.languages.map(({ tokens }) => tokens)).toEqual(PUBLISHED.tokens);
    const units = await readScores(out, 'units');
    expect(units.rows).toBe(3 * 40);
    units.columns.get('lape')!.forEach((lape, unit) => {
      const expected = PUBLISHED.entropy[Math.floor(unit / 40)]![unit % 40]!;
      if (expected === null) expect(lape).toBeNaN();
      else expect(lape).toBeCloseTo(expected, 12);
    });
    const rates = (await readScores(out, 'unit_languages')).columns.get('rate')!;
    rates.forEach((rate, row) => {
      const [unit, k] = [Math.floor(row / 3), row % 3];
      expect(rate).toBeCloseTo(PUBLISHED.rates[k]![Math.floor(unit / 40)]![unit % 40]!, 14);
    });
  });

  test.each([
    ['activations.en.pt'],
    ['activation.en.train.llama.pt'],
    ['act_en.pt'],
    ['en_activation.pt'],
    ['llama-activations-en.pt'],
    ['en.pt'],
    ['activation.eng_Latn.pt'],
    ['eng_Latn.pt'],
    ['eng_Latn_activation.pt'],
    ['act_zho_Hant.pt', 'zh-Hant'],
    ['act_zho_Hans.pt', 'zh'],
    ['activations.kor_Hang.pt', 'ko'],
    ['activations.pt-BR.pt', 'pt-BR'],
  ])('%s is of %s', async (name, tag = 'en') => {
    const folder = temporaryFolder();
    const path = join(folder, name);
    copyFileSync(join(FIXTURES, 'activation.en.0.pt'), path);
    const { languages } = await importLapeCounts([parseSource(path)], join(folder, 'out'));
    expect(languages.map((language) => language.tag)).toEqual([tag]);
  });

  test('two scripts are two languages, and two codes of one language are not taken for folds', async () => {
    const folder = temporaryFolder();
    const named = (name: string) => {
      const path = join(folder, name);
      copyFileSync(join(FIXTURES, 'activation.en.0.pt'), path);
      return parseSource(path);
    };
    const { plan } = await importLapeCounts(
      [named('act_zho_Hant.pt'), named('act_zho_Hans.pt')],
      join(folder, 'out'),
    );
    expect([plan.languages, plan.folds]).toEqual([['zh-Hant', 'zh'], 1]);
    await expect(
      importLapeCounts([named('act_zho_Hans.pt'), named('act_zh.pt')], join(folder, 'other')),
    ).rejects.toThrow(/two codes[\s\S]*zho_Hans and zh/);
  });

  test('the terminal shows which file is of which language, and the tokens of each', async () => {
    const out = join(temporaryFolder(), 'out');
    const paths = LANGUAGES.map((tag) => join(FIXTURES, `activation.${tag}.0.pt`));
    const { stderr } = await babelscope(['import', ...paths, '--format', 'lape-counts', '--out', out]);
    const { languages } = await readManifest(out);
    for (const { tag, tokens } of languages) {
      expect(stderr).toContain(`activation.${tag}.0.pt: ${tag}`);
      expect(stderr).toMatch(new RegExp(`${tag} +${tokens}\n`));
    }
    expect(stderr).toContain('3 languages, 1 folds, 3 layers of 40 neurons');
  });

  test('nothing is said that the files do not say: hashes and sizes are null, values of hook_post absent', async () => {
    const out = join(temporaryFolder(), 'llama');
    await importLapeCounts(counts([0]), out);
    await scoreRun(out);
    const { model, shape, imported, languages } = await readManifest(out);
    expect([model.name, model.weightsSha256, model.dtype]).toEqual(['llama', null, null]);
    expect([shape.dMlp, shape.layers, shape.heads, shape.parameters]).toEqual([40, 3, null, null]);
    expect(languages[0]!.prompts).toBeNull();
    expect(imported!.files[0]).toMatchObject({ name: 'activation.en.0.pt', language: 'en', fold: 0 });
    expect(readFileSync(join(out, 'manifest.json'), 'utf8')).toContain('"heads": null');
    const { columns } = await readScores(out, 'unit_languages');
    expect(columns.get('mean')!.every(Number.isNaN)).toBe(true);
  });

  test('what counts cannot tell is said with the one way to it: no option of capture could have been given', async () => {
    const out = join(temporaryFolder(), 'llama');
    await importLapeCounts(counts([0]), out);
    const { skipped } = await scoreRun(out);
    expect(new Set(skipped.map(({ reason }) => reason))).toEqual(
      new Set(['what was imported does not tell; capture the checkpoint itself for it']),
    );
    const lacking = (type: string) => skipped.flatMap((row) => (row.type === type ? [row.score] : []));
    expect(lacking('neuron')).toEqual(['ap', 'auroc', 'twoWay', 'selectivity', 'mi', 'overlap']);
    expect(lacking('head')).toEqual(['lape', 'gini', ...lacking('neuron'), 'vectorShare']);
    await expect(exportTransformerLens(out, join(out, 'lens'))).rejects.toThrow(
      /no pooled values[\s\S]*imports hold none/,
    );
  });

  test('one fold has no interval, no reliability and no noise floor; two have all three', async () => {
    const folder = temporaryFolder();
    for (const [name, folds] of [
      ['one', [0]],
      ['two', [0, 1]],
    ] as const) {
      const out = join(folder, name);
      const { warnings } = await importLapeCounts(counts(folds), out);
      const { reliability } = await scoreRun(out);
      const { columns } = await readScores(out, 'units');
      const units = unitViews(await compareRuns([{ folder: out }, { folder: out }]));
      const entropy = units[0]!.headlines.find(({ measure }) => measure === 'mean_lape')!;
      const omega2 = units[0]!.headlines.find(({ measure }) => measure === 'mean_omega2_language')!;
      expect([omega2.verdict, omega2.note]).toEqual([
        'not measured',
        expect.stringContaining('pooled items, which imports lack'),
      ]);
      const known = columns.get('lape_se')!.some((se) => !Number.isNaN(se));
      if (name === 'one') {
        expect(warnings.join()).toContain('not measured');
        expect([known, reliability.length, entropy.verdict, entropy.withinFrom, entropy.change.low]).toEqual([
          false,
          0,
          'not measured',
          null,
          null,
        ]);
        expect(entropy.note).toContain('no split halves');
      } else {
        expect(warnings.join()).toContain('one way');
        expect([known, reliability.map(({ score }) => score), entropy.verdict]).toEqual([
          true,
          ['rate', 'lape', 'gini'],
          'not distinguishable from sampling',
        ]);
        expect(entropy.withinFrom).not.toBeNull();
      }
    }
  });

  test('with two folds one null difference in eight is called changed, as the warning and docs/interchange.md say; with more, fewer', () => {
    const shares = [2, 3, 4, 6].map((folds) => {
      const random = new Random(folds);
      const uniform = () => (random.integer(2 ** 30) + 0.5) / 2 ** 30;
      const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
      let changed = 0;
      const trials = 2000;
      for (let t = 0; t < trials; t++) {
        const [a, b] = [Array.from({ length: folds }, normal), Array.from({ length: folds }, normal)];
        const mean = (x: readonly number[], own: readonly number[]) =>
          own.reduce((sum, f) => sum + x[f]!, 0) / own.length;
        const halves = randomHalves(folds, 50, t);
        const gap = (x: readonly number[], y: readonly number[]) =>
          halves.map(({ first, second }) => Math.abs(mean(x, first) - mean(y, second)));
        const across = [...gap(a, b), ...gap(b, a)];
        if (samplingFloor(gap(a, a), gap(b, b), across, 'difference').verdict === 'changed') changed++;
      }
      return changed / trials;
    });
    expect(shares[0]).toBeGreaterThan(0.1);
    expect(shares[0]).toBeLessThan(0.15);
    expect(shares[1]).toBeLessThan(0.03);
    expect(shares[2]).toBeLessThan(0.025);
    expect(shares[3]).toBeLessThan(0.005);
  });
});

describe('LAHIS matrices become a run of heads', () => {
  test('importance is the mean over files, and entropy, overlap and contrast follow from it', async () => {
    const out = join(temporaryFolder(), 'aya');
    await importLahis(matrices([0, 1]), out);
    const expected = JSON.parse(readFileSync(join(FIXTURES, 'expected.json'), 'utf8')) as Record<
      string,
      { readonly values: readonly number[] }
    >;
    const mean = (language: string, head: number) =>
      (expected[`aya_${language}.0`]!.values[head]! + expected[`aya_${language}.1`]!.values[head]!) / 2;
    await scoreRun(out);
    const { columns } = await readScores(out, 'unit_languages');
    columns.get('rate')!.forEach((rate, row) => {
      expect(rate).toBeCloseTo(mean(LANGUAGES[row % 3]!, Math.floor(row / 3)), 12);
    });
    const comparison = await compareRuns([{ folder: out }, { folder: out }]);
    const [heads] = unitViews(comparison);
    expect([heads!.type, heads!.rate]).toEqual(['head', 'importance']);
    expect(comparison.headMaps[0]!.lape.flat().every((lape) => lape !== null)).toBe(true);
    // n is one head of 24: two languages share it or not.
    const top = LANGUAGES.map((language) => {
      const own = Array.from({ length: 24 }, (_, head) => mean(language, head));
      return own.indexOf(Math.max(...own));
    });
    comparison.headOverlaps[0]!.norm.forEach((row, a) => {
      expect(row).toEqual(top.map((head) => (head === top[a] ? 1 : 0)));
    });
    const overlap = heads!.headlines.find(({ measure }) => measure === 'head_overlap')!;
    expect(overlap.verdict).toBe('not distinguishable from sampling');
    const counted = buildTables(comparison).find(({ name }) => name === 'tokens')!;
    expect([counted.title, counted.columns.at(-1), counted.rows[0]]).toEqual([
      'Matrices per language',
      'matrices',
      ['en', 'English', 'Latn', 'Indo-European', null, 2],
    ]);
    const map = buildFigures(comparison).find(({ name }) => name === 'head-map');
    expect(map).toHaveProperty('subtitle', expect.stringContaining('6 matrices a run'));
  });
});

describe('imported runs that do not match are refused, with what a user of imports can do', () => {
  const importTo = async (name: string, files: readonly string[]) => {
    const folder = join(temporaryFolder(), name);
    await importLapeCounts(
      files.map((file) => parseSource(file.replace(/(?<==)|^(?=activation)/, FIXTURES))),
      folder,
    );
    return folder;
  };
  const en = ['activation.en.0.pt', 'activation.en.1.pt'];
  const zh = ['activation.zh.0.pt', 'activation.zh.1.pt'];
  const cases: Readonly<Record<string, [readonly string[], RegExp]>> = {
    'languages in another order': [[...zh, ...en], /plan.languages \(order\)[\s\S]*in the order en, zh/],
    'other languages': [
      [...en, 'activation.fr.0.pt', 'activation.fr.1.pt'],
      /plan.languages differs[\s\S]*Import/,
    ],
    'fewer files a language': [[en[0]!, zh[0]!], /plan.folds[\s\S]*as many files of each language/],
    'counts of other texts': [
      [...en, `zh=${zh[1]}`, `zh=${zh[0]}`],
      /tokens of zh in fold 0[\s\S]*files of the same texts/,
    ],
  };
  test.each(Object.entries(cases))('%s', async (_, [files, message]) => {
    const runs = [await importTo('first', [...en, ...zh]), await importTo('second', files)];
    const refused = compareRuns(runs.map((folder) => ({ folder })));
    await expect(refused).rejects.toThrow(RunError);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.not.toThrow(/[Cc]apture/);
  });

  test('heads and neurons; an imported run and a captured one', async () => {
    const [first, heads, captured] = [
      await importTo('first', en),
      join(temporaryFolder(), 'aya'),
      join(temporaryFolder(), 'captured'),
    ];
    await importLahis(matrices([0, 1]), heads);
    await writeSyntheticRun(captured, { layers: 3, neurons: 40 });
    await expect(compareRuns([{ folder: first }, { folder: heads }])).rejects.toThrow(
      /shape[\s\S]*import files of models/,
    );
    await expect(compareRuns([{ folder: first }, { folder: captured }])).rejects.toThrow(
      /shape.family[\s\S]*capture both, or import both/,
    );
  });
});

describe('files that cannot be used are refused with exit 2, and leave nothing', () => {
  const cases: Readonly<Record<string, [readonly string[], string, RegExp]>> = {
    'another format': [['dtypes.pt'], 'lape-counts', /does not say which language the file is of[\s\S]*en=/],
    'no counts': [
      ['en=dtypes.pt'],
      'lape-counts',
      /no activation counts[\s\S]*over_zero[\s\S]*a dict of float64/,
    ],
    'no matrix': [['en=mask.pt'], 'lahis', /no importance matrix[\s\S]*a list of 3/],
    'other shapes': [['aya_en.0.pth', 'zh=views.pt'], 'lahis', /no importance matrix/],
    'an unknown language': [['qqq=aya_en.0.pth'], 'lahis', /"qqq" is no known language/],
    'fewer files of one language': [
      ['activation.en.0.pt', 'activation.en.1.pt', 'activation.zh.0.pt'],
      'lape-counts',
      /different numbers of files[\s\S]*2 of each language[\s\S]*1 of zh/,
    ],
    'a file that would run a program': [['en=refused-os-system.pt'], 'lape-counts', /global posix\.system/],
    'an unknown format': [['aya_en.0.pth'], 'numpy', /argument 'numpy' is invalid/],
  };
  for (const [name, [files, format, message]] of Object.entries(cases)) {
    test(name, async () => {
      const out = join(temporaryFolder(), 'run');
      const paths = files.map((file) => file.replace(/^((?:\w+=)?)/, `$1${FIXTURES}`));
      const { code, stderr } = await babelscope(['import', ...paths, '--format', format, '--out', out]);
      expect(stderr).toMatch(message);
      expect(code).toBe(2);
      expect(() => readdirSync(out)).toThrow();
    });
  }

  test('a trained mask of heads, two of which have learned, is no matrix of importances', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'mask_en.pth');
    const archive = unzipSync(readFileSync(join(FIXTURES, 'aya_en.0.pth')));
    const [storage] = Object.keys(archive).filter((name) => name.endsWith('data/0'));
    const values = new Float32Array(24).fill(1);
    values[3] = 0.7;
    values[20] = 1.2;
    archive[storage!] = new Uint8Array(values.buffer);
    writeFileSync(path, zipSync(archive, { level: 0 }));
    await expect(importLahis([parseSource(path)], join(folder, 'out'))).rejects.toThrow(
      /a mask of heads[\s\S]*22 of 24 values are 1/,
    );
    expect(readdirSync(folder)).toEqual(['mask_en.pth']);
  });

  test('more firings than tokens, and a folder that is a run', async () => {
    const out = join(temporaryFolder(), 'run');
    const bytes = new Uint8Array(Int32Array.of(10, 11).buffer);
    const sums = new TorchTensor({ dtype: 'int32', bytes, length: 2 }, 0, [1, 2], [2, 1]);
    const format = { name: 'lape-counts', array: 'mlp.fire', hook: 'mlp.hook_pre', caveat: '' } as const;
    const counted = {
      file: { path: 'activation.en.pt', language: 'en', fold: 0 },
      sums,
      tokens: 10,
    } as const;
    await expect(
      writeImportedRun(out, { kind: format, sums: [counted as never] }, { command: '' }),
    ).rejects.toThrow(/0 to the 10 tokens counted[\s\S]*11 in layer 0, unit 1/);
    // LAHIS matrices hold fractions.
    await expect(
      importLahis([{ path: join(FIXTURES, 'too-large-int64.pt'), language: 'en' }], out),
    ).rejects.toThrow(/unusable shape/);
    await importLahis(matrices([0]), out);
    await expect(importLahis(matrices([0]), out)).rejects.toThrow(UsageError);
    rmSync(join(out, 'manifest.json'));
    await expect(importLahis(matrices([0]), out)).resolves.toHaveProperty('schema');
  });
});

describe('recorded rates become a run', () => {
  const RATES = join(FIXTURES, 'rates');
  const sources = ['eng_Latn', 'slk_Latn'].map((code) => parseSource(join(RATES, `${code}_act.pt`)));
  /** By SciPy. */
  const expected = JSON.parse(readFileSync(join(RATES, 'lape.json'), 'utf8')) as {
    readonly rates: readonly (readonly number[])[];
    readonly lape: readonly number[];
  };

  test('its rates and LAPE are those of the files, and sequences stand for tokens', async () => {
    const out = join(temporaryFolder(), 'rates');
    const { languages, warnings } = await importLapeCounts(sources, out);
    expect(languages.map(({ tag, tokens }) => [tag, tokens])).toEqual([
      ['en', 50],
      ['sk', 50],
    ]);
    expect(warnings.join()).toContain('sequences stand for tokens');
    await scoreRun(out);
    const lape = (await readScores(out, 'units')).columns.get('lape')!;
    lape.forEach((value, unit) => {
      expect(value).toBeCloseTo(expected.lape[unit]!, 12);
    });
    const rates = (await readScores(out, 'unit_languages')).columns.get('rate')!;
    rates.forEach((rate, row) => {
      expect(rate).toBeCloseTo(expected.rates[row % 2]![row >> 1]!, 12);
    });
  });

  test('they are not mixed with counts, nor prefixes subtracted from them', async () => {
    const mixed = [...sources, parseSource(`fr=${join(FIXTURES, 'activation.fr.0.pt')}`)];
    const out = join(temporaryFolder(), 'rates');
    await expect(importLapeCounts(mixed, out)).rejects.toMatchObject({ exitCode: 2 });
    const prefix = importRun('lape-counts', sources, { out, prefix: sources });
    await expect(prefix).rejects.toThrow(/rates of prefixes cannot be subtracted/);
  });
});

describe('languages before files', () => {
  test.each([
    ['German=a.pt', 'German', 'a.pt'],
    ['Chinese (Simplified)=a.pt', 'Chinese (Simplified)', 'a.pt'],
    ['eng_Latn=a.pt', 'eng_Latn', 'a.pt'],
    ['step=100.pt', null, 'step=100.pt'],
    ['./en=a.pt', null, './en=a.pt'],
  ])('%s', (text, language, path) => expect(parseSource(text)).toEqual({ language, path }));
});
