import { describe, expect, it } from 'vitest';
import { checkProbes, loadProbes } from '../../src/probes/index.js';
import { nameLanguages } from '../../src/probes/languages/file-languages.js';
import { languageOfCode } from '../../src/probes/languages/language-code.js';
import { writeFiles } from '../support/write-files.js';

/** Languages of some files, in their order. */
const named = (...names: string[]) => {
  const found = nameLanguages(names);
  return names.map((name) => found.get(name)?.language);
};

describe('names of files, seen together', () => {
  it.each([
    ['a folder outweighs a word that is a code', ['de/doc.txt', 'en/doc.txt'], ['de', 'en']],
    ['and another one', ['de/tok.txt', 'en/tok.txt'], ['de', 'en']],
    ['folders of WikiExtractor', ['de/AA/wiki_00', 'en/AA/wiki_00', 'en/AB/wiki_00'], ['de', 'en', 'en']],
    ['two of them alone', ['en/AA/wiki_00', 'en/AB/wiki_00'], ['en', 'en']],
    ['words of one name in all', ['data_de_tok.txt', 'data_en_tok.txt'], ['de', 'en']],
    ['a folder that is the same for all', ['it/de.txt', 'it/en.txt'], ['de', 'en']],
    ['machine and human translation', ['mt/eng_Latn.txt', 'ht/deu_Latn.txt'], ['en', 'de']],
    ['capital folders', ['DE/it.txt', 'EN/it.txt'], ['de', 'en']],
    ['Moses', ['TED.de-en.de', 'TED.de-en.en'], ['de', 'en']],
    ['Moses with a region', ['Tatoeba.en-zh_CN.en', 'Tatoeba.en-zh_CN.zh_CN'], ['en', 'zh']],
    ['Moses in folders', ['en-de/train.de', 'en-de/train.en'], ['de', 'en']],
    [
      'pairs of FLORES codes',
      ['eng_Latn-deu_Latn/train.eng_Latn', 'eng_Latn-deu_Latn/train.deu_Latn'],
      ['en', 'de'],
    ],
    ['pairs in underscores', ['europarl_de_en.de.txt', 'europarl_de_en.en.txt'], ['de', 'en']],
    ['FLEURS', ['pt_br/test.tsv', 'cmn_hans_cn/test.tsv', 'yue_hant_hk/test.tsv'], ['pt-BR', 'zh', 'yue-HK']],
    ['names in English', ['German.txt', 'scottish_gaelic.txt'], ['de', 'gd']],
    ['shards of the hub', ['xquad.ar/validation-00000-of-00001.parquet'], ['ar']],
    ['mixed levels', ['en.txt', 'de.txt', 'fr/a.txt'], ['en', 'de', 'fr']],
    ['varieties of FLORES+', ['dev.oci_Latn_aran1260', 'dev.oci_Latn'], ['oc-Latn-aran1260', 'oc']],
    ['a language in two scripts', ['uzn_Cyrl.txt', 'uzn_Latn.txt'], ['uz-Cyrl', 'uz']],
  ])('%s', (_, names, tags) => expect(named(...names)).toEqual(tags));
});

describe('one tag whatever the spelling', () => {
  it.each([
    [
      'zh',
      [
        'zh',
        'zh_CN',
        'zh-Hans',
        'zh_Hans_CN',
        'zho_Hans',
        'cmn_Hans',
        'zh-cmn-Hans',
        'Chinese',
        'Simplified Chinese',
        'Mandarin',
      ],
    ],
    [
      'zh-Hant',
      ['zh-TW', 'zh_Hant_TW', 'zho_Hant', 'cmn-hant', 'Traditional Chinese', 'Chinese (Traditional)'],
    ],
    ['pt-BR', ['pt_br', 'pt-BR', 'por_Latn_BR', 'Brazilian Portuguese']],
    ['he', ['iw', 'heb', 'heb_Hebr', 'Hebrew']],
    ['ms', ['zsm_Latn', 'msa', 'ms-Latn', 'Malay']],
    ['ms-Arab', ['zsm_Arab', 'ms_arab', 'Malay (Jawi)']],
    ['uz-Cyrl', ['uzn_Cyrl', 'uz_Cyrl', 'Uzbek (Cyrillic)', 'uzbek_cyrillic']],
    ['kk-Arab', ['kaz_Arab', 'kk-Arab']],
    ['pa-Arab', ['pan_Arab', 'Punjabi (Shahmukhi)']],
    ['pa', ['pan_Guru', 'Panjabi', 'pa-Guru']],
    ['sr-Latn', ['srp_Latn', 'sh', 'Serbian (Latin)']],
    ['ur', ['urd_Arab', 'ur_Aran']],
    ['ceb', ['ceb_Latn', 'Cebuano']],
    ['ca-valencia', ['ca-valencia', 'ca_valencia']],
  ])('%s', (tag, spellings) => {
    expect(spellings.map((spelling) => languageOfCode(spelling, 'here'))).toEqual(spellings.map(() => tag));
  });

  it('what is none is refused as it was written', () => {
    expect(() => languageOfCode('elvish_tongue', 'here')).toThrow(/"elvish_tongue" is no known language/);
  });
});

