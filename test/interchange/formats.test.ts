import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import {
  compareSelections,
  describeSelection,
  exportCsv,
  exportLapeMask,
  FACTS,
  FILE_OPTIONS,
  IMPORT_FORMATS,
  type ImportOptions,
  importFiles,
  parseSource,
  readMatrix,
} from '../../src/interchange/index.js';
import { matrixFigure } from '../../src/report/index.js';
import { readScores, scoreRun } from '../../src/scores/index.js';
import { babelscope, temporaryFolder } from '../support/command-line.js';
import { importRun, importSelection } from '../support/import-files.js';
import { writeSyntheticRun } from '../support/synthetic-run.js';

const FIXTURES = fileURLToPath(new URL('../fixtures/', import.meta.url));
const RELEASED = join(FIXTURES, 'released');
const MASK = join(FIXTURES, 'pytorch', 'mask.pt');
const released = (...names: string[]) => names.map((name) => parseSource(join(RELEASED, name)));
/** What numpy makes of the same numbers: test/reference/make_released.py. */
const EXPECTED = JSON.parse(readFileSync(join(RELEASED, 'expected.json'), 'utf8')) as {
  readonly prefix: {
    readonly tokens: Readonly<Record<string, number>>;
    readonly rates: Readonly<Record<string, readonly (readonly number[])[]>>;
    readonly negative: number;
    readonly beyond: number;
  };
  readonly above: Readonly<Record<string, { threshold: number; heads: readonly (readonly number[])[] }>>;
  readonly perplexity: { changes: number[][]; own: number; others: number };
};

/** Writes a file of a test and gives its path. */
function written(name: string, content: unknown, folder = temporaryFolder()): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

/** Imports one file into a new folder, which it gives. */
async function imported(path: string, options: Partial<ImportOptions> = {}): Promise<string> {
  const out = join(temporaryFolder(), 'out');
  await importFiles([parseSource(path)], { out, ...options });
  return out;
}

async function membersOf(folder: string): Promise<(string | number)[][]> {
  const { columns, rows } = await readScores(folder, 'units');
  return Array.from({ length: rows }, (_, row) =>
    ['type', 'layer', 'index', 'selected_imported'].map((name) => columns.get(name)![row] as string | number),
  );
}

describe('formats are one list', () => {
  test('each takes facts that there are, and the command offers every fact and format', async () => {
    const { stdout } = await babelscope(['import', '--help']);
    const help = stdout.replaceAll(/\s+/g, ' ');
    for (const { name, title, options } of IMPORT_FORMATS) {
      expect(help).toContain(`${name}: ${title.split(';')[0]}`);
      for (const option of options) {
        const { flag } = { ...FACTS, ...FILE_OPTIONS }[option];
        const at = help.indexOf(`${flag} of `);
        expect(help.slice(at, help.indexOf(':', at))).toContain(name);
      }
    }
    for (const { flag } of Object.values(FACTS)) expect(help).toContain(flag);
    expect(new Set(IMPORT_FORMATS.map(({ name }) => name)).size).toBe(IMPORT_FORMATS.length);
  });

  const samples: Readonly<Record<string, () => string>> = {
    'lape-counts': () => join(RELEASED, 'activation.en.Tiny.pt'),
    lahis: () => join(RELEASED, 'tiny_en.pth'),
    'lape-mask': () => MASK,
    'lape-json': () => written('a.json', { 1: { en: [1, 2] } }),
    'neuron-counts': () => written('a.json', { 1: { en: 2 } }),
    'head-list': () => written('a.json', { en: [1, 2] }),
    selfcond: () => join(FIXTURES, 'selfcond', 'en.csv'),
    perplexity: () => written('a.json', { baseline: { en: 2 }, masked: { en: { en: 3 } } }),
  };
  test.each(Object.keys(samples))('files of %s are recognised, as that alone', async (name) => {
    const said = { languages: name === 'lape-mask' ? ['en', 'zh', 'fr'] : undefined };
    const heads = name === 'head-list' ? 4 : undefined;
    const source = parseSource(samples[name]!());
    const out = join(temporaryFolder(), 'out');
    expect(await importFiles([source], { out, ...said, heads })).toMatchObject({ format: name });
  });

  test('what is of no format is refused with the names of all', async () => {
    await expect(imported(written('a.json', { en: 'x' }))).rejects.toThrow(
      /do not tell which format[\s\S]*perplexity[\s\S]*--format/,
    );
    await expect(imported(written('a.txt', 'hello'))).rejects.toThrow(/none of them/);
  });
});

