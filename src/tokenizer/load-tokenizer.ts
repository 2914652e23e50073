import { readdir, readFile } from 'node:fs/promises';
import { Tokenizer as HubTokenizer } from '@huggingface/tokenizers';
import { TokenizerError } from '../errors.js';
import { specialToken, templateOfClass } from './template.js';

/** The files of a checkpoint that a tokenizer is read from; an opened checkpoint is one. */
export interface TokenizerFiles {
  readonly folder: string;
  readonly tokenizerJson: string | null;
  readonly tokenizerConfig: string | null;
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
  /** 1 where the token is special: added around the text, or a special token spelt out in it. Length of `ids`. */
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
  /**
   * Parts of tokenizer.json that the tokenizer library only approximates, so that ids may differ from those the
   * model was trained with; empty for the tokenizers of all supported model families.
   */
  readonly approximated: readonly string[];
  encode(text: string, options?: EncodeOptions): EncodedText;
  /** The text of the tokens, special ones spelt out. */
  decode(ids: ArrayLike<number>): string;
  /** The token as it stands in the vocabulary; undefined for an id outside it. */
  token(id: number): string | undefined;
  /**
   * Encodes and decodes texts and tells how many come back changed. Tokenizers that normalise (NFKC, lower case)
   * change texts by design, so this reports and does not throw.
   */
  checkRoundTrip(texts: Iterable<string>): RoundTripReport;
}

const DOWNLOAD = "download the checkpoint's tokenizer.json into the folder";

/**
 * Reads a checkpoint's `tokenizer.json`.
 *
 * @throws TokenizerError if it is missing, malformed, or uses something the tokenizer library does not know.
 */
export async function loadTokenizer(files: TokenizerFiles): Promise<Tokenizer> {
  const path = files.tokenizerJson ?? (await failMissing(files.folder));
  const json = await readJson(path);
  const config = files.tokenizerConfig === null ? {} : await readJson(files.tokenizerConfig);
  const template = templateOfClass(json, config);
  if (template !== null) json.post_processor = template;
  let library: HubTokenizer;
  try {
    library = new HubTokenizer(json, config);
  } catch (cause) {
    throw new TokenizerError(
      {
        what: 'the tokenizer cannot be built',
        where: path,
        found: cause instanceof Error ? cause.message : String(cause),
        remedy: 'check that the file is the tokenizer.json of the tokenizers library; download it again',
      },
      { cause },
    );
  }
  return wrap(library, json, config, path);
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

async function readJson(path: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
  } catch (cause) {
    throw unusable(path, cause);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw unusable(path, cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw unusable(path, new Error('not a JSON object'));
  }
  return value as Record<string, unknown>;
}

function unusable(path: string, cause: unknown): TokenizerError {
  return new TokenizerError(
    {
      what: 'the file cannot be read as JSON',
      where: path,
      expected: 'a JSON object in UTF-8',
      found: cause instanceof Error ? cause.message : String(cause),
      remedy: 'download the file again',
    },
    { cause },
  );
}

/** Text that every tokenizer encodes to at least one token, to see what it puts around it. */
const PROBE_TEXT = 'a';

function wrap(
  library: HubTokenizer,
  json: Readonly<Record<string, unknown>>,
  config: Readonly<Record<string, unknown>>,
  path: string,
): Tokenizer {
  const core = (text: string, add_special_tokens: boolean): number[] => {
    const { ids, tokens } = library.encode(text, { add_special_tokens });
    const unknown = ids.findIndex((id: unknown) => !Number.isInteger(id));
    if (unknown >= 0) {
      throw new TokenizerError({
        what: 'the vocabulary has no entry for a piece of the text, and no unknown-token',
        where: path,
        found: JSON.stringify(tokens[unknown]),
        remedy: 'check that tokenizer.json belongs to the checkpoint',
      });
    }
    return ids;
  };
  const { prefix, suffix } = tokensAround(core(PROBE_TEXT, false), core(PROBE_TEXT, true), path);
  const added = library.get_added_tokens_decoder();
  const specialIds = new Set([...prefix, ...suffix]);
  for (const [id, token] of added) if (token.special) specialIds.add(id);
  const bosId = specialToken(json, config, 'bos_token')?.id ?? null;
  let vocabSize = 0;
  for (const id of library.get_vocab(true).values()) vocabSize = Math.max(vocabSize, id + 1);

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
    approximated: usesCompiledMap(json.normalizer) ? ['normalizer Precompiled (taken for NFKC)'] : [],
    encode(text, { bos = 'auto' } = {}) {
      const before = bos === 'off' ? [] : bos === 'on' ? withBos() : prefix;
      const after = bos === 'off' ? [] : suffix;
      const ids = Int32Array.from([...before, ...core(text, false), ...after]);
      const special = Uint8Array.from(ids, (id, position) =>
        position < before.length || position >= ids.length - after.length || specialIds.has(id) ? 1 : 0,
      );
      return { ids, special };
    },
    decode(ids) {
      // The library refuses an empty list.
      if (ids.length === 0) return '';
      return library.decode(Array.from(ids), { clean_up_tokenization_spaces: false });
    },
    token: (id) => library.id_to_token(id),
    checkRoundTrip(texts) {
      let count = 0;
      let failures = 0;
      let first: RoundTripFailure | null = null;
      for (const text of texts) {
        const back = tokenizer.decode(tokenizer.encode(text, { bos: 'off' }).ids);
        if (back !== text) {
          failures++;
          first ??= { text: count, ...difference(text, back) };
        }
        count++;
      }
      return { texts: count, failures, first };
    },
  };
  return tokenizer;
}

/** Whether a normalizer, or one in its sequence, is a SentencePiece character map compiled into a trie. */
function usesCompiledMap(normalizer: unknown): boolean {
  if (typeof normalizer !== 'object' || normalizer === null) return false;
  const { type, normalizers } = normalizer as Record<string, unknown>;
  return type === 'Precompiled' || (Array.isArray(normalizers) && normalizers.some(usesCompiledMap));
}

/** What a tokenizer puts before and after a text, seen on one text. */
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