describe('sets whose languages are read from names', () => {
  it('say where they were read from', async () => {
    const folder = writeFiles({
      'de/AA/a.txt': 'Eine Ziege.\n',
      'en/AA/a.txt': 'A goat.\n',
      'en/AB/a.txt': 'Rain.\n',
    });
    const { sources } = await loadProbes(folder, { format: 'unaligned-text' });
    expect(sources).toEqual([
      { language: 'de', written: 'de', place: 'folder', files: 1, first: 'de/AA/a.txt' },
      { language: 'en', written: 'en', place: 'folder', files: 2, first: 'en/AA/a.txt' },
    ]);
  });

  it('refuse two names for one language', async () => {
    const folder = writeFiles({
      'zh_CN/a.txt': '雨。\n',
      'zho_Hans/a.txt': '山羊。\n',
      'en/a.txt': 'A goat.\n',
    });
    await expect(loadProbes(folder, { format: 'unaligned-text' })).rejects.toThrow(
      /two names stand for one language, zh[\s\S]*zho_Hans/,
    );
    const { languages } = await loadProbes(folder, { format: 'unaligned-text', languages: ['English'] });
    expect(languages.map(({ tag }) => tag)).toEqual(['en']);
  });

  it('name the file that a language occurs in twice', async () => {
    const row = (question: string) => `${JSON.stringify({ question, answer_number: 1 })}\n`;
    const folder = writeFiles({
      'de/test.jsonl': row('Q de test'),
      'de/train.jsonl': row('Q de train'),
      'en/test.jsonl': row('Q en test'),
      'en/train.jsonl': row('Q en train'),
    });
    const { errors } = await checkProbes(folder, 'mgsm');
    expect(errors.map(({ details }) => details.found?.replace(folder, ''))).toEqual([
      'another one, in /de/test.jsonl:1',
      'another one, in /en/test.jsonl:1',
    ]);
  });

  it.each([
    ['sr', 'Koza je pojela mapu.\nKiša je kasnila.\n', 'sr_Latn', 'sr-Latn'],
    ['uz', 'Эчки харитани еди.\nЁмғир кечикди.\n', 'uz_Cyrl', 'uz-Cyrl'],
    ['pa', 'بکری نے نقشہ کھا لیا۔\nمینہ دیر نال آیا۔\n', 'pa_Arab', 'pa-Arab'],
    ['kk', 'Eshki kartany jep qoıdy.\nJańbyr kesh jaýdy.\n', 'kk_Latn', 'kk-Latn'],
  ])('%s in another script is refused with a name that works', async (code, text, mended, tag) => {
    const en = 'A goat ate the map.\nRain was late.\n';
    const refused = loadProbes(writeFiles({ 'en.txt': en, [`${code}.txt`]: text }), {
      format: 'aligned-text',
    });
    await expect(refused).rejects.toThrow(new RegExp(`wherever it is written: ${mended}`));
    const folder = writeFiles({ 'en.txt': en, [`${mended}.txt`]: text });
    const { languages } = await loadProbes(folder, { format: 'aligned-text' });
    expect(languages.map(({ tag: found }) => found)).toContain(tag);
  });

  it.each([
    ['FLORES+ as released', { 'dev/dev.deu_Latn': 'Eine Ziege.\n', 'dev/dev.eng_Latn': 'A goat.\n' }],
    [
      'Moses',
      {
        'TED2020.de-en.de': 'Eine Ziege.\n',
        'TED2020.de-en.en': 'A goat.\n',
        README: 'x',
        'TED2020.de-en.ids': '1\n',
      },
    ],
    ['a corpus', { 'corpus.de': 'Eine Ziege.\n', 'corpus.en': 'A goat.\n' }],
    ['WMT', { 'wmt14.en-de.de': 'Eine Ziege.\n', 'wmt14.en-de.en': 'A goat.\n' }],
  ])('%s is recognised', async (_, files) => {
    const { items } = await loadProbes(writeFiles(files));
    expect(items.map(({ prompts }) => Object.fromEntries(prompts))).toEqual([
      { de: { text: 'Eine Ziege.' }, en: { text: 'A goat.' } },
    ]);
  });

  it('a readme beside texts is none of them', async () => {
    const folder = writeFiles({ 'en.txt': 'A goat.\n', 'de.txt': 'Eine Ziege.\n', 'README.txt': 'x\ny\n' });
    expect((await checkProbes(folder, 'aligned-text')).errors).toEqual([]);
  });

  it('a module and a script of one name are no corpus', async () => {
    const folder = writeFiles({ 'model.pt': 'x', 'model.sh': 'y', 'config.json': '{}' });
    await expect(loadProbes(folder)).rejects.toThrow(/no probe set/);
  });

  it('languages are chosen by any of their names', async () => {
    const folder = writeFiles({ 'dev/deu_Latn.dev': 'Eine Ziege.\n', 'dev/eng_Latn.dev': 'A goat.\n' });
    for (const languages of [
      ['eng_Latn', 'deu_Latn'],
      ['English', 'German'],
      ['en-Latn', 'DE'],
      ['en', 'de'],
    ]) {
      expect((await loadProbes(folder, { languages })).languages.map(({ tag }) => tag)).toEqual(['de', 'en']);
    }
  });
});
