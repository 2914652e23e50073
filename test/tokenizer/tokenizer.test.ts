import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TokenizerError } from '../../src/errors.js';
import { loadTokenizer, type Tokenizer } from '../../src/tokenizer/load-tokenizer.js';

const FIXTURES = join(import.meta.dirname, '../fixtures/tokenizer');
const PUBLISHED = join(FIXTURES, 'published');
const PUD = join(import.meta.dirname, '../../probes/pud/items.jsonl');

/** What `test/reference/make_tokenizer_fixtures.py` recorded of a tokenizer. */
interface Expected {
  readonly vocabSize: number;
  readonly texts: Record<
    string,
    { text: string; auto: number[]; off: number[]; special: number[]; decoded: string }
  >;
}

async function expectedOf(name: string): Promise<Expected> {
  return JSON.parse(await readFile(join(FIXTURES, `${name}.expected.json`), 'utf8'));
}

const load = (tokenizerJson: string, tokenizerConfig: string | null = null) =>
  loadTokenizer({ folder: FIXTURES, tokenizerJson, tokenizerConfig });

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'babelscope-tokenizer-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

async function scratchFile(name: string, content: unknown): Promise<string> {
  const path = join(scratch, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

/** Ids, special tokens and decoding must be those of the reference implementation. */
async function expectReference(tokenizer: Tokenizer, expected: Expected): Promise<void> {
  expect(tokenizer.vocabSize).toBe(expected.vocabSize);
  for (const [name, { text, auto, off, special, decoded }] of Object.entries(expected.texts)) {
    const encoded = await tokenizer.encode(text);
    expect([name, ...encoded.ids]).toEqual([name, ...auto]);
    expect([name, ...(await tokenizer.encode(text, { bos: 'off' })).ids]).toEqual([name, ...off]);
    // The reference marks added tokens only; a special token spelt out in the text does not count here either.
    if (name !== 'special') expect([name, ...encoded.special]).toEqual([name, ...special]);
    expect([name, await tokenizer.decode(off)]).toEqual([name, decoded]);
  }
}

/** What Python's tokenizers makes of the sentences of `probes/pud`, by language. */
interface PublishedIds {
  readonly vocabSize: number;
  readonly languages: Record<
    string,
    { sha256: string; tokens: number; changed: number; lost: string[]; ids: number[][] }
  >;
}

describe('loadTokenizer', () => {
  it.each(['byte-level', 'llama2', 'unigram', 'wordpiece', 'digits'])(
    'encodes and decodes 18 languages and odd texts as the reference implementation does: %s',
    async (name) => {
      const tokenizer = await load(join(FIXTURES, `${name}.tokenizer.json`));
      await expectReference(tokenizer, await expectedOf(name));
    },
  );

  it.each(['olmo2-dolma2', 'phi-3-mini', 'nmt-unigram'])(
    'gives the ids of the reference implementation on 300 sentences in 17 languages, and names what is lost: %s',
    async (name) => {
      const packed = await readFile(join(PUBLISHED, `${name}.tokenizer.json.gz`));
      const tokenizer = await load(await scratchFile(`${name}.json`, gunzipSync(packed).toString('utf8')));
      const reference = JSON.parse(
        gunzipSync(await readFile(join(PUBLISHED, 'pud-ids.json.gz'))).toString('utf8'),
      );
      const { vocabSize, languages }: PublishedIds = reference.published[name];
      const rows = (await readFile(PUD, 'utf8')).split('\n', 300);
      const sentences: Record<string, string>[] = rows.map((row) => JSON.parse(row).text);
      expect(tokenizer.vocabSize).toBe(vocabSize);
      expect(Object.keys(languages)).toHaveLength(17);
      for (const [language, expected] of Object.entries(languages)) {
        const texts = sentences.map((text) => text[language]!);
        const encoded = await tokenizer.encodeAll(texts, { bos: 'off' });
        const ids = encoded.map((sentence) => [...sentence.ids]);
        expect([language, ids.slice(0, expected.ids.length)]).toEqual([language, expected.ids]);
        const digest = createHash('sha256').update(ids.map((row) => row.join(' ')).join('\n'));
        expect([language, ids.flat().length, digest.digest('hex')]).toEqual([
          language,
          expected.tokens,
          expected.sha256,
        ]);
        const { texts: count, failures, lost } = await tokenizer.checkRoundTrip(texts);
        expect([language, count, failures, lost]).toEqual([language, 300, expected.changed, expected.lost]);
        if (name !== 'nmt-unigram') expect([language, failures, lost]).toEqual([language, 0, []]);
      }
    },
  );

  it('marks as special what it adds around the text, and special tokens spelt out in it', async () => {
    const unigram = await load(join(FIXTURES, 'unigram.tokenizer.json'));
    expect([unigram.prefix, unigram.suffix]).toEqual([[1], [2]]);
    const { ids, special } = await unigram.encode('water');
    expect([ids[0], ids.at(-1)]).toEqual([1, 2]);
    expect([...special]).toEqual([1, ...Array(ids.length - 2).fill(0), 1]);
    const byteLevel = await load(join(FIXTURES, 'byte-level.tokenizer.json'));
    const spelt = await byteLevel.encode('a<|end|>');
    expect([...spelt.special]).toEqual([0, 1]);
    expect([...(await unigram.encode('')).ids]).toEqual([1, 2]);
  });

  it('bos "on" adds the token that tokenizer_config.json names, once; without one it is an error', async () => {
    const config = await scratchFile('config.json', { bos_token: { content: '<|end|>' } });
    const path = join(FIXTURES, 'byte-level.tokenizer.json');
    const named = await load(path, config);
    expect(named.bosId).toBe(0);
    expect([...(await named.encode('a')).special]).toEqual([0]);
    expect([...(await named.encode('a', { bos: 'on' })).special]).toEqual([1, 0]);
    expect((await named.encode('a', { bos: 'on' })).ids[0]).toBe(0);
    const nameless = await load(path);
    await expect(nameless.encode('a', { bos: 'on' })).rejects.toThrow(TokenizerError);

    const llama = await load(
      join(FIXTURES, 'llama2.tokenizer.json'),
      await scratchFile('llama.json', { bos_token: '<s>' }),
    );
    expect([...(await llama.encode('a', { bos: 'on' })).ids]).toEqual([...(await llama.encode('a')).ids]);
    expect((await llama.encode('a', { bos: 'off' })).ids.length).toBe(
      (await llama.encode('a')).ids.length - 1,
    );
  });

  it('adds the special tokens that transformers adds for the tokenizer class and its configuration', async () => {
    const rows: { tokenizer: string; config: object; ids: number[] }[] = JSON.parse(
      await readFile(join(FIXTURES, 'classes.expected.json'), 'utf8'),
    );
    for (const { tokenizer, config, ids } of rows) {
      const path = await scratchFile('class.json', config);
      const loaded = await load(join(FIXTURES, `${tokenizer}.tokenizer.json`), path);
      expect([config, ...(await loaded.encode('The water is')).ids]).toEqual([config, ...ids]);
    }
  });

  it('decodes no ids to no text', async () => {
    expect(await (await load(join(FIXTURES, 'llama2.tokenizer.json'))).decode([])).toBe('');
  });

  it('says what to do when there is no tokenizer.json', async () => {
    const missing = async (name: string) => {
      const folder = await mkdtemp(join(scratch, 'missing-'));
      await writeFile(join(folder, name), '');
      return loadTokenizer({ folder, tokenizerJson: null, tokenizerConfig: null });
    };
    await expect(missing('tokenizer.model')).rejects.toThrow(/only tokenizer\.model[\s\S]*AutoTokenizer/);
    await expect(missing('README.md')).rejects.toThrow(/no tokenizer\.json[\s\S]*remedy/);
    await expect(missing('README.md')).rejects.toThrow(TokenizerError);
  });

  it('does not count an unknown piece of the text as special', async () => {
    const wordpiece = await load(join(FIXTURES, 'wordpiece.tokenizer.json'));
    expect(wordpiece.token(1)).toBe('[UNK]');
    const { ids, special } = await wordpiece.encode('\u{10900}');
    expect([[...ids], [...special]]).toEqual([
      [2, 1, 3],
      [1, 0, 1],
    ]);
  });

  it.each([
    [
      'a character map that is not one',
      'precompiled_charsmap',
      'AAAA',
      { type: 'Precompiled', precompiled_charsmap: 'AAAA' },
      null,
    ],
    [
      'no character map',
      'precompiled_charsmap',
      'null',
      { type: 'Sequence', normalizers: [{ type: 'Precompiled', precompiled_charsmap: null }] },
      null,
    ],
    [
      'a template with an undefined token',
      'special_tokens',
      '"<x>"',
      null,
      {
        type: 'TemplateProcessing',
        single: [{ SpecialToken: { id: '<x>', type_id: 0 } }],
        pair: [],
        special_tokens: {},
      },
    ],
  ])(
    'refuses %s, on which the library would end the process',
    async (_, field, found, normalizer, processor) => {
      const json = JSON.parse(await readFile(join(FIXTURES, 'byte-level.tokenizer.json'), 'utf8'));
      const path = await scratchFile('fatal.json', {
        ...json,
        normalizer,
        ...(processor && { post_processor: processor }),
      });
      await expect(load(path)).rejects.toMatchObject({ name: 'TokenizerError', exitCode: 2 });
      await expect(load(path)).rejects.toThrow(field);
      if (found !== 'AAAA') await expect(load(path)).rejects.toThrow(found);
    },
  );

  it.each([
    ['not JSON', '{"model":'],
    ['not an object', '[1]'],
    ['an object of another kind', '{}'],
    [
      'of an unknown model',
      {
        model: { type: 'Mystery' },
        decoder: null,
        post_processor: null,
        pre_tokenizer: null,
        normalizer: null,
        added_tokens: [],
      },
    ],
  ])('refuses a file that is %s', async (_, content) => {
    const path = await scratchFile('bad.json', content);
    await expect(load(path)).rejects.toThrow(TokenizerError);
    await expect(load(path)).rejects.toThrow(path);
  });
});

describe('checkRoundTrip', () => {
  it('reports how many texts change, and where the first does', async () => {
    const byteLevel = await load(join(FIXTURES, 'byte-level.tokenizer.json'));
    const { texts } = await expectedOf('byte-level');
    // NFC composes the letter e with the accent that follows it.
    const { emoji, ...unchanged } = texts;
    const fine = Object.values(unchanged).map(({ text }) => text);
    expect(await byteLevel.checkRoundTrip(fine)).toEqual({ texts: 22, failures: 0, first: null, lost: [] });
    const report = await byteLevel.checkRoundTrip(['fine', emoji!.text]);
    expect(report).toMatchObject({
      texts: 2,
      failures: 1,
      first: { text: 1, offset: emoji!.text.indexOf('e\u0301') },
      lost: ['e', '\u0301'],
    });
    expect(report.first!.found.startsWith('é')).toBe(true);
    const unigram = await load(join(FIXTURES, 'unigram.tokenizer.json'));
    const lowered = await unigram.checkRoundTrip(['water', 'Water']);
    expect(lowered.lost).toEqual(['W']);
    expect(lowered.first).toEqual({
      text: 1,
      offset: 0,
      expected: 'Water',
      found: 'water',
    });
  });
});