describe('a sidecar says what a file does not', () => {
  test('an exported mask is imported with nothing said: languages, size, rule, model and counts', async () => {
    const folder = temporaryFolder();
    const planted = [0, 1].map((language) => ({ layer: 1 + language, index: 7, language }));
    await writeSyntheticRun(join(folder, 'run'), {
      languages: ['fr', 'en'],
      layers: 3,
      neurons: 100,
      planted,
    });
    await scoreRun(join(folder, 'run'));
    const mask = join(folder, 'mask.pt');
    const { counts } = await exportLapeMask(join(folder, 'run'), mask, 'polyfact2026');
    const { stderr, code } = await babelscope(['import', mask, '--out', join(folder, 'mask')]);
    expect(stderr).toContain(`read beside the file: ${mask}.json`);
    expect(code).toBe(0);
    const { sets, languages } = await describeSelection(join(folder, 'mask'));
    expect(languages).toEqual(['fr', 'en']);
    expect(sets[0]).toMatchObject({ rule: 'polyfact2026', units: 300, perLanguage: Object.values(counts) });
    expect(Object.values(counts).every((n) => n > 0)).toBe(true);
    const { overlaps } = await compareSelections([join(folder, 'mask'), join(folder, 'run')], {
      policy: 'polyfact2026',
    });
    expect(overlaps.map(({ jaccard }) => jaccard)).toEqual([1, 1, 1]);
  });

  const withSidecar = (sidecar: unknown, name = 'result.json') => {
    const path = written(name, { 1: { en: [1, 7] }, 3: { de: [2] } });
    writeFileSync(`${path}.json`, typeof sidecar === 'string' ? sidecar : JSON.stringify(sidecar));
    return path;
  };

  test('options override it', async () => {
    const path = withSidecar({ neurons: 3, layers: 4, rule: 'a', model: 'b' });
    await expect(imported(path)).rejects.toThrow(/result.json.json: neurons[\s\S]*neuron 7/);
    const out = join(temporaryFolder(), 'out');
    expect(
      await importFiles([parseSource(path)], { out, neurons: 10, rule: 'tang2024', layers: 4 }),
    ).toMatchObject({
      overridden: [
        '--neurons overrides result.json.json: neurons',
        '--rule overrides result.json.json: rule',
      ],
    });
    expect((await describeSelection(out)).sets[0]).toMatchObject({
      label: 'b',
      rule: 'tang2024',
      units: 40,
      layers: 4,
    });
  });

  test('the policy of earlier exports is the rule', async () => {
    expect((await describeSelection(await imported(withSidecar({ policy: 'x' })))).sets[0]!.rule).toBe('x');
  });

  const refused: Readonly<Record<string, [unknown, RegExp]>> = {
    'fewer layers than the file names': [{ layers: 2 }, /json: layers[\s\S]*at least 3[\s\S]*found: +2/],
    'other counts': [{ counts: { en: 2, de: 2 } }, /json: counts[\s\S]*en=2,de=2[\s\S]*en=2,de=1/],
    'a language that the file lacks': [{ counts: { fr: 2 } }, /fr=none/],
    'a field that nobody knows': [{ neuron: 3 }, /sidecar is unusable[\s\S]*neurons[\s\S]*"neuron"/],
    'a field of another format': [{ languages: ['en', 'de'] }, /json: languages[\s\S]*lape-json do not say/],
    'a number that is none': [{ neurons: 'many' }, /json: neurons[\s\S]*expected a whole number/],
    'two rules': [{ rule: 'a', policy: 'b' }, /json: rule[\s\S]*b, as policy says/],
    'JSON cut short': ['{"layers": 3', /result.json.json is not valid JSON/],
    'a list': ['[3]', /does not hold a JSON object/],
  };
  test.each(Object.entries(refused))('%s is refused', async (_, [sidecar, message]) => {
    const out = join(temporaryFolder(), 'out');
    const { code, stderr } = await babelscope(['import', withSidecar(sidecar), '--out', out]);
    expect(stderr).toMatch(message);
    expect(stderr).toContain('remedy:');
    expect([code, existsSync(out)]).toEqual([2, false]);
  });

  test('beside files of one language each: the language, and one size for all', async () => {
    const folder = temporaryFolder();
    const files = ['a', 'b'].map((name, i) => {
      const path = join(folder, `${name}.pth`);
      writeFileSync(path, readFileSync(join(RELEASED, `tiny_${['en', 'sw'][i]}.pth`)));
      writeFileSync(`${path}.json`, JSON.stringify({ languages: [['en', 'sw'][i]], heads: 8, model: 'm' }));
      return parseSource(path);
    });
    const { plan, model } = await importRun('lahis', files, { out: join(folder, 'out') });
    expect([plan.languages, model.name]).toEqual([['en', 'sw'], 'm']);
    writeFileSync(join(folder, 'b.pth.json'), JSON.stringify({ languages: ['sw'], heads: 7 }));
    await expect(importRun('lahis', files, { out: join(folder, 'o') })).rejects.toThrow(
      /b.pth.json: heads: two sidecars contradict[\s\S]*8, as in a.pth.json/,
    );
    await expect(importRun('lahis', files, { out: join(folder, 'o'), heads: 7 })).rejects.toThrow(
      /--heads: the file has another number of heads[\s\S]*8/,
    );
    writeFileSync(join(folder, 'b.pth.json'), JSON.stringify({ languages: ['sw', 'en'] }));
    await expect(importRun('lahis', files, { out: join(folder, 'o') })).rejects.toThrow(/one language/);
  });
});

