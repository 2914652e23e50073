import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { checkProbes, listProbeFormats, loadProbes, type Prompt } from '../../src/probes/index.js';
import { languageOfPath } from '../../src/probes/languages/file-languages.js';
import { languageOfCode } from '../../src/probes/languages/language-code.js';

// All contents are written for this test, in the shape of the published files.
const PARQUET = join(import.meta.dirname, '../fixtures/probes-published');
const MGSM = join(import.meta.dirname, '../fixtures/mgsm');

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function write(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'babelscope-formats-'));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

const lines = (...rows: unknown[]) => `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`;

/** What `loadProbes` makes of files: id → language → prompt. */
async function promptsOf(path: string, format?: string): Promise<Record<string, Record<string, Prompt>>> {
  const { items } = await loadProbes(path, format === undefined ? {} : { format });
  return Object.fromEntries(items.map(({ id, prompts }) => [id, Object.fromEntries(prompts)]));
}

const mlamaRow = (language: string, template: string, subject: string, object: string) => ({
  uuid: 'u',
  lineid: 7,
  obj_uri: 'Q2',
  obj_label: object,
  sub_uri: 'Q1',
  sub_label: subject,
  template,
  language,
  predicate_id: 'P36',
});

const belebeleRow = (dialect: string, passage: string, question: string, answers: string[]) => ({
  link: 'https://example.org/mill',
  question_number: 1,
  flores_passage: passage,
  question,
  mc_answer1: answers[0],
  mc_answer2: answers[1],
  mc_answer3: answers[2],
  mc_answer4: answers[3],
  correct_answer_num: '2',
  dialect,
  ds: '2026-01-01',
});

const xquadFile = (context: string, question: string, text: string) =>
  JSON.stringify({
    version: '1.1',
    data: [
      {
        title: 'Mill',
        paragraphs: [
          {
            context,
            qas: [{ id: 'q1', question, answers: [{ text, answer_start: context.indexOf(text) }] }],
          },
        ],
      },
    ],
  });

const cloze = (text: string, answer: string) => ({ text, answer });

