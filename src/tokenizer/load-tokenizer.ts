import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TokenizerError } from '../errors.js';
import { readJsonObject } from '../read-json.js';
import { checkTokenizerJson } from './check-tokenizer-json.js';
import { Library, LibraryEnd, LibraryRefusal } from './library.js';
import type { LoadedTokenizer } from './protocol.js';
import {
  type FollowedTokenizer,
  followTransformers,
  type TokenizerRules,
  type Version,
} from './rules/index.js';

/** The files of a checkpoint that a tokenizer is read from; an opened checkpoint is one. */
export interface TokenizerFiles {
  readonly folder: string;
  readonly tokenizerJson: string | null;
  readonly tokenizerConfig: string | null;
  /** config.json: its `tokenizer_class` or `model_type` may say which class sets the tokenizer up. */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
  /** The version of transformers to follow. Default: the one that saved the tokenizer. */
  readonly rules?: Version | undefined;
}

export interface EncodeOptions {
  /**
   * Special tokens around the text: `auto` (the default) as the checkpoint's own tokenizer adds them, `on` with a
   * beginning-of-sequence token even if it adds none, `off` none at all.
   */
  readonly bos?: 'auto' | 'on' | 'off';
}

export interface EncodedText {
  readonly ids: Int32Array;
  /**
   * 1 where the token is special: added around the text, or a special token spelt out in it; an unknown-token is not.
   * Length of `ids`.
   */
  readonly special: Uint8Array;
}

/** Where a text first differs after encoding and decoding. */
export interface RoundTripFailure {
  /** Index into the texts that were given. */
  readonly text: number;
  /** UTF-16 offset of the first difference. */
  readonly offset: number;
  /** Up to 20 characters from there, as given and as they come back. */
  readonly expected: string;
  readonly found: string;
}

export interface RoundTripReport {
  readonly texts: number;
  readonly failures: number;
  readonly first: RoundTripFailure | null;
  /** Characters (code points) that come back less often than they were given, the most often lost first. */
  readonly lost: readonly string[];
}

/** A checkpoint's tokenizer. */
export interface Tokenizer {
  /** Ids run from 0 to `vocabSize` − 1, added tokens included. */
  readonly vocabSize: number;
  /** Beginning-of-sequence token of the checkpoint; null if it has none. */
  readonly bosId: number | null;
  /** Tokens that `bos: 'auto'` puts before and after a text. */
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
  /** The version of transformers whose rules it follows, and where the other version differs. */
  readonly rules: TokenizerRules;
  /** Warnings that a run with it should print. */
  readonly warnings: readonly string[];
  /** The special tokens that `encode` puts before and after a text. */
  around(options?: EncodeOptions): { readonly before: readonly number[]; readonly after: readonly number[] };
  encode(text: string, options?: EncodeOptions): Promise<EncodedText>;
  /** As `encode`, in the order of `texts`; many texts at once are faster. */
  encodeAll(texts: readonly string[], options?: EncodeOptions): Promise<EncodedText[]>;
  /** The text of the tokens, special ones spelt out. */
  decode(ids: ArrayLike<number>): Promise<string>;
  /** The token as it stands in the vocabulary; undefined for an id outside it. */
  token(id: number): string | undefined;
  /**
   * Encodes and decodes texts and tells how many come back changed. Tokenizers that normalise (NFKC, lower case)
   * change texts by design, so this reports and does not throw.
   */
  checkRoundTrip(texts: readonly string[]): Promise<RoundTripReport>;
}

const DOWNLOAD = "download the checkpoint's tokenizer.json into the folder";

/**
 * Reads a checkpoint's `tokenizer.json` with the library that wrote it (the Node binding of the Rust `tokenizers`, which
 * Python's is too), set up by the files beside it as `AutoTokenizer` of transformers does, so that ids are those the model
 * was trained with. Truncation and padding that the file asks for are switched off, as transformers does.
 *
 * @throws TokenizerError if it is missing, malformed, or uses something the tokenizer library does not know; if it is not
 *   known how transformers sets it up
 */