describe('the order of a mask', () => {
  const count = async (languages: string[]) => {
    const { perLanguage } = (await describeSelection(await imported(MASK, { languages }))).sets[0]!;
    return Object.fromEntries(languages.map((tag, k) => [tag, perLanguage[k]!]));
  };
  const importing = (languages: string, counts: Readonly<Record<string, number>>) => {
    const out = join(temporaryFolder(), 'out');
    const expected = Object.entries(counts).map(([tag, n]) => `${tag}=${n}`);
    return babelscope([
      'import',
      MASK,
      '--languages',
      languages,
      '--expect-counts',
      expected.join(),
      '--out',
      out,
    ]);
  };

  test('expected counts let the right order pass, and name it where another is given', async () => {
    const counts = await count(['en', 'zh', 'fr']);
    expect(new Set(Object.values(counts)).size).toBe(3);
    expect((await importing('en,zh,fr', counts)).code).toBe(0);
    const { code, stderr } = await importing('zh,fr,en', counts);
    expect(code).toBe(2);
    expect(stderr).toMatch(/--expect-counts: the file has other counts/);
    expect(stderr).toContain('in another order: en,zh,fr');
    expect((await importing('en,zh,fr', { en: counts.en! + 1 })).stderr).toContain('check the order');
  });

  test.each(['en', 'en=', 'en=x', 'en=1.5', '=3'])('--expect-counts %s is refused', async (text) => {
    const { code, stderr } = await babelscope(['import', MASK, '--expect-counts', text, '--out', 'x']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('--expect-counts')]);
  });

  test('nobody said it: the sidecar that would is named', async () => {
    await expect(imported(MASK)).rejects.toThrow(/--languages[\s\S]*none, and no .*mask\.pt\.json/);
  });
});