describe('loadProbes recognises and reads', () => {
  it('BMLAMA: rows are items, <mask> a blank, candidates separated by commas', async () => {
    const header = 'Prompt\tAns\tCandidate Ans\tSubject\n';
    const folder = write({
      'BMLAMA17/en.tsv': `${header}The mill stands in <mask>.\tOld Town\tRiga, Oslo, Old Town\tmill\n"A ""mill"" is <mask>."\ta house\ta house, a house\tmill\n`,
      'BMLAMA17/zh.tsv': `${header}磨坊在<mask>。\t老城\t里加, 奥斯陆, 老城\t磨坊\n磨坊是<mask>。\t房子\t房子, 树\t磨坊\n`,
    });
    expect(await promptsOf(folder)).toEqual({
      '1': {
        en: { ...cloze('The mill stands in ___.', 'Old Town'), candidates: ['Riga', 'Oslo', 'Old Town'] },
        zh: { ...cloze('磨坊在___。', '老城'), candidates: ['里加', '奥斯陆', '老城'] },
      },
      // One name twice leaves a single candidate, which is none.
      '2': {
        en: cloze('A "mill" is ___.', 'a house'),
        zh: { ...cloze('磨坊是___。', '房子'), candidates: ['房子', '树'] },
      },
    });
  });

  it('mLAMA: a folder a language with templates, or rows that bring their template', async () => {
    const fact = (subject: string, object: string) =>
      lines({ uuid: 'u', lineid: 7, obj_uri: 'Q2', obj_label: object, sub_uri: 'Q1', sub_label: subject });
    const expected = {
      'P36/7': {
        en: cloze('The capital of Norway is ___ .', 'Oslo'),
        ja: cloze('ノルウェーの首都は___です。', 'オスロ'),
      },
    };
    const folders = write({
      'mlama1.1/en/templates.jsonl': lines({ relation: 'P36', template: 'The capital of [X] is [Y] .' }),
      'mlama1.1/en/P36.jsonl': fact('Norway', 'Oslo'),
      'mlama1.1/ja/templates.jsonl': lines({ relation: 'P36', template: '[X]の首都は[Y]です。' }),
      'mlama1.1/ja/P36.jsonl': fact('ノルウェー', 'オスロ'),
    });
    const table = write({
      'test.jsonl': lines(
        mlamaRow('en', 'The capital of [X] is [Y] .', 'Norway', 'Oslo'),
        mlamaRow('ja', '[X]の首都は[Y]です。', 'ノルウェー', 'オスロ'),
      ),
    });
    expect(await promptsOf(folders)).toEqual(expected);
    expect(await promptsOf(table)).toEqual(expected);
  });

  it('X-FACTR-like TSV: Wikidata ids make the item', async () => {
    const header = 'predicate_id\tsub_uri\tsub_label\tobj_uri\tobj_label\tprompt\n';
    const folder = write({
      'fr.tsv': `${header}P36\tQ20\tla Norvège\tQ585\tOslo\tLa capitale de [X] est [Y].\n`,
      'el.tsv': `${header}P36\tQ20\tΝορβηγία\tQ585\tΌσλο\tΠρωτεύουσα: [X] → [Y].\n`,
    });
    expect(await promptsOf(folder)).toEqual({
      'P36/Q20/Q585': {
        el: cloze('Πρωτεύουσα: Νορβηγία → ___.', 'Όσλο'),
        fr: cloze('La capitale de la Norvège est ___.', 'Oslo'),
      },
    });
  });

  it('KLAR: the first template up to <mask>, items matched by index, no space after the subject in Chinese', async () => {
    const file = (relation: string, template: string, samples: [string, string, number][]) =>
      JSON.stringify({
        relation_name: relation,
        relation_id: 'P36',
        prompt_templates: [template, 'unused <subject> <mask>'],
        samples: samples.map(([subject, object, index]) => ({ subject, object, index })),
      });
    const folder = write({
      'klar/en/capital.json': file('capital', 'Where is the capital of <subject>? The answer is: <mask>', [
        ['Chad', "N'Djamena", 3],
        ['Norway', 'Oslo', 4],
      ]),
      'klar/ko/capital.json': file('capital', '<subject>의 수도는 어디입니까? 답은: <MASK>.', [
        ['노르웨이', '오슬로', 4],
        ['차드', '은자메나', 3],
      ]),
      'klar/zh/capital.json': file('capital', '<subject> 的首都在哪里？答案是：<mask>', [
        ['乍得', '恩贾梅纳', 3],
      ]),
    });
    expect(await promptsOf(folder)).toEqual({
      'capital/3': {
        en: cloze('Where is the capital of Chad? The answer is:', "N'Djamena"),
        ko: cloze('차드의 수도는 어디입니까? 답은:', '은자메나'),
        zh: cloze('乍得的首都在哪里？答案是：', '恩贾梅纳'),
      },
      'capital/4': {
        en: cloze('Where is the capital of Norway? The answer is:', 'Oslo'),
        ko: cloze('노르웨이의 수도는 어디입니까? 답은:', '오슬로'),
      },
    });
  });

  it('XQuAD: one JSON a language, or parquet of the hub', async () => {
    const expected = {
      q1: {
        de: cloze('Die Mühle steht am Bach.\nWo steht die Mühle?', 'am Bach'),
        en: cloze('The mill stands by the brook.\nWhere does the mill stand?', 'by the brook'),
      },
    };
    const folder = write({
      'xquad.en.json': xquadFile(
        'The mill stands by the brook.',
        'Where does the mill stand?',
        'by the brook',
      ),
      'xquad.de.json': xquadFile('Die Mühle steht am Bach.', 'Wo steht die Mühle?', 'am Bach'),
    });
    expect(await promptsOf(folder)).toEqual(expected);
    expect(await promptsOf(join(PARQUET, 'xquad'))).toEqual(expected);
  });

  it('MGSM: question TAB answer without header, quotes being characters', async () => {
    const folder = write({
      'mgsm_en.tsv': '"Two" and two?\t4\nThree and three?\t6\n',
      'mgsm_bn.tsv': 'দুই আর দুই?\t4\nতিন আর তিন?\t6\n',
    });
    const prompts = await promptsOf(folder);
    expect(prompts['1']).toEqual({ bn: cloze('দুই আর দুই?', '4'), en: cloze('"Two" and two?', '4') });
    expect(Object.keys(prompts)).toEqual(['1', '2']);
  });

  it('MGSM with columns, as on the hub: the number is the answer, not the worked solution', async () => {
    const row = (question: string) =>
      lines({ question, answer: null, answer_number: 4, equation_solution: null });
    const folder = write({ 'en/test.jsonl': row('Two and two?'), 'bn/test.jsonl': row('দুই আর দুই?') });
    expect(await promptsOf(folder)).toEqual({
      '1': { bn: cloze('দুই আর দুই?', '4'), en: cloze('Two and two?', '4') },
    });
  });

  it('Belebele: passage and question, the answer by its number, in the language the row names', async () => {
    const folder = write({
      'eng_Latn.jsonl': lines(belebeleRow('eng_Latn', 'A mill.', 'What?', ['a', 'mill', 'c', 'd'])),
      'renamed.jsonl': lines(belebeleRow('zho_Hant', '磨坊。', '甚麼？', ['甲', '磨坊', '丙', '丁'])),
    });
    expect(await promptsOf(folder)).toEqual({
      'https://example.org/mill#1': {
        en: {
          ...cloze('A mill.\nWhat?', 'mill'),
          candidates: ['a', 'mill', 'c', 'd'],
          candidateIds: ['1', '2', '3', '4'],
        },
        'zh-Hant': {
          ...cloze('磨坊。\n甚麼？', '磨坊'),
          candidates: ['甲', '磨坊', '丙', '丁'],
          candidateIds: ['1', '2', '3', '4'],
        },
      },
    });
  });

  it('FLORES+ rows and the plain lines of FLORES-200', async () => {
    const row = (iso: string, script: string, text: string) =>
      lines({ id: 0, iso_639_3: iso, iso_15924: script, glottocode: 'x', text, url: 'u', has_image: 'no' });
    const expected = { ar: { text: 'طاحونة.' }, sw: { text: 'Kinu.' }, 'zh-Hant': { text: '磨坊。' } };
    const rows = write({
      'dev/arb_Arab.jsonl': row('arb', 'Arab', 'طاحونة.'),
      'dev/swh_Latn.jsonl': row('swh', 'Latn', 'Kinu.'),
      'dev/cmn_Hant.jsonl': row('cmn', 'Hant', '磨坊。'),
    });
    const plain = write({
      'dev/arb_Arab.dev': 'طاحونة.\n',
      'dev/swh_Latn.dev': 'Kinu.\n',
      'dev/zho_Hant.dev': '磨坊。\n',
    });
    expect(await promptsOf(rows)).toEqual({ '0': expected });
    expect(await promptsOf(plain)).toEqual({ '1': expected });
  });

  it('Global-MMLU: parquet in a folder a language, CSV with quotes', async () => {
    const csv = (question: string, answers: string) =>
      `sample_id,subject,question,option_a,option_b,option_c,option_d,answer\nanimals/test/0,animals,"${question}",${answers},B\n`;
    const folder = write({
      'en.csv': csv('How many legs, in all, has a spider?', 'six,eight,ten,four'),
      'sw.csv': csv('Buibui ana miguu mingapi?', 'sita,nane,kumi,minne'),
    });
    const ids = { candidateIds: ['A', 'B', 'C', 'D'] };
    const sw = {
      ...cloze('Buibui ana miguu mingapi?', 'nane'),
      candidates: ['sita', 'nane', 'kumi', 'minne'],
      ...ids,
    };
    expect((await promptsOf(join(PARQUET, 'global-mmlu')))['animals/test/0']!.sw).toEqual(sw);
    const read = (await promptsOf(folder))['animals/test/0']!;
    expect(read.sw).toEqual(sw);
    expect(read.en!.text).toBe('How many legs, in all, has a spider?');
  });

  it('PolyFact: all languages in a record, options in any order with their ids', async () => {
    const prompts = await promptsOf(join(PARQUET, 'polyfact'));
    expect(prompts['Q1|P2|Q3']).toEqual({
      en: {
        ...cloze('Which colour?', 'blue'),
        candidates: ['red', 'green', 'blue', 'grey'],
        candidateIds: ['Q8', 'Q9', 'Q3', 'Q7'],
      },
      ja: {
        ...cloze('何色ですか？', '青'),
        candidates: ['青', '灰色', '赤', '緑'],
        candidateIds: ['Q3', 'Q7', 'Q8', 'Q9'],
      },
    });
    expect(Object.keys(prompts['Q4|P2|Q7']!)).toEqual(['en']);
  });

  it('PolyFact, a configuration a language: answer_index counts from 0, options without ids are of one language', async () => {
    expect(await promptsOf(join(PARQUET, 'polyfact-languages'))).toEqual({
      'Q1|P2|Q3': {
        en: { ...cloze('Which colour?', 'blue'), candidates: ['red', 'green', 'blue', 'grey'] },
        ja: { ...cloze('何色ですか？', '青'), candidates: ['青', '灰色', '赤', '緑'] },
      },
    });
  });

  it('rows of items.jsonl without probe.json, packed with gzip too', async () => {
    const folder = write({
      'rows.jsonl.gz': gzipSync(lines({ id: 'a', text: { en: 'A mill.', zh_TW: '磨坊。' } })),
    });
    expect(await promptsOf(join(folder, 'rows.jsonl.gz'))).toEqual({
      a: { en: { text: 'A mill.' }, 'zh-Hant': { text: '磨坊。' } },
    });
  });

  it('plain text where it is said to be aligned: lines are items, an empty one is missing', async () => {
    const folder = write({ 'en.txt': 'One.\nTwo.\n', 'ru.txt': 'Один.\n\n' });
    expect(await promptsOf(folder, 'aligned-text')).toEqual({
      '1': { en: { text: 'One.' }, ru: { text: 'Один.' } },
      '2': { en: { text: 'Two.' } },
    });
  });

  it('plain text where it is said to be unaligned: lines of a language are its own, and not parallel', async () => {
    const folder = write({ 'en.txt': 'One.\nTwo.\n\nThree.\n', 'ru/a.txt': 'Раз.\n', 'ru/b.txt': 'Два.\n' });
    const set = await loadProbes(folder, { format: 'unaligned-text', limit: 2 });
    expect(set.identity.parallel).toBe(false);
    expect(set.warnings).toEqual([]);
    expect(set.items.map(({ id }) => id)).toEqual(['en.txt:1', 'en.txt:2', 'ru/a.txt:1', 'ru/b.txt:1']);
  });
});

