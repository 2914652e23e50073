import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkProbes, loadProbes } from '../../src/probes/index.js';
import { numbersOf } from '../../src/probes/same-answers.js';
import { writeFiles } from '../support/write-files.js';

// Written by test/reference/make_probe_tables.py; flores-zstd by polars.
const TABLES = join(import.meta.dirname, '../fixtures/probes-tables');

const lines = (...rows: unknown[]) => `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`;

/** Texts by item and language. */
async function textsOf(path: string, format?: string) {
  const { items } = await loadProbes(path, format === undefined ? {} : { format });
  return Object.fromEntries(
    items.map(({ id, prompts }) => [
      id,
      Object.fromEntries([...prompts].map(([language, { text }]) => [language, text])),
    ]),
  );
}

describe('rows keep their number', () => {
  const PAIR = { '1': { de: 'Eins?', en: 'One?' }, '3': { de: 'Drei?', en: 'Three?' } };

  it.each([
    ['a blank line', 'Eins?\t1\n\nDrei?\t3\n'],
    ['a line of blank fields', 'Eins?\t1\n\t\nDrei?\t3\n'],
  ])('in MGSM with %s', async (_, de) => {
    const folder = writeFiles({ 'mgsm_de.tsv': de, 'mgsm_en.tsv': 'One?\t1\nTwo?\t2\nThree?\t3\n' });
    expect(await textsOf(folder)).toEqual({ ...PAIR, '2': { en: 'Two?' } });
  });

  it.each([
    ['jsonl', lines({ question: 'Eins?', answer_number: 1 }, null, { question: 'Drei?', answer_number: 3 })],
    ['jsonl', '{"question": "Eins?", "answer_number": 1}\n\n{"question": "Drei?", "answer_number": 3}\n'],
    [
      'json',
      JSON.stringify([
        { question: 'Eins?', answer_number: 1 },
        { question: null, answer_number: null },
        { question: 'Drei?', answer_number: 3 },
      ]),
    ],
    ['csv', 'question,answer_number\nEins?,1\n,\nDrei?,3\n'],
    ['tsv', '\nquestion\tanswer_number\nEins?\t1\n\nDrei?\t3\n\n'],
  ])('in the rows of a hub set as %s', async (extension, de) => {
    const en = lines(
      ...['One?', 'Two?', 'Three?'].map((question, i) => ({ question, answer_number: i + 1 })),
    );
    const folder = writeFiles({ [`de/test.${extension}`]: de, 'en/test.jsonl': en });
    expect(await textsOf(folder)).toEqual({ ...PAIR, '2': { en: 'Two?' } });
  });

  it('in BMLAMA, where files of different lengths are refused', async () => {
    const header = 'Prompt\tAns\tCandidate Ans\n';
    const en = `${header}A <mask>.\tb\tb, c\nC <mask>.\td\td, e\nE <mask>.\tf\tf, g\n`;
    const blank = writeFiles({
      'en.tsv': en,
      'de.tsv': `${header}Ein <mask>.\tb\tb, c\n\t\t\nDas <mask>.\tf\tf, g\n`,
    });
    expect(await textsOf(blank)).toEqual({
      '1': { de: 'Ein ___.', en: 'A ___.' },
      '2': { en: 'C ___.' },
      '3': { de: 'Das ___.', en: 'E ___.' },
    });
    const short = writeFiles({
      'en.tsv': en,
      'de.tsv': `${header}Ein <mask>.\tb\tb, c\nDas <mask>.\tf\tf, g\n`,
    });
    await expect(loadProbes(short)).rejects.toThrow(/matched by number[\s\S]*2 rows[\s\S]*|3 rows/);
  });

  it('in KLAR and XQuAD, whose items have keys', async () => {
    const klar = (samples: unknown[]) =>
      JSON.stringify({ prompt_templates: ['Where is <subject>? <mask>'], samples });
    const folder = writeFiles({
      'en/capital.json': klar([
        { subject: 'Chad', object: 'x', index: 3 },
        { subject: '', object: '', index: 4 },
        null,
      ]),
      'de/capital.json': klar([
        { subject: 'Mali', object: 'y', index: 4 },
        { subject: 'Tschad', object: 'x', index: 3 },
      ]),
    });
    expect(Object.keys((await textsOf(folder))['capital/4']!)).toEqual(['de']);
    const broken = writeFiles({ 'en/capital.json': klar([{ subject: null, object: 'x', index: 3 }]) });
    await expect(loadProbes(broken)).rejects.toThrow(/samples\.0\.subject/);
  });

  it('and answers that are numbers tell where one is missing, naming both rows', async () => {
    const folder = writeFiles({
      'mgsm_de.tsv': 'Eins?\t1\nDrei?\t3\nVier?\t1.004\n',
      'mgsm_en.tsv': 'One?\t1\nTwo?\t2\nFour?\t1,004\n',
    });
    const { errors } = await checkProbes(folder);
    expect(errors).toHaveLength(1);
    expect(errors[0]!.message).toMatch(
      /mgsm_en\.tsv:2 \(item 2, language en\)[\s\S]*answer 3, as in \S*mgsm_de\.tsv:2/,
    );
  });

  it.each([
    ['1.004', [1.004, 1004]],
    ['٣٥', [35]],
    ['१२', [12]],
    ['1.234,5', [1234.5]],
    ['−7', [-7]],
    ['drei', []],
  ])('%s is read as %j', (text, numbers) => expect(numbersOf(text)).toEqual(numbers));
});