describe('counts of prefixes are subtracted', () => {
  const whole = released('activation.en.Tiny.pt', 'activation.zh.Tiny.pt');
  const prefix = released('prefix.activation.en.Tiny.pt', 'prefix.activation.zh.Tiny.pt');

  test.each([
    ['by their names', [...whole, ...prefix], []],
    ['by the option', whole, prefix],
  ])('%s: rates are those that numpy computes', async (_, files, others) => {
    const out = join(temporaryFolder(), 'run');
    const {
      languages,
      plan,
      warnings,
      imported: from,
    } = await importRun('lape-counts', files, {
      out,
      prefix: others,
    });
    const { tokens, rates, negative, beyond } = EXPECTED.prefix;
    expect(plan.folds).toBe(1);
    expect(Object.fromEntries(languages.map((language) => [language.tag, language.tokens]))).toEqual(tokens);
    expect(warnings.join()).toContain(
      `Of 24 differences, ${negative} were below 0 and are 0, ${beyond} were above the tokens left and are those.`,
    );
    expect(from!.files.map(({ name }) => name)).toEqual(
      [...whole, ...prefix].map(({ path }) => path.split('/').at(-1)),
    );
    await scoreRun(out);
    const { columns } = await readScores(out, 'unit_languages');
    columns.get('rate')!.forEach((rate, row) => {
      const unit = Math.floor(row / 2);
      const expected = rates[languages[row % 2]!.tag]![Math.floor(unit / 6)]![unit % 6]!;
      expect(rate).toBeCloseTo(expected, 14);
    });
  });

  test('a prefix without its whole, prefixes alone, and whole texts for prefixes', async () => {
    const run = (files: typeof whole, others: typeof whole = []) =>
      importRun('lape-counts', files, { out: join(temporaryFolder(), 'run'), prefix: others });
    await expect(run([...whole, prefix[0]!])).rejects.toThrow(/no counterpart[\s\S]*zh, fold 1/);
    await expect(run([whole[0]!, ...prefix])).rejects.toThrow(/no counterpart[\s\S]*zh, fold 1/);
    await expect(run(prefix)).rejects.toThrow(/prefixes alone/);
    await expect(run(whole, whole)).rejects.toThrow(/as many tokens[\s\S]*fewer than the 500/);
  });
});

describe('importances and trained masks of heads', () => {
  test('skewed values are importances without a word', async () => {
    const { shape } = await importRun('lahis', released('tiny_en.pth', 'tiny_sw.pth'), {
      out: join(temporaryFolder(), 'run'),
    });
    expect([shape.layers, shape.heads]).toEqual([4, 8]);
  });

  test.each(Object.keys(EXPECTED.above))('%s: asked for, and a selection by a threshold', async (name) => {
    const files = [join(RELEASED, `${name}_en.pth`)];
    const { threshold, heads } = EXPECTED.above[name]!;
    const run = (options: Partial<ImportOptions>) =>
      importFiles(files.map(parseSource), { out: join(temporaryFolder(), 'o'), ...options });
    await expect(run({})).rejects.toThrow(
      /do not tell[\s\S]*--kind importances[\s\S]*--kind mask --threshold/,
    );
    await expect(run({ kind: 'mask' })).rejects.toThrow(/--threshold[\s\S]*none is given/);
    await expect(run({ kind: 'importances', threshold })).rejects.toThrow(/--threshold[\s\S]*change nothing/);
    expect(await run({ kind: 'importances' })).toMatchObject({ becomes: 'run' });
    const out = join(temporaryFolder(), 'heads');
    const described = await importSelection('lahis', files, { out, kind: 'mask', threshold });
    expect(described).toMatchObject({
      unit: 'head',
      heads: 8,
      layers: 4,
      rule: `trained mask > ${threshold}`,
    });
    expect(await membersOf(out)).toEqual(heads.map(([layer, index]) => ['head', layer, index, 'en']));
  });
});