describe('an imported set', () => {
  const folder = write({ 'mgsm_en.tsv': 'Two?\t4\n', 'mgsm_sw.tsv': 'Mbili?\t4\n' });

  it('knows kind, script and family, and is told apart by the bytes of its files', async () => {
    const { identity, languages } = await loadProbes(folder);
    expect(identity).toMatchObject({ name: 'mgsm', kind: 'fact', licence: 'CC-BY-4.0' });
    expect(languages).toEqual([
      { tag: 'en', name: 'English', script: 'Latn', family: 'Indo-European' },
      { tag: 'sw', name: 'Swahili', script: 'Latn', family: 'Niger-Congo' },
    ]);
    const other = write({ 'mgsm_en.tsv': 'Two?\t5\n', 'mgsm_sw.tsv': 'Mbili?\t5\n' });
    expect((await loadProbes(other)).identity.sha256).not.toBe(identity.sha256);
  });

  it('takes languages and limit like any other', async () => {
    const set = await loadProbes(folder, { languages: ['sw'], limit: 1 });
    expect(set.items.map(({ prompts }) => [...prompts.keys()])).toEqual([['sw']]);
  });
});

it('languages whose prompts cannot be told apart do not stand in the way of others', async () => {
  const row = (iso: string, text: string) =>
    lines({ id: 0, iso_639_3: iso, iso_15924: 'Latn', glottocode: 'x', text });
  const folder = write({
    'dev/eng_Latn.jsonl': row('eng', 'A mill.'),
    'dev/cat_Latn.jsonl': row('cat', 'Un molí.'),
    'dev/cat_Latn_vale1252.jsonl': row('cat', 'Un molí!'),
  });
  const { items } = await loadProbes(folder, { languages: ['EN'] });
  expect(items.map(({ prompts }) => Object.fromEntries(prompts))).toEqual([{ en: { text: 'A mill.' } }]);
  for (const languages of [['en', 'ca'], undefined]) {
    const refused = loadProbes(folder, languages === undefined ? {} : { languages });
    await expect(refused).rejects.toThrow(/language ca occurs twice[\s\S]*leave the language out/);
  }
});