export async function loadTokenizer(files: TokenizerFiles): Promise<Tokenizer> {
  const path = files.tokenizerJson ?? (await failMissing(files.folder));
  const folder = dirname(path);
  const names = new Set(await readdir(folder).catch((): string[] => []));
  const read = (file: string) => readJsonObject(file, DOWNLOAD, TokenizerError);
  const readBeside = async (name: string) => (names.has(name) ? await read(join(folder, name)) : null);
  const stored = await read(path);
  checkTokenizerJson(stored, path);
  const sources = {
    tokenizer: stored,
    config: files.tokenizerConfig === null ? null : await read(files.tokenizerConfig),
    specialTokensMap: await readBeside('special_tokens_map.json'),
    addedTokens: await readBeside('added_tokens.json'),
    model: files.config ?? null,
    names,
  };
  const { json, ...followed } = followTransformers(sources, files.tokenizerConfig ?? path, files.rules);
  checkTokenizerJson(json, path);
  const library = new Library(JSON.stringify(json));
  const loaded = await library.load().catch((cause: unknown) => {
    const remedy = 'check that the file is the tokenizer.json of the tokenizers library; download it again';
    throw failure(cause, 'the tokenizer cannot be built', path, remedy);
  });
  return await wrap(library, loaded, json, followed, path);
}

/** An error of the library as one of ours. */
function failure(cause: unknown, what: string, where: string, remedy: string): unknown {
  if (cause instanceof LibraryEnd) {
    return new TokenizerError(
      {
        what: `${what}: the tokenizer library broke down`,
        where,
        found: cause.message,
        remedy: 'the file is damaged or made to do harm: download it again from where you trust it',
      },
      { cause },
    );
  }
  return cause instanceof LibraryRefusal
    ? new TokenizerError({ what, where, found: cause.message, remedy }, { cause })
    : cause;
}

async function failMissing(folder: string): Promise<never> {
  const names = await readdir(folder).catch((): string[] => []);
  const sentencePiece = names.find((name) => name.endsWith('.model'));
  const vocabulary = names.includes('vocab.json') && names.includes('merges.txt');
  const convert =
    'convert it once with AutoTokenizer.from_pretrained(folder, use_fast=True).save_pretrained(folder), ' +
    'which writes tokenizer.json';
  throw new TokenizerError({
    what: 'there is no tokenizer.json in the folder',
    where: folder,
    expected: 'tokenizer.json, as the tokenizers library writes it',
    ...(sentencePiece !== undefined
      ? { found: `only ${sentencePiece} (SentencePiece)`, remedy: convert }
      : vocabulary
        ? { found: 'only vocab.json and merges.txt', remedy: convert }
        : { remedy: DOWNLOAD }),
  });
}

/** Text that every tokenizer encodes to at least one token, to see what it puts around it. */
const PROBE_TEXT = 'a';

async function wrap(
  library: Library,
  { vocabulary, vocabSize }: LoadedTokenizer,
  json: Readonly<Record<string, unknown>>,
  { bos, rules, warnings }: Omit<FollowedTokenizer, 'json'>,
  path: string,
): Promise<Tokenizer> {
  const refuse = (what: string) => (cause: unknown) => {
    throw failure(cause, what, path, 'check that tokenizer.json belongs to the checkpoint');
  };
  const encodeTexts = (texts: readonly string[], addSpecialTokens: boolean) =>
    library.encode(texts, addSpecialTokens).catch(refuse('the tokenizer cannot encode a text'));
  const decodeIds = (ids: readonly (readonly number[])[]) =>
    library.decode(ids).catch(refuse('the tokenizer cannot decode ids'));
  const [bare] = await encodeTexts([PROBE_TEXT], false);
  const [full] = await encodeTexts([PROBE_TEXT], true);
  const { prefix, suffix } = tokensAround([...bare!], [...full!], path);
  const specialIds = new Set([...prefix, ...suffix, ...markedSpecial(json)]);
  const bosId = bos === null ? null : idOf(json, bos);
  let tokens: Map<number, string> | undefined;
  const tokensById = () =>
    new Map(
      Object.entries(JSON.parse(vocabulary) as Record<string, number>).map(([token, id]) => [id, token]),
    );

  const withBos = (): readonly number[] => {
    if (bosId === null) {
      throw new TokenizerError({
        what: 'the tokenizer has no beginning-of-sequence token to add',
        where: path,
        expected: 'bos_token in tokenizer_config.json',
        remedy: 'use --bos auto, which adds what the checkpoint was trained with',
      });
    }
    return prefix[0] === bosId ? prefix : [bosId, ...prefix];
  };

  const tokenizer: Tokenizer = {
    vocabSize,
    bosId,
    prefix,
    suffix,
    rules,
    warnings,
    async encode(text, options) {
      return (await tokenizer.encodeAll([text], options))[0]!;
    },
    around({ bos = 'auto' } = {}) {
      if (bos === 'off') return { before: [], after: [] };
      return { before: bos === 'on' ? withBos() : prefix, after: suffix };
    },
    async encodeAll(texts, options) {
      const { before, after } = tokenizer.around(options);
      return (await encodeTexts(texts, false)).map((own) => {
        const ids = new Int32Array(before.length + own.length + after.length);
        ids.set(before);
        ids.set(own, before.length);
        ids.set(after, before.length + own.length);
        const special = Uint8Array.from(ids, (id, position) =>
          position < before.length || position >= ids.length - after.length || specialIds.has(id) ? 1 : 0,
        );
        return { ids, special };
      });
    },
    decode: async (ids) => (await decodeIds([Array.from(ids)]))[0]!,
    token(id) {
      tokens ??= tokensById();
      return tokens.get(id);
    },
    async checkRoundTrip(texts) {
      const encoded = await encodeTexts(texts, false);
      const decoded = await decodeIds(encoded.map((ids) => [...ids]));
      const changed = [...texts.keys()].filter((i) => decoded[i] !== texts[i]);
      const [text] = changed;
      return {
        texts: texts.length,
        failures: changed.length,
        first: text === undefined ? null : { text, ...difference(texts[text]!, decoded[text]!) },
        lost: lostCharacters(changed.map((i) => [texts[i]!, decoded[i]!])),
      };
    },
  };
  return tokenizer;
}