describe('lists of heads', () => {
  const HEADS = [
    ['head', 0, 3, 'de'],
    ['head', 1, 2, 'en'],
    ['head', 2, 0, 'en,de'],
  ];
  const shapes: Readonly<Record<string, [string, unknown]>> = {
    'flat numbers': ['heads.json', { en: [10, 16], de: [16, 3] }],
    pairs: ['heads.json', { en: [[2, 0], [1, 2]], de: [[0, 3], [2, 0]] }], // biome-ignore format: pairs
    'names of languages': ['heads.json', { English: [10, 16], German: [16, 3] }],
    'layers of heads': ['heads.json', { en: { 1: [2], 2: [0] }, de: { 0: [3], 2: [0] } }],
    'text of pairs': ['heads.txt', '# top heads\nen: (2, 0), (1,2)\n"de": [0, 3] [2, 0]\n'],
    'text of L and H': ['heads.txt', 'en = L2H0, L1.H2\nde = 0.3; 2.0'],
    'text of flat numbers': ['heads.txt', 'en: 16 10\nde: 3, 16\n'],
  };
  test.each(Object.entries(shapes))('%s', async (_, [name, content]) => {
    const out = await imported(written(name, content), { format: 'head-list', heads: 8, layers: 3 });
    expect(await membersOf(out)).toEqual(HEADS);
    const { unit, sets } = await describeSelection(out);
    expect([unit, sets[0]!.units, sets[0]!.perLanguage]).toEqual(['head', 24, [2, 2]]);
  });

  test('one language a file: two columns, flat numbers, a list in JSON', async () => {
    const folder = temporaryFolder();
    const files = [
      written('top_en.txt', 'layer,head\n1,2\n2,0\n', folder),
      written('top_de.txt', '3\n16\n', folder),
      written('top_fr.json', [3], folder),
    ].map(parseSource);
    const out = join(folder, 'out');
    await importFiles(files, { format: 'head-list', out, heads: 8 });
    expect(await membersOf(out)).toEqual([['head', 0, 3, 'de,fr'], ...HEADS.slice(1)]);
  });

  test('two lists are compared, as heads, with chance; heads and neurons are not', async () => {
    const [a, b] = [
      await imported(written('a.json', { en: [1, 2, 3], de: [4] }), { heads: 8, layers: 2, model: 'a' }),
      await imported(written('b.json', { en: [2, 3, 9], de: [5] }), { heads: 8, model: 'b' }),
    ];
    const { unit, overlaps } = await compareSelections([a, b]);
    expect(unit).toBe('head');
    expect(overlaps[1]).toMatchObject({ language: 'en', inA: 3, inB: 3, both: 2, jaccard: 0.5 });
    expect(overlaps[1]!.chance).toBeCloseTo(9 / 16 / (6 - 9 / 16), 12);
    const folder = temporaryFolder();
    const compared = await babelscope(['compare', a, b, '--out', join(folder, 'c')]);
    expect(compared.stdout).toMatch(/a: 4 heads, imported head-list/);
    const report = await babelscope([
      'report',
      join(folder, 'c'),
      '--out',
      join(folder, 'r'),
      '--formats',
      'svg',
    ]);
    expect(report.code).toBe(0);
    expect(readFileSync(join(folder, 'r/figures/selections.svg'), 'utf8')).toContain('Attention heads');
    await expect(
      compareSelections([a, await imported(written('n.json', { 1: { en: [1], de: [1] } }))]),
    ).rejects.toThrow(/different units[\s\S]*heads[\s\S]*neurons/);
  });

  const refused: Readonly<Record<string, [string, unknown, Partial<ImportOptions>, RegExp]>> = {
    'flat numbers without the heads of a layer': ['a.json', { en: [9] }, {}, /--heads[\s\S]*layer × heads/],
    'a head that a layer does not have': [
      'a.json',
      { en: [[0, 8]] },
      { heads: 8 },
      /--heads[\s\S]*head 8 of layer 0/,
    ],
    'a layer that the model does not have': [
      'a.json',
      { en: [[4, 1]] },
      { layers: 4 },
      /--layers[\s\S]*at least 5/,
    ],
    'a text': ['a.txt', 'en: the heads', { heads: 8 }, /the heads/],
    'a fraction': ['a.json', { en: [1.5] }, { heads: 8 }, /head 1.5/],
    'a line without a language': ['a.txt', 'en: (1, 2)\n(3, 4)\n', {}, /without its language/],
    'two codes of one language': ['a.json', { en: [1], eng_Latn: [2] }, { heads: 8 }, /one language/],
    'a list of no language': ['a.json', [1, 2], { heads: 8 }, /does not say which language/],
    'other counts': ['a.json', { en: [[1, 2]] }, { counts: { en: 2 } }, /other counts/],
    nothing: ['a.txt', '\n', {}, /no line/],
  };
  test.each(Object.entries(refused))('%s is refused', async (_, [name, content, options, message]) => {
    const path = written(name, content);
    await expect(imported(path, { format: 'head-list', ...options })).rejects.toThrow(message);
  });
});