describe('loadProbes refuses', () => {
  const header = 'Prompt\tAns\tCandidate Ans\n';
  it.each([
    [
      'a field missing from a row',
      {
        'en.jsonl': lines(
          { id: 1, iso_639_3: 'eng', iso_15924: 'Latn', text: 'A.' },
          { id: 2, iso_639_3: 'eng', iso_15924: 'Latn' },
        ),
      },
      undefined,
      ['en.jsonl:2', 'id, iso_639_3, iso_15924, text', 'text: '],
    ],
    [
      'a row with a field too many',
      { 'en.tsv': `${header}A <mask>\tb\tb, c\nA <mask>\tb\tb, c\td\n` },
      'bmlama',
      ['en.tsv', 'malformed TSV', 'line 3'],
    ],
    [
      'MGSM without an answer',
      { 'mgsm_en.tsv': 'Two?\n' },
      undefined,
      ['mgsm_en.tsv:1', 'question TAB answer', '1 fields'],
    ],
    [
      'a file that names no language',
      { 'facts.tsv': `${header}A <mask>\tb\tb, c\n` },
      undefined,
      ['facts.tsv', 'named after a language'],
    ],
    [
      'an unknown language code in a row',
      { 'a.jsonl': lines(mlamaRow('xx', '[X] [Y]', 'a', 'b')) },
      undefined,
      ['a.jsonl:1', '"xx" is no known language tag'],
    ],
    [
      'a template without a place',
      { 'a.jsonl': lines(mlamaRow('en', '[X] is', 'a', 'b')) },
      undefined,
      ['a.jsonl:1', 'template without [X] and [Y]'],
    ],
    [
      'a prompt of X-FACTR whose grammar nobody filled in',
      {
        'el.tsv':
          'predicate_id\tsub_uri\tsub_label\tobj_uri\tobj_label\tprompt\nP36\tQ20\ta\tQ585\tb\t[DEF;X] [X] είναι [Y]\n',
      },
      undefined,
      ['el.tsv:2', 'grammar is not filled in: [DEF;X]'],
    ],
    [
      'a KLAR template that asks before it names the subject',
      {
        'en/capital.json': JSON.stringify({
          prompt_templates: ['<mask> is the capital of <subject>'],
          samples: [{ subject: 'Chad', object: "N'Djamena", index: 0 }],
        }),
      },
      undefined,
      ['capital.json', 'no place for the subject', 'before <mask>'],
    ],
    [
      'a PolyFact index that names another option than the answer',
      {
        'en/test.jsonl': lines({
          fact_id: 'Q1|P2|Q3',
          question: 'Which?',
          option_a: 'a',
          option_b: 'b',
          option_c: 'c',
          option_d: 'd',
          answer_index: 1,
          answer_text: 'a',
        }),
      },
      undefined,
      ['test.jsonl:1', 'answer_text is "a" and option 1 "b"'],
    ],
    [
      'a Belebele answer counted from 0',
      {
        'en.jsonl': lines({
          ...belebeleRow('eng_Latn', 'P', 'Q', ['a', 'b', 'c', 'd']),
          correct_answer_num: '0',
        }),
      },
      undefined,
      ['en.jsonl:1', 'correct_answer_num'],
    ],
    [
      'an empty text',
      { 'mgsm_en.tsv': ' \t4\n' },
      undefined,
      ['mgsm_en.tsv:1 (item 1, language en): empty text'],
    ],
    [
      'two files of a language',
      { 'dev/eng_Latn.dev': 'A.\n', 'devtest/eng_Latn.devtest': 'B.\n' },
      undefined,
      ['language en occurs twice', 'one split'],
    ],
    [
      'aligned files of different lengths',
      { 'en.txt': 'A.\nB.\n', 'de.txt': 'A.\n' },
      'aligned-text',
      ['1 lines', '2 lines', 'unaligned-text'],
    ],
    [
      'plain text nobody described',
      { 'en.txt': 'A.\n' },
      undefined,
      ['no probe set', 'aligned-text or unaligned-text'],
    ],
    [
      'files of another format than the one named',
      { 'en.txt': 'A.\n' },
      'belebele',
      ['no files of belebele', 'eng_Latn.jsonl'],
    ],
    [
      'files of another format than the one named, which show what they are',
      { 'mill.jsonl': lines(belebeleRow('eng_Latn', 'P', 'Q', ['a', 'b', 'c', 'd'])) },
      'bmlama',
      ['no files of bmlama', 'look like those of belebele', 'give --format belebele, or no --format'],
    ],
    [
      'tables of no known format, by their fields',
      { 'facts.csv': 'subject,relation\na,b\n', 'readme.md': 'x' },
      undefined,
      ['no probe set', 'facts.csv has the fields subject, relation'],
    ],
    ['an empty folder', {}, undefined, ['no files', 'the folder is empty']],
    [
      'a parquet file that is none',
      { 'en/test.parquet': 'PAR0' },
      'global-mmlu',
      ['test.parquet', 'parquet file cannot be read'],
    ],
    ['JSON cut off', { 'xquad.en.json': '{"data": [' }, 'xquad', ['xquad.en.json', 'malformed JSON']],
    [
      'bytes that are no UTF-8',
      { 'mgsm_en.tsv': new Uint8Array([0xff, 0x09, 0x34]) },
      undefined,
      ['mgsm_en.tsv', 'invalid UTF-8'],
    ],
    [
      'an option that answers differently in another language',
      {
        'en.jsonl': lines(belebeleRow('eng_Latn', 'P', 'Q', ['a', 'b', 'c', 'd'])),
        'de.jsonl': lines({
          ...belebeleRow('deu_Latn', 'P', 'Q', ['a', 'b', 'c', 'd']),
          correct_answer_num: '3',
        }),
      },
      undefined,
      ['candidates differ between'],
    ],
  ] as [string, Record<string, string | Uint8Array>, string | undefined, string[]][])(
    '%s',
    async (_, files, format, parts) => {
      const error = await loadProbes(write(files), format === undefined ? {} : { format }).catch(
        (fault) => fault,
      );
      expect(error).toMatchObject({ name: 'ProbeError', exitCode: 2 });
      for (const part of parts) expect(error.message).toContain(part);
    },
  );

  it('a format that does not exist, naming those that do', async () => {
    const error = await loadProbes(write({ 'en.txt': 'A.' }), { format: 'flores' }).catch((fault) => fault);
    expect(error).toMatchObject({ name: 'UsageError', exitCode: 2 });
    for (const { name } of listProbeFormats()) expect(error.message).toContain(name);
  });

  it('nothing, where plain text is said of files that look like a published set', async () => {
    const folder = write({ 'eng_Latn.dev': 'A.\n', 'deu_Latn.dev': 'B.\n', 'notes.json': '{"data": []}' });
    expect(Object.keys(await promptsOf(folder, 'aligned-text'))).toEqual(['1']);
  });

  it('and checkProbes counts every fault', async () => {
    const report = await checkProbes(write({ 'mgsm_en.tsv': 'One?\t\nTwo?\t2\n\t3\n' }));
    expect(report.errors.map(({ message }) => message.split('\n')[0])).toEqual([
      expect.stringContaining('(item 1, language en): empty answer'),
      expect.stringContaining('(item 3, language en): empty text'),
    ]);
    expect(report).toMatchObject({ items: 1, errorCount: 2 });
  });
});