/**
 * Ids of the added tokens that are special, whether a text is put between them or spells them out. The unknown-token is
 * not among them: it stands for a piece of the text.
 */
function markedSpecial({ added_tokens: added, model }: Readonly<Record<string, unknown>>): number[] {
  if (!Array.isArray(added)) return [];
  const { unk_token, unk_id } = model as { unk_token?: unknown; unk_id?: unknown };
  return added.flatMap((token: { id?: unknown; content?: unknown; special?: unknown }) =>
    token.special === true &&
    typeof token.id === 'number' &&
    token.id !== unk_id &&
    (token.content !== unk_token || unk_token == null)
      ? [token.id]
      : [],
  );
}

/** The id of an added token. */
function idOf({ added_tokens: added }: Readonly<Record<string, unknown>>, content: string): number | null {
  if (!Array.isArray(added)) return null;
  const token = added.find((one: { content?: unknown }) => one.content === content);
  return typeof token?.id === 'number' ? token.id : null;
}

/** The tokens that a tokenizer puts before and after a text, seen on one text. */
function tokensAround(
  bare: readonly number[],
  full: readonly number[],
  path: string,
): { prefix: readonly number[]; suffix: readonly number[] } {
  for (let start = 0; start + bare.length <= full.length; start++) {
    if (bare.every((id, i) => full[start + i] === id)) {
      return { prefix: full.slice(0, start), suffix: full.slice(start + bare.length) };
    }
  }
  throw new TokenizerError({
    what: 'the tokenizer changes the text when it adds special tokens',
    where: path,
    found: `[${bare.join(', ')}] became [${full.join(', ')}]`,
    remedy: 'this kind of post-processor is not supported',
  });
}

/** Characters shown of a text that does not come back. */
const SHOWN_CHARACTERS = 20;

function difference(expected: string, found: string): Omit<RoundTripFailure, 'text'> {
  let offset = 0;
  while (offset < expected.length && expected[offset] === found[offset]) offset++;
  const shown = (text: string) => text.slice(offset, offset + SHOWN_CHARACTERS);
  return { offset, expected: shown(expected), found: shown(found) };
}

function lostCharacters(pairs: readonly (readonly [given: string, back: string])[]): string[] {
  const lost = new Map<string, number>();
  for (const [given, back] of pairs) {
    const missing = new Map<string, number>();
    for (const character of given) missing.set(character, (missing.get(character) ?? 0) + 1);
    for (const character of back) missing.set(character, (missing.get(character) ?? 0) - 1);
    for (const [character, times] of missing) {
      if (times > 0) lost.set(character, (lost.get(character) ?? 0) + times);
    }
  }
  const byCodePoint = (a: string, b: string) => a.codePointAt(0)! - b.codePointAt(0)!;
  return [...lost].sort(([a, m], [b, n]) => n - m || byCodePoint(a, b)).map(([character]) => character);
}