describe('counts alone', () => {
  const before = { 1: { en: 4, 'zh-cn': 0 }, 2: { en: 2, 'zh-cn': 10 } };
  const after = { 1: { en: 1, 'zh-cn': 0 }, 2: { en: 2, 'zh-cn': 13 } };
  const folders = async () => [
    await imported(written('base.json', before), { model: 'base', rule: 'polyfact2026' }),
    await imported(written('sft.json', after), { model: 'sft', rule: 'polyfact2026' }),
  ];

  test('are compared by language; what they do not tell is null, and said', async () => {
    const { languages, sets, overlaps, warnings } = await compareSelections(await folders());
    expect(languages).toEqual(['en', 'zh']);
    expect(sets[0]).toMatchObject({
      selected: null,
      byLanguageCount: null,
      perLanguage: [6, 10],
      byLayer: [[4, 0], [2, 10]], // biome-ignore format: layers
    });
    const nothing = { both: null, jaccard: null, chance: null };
    expect(overlaps).toEqual([
      { a: 'base', b: 'sft', language: null, inA: null, inB: null, ...nothing },
      { a: 'base', b: 'sft', language: 'en', inA: 6, inB: 3, ...nothing },
      { a: 'base', b: 'sft', language: 'zh', inA: 10, inB: 13, ...nothing },
    ]);
    expect(warnings.join()).toMatch(/counts alone \(base, sft\)[\s\S]*Jaccard/);
  });

  test('on the terminal, in figures and tables, and as CSV', async () => {
    const [a, b] = (await folders()) as [string, string];
    const out = temporaryFolder();
    const { stdout, stderr } = await babelscope(['compare', a, b, '--out', join(out, 'c')]);
    expect(stdout).toMatch(/base: counts of neurons alone, imported neuron-counts, selected by polyfact2026/);
    expect(stdout).toMatch(/base, sft +en +6 +3 +-3 \(-50 %\) +– +– +–/);
    expect(stderr).toContain('counts alone');
    const { code } = await babelscope(['report', join(out, 'c'), '--out', join(out, 'r')]);
    expect(code).toBe(0);
    expect(readdirSync(join(out, 'r', 'figures')).sort()).toEqual([
      'selection-counts.png',
      'selection-counts.svg',
    ]);
    expect(readdirSync(join(out, 'r', 'tables'))).toEqual(['selections.csv']);
    expect(readFileSync(join(out, 'r/tables/selections.csv'), 'utf8')).toContain('base,sft,zh,10,13,,,,3,30');
    expect((await babelscope(['report', a, '--out', join(out, 'one'), '--formats', 'csv'])).code).toBe(0);
    expect(readFileSync(join(out, 'one/tables/selections.csv'), 'utf8')).toContain('1,zh,10');
    const files = await exportCsv(a, join(out, 'csv'));
    expect(files[0]).toMatch(/counts.csv$/);
    expect(readFileSync(files[0]!, 'utf8')).toContain('neuron,1,zh,10');
  });

  test('beside a list of neurons: the numbers of both, and no overlap', async () => {
    const list = await imported(written('list.json', { 1: { en: [1, 2] }, 2: { zh: [5] } }));
    const [counts] = await folders();
    const { overlaps } = await compareSelections([list, counts!]);
    expect(overlaps.map(({ inA, inB, both }) => [inA, inB, both])).toEqual([
      [3, null, null],
      [2, 6, null],
      [1, 10, null],
    ]);
  });

  test('lists for numbers, numbers for lists, and a half', async () => {
    const half = written('a.json', { 1: { en: 1.5 } });
    await expect(imported(half)).rejects.toThrow(/no counts of neurons[\s\S]*1.5 in layer "1", en/);
    const lists = written('b.json', { 1: { en: [1] } });
    await expect(imported(lists, { format: 'neuron-counts' })).rejects.toThrow(/--format lape-json/);
    const numbers = written('c.json', { 1: { en: 1 } });
    await expect(imported(numbers, { format: 'lape-json' })).rejects.toThrow(/--format neuron-counts/);
  });
});