describe('language codes of published sets', () => {
  it.each([
    ['eng_Latn', 'en'],
    ['zho_Hans', 'zh'],
    ['zho_Hant', 'zh-Hant'],
    ['zh_cn', 'zh'],
    ['zh-TW', 'zh-Hant'],
    ['arb_Arab', 'ar'],
    ['arb_Latn', 'ar-Latn'],
    ['swh_Latn', 'sw'],
    ['pes_Arab', 'fa'],
    ['prs_Arab', 'fa-AF'],
    ['kor_Hang', 'ko'],
    ['jpn_Jpan', 'ja'],
    ['cmn_Hans', 'zh'],
    ['srp_Latn', 'sr-Latn'],
    ['pt_BR', 'pt-BR'],
    ['iw', 'he'],
    ['ceb', 'ceb'],
  ])('%s is %s', (code, tag) => expect(languageOfCode(code, 'here')).toBe(tag));

  it.each([
    ['mgsm_en.tsv', 'en'],
    ['xquad.zh.json', 'zh'],
    ['xquad.ar/validation-00000-of-00001.parquet', 'ar'],
    ['Global-MMLU/sw/test-00000-of-00001.parquet', 'sw'],
    ['flores/dev/eng_Latn.dev', 'en'],
    ['klar/en/capital.json', 'en'],
    ['dev.jsonl', undefined],
    ['all.tsv', undefined],
    ['templates.jsonl', undefined],
  ])('%s names %s', (path, tag) => expect(languageOfPath(path)).toBe(tag));
});

describe('rows as they were published', () => {
  it('MGSM: problems in eleven languages, no fault', async () => {
    const report = await checkProbes(MGSM);
    expect(report).toMatchObject({ items: 20, completeItems: 20, errorCount: 0, warnings: [] });
    expect(report.languages.map(({ tag }) => tag).join(' ')).toBe('bn de en es fr ja ru sw te th zh');
  });
});
