import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TokenizerError } from '../../src/errors.js';
import { loadTokenizer, type Tokenizer } from '../../src/tokenizer/load-tokenizer.js';

const FIXTURES = join(import.meta.dirname, '../fixtures/tokenizer');
const REAL = join(import.meta.dirname, '../../../shared/data/tokenizers');

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
function expectReference(tokenizer: Tokenizer, expected: Expected, decodes: boolean): void {
  expect(tokenizer.vocabSize).toBe(expected.vocabSize);
  for (const [name, { text, auto, off, special, decoded }] of Object.entries(expected.texts)) {
    const encoded = tokenizer.encode(text);
    expect([name, ...encoded.ids]).toEqual([name, ...auto]);
    expect([name, ...tokenizer.encode(text, { bos: 'off' }).ids]).toEqual([name, ...off]);
    // The reference marks added tokens only; a special token spelt out in the text does not count here either.
    if (name !== 'special') expect([name, ...encoded.special]).toEqual([name, ...special]);
    if (decodes) expect([name, tokenizer.decode(off)]).toEqual([name, decoded]);
  }
}

describe('loadTokenizer', () => {
  it.each(['byte-level', 'llama2', 'unigram'])(
    'encodes and decodes eleven languages and odd texts as the reference implementation does: %s',
    async (name) => {
      const tokenizer = await load(join(FIXTURES, `${name}.tokenizer.json`));
      expectReference(tokenizer, await expectedOf(name), true);
    },
  );

  describe.runIf(existsSync(REAL))('with published tokenizers', () => {
    it.each(['olmo2-dolma2', 'phi-3-mini'])(
      'encodes as the reference implementation does: %s',
      async (name) => {
        const tokenizer = await load(join(REAL, `${name}.tokenizer.json`));
        expectReference(tokenizer, await expectedOf(`real-${name}`), true);
      },
    );
  });
  if (!existsSync(REAL)) console.log(`published tokenizers not tested: ${REAL} is not there`);

  it('marks as special what it adds around the text, and special tokens spelt out in it', async () => {
    const unigram = await load(join(FIXTURES, 'unigram.tokenizer.json'));
    expect([unigram.prefix, unigram.suffix]).toEqual([[1], [2]]);
    const { ids, special } = unigram.encode('water');
    expect([ids[0], ids.at(-1)]).toEqual([1, 2]);
    expect([...special]).toEqual([1, ...Array(ids.length - 2).fill(0), 1]);
    const byteLevel = await load(join(FIXTURES, 'byte-level.tokenizer.json'));
    const spelt = byteLevel.encode('a<|end|>');
    expect([...spelt.special]).toEqual([0, 1]);
    expect([...unigram.encode('').ids]).toEqual([1, 2]);
  });

  it('bos "on" adds the token that tokenizer_config.json names, once; without one it is an error', async () => {
    const config = await scratchFile('config.json', { bos_token: { content: '<|end|>' } });
    const path = join(FIXTURES, 'byte-level.tokenizer.json');
    const named = await load(path, config);
    expect(named.bosId).toBe(0);
    expect([...named.encode('a').special]).toEqual([0]);
    expect([...named.encode('a', { bos: 'on' }).special]).toEqual([1, 0]);
    expect(named.encode('a', { bos: 'on' }).ids[0]).toBe(0);
    const nameless = await load(path);
    expect(() => nameless.encode('a', { bos: 'on' })).toThrow(TokenizerError);

    const llama = await load(
      join(FIXTURES, 'llama2.tokenizer.json'),
      await scratchFile('llama.json', { bos_token: '<s>' }),
    );
    expect([...llama.encode('a', { bos: 'on' }).ids]).toEqual([...llama.encode('a').ids]);
    expect(llama.encode('a', { bos: 'off' }).ids.length).toBe(llama.encode('a').ids.length - 1);
  });

  it('adds the special tokens that transformers adds for the tokenizer class and its configuration', async () => {
    const rows: { tokenizer: string; config: object; ids: number[] }[] = JSON.parse(
      await readFile(join(FIXTURES, 'classes.expected.json'), 'utf8'),
    );
    for (const { tokenizer, config, ids } of rows) {
      const path = await scratchFile('class.json', config);
      const loaded = await load(join(FIXTURES, `${tokenizer}.tokenizer.json`), path);
      expect([config, ...loaded.encode('The water is').ids]).toEqual([config, ...ids]);
    }
  });

  it('decodes no ids to no text', async () => {
    expect((await load(join(FIXTURES, 'llama2.tokenizer.json'))).decode([])).toBe('');
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
    expect(byteLevel.checkRoundTrip(Object.values(unchanged).map(({ text }) => text))).toEqual({
      texts: 14,
      failures: 0,
      first: null,
    });
    const report = byteLevel.checkRoundTrip(['fine', emoji!.text]);
    expect(report).toMatchObject({
      texts: 2,
      failures: 1,
      first: { text: 1, offset: emoji!.text.indexOf('e\u0301') },
    });
    expect(report.first!.found.startsWith('é')).toBe(true);
    const unigram = await load(join(FIXTURES, 'unigram.tokenizer.json'));
    expect(unigram.checkRoundTrip(['water', 'Water']).first).toEqual({
      text: 1,
      offset: 0,
      expected: 'Water',
      found: 'water',
    });
  });
});