describe('matrices of perplexities', () => {
  test('files a row with a baseline: changes are those that numpy computes', async () => {
    const out = join(temporaryFolder(), 'out');
    await importFiles(released('ppl_eng_Latn.pt', 'ppl_swh_Latn.pt'), {
      out,
      baseline: released('ppl.pt')[0]!,
    });
    const { intervened, languages, changes, own, others, rowLargest, columnLargest, both, quantity } =
      await readMatrix(out);
    expect([intervened, languages, quantity, both]).toEqual([['en', 'sw'], ['en', 'sw'], 'perplexity', 2]);
    for (const [i, row] of EXPECTED.perplexity.changes.entries())
      for (const [j, change] of row.entries()) expect(changes[i]![j]).toBeCloseTo(change, 12);
    expect(own).toBeCloseTo(EXPECTED.perplexity.own, 12);
    expect(others).toBeCloseTo(EXPECTED.perplexity.others, 12);
    expect([rowLargest, columnLargest]).toEqual([2, 2]);
  });

  const published = {
    baseline: { en: 10, de: 20, fr: 30 },
    masked: { en: { en: 20, de: 22, fr: 30 }, de: { en: 15, de: 40, fr: 90 } },
  };
  const nested = { None: published.baseline, ...published.masked };
  const csv = 'ablated_language,en,de,fr\nbaseline,10,20,30\nen,20,22,30\nde,15,40,90\n';

  test.each([
    ['baseline and masked', 'specificity.json', published, undefined],
    ['rows, one of none', 'ppl.json', nested, 'perplexity'],
    ['CSV', 'ppl.csv', csv, 'perplexity'],
  ] as const)('%s', async (_, name, content, quantity) => {
    const out = await imported(written(name, content), { quantity });
    const matrix = await readMatrix(out);
    expect(matrix).toMatchObject({
      intervened: ['en', 'de'],
      languages: ['en', 'de', 'fr'],
      values: [[20, 22, 30], [15, 40, 90]], // biome-ignore format: rows
      baseline: [10, 20, 30],
      rowLargest: 1,
      columnLargest: 2,
      both: 2,
    });
    expect(matrix.own).toBeCloseTo(Math.log(2), 12);
    const files = await exportCsv(out, temporaryFolder());
    expect(readFileSync(files[0]!, 'utf8')).toMatch(
      /^intervened,tested,value,baseline,change\r\nen,en,20,10,0.69/,
    );
  });

  test('log-ratios have no baseline; perplexities without one have no changes', async () => {
    const rows = 'ablated_language,en,de\nen,0.5,0.1\nde,-0.1,\n';
    const ratios = await readMatrix(await imported(written('m.csv', rows), { quantity: 'log-ratio' }));
    expect(ratios).toMatchObject({ changes: [[0.5, 0.1], [-0.1, null]], own: 0.5, others: 0 }); // biome-ignore format: rows
    const plain = await readMatrix(
      await imported(written('m.json', { en: { en: 12, de: 9 } }), { quantity: 'perplexity' }),
    );
    expect(plain).toMatchObject({ changes: [[null, null]], own: null, rowLargest: null });
    expect(JSON.stringify(matrixFigure(plain))).toContain('no baseline');
  });

  test('report draws it; compare sends there', async () => {
    const folder = temporaryFolder();
    const path = written('specificity.json', published, folder);
    const at = (name: string) => join(folder, name);
    const { stderr } = await babelscope(['import', path, '--out', at('m'), '--model', 'tiny']);
    expect(stderr).toContain('perplexity of 2 languages intervened on × 3 tested, with a baseline');
    expect((await babelscope(['report', at('m'), '--out', at('r')])).code).toBe(0);
    const svg = readFileSync(at('r/figures/matrix.svg'), 'utf8').replaceAll(/<[^>]+>/g, ' ');
    expect(svg).toMatch(/own language has the largest/);
    expect(existsSync(at('r/figures/matrix.png'))).toBe(true);
    expect(readFileSync(at('r/tables/matrix.csv'), 'utf8')).toContain('de,fr,perplexity,90,30,1.09861');
    const compared = await babelscope(['compare', at('m'), at('m'), '--out', at('c')]);
    expect([compared.code, compared.stderr]).toEqual([2, expect.stringContaining('babelscope report')]);
  });

  const refused: Readonly<Record<string, [string, unknown, Partial<ImportOptions>, RegExp]>> = {
    'numbers of which nobody said what they are': ['m.csv', csv, {}, /--quantity perplexity, nll/],
    'a perplexity below 1': [
      'm.json',
      { en: { en: 0.5 } },
      { quantity: 'perplexity' },
      /numbers from 1 on[\s\S]*0.5/,
    ],
    'another quantity than the fields say': [
      'm.json',
      published,
      { quantity: 'nll' },
      /--quantity[\s\S]*perplexities/,
    ],
    'a baseline of changes': ['m.csv', csv, { quantity: 'log-ratio' }, /changes have no baseline/],
    'a second baseline': ['m.json', published, { baseline: released('ppl.pt')[0]! }, /--baseline/],
    'a word for a number': [
      'm.csv',
      'x,en\nen,many\n',
      { format: 'perplexity', quantity: 'nll' },
      /NaN for en/,
    ],
    'a column that is no language': [
      'm.csv',
      'x,xyzzy\nen,1\n',
      { format: 'perplexity', quantity: 'nll' },
      /xyzzy/,
    ],
    'two rows of a language': ['m.csv', 'x,en\nen,1\nen,2\n', { quantity: 'nll' }, /two rows of en/],
    'numbers for rows': ['m.json', { en: { en: [1] } }, { format: 'perplexity' }, /no row of numbers/],
  };
  test.each(Object.entries(refused))('%s is refused', async (_, [name, content, options, message]) => {
    await expect(imported(written(name, content), options)).rejects.toThrow(message);
  });
});

test('the name of an exported file gets its suffix where it has none', async () => {
  const folder = temporaryFolder();
  const at = (name: string) => join(folder, name);
  await writeSyntheticRun(at('run'), { layers: 2, neurons: 40 });
  await scoreRun(at('run'));
  for (const [format, out, name] of [
    ['lape-mask', 'llama-2.7b', 'llama-2.7b.pt'],
    ['lape-mask', 'mask.pth', 'mask.pth'],
    ['transformer-lens', 'lens', 'lens.safetensors'],
    ['transformer-lens', 'other.safetensors', 'other.safetensors'],
  ] as const) {
    const { stderr } = await babelscope(['export', at('run'), '--format', format, '--out', at(out)]);
    expect(stderr).toContain(`wrote ${at(name)}:`);
    expect(existsSync(at(name))).toBe(true);
  }
});
