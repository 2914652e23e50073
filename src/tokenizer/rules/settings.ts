import { isObject } from '../../read-json.js';
import {
  type AddedToken,
  addedToken,
  type Fields,
  type NamedToken,
  readAddedToken,
  readNamedToken,
  storedTokens,
  textOf,
} from './added-tokens.js';

/** The JSON files that a tokenizer is set up by. */
export interface TokenizerSources {
  /** tokenizer.json */
  readonly tokenizer: Fields;
  /** tokenizer_config.json; null without one. */
  readonly config: Fields | null;
  /** special_tokens_map.json; null without one. */
  readonly specialTokensMap: Fields | null;
  /** added_tokens.json, ids by token; null without one. */
  readonly addedTokens: Fields | null;
  /** config.json of the model; null where there is none. */
  readonly model: Fields | null;
  /** Names of the files in the folder. */
  readonly names: ReadonlySet<string>;
}

/** Special tokens that every class has, in the order in which they are added. */
export const SPECIAL_TOKENS = [
  'bos_token',
  'eos_token',
  'unk_token',
  'sep_token',
  'pad_token',
  'cls_token',
  'mask_token',
] as const;

export type SpecialToken = (typeof SPECIAL_TOKENS)[number];

/** What the files beside tokenizer.json say, as both versions of transformers merge them. */
export interface Settings {
  /** Fields of tokenizer_config.json, and of special_tokens_map.json where the former lists no added tokens. */
  readonly fields: Fields;
  /** Tokens that are to be added again, by id. */
  readonly added: readonly (readonly [id: number, token: AddedToken])[];
}

/**
 * Merges the files. `added_tokens_decoder` of tokenizer_config.json stands for all others; without it,
 * special_tokens_map.json, added_tokens.json and the added tokens of tokenizer.json are read.
 */
export function readSettings({
  tokenizer,
  config,
  specialTokensMap,
  addedTokens,
}: TokenizerSources): Settings {
  const fields: Record<string, unknown> = { ...config };
  const added = new Map<number, AddedToken>();
  if (isObject(fields.added_tokens_decoder)) {
    for (const [id, value] of Object.entries(fields.added_tokens_decoder)) {
      const token = readAddedToken(value);
      if (token !== null) added.set(Number(id), token);
    }
  } else {
    for (const [key, value] of Object.entries(specialTokensMap ?? {}))
      fields[key] = special(key, value, fields);
    const named = new Set(allSpecial(fields).map(textOf));
    for (const [content, id] of Object.entries(addedTokens ?? {})) {
      const isSpecial = named.has(content);
      if (typeof id === 'number') added.set(id, addedToken(content, { special: isSpecial }));
    }
    for (const { id, ...token } of storedTokens(tokenizer)) added.set(id, token);
  }
  const byText = new Map([...added.values()].map((token) => [token.content, token]));
  for (const key of SPECIAL_TOKENS) {
    const token = readNamedToken(fields[key]);
    if (token !== null) fields[key] = byText.get(textOf(token)) ?? token;
  }
  return { fields, added: [...added].sort(([a], [b]) => a - b) };
}

/** A value of special_tokens_map.json: its tokens are special, and its lists extend those of tokenizer_config.json. */
function special(key: string, value: unknown, fields: Fields): unknown {
  const token = readAddedToken(value);
  if (token !== null) return isObject(value) ? readAddedToken({ ...value, special: true }) : token;
  if (!Array.isArray(value)) return value;
  const known = tokensOf(fields[key]);
  const more = tokensOf(value.map((one: unknown) => (isObject(one) ? { ...one, special: true } : one)));
  return [...known, ...more.filter((one) => !known.some((other) => textOf(other) === textOf(one)))];
}

/** The tokens of a list, whatever else it holds left out. */
export function tokensOf(list: unknown): NamedToken[] {
  return (Array.isArray(list) ? list : []).flatMap((one: unknown) => readNamedToken(one) ?? []);
}

function allSpecial(fields: Fields): NamedToken[] {
  return [
    ...SPECIAL_TOKENS.flatMap((key) => readNamedToken(fields[key]) ?? []),
    ...tokensOf(fields.additional_special_tokens),
    ...tokensOf(fields.extra_special_tokens),
  ];
}
