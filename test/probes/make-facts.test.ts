import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { makeFacts } from '../../scripts/make-facts.js';
import { readCldr } from '../../scripts/make-facts-cldr.js';
import { QUESTIONS } from '../../scripts/make-facts-phrases.js';
import { loadProbes } from '../../src/probes/index.js';

const committed = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url));
const { items } = await loadProbes('facts');
const byId = new Map(items.map((item) => [item.id, item]));
const answer = (id: string) => byId.get(id)?.prompts.get('en')?.answer;

describe('the facts', () => {
  it('are what the generator makes of the pinned CLDR packages, byte for byte', () => {
    for (const [path, content] of makeFacts()) {
      // Two builds of zlib may pack the same bytes differently, so packed files are compared unpacked.
      const unpack = path.endsWith('.gz') ? gunzipSync : (bytes: Buffer) => bytes;
      expect(unpack(Buffer.from(content)).equals(unpack(committed(path))), path).toBe(true);
    }
  });

  it.each([
    ['currency/JP', 'Japanese Yen'],
    ['currency/HR', 'Euro'], // since 2023
    ['currency/BG', 'Euro'], // since 2026
    ['currency/CW', 'Caribbean guilder'], // since 2025
    ['currency/SL', 'Sierra Leonean Leone'],
    ['currency/CH', 'Swiss Franc'],
    ['official-language/BR', 'Portuguese'],
    ['official-language/IR', 'Persian'],
    ['continent/CL', 'Americas'],
    ['subregion/JP', 'Eastern Asia'],
    ['script/hi', 'Devanagari'],
    ['script/ru', 'Cyrillic'],
    ['currency-territory/JPY', 'Japan'],
    ['language-territory/ja', 'Japan'],
    ['language-territory/pt', 'Brazil'],
  ])('%s is %s', (id, expected) => {
    expect(answer(id)).toBe(expected);
  });

  it.each([
    ['currency/PA', 'two currencies'],
    ['currency/ZW', 'two currencies'],
    ['currency/EH', 'disputed'],
    ['currency-territory/EUR', 'many territories'],
    ['official-language/CH', 'four languages'],
    ['official-language/ZA', 'twelve languages'],
    ['official-language/ML', 'French is no longer official'],
    ['continent/TR', 'two continents'],
    ['continent/RU', 'two continents'],
    ['script/sr', 'two scripts'],
    ['script/ja', 'a mixture of scripts'],
    ['language-territory/en', 'no clear lead'],
    ['language-territory/es', 'no clear lead'],
  ])('%s is left out: %s', (id) => {
    expect(byId.has(id)).toBe(false);
  });

  it('offer the answer and three distractors, the same in all languages, shuffled', () => {
    let orders = 0;
    for (const { prompts } of items) {
      const ids = [...prompts.values()].map(({ candidateIds }) => candidateIds!);
      expect(ids.every((each) => each.length === 4)).toBe(true);
      expect(new Set(ids.map((each) => [...each].sort().join(' '))).size).toBe(1);
      orders += new Set(ids.map((each) => each.join(' '))).size;
    }
    // 16 draws of 24 orders show 24 (1 − (23/24)^16) = 11.85 different ones on average.
    expect(orders / items.length).toBeCloseTo(11.85, 0);
  });

  it('have the right answer in each place about a quarter of the time', () => {
    const places = [0, 0, 0, 0];
    for (const { prompts } of items) {
      for (const { candidates, answer } of prompts.values()) places[candidates!.indexOf(answer!)]! += 1;
    }
    const prompts = items.length * 16;
    for (const place of places) expect(place / prompts).toBeCloseTo(0.25, 1);
  });

  it('offer no distractor that is true as well', () => {
    const { tender, spoken } = readCldr();
    for (const { meta, prompts } of items) {
      const distractors = prompts.get('en')!.candidateIds!.filter((id) => id !== meta.object);
      const subject = String(meta.subject);
      if (meta.relation === 'currency') {
        for (const currency of distractors) expect(tender.get(subject)).not.toContain(currency);
      }
      if (meta.relation === 'official-language') {
        for (const language of distractors) {
          expect(spoken.get(subject)?.get(language)?.anyStatus ?? false, `${meta.subject} ${language}`).toBe(
            false,
          );
        }
      }
    }
  });

  it('hold out about a fifth, and both directions of a pair together', () => {
    const heldOut = items.filter(({ meta }) => meta.split === 'heldout');
    expect(heldOut.length / items.length).toBeCloseTo(0.2, 1);
    const split = (id: string) => byId.get(id)?.meta.split;
    for (const { id, meta } of items) {
      if (meta.relation === 'currency' && byId.has(`currency-territory/${meta.object}`)) {
        expect(split(`currency-territory/${meta.object}`), id).toBe(meta.split);
      }
      const language = byId.get(`language-territory/${meta.object}`);
      if (meta.relation === 'official-language' && language?.meta.object === meta.subject) {
        expect(language?.meta.split, id).toBe(meta.split);
      }
      if (meta.relation === 'subregion' && byId.has(`continent/${meta.subject}`)) {
        expect(split(`continent/${meta.subject}`), id).toBe(meta.split);
      }
    }
  });

  it('are asked with the subject standing alone, before or after the question', () => {
    for (const templates of Object.values(QUESTIONS)) {
      for (const template of Object.values(templates)) {
        expect(template).toMatch(/^\{s\}[：:]|[:：][ \u00a0]\{s\}[ \u00a0]?[?؟]$/u);
        expect(template).toMatch(/[?？؟]$/u);
      }
    }
  });

  it('never answer a non-Latin language with an English name', () => {
    for (const { id, prompts } of items) {
      for (const language of ['ja', 'ko', 'uk', 'zh', 'ar', 'hi', 'ru', 'th']) {
        expect(prompts.get(language)!.answer, `${id} ${language}`).not.toMatch(
          /^[\p{Script=Latin}\s&’.-]+$/u,
        );
      }
    }
  });
});

describe('the statements', () => {
  const rows: { id: string; split: string; statements: Record<string, string[]> }[] = gunzipSync(
    committed('demo/corpus/facts-statements.jsonl.gz'),
  )
    .toString('utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

  it('are one row a fact, with the same split', () => {
    expect(rows.map(({ id, split }) => [id, split])).toEqual(items.map(({ id, meta }) => [id, meta.split]));
  });

  it('are three a language, each with the answer in it', () => {
    for (const { id, statements } of rows) {
      expect(Object.keys(statements)).toEqual('en es fr ja ko pt uk zh'.split(' '));
      for (const [language, phrasings] of Object.entries(statements)) {
        expect(new Set(phrasings).size).toBe(3);
        for (const phrasing of phrasings) {
          expect(phrasing).toContain(byId.get(id)!.prompts.get(language)!.answer);
          expect(phrasing).not.toMatch(/\{[so]\}/);
        }
      }
    }
  });
});
