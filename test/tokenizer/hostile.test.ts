import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TokenizerError } from '../../src/errors.js';
import { loadTokenizer } from '../../src/tokenizer/index.js';
import { LIMITS, Library, LibraryEnd, LibraryRefusal } from '../../src/tokenizer/library.js';
import { babelscopeProcess } from '../support/command-line.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { TINY_PROBES, tinyCheckpoint } from '../support/tiny-checkpoint.js';

type Fields = Record<string, unknown>;

const TINY = JSON.parse(
  readFileSync(join(import.meta.dirname, '../fixtures/tokenizer/tiny.tokenizer.json'), 'utf8'),
) as Fields;

function write(change: Fields, folder = temporaryFolder()): string {
  const path = join(folder, 'tokenizer.json');
  writeFileSync(path, JSON.stringify({ ...TINY, ...change }));
  return path;
}

const load = (change: Fields) =>
  loadTokenizer({ folder: '.', tokenizerJson: write(change), tokenizerConfig: null });

const split = (Regex: string) => ({
  pre_tokenizer: { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false },
});
const replace = (pattern: Fields, content: string) => ({ type: 'Replace', pattern, content });
const sequence = (...normalizers: unknown[]) => ({ normalizer: { type: 'Sequence', normalizers } });

async function refusal(reading: Promise<unknown>): Promise<string> {
  const error = await reading.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(TokenizerError);
  expect((error as Error).message).toContain('tokenizer.json');
  return (error as Error).message;
}

describe('a tokenizer that makes the library end its process', () => {
  test('by a pattern of exponential time: this process lives, and other texts are encoded after it', async () => {
    const tokenizer = await load(split('(a+)+$'));
    const message = await refusal(tokenizer.encode(`hello ${'a'.repeat(40)}!`));
    expect(message).toMatch(/library broke down[\s\S]*retry-limit-in-match over \(SIGABRT\)/);
    expect((await tokenizer.encode('hello')).ids.length).toBeGreaterThan(0);
  });

  test('on the command line: exit 2, with the file', async () => {
    const checkpoint = tinyCheckpoint();
    write(split('(([a-zA-Zа-яіїєґА-Я ,.]+)+)+$'), checkpoint);
    const out = join(temporaryFolder(), 'run');
    const { code, stderr } = await babelscopeProcess([
      'capture',
      checkpoint,
      '--probes',
      TINY_PROBES,
      '--out',
      out,
    ]);
    expect(stderr).toContain(join(checkpoint, 'tokenizer.json'));
    expect(stderr).toContain('the tokenizer library broke down');
    expect(stderr).not.toContain('internal error');
    expect(code).toBe(2);
  });
});

describe('a tokenizer that lets a text grow', () => {
  test.each([
    [
      'threefold by a factor of a thousand',
      sequence(...[1, 2, 3].map(() => replace({ String: 'a' }, 'a'.repeat(1000)))),
    ],
    ['by what a pattern matches between characters', sequence(replace({ Regex: 'x*' }, 'y'.repeat(300)))],
    ['by an empty text', sequence(replace({ String: '' }, 'y'.repeat(300)))],
    [
      'in sequences within each other',
      sequence(sequence(replace({ String: 'a' }, 'a'.repeat(300))).normalizer),
    ],
    [
      'as it is decoded',
      { decoder: { type: 'Sequence', decoders: [1, 2].map(() => replace({ String: 'a' }, 'a'.repeat(30))) } },
    ],
  ])('%s is refused before it does', async (_, change) => {
    expect(await refusal(load(change))).toMatch(/replacements that let it grow to \S+ times/);
  });

  test('as real ones do is read', async () => {
    const tokenizer = await load(sequence(replace({ String: ' ' }, '▁'), { type: 'Prepend', prepend: '▁' }));
    expect((await tokenizer.encode('a a', { bos: 'off' })).ids.length).toBeGreaterThan(2);
  });

  test('in more tokens than its bytes can be', async () => {
    const grows = sequence(replace({ String: 'a' }, 'a'.repeat(200)));
    const tokenizer = await load({ ...grows, model: { ...(TINY.model as Fields), merges: [] } });
    expect(await refusal(tokenizer.encode('a'.repeat(1000)))).toContain('a text of 1000 bytes became');
  });
});

test('normalizers within each other 50,000 deep are refused', async () => {
  const path = join(temporaryFolder(), 'tokenizer.json');
  const open = '{"type":"Sequence","normalizers":[';
  const normalizer = `${open.repeat(50_000)}${']}'.repeat(50_000)}`;
  writeFileSync(path, JSON.stringify(TINY).replace('"normalizer":null', `"normalizer":${normalizer}`));
  const reading = loadTokenizer({ folder: '.', tokenizerJson: path, tokenizerConfig: null });
  expect(await refusal(reading)).toContain('more than 64 deep');
});

describe('the process of the library', () => {
  test('ends where a request takes more memory than its text justifies', async () => {
    const bomb = sequence(...[1, 2, 3].map(() => replace({ String: 'a' }, 'a'.repeat(1000))));
    const library = new Library(JSON.stringify({ ...TINY, ...bomb }));
    await library.load();
    const encoding = library.encode(['a'], false);
    await expect(encoding).rejects.toThrow(LibraryEnd);
    await expect(encoding).rejects.toThrow('more memory than a text of that length justifies');
  });

  test('ends where a request takes more time', async () => {
    // Each of the steps is quadratic in a text that none of them changes.
    const slow = sequence(...Array.from({ length: 60 }, () => replace({ Regex: 'a+b' }, 'c')));
    const limits = { ...LIMITS, milliseconds: { any: 500, megabyteOfJson: 2_000, megabyteOfText: 1_000 } };
    const library = new Library(JSON.stringify({ ...TINY, ...slow }), limits);
    await library.load();
    const encoding = library.encode(['a'.repeat(120_000)], false);
    await expect(encoding).rejects.toThrow('more processor time than a text of that length justifies');
  });

  test('says what the library refuses, and answers in the order of the questions', async () => {
    await expect(new Library('{"model": 1}').load()).rejects.toThrow(LibraryRefusal);
    const library = new Library(JSON.stringify(TINY));
    const asked = [library.load(), library.encode(['a', 'b'], false), library.encode(['a'], true)] as const;
    const [{ vocabSize }, [a, b], [around]] = await Promise.all(asked);
    expect(vocabSize).toBe(97);
    expect(await library.decode([[...a!], [...b!]])).toEqual(['a', 'b']);
    expect([...around!].slice(1)).toEqual([...a!]);
  });

  test('starts again after it has been idle', async () => {
    const library = new Library(JSON.stringify(TINY));
    const [before] = await library.encode(['hello'], false);
    await new Promise((later) => setTimeout(later, 3_000));
    const [after] = await library.encode(['hello'], false);
    expect(after).toEqual(before);
  });
});