describe('nulls and types', () => {
  it('a null is no text, in no kind of file', async () => {
    const row = {
      sample_id: 1,
      subject: 's',
      question: 'q',
      option_a: null,
      option_b: 'b',
      option_c: 'c',
      option_d: 'd',
    };
    const refused = loadProbes(writeFiles({ 'en.jsonl': lines({ ...row, answer: 'B' }) }));
    await expect(refused).rejects.toThrow(/option_a: .*undefined/);
    const number = loadProbes(writeFiles({ 'en.jsonl': lines({ ...row, option_a: 5, answer: 'B' }) }));
    await expect(number).rejects.toThrow(/option_a: .*expected string, received number/);
  });

  it('optional fields may be null', async () => {
    const row = {
      link: 'l',
      question_number: 1,
      flores_passage: 'p',
      question: 'q',
      mc_answer1: 'a',
      mc_answer2: 'b',
      mc_answer3: 'c',
      mc_answer4: 'd',
      correct_answer_num: '2',
      dialect: null,
    };
    const { languages } = await loadProbes(writeFiles({ 'deu_Latn.jsonl': lines(row) }));
    expect(languages.map(({ tag }) => tag)).toEqual(['de']);
  });

  it('ids are texts or numbers, and no number that is rounded', async () => {
    const items = lines(
      { id: 1, text: { en: 'A goat', de: 'Eine Ziege' } },
      { id: 2, text: { en: 'Rain', de: 'Regen' } },
    );
    expect(await textsOf(join(writeFiles({ 'items.jsonl': items }), 'items.jsonl'))).toEqual({
      '1': { de: 'Eine Ziege', en: 'A goat' },
      '2': { de: 'Regen', en: 'Rain' },
    });
    const large = writeFiles({ 'a.jsonl': '{"id": 1152921504606846977, "text": {"en": "A"}}\n' });
    await expect(loadProbes(large, { format: 'prompt-rows' })).rejects.toThrow(/id: must be written as text/);
  });
});

