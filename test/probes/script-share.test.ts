import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isInScript, isScript, measureScript } from '../../src/probes/languages/script-share.js';

describe('measureScript', () => {
  it('counts letters, and neither digits, punctuation nor spaces', () => {
    expect(measureScript('Año 2024: 50 %!', 'Latn')).toEqual({ letters: 3, own: 3, latin: 0, foreign: 0 });
  });

  it('tells own, Latin and foreign letters apart', () => {
    expect(measureScript('日本 abc Киев', 'Jpan')).toEqual({ letters: 9, own: 2, latin: 3, foreign: 4 });
  });

  it('takes Jpan for kanji, hiragana and katakana, the long vowel mark included', () => {
    expect(measureScript('東京のタワー', 'Jpan')).toMatchObject({ letters: 6, own: 6 });
  });

  it('takes Kore for hangul and hanja', () => {
    expect(measureScript('韓國 한국', 'Kore')).toMatchObject({ letters: 4, own: 4 });
  });

  it('does not tell Hans from Hant', () => {
    expect(measureScript('汉語', 'Hans')).toEqual(measureScript('汉語', 'Hant'));
  });

  it('counts every letter once', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.constantFrom('Latn', 'Jpan', 'Arab', 'Thai'),
        (text, script) => {
          const { letters, own, latin, foreign } = measureScript(text, script);
          expect(own + latin + foreign).toBe(letters);
        },
      ),
    );
  });
});

describe('isInScript', () => {
  it.each([
    ['English in the place of Japanese', 'The sea is wide.', 'Jpan'],
    ['Ukrainian in the place of English', 'Море широке.', 'Latn'],
    ['English in the place of Ukrainian', 'The sea is wide.', 'Cyrl'],
    ['Korean in the place of Japanese', '바다는 넓다 海', 'Jpan'],
    ['Russian with an identifier in the place of Hindi', 'функция print выводит текст', 'Deva'],
    ['Ukrainian with identifiers in the place of English', 'Функція print повертає None', 'Latn'],
  ])('is false for %s', (_, text, script) => {
    expect(isInScript(text, script)).toBe(false);
  });

  it.each([
    [
      'Japanese full of identifiers',
      ':func:`os.path.join` と :func:`os.path.split` を見てください。',
      'Jpan',
    ],
    ['Ukrainian full of identifiers', 'Повертає :class:`collections.OrderedDict`.', 'Cyrl'],
    ['English with a Greek letter', 'The constant π is irrational.', 'Latn'],
    ['a text without letters', '2 + 2 = 4', 'Thai'],
    ['Vietnamese', 'Biển rất rộng.', 'Latn'],
    ['Hindi with vowel signs', 'समुद्र विशाल है।', 'Deva'],
  ])('is true for %s', (_, text, script) => {
    expect(isInScript(text, script)).toBe(true);
  });

  it('flags 9, 8, 4 and 22 of the 11,622 messages of the Python documentation in ja, ko, uk and zh', () => {
    const corpus = new URL('../../demo/corpus/parallel.jsonl.gz', import.meta.url);
    const rows = gunzipSync(readFileSync(corpus)).toString('utf8').trimEnd().split('\n');
    const texts: Record<string, string>[] = rows.map((row) => JSON.parse(row).text);
    const flagged = (language: string, script: string) =>
      texts.filter((text) => !isInScript(text[language]!, script)).length;
    expect(texts).toHaveLength(11_622);
    expect({
      ja: flagged('ja', 'Jpan'),
      ko: flagged('ko', 'Kore'),
      uk: flagged('uk', 'Cyrl'),
      zh: flagged('zh', 'Hans'),
      en: flagged('en', 'Latn'),
      es: flagged('es', 'Latn'),
      fr: flagged('fr', 'Latn'),
      pt: flagged('pt', 'Latn'),
    }).toEqual({ ja: 9, ko: 8, uk: 4, zh: 22, en: 0, es: 0, fr: 0, pt: 0 });
  });
});

describe('isScript', () => {
  it('knows ISO 15924 codes, those of mixtures included, and nothing else', () => {
    for (const script of ['Latn', 'Cyrl', 'Ethi', 'Jpan', 'Kore', 'Hans', 'Hant'])
      expect(isScript(script)).toBe(true);
    for (const script of ['Abcd', 'Zxxx', '', 'Latn}']) expect(isScript(script)).toBe(false);
  });
});