describe('parquet and Arrow', () => {
  const WIDE = {
    '1': { de: 'Eine Ziege fraß die Karte.', en: 'A goat ate the map.' },
    '2': { de: 'Der Regen kam.' },
    '3': { en: 'Rain came late today.' },
  };
  it.each(['none', 'snappy', 'gzip', 'brotli', 'lz4', 'zstd'])('reads parquet with %s', async (codec) => {
    expect(await textsOf(join(TABLES, `wide-${codec}.parquet`))).toEqual(WIDE);
  });

  it('reads FLORES+ as polars writes it', async () => {
    expect((await checkProbes(join(TABLES, 'flores-zstd'))).languages.map(({ tag }) => tag)).toEqual([
      'de',
      'en',
    ]);
  });

  it('reads Arrow streams and files; 64-bit ids keep their digits', async () => {
    const pairs = { '1': { de: 'Eine Ziege', en: 'A goat' }, '2': { en: 'Rain' } };
    expect(await textsOf(join(TABLES, 'translation.parquet'))).toEqual(pairs);
    const folder = writeFiles({
      'data/train/data-00000-of-00001.arrow': readFileSync(join(TABLES, 'stream.arrow')),
      'data/train/state.json': '{"_data_files": [], "_split": "train"}',
      'data/dataset_dict.json': '{"splits": ["train"]}',
    });
    expect(await textsOf(folder)).toEqual(pairs);
    const long = { '1152921504606846976': { de: 'Regen' }, '1152921504606846977': { en: 'Rain' } };
    expect(await textsOf(join(TABLES, 'file.arrow'))).toEqual(long);
    expect(await textsOf(join(TABLES, 'long.parquet'))).toEqual(long);
  });

  it('refuses what is cut off, and a bomb', async () => {
    const bytes = readFileSync(join(TABLES, 'stream.arrow'));
    for (const length of [10, 200, 400]) {
      const cut = writeFiles({ 'x.arrow': bytes.subarray(0, length) });
      await expect(loadProbes(cut, { format: 'translation-rows' })).rejects.toMatchObject({ exitCode: 2 });
    }
    const bomb = loadProbes(join(TABLES, 'bomb-zstd.parquet'), { format: 'wide-table' });
    await expect(bomb).rejects.toThrow(/unpack \d+ bytes to \d+/);
  });
});

describe("tables of one's own", () => {
  const TEXTS = { '1': { de: 'Eine Ziege', en: 'A goat' } };
  it.each([
    ['wide.csv', 'id,en,de\n1,A goat,Eine Ziege\n'],
    ['wide.tsv', 'id\tEnglish\tGerman\n1\tA goat\tEine Ziege\n'],
    ['wide.jsonl', lines({ id: 1, no: 7, url: 'u', deu: 'Eine Ziege', eng: 'A goat' })],
    ['wide.json', JSON.stringify([{ en_US: null, en: 'A goat', deu_Latn: 'Eine Ziege' }])],
    ['flores-all.jsonl', lines({ id: 1, sentence_eng_Latn: 'A goat', sentence_deu_Latn: 'Eine Ziege' })],
    ['long.csv', 'id,lang,text\n1,en,A goat\n1,de,Eine Ziege\n'],
    ['long.tsv', 'idx\tLanguage\tsentence\n1\tGerman\tEine Ziege\n1\tENG\tA goat\n'],
    [
      'long.jsonl',
      lines({ id: '1', language: 'de', text: 'Eine Ziege' }, { id: '1', language: 'en', text: 'A goat' }),
    ],
    ['translation.jsonl', lines({ translation: { en: 'A goat', de: 'Eine Ziege', fr: null } })],
    ['translation.json', JSON.stringify([{ id: 1, translation: { en: 'A goat', de: 'Eine Ziege' } }])],
  ])('reads %s', async (name, content) => {
    expect(await textsOf(join(writeFiles({ [name]: content }), name))).toEqual(TEXTS);
  });

  it('reads a table a language, named after it', async () => {
    const folder = writeFiles({ 'en.csv': 'id,text\n1,A goat\n', 'de.csv': 'id,text\n1,Eine Ziege\n' });
    expect(await textsOf(folder)).toEqual(TEXTS);
  });

  it('tells Indonesian from a column of ids', async () => {
    const folder = writeFiles({ 'a.csv': 'key,en,id\n1,A goat,Seekor kambing\n2,Rain,Hujan deras\n' });
    expect(await textsOf(folder)).toEqual({
      '1': { en: 'A goat', id: 'Seekor kambing' },
      '2': { en: 'Rain', id: 'Hujan deras' },
    });
  });

  it('names rows by file and number where there are several files without ids', async () => {
    const row = (en: string, de: string) => lines({ translation: { en, de } });
    const folder = writeFiles({ 'de-en/a.jsonl': row('A', 'Ein'), 'de-en/b.jsonl': row('B', 'Zwei') });
    expect(Object.keys(await textsOf(folder))).toEqual(['de-en/a.jsonl:1', 'de-en/b.jsonl:1']);
  });

  it('refuses a number where a text belongs', async () => {
    const file = writeFiles({
      'a.jsonl': lines({ id: 1, en: 'one', de: 'eins' }, { id: 2, en: 2, de: 'zwei' }),
    });
    await expect(loadProbes(file)).rejects.toThrow(/a\.jsonl:2[\s\S]*en: .*received number/);
  });
});
