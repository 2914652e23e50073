import { isObject } from '../../read-json.js';
import {
  AddedTokens,
  addedToken,
  type Fields,
  modelVocabulary,
  type NamedToken,
  readNamedToken,
  sameToken,
  storedTokens,
  textOf,
} from './added-tokens.js';
import { CLASSES4 } from './classes4.js';
import { BACKENDS5, CLASSES5, hasByteLevel } from './classes5.js';
import { CLASS_OF_MODEL_TYPE5, WRONG_CLASS_ON_HUB5 } from './model-types.js';
import type { Outcome, Refusal } from './outcome.js';
import {
  readSettings,
  SPECIAL_TOKENS,
  type SpecialToken,
  type TokenizerSources,
  tokensOf,
} from './settings.js';

/**
 * Rewrites a tokenizer.json as `AutoTokenizer` of transformers 5.24 does: its tokenization_auto.py (the class),
 * tokenization_utils_base.py (the files), tokenization_utils_tokenizers.py (added tokens) and the class itself.
 * `add_bos_token`, `add_eos_token`, and `add_prefix_space` of classes that take tokenizer.json as it is, change nothing.
 */
export function transformers5(sources: TokenizerSources): Outcome {
  const name = className(sources);
  if (typeof name !== 'string') return name;
  const { tokenizer } = sources;
  const { fields: merged, added } = readSettings(sources);
  const fields = withoutDeprecated(merged, sources.config);
  const own = CLASSES5.get(name);
  const specials = specialTokens(own?.tokens ?? {}, fields, tokenizer);
  const tokens = new AddedTokens(modelVocabulary(tokenizer));
  let json: Fields = tokenizer;
  if (own === undefined) {
    for (const { id: _, ...token } of storedTokens(tokenizer)) tokens.add(token);
  } else {
    const { model } = tokenizer;
    if (!isObject(model) || model.type !== 'BPE')
      return { refused: `its class ${name} makes a BPE model of another kind`, unknown: true };
    const unk = specials.named.get('unk_token');
    const parts = own.build(model, fields, unk === undefined ? null : textOf(unk));
    if (parts === null) return { refused: 'add_prefix_space is neither true nor false' };
    json = { ...tokenizer, ...parts, ...(own.dropsTemplate && { post_processor: null }) };
  }
  addTokens(
    tokens,
    specials,
    added.map(([, token]) => token),
  );
  if (own?.specialsAgain) {
    for (const token of specials.all) tokens.add(addedToken(textOf(token), { special: true }));
  }
  const bos = specials.named.get('bos_token');
  return {
    json: { ...json, added_tokens: tokens.entries },
    className: own === undefined ? 'TokenizersBackend' : name,
    bos: bos === undefined ? null : textOf(bos),
  };
}

/** The class's name; BACKENDS5 become TokenizersBackend. */
function className({ config, model, tokenizer }: TokenizerSources): string | Refusal {
  const named = config?.tokenizer_class ?? model?.tokenizer_class;
  const type = typeof model?.model_type === 'string' ? model.model_type : null;
  const ofType = type === null ? undefined : CLASS_OF_MODEL_TYPE5.get(type);
  if (typeof named !== 'string') {
    if (type === null) return { refused: 'no file names a tokenizer class or a model type' };
    return known(ofType ?? 'TokenizersBackend');
  }
  const name = named.replace(/Fast$/, '');
  const isWrong = type !== null && WRONG_CLASS_ON_HUB5.has(type);
  if (name === 'LlamaTokenizer' && !isWrong && hasByteLevel(tokenizer)) return 'TokenizersBackend';
  if (ofType !== undefined && ofType !== name) {
    if (BACKENDS5.has(ofType)) return 'TokenizersBackend';
    return known(isWrong ? ofType : name);
  }
  return known(name);
}

function known(name: string): string | Refusal {
  if (BACKENDS5.has(name)) return 'TokenizersBackend';
  if (CLASSES5.has(name)) return name;
  // A name that transformers does not know stands for tokenizer.json as it is; which names it knows is known here of these.
  const isClass = CLASSES4.has(name) || [...CLASS_OF_MODEL_TYPE5.values()].includes(name);
  if (isClass) return { refused: `its class ${name} is not known here`, unknown: true };
  return 'TokenizersBackend';
}

/** `additional_special_tokens` is called `extra_special_tokens` since version 5. */
function withoutDeprecated(merged: Fields, config: Fields | null): Fields {
  const { additional_special_tokens: old, ...fields } = merged;
  const has = (value: unknown) => (Array.isArray(value) ? value.length > 0 : isObject(value));
  if (old === undefined || has(config?.extra_special_tokens) || has(fields.extra_special_tokens))
    return fields;
  return { ...fields, extra_special_tokens: old };
}

interface Specials {
  readonly named: ReadonlyMap<string, NamedToken>;
  readonly extra: readonly NamedToken[];
  readonly all: readonly NamedToken[];
}

function specialTokens(
  defaults: Partial<Record<SpecialToken, NamedToken>>,
  fields: Fields,
  { padding }: Fields,
): Specials {
  const named = new Map<string, NamedToken>();
  const ofPadding: Fields = isObject(padding) ? { pad_token: padding.pad_token } : {};
  for (const key of SPECIAL_TOKENS) {
    const token = readNamedToken(key in fields ? fields[key] : (defaults[key] ?? ofPadding[key]));
    if (token !== null && token !== '') named.set(key, token);
  }
  const { extra_special_tokens: listed } = fields;
  for (const [key, value] of [
    ...Object.entries(fields),
    ...(isObject(listed) ? Object.entries(listed) : []),
  ]) {
    const isOther = key.endsWith('_token') || (isObject(listed) && key in listed);
    if (!isOther || named.has(key) || (SPECIAL_TOKENS as readonly string[]).includes(key)) continue;
    const token = readNamedToken(value);
    if (token !== null) named.set(key, token);
  }
  const extra = tokensOf(listed);
  return { named, extra, all: [...named.values(), ...extra] };
}

/** Tokens of the files by id, then special tokens that are not yet among them. */
function addTokens(
  tokens: AddedTokens,
  { named, extra }: Specials,
  again: readonly (NamedToken & object)[],
): void {
  const texts = new Set([...named.values()].map(textOf));
  const isThere = (token: NamedToken) =>
    tokens.has(textOf(token)) ||
    again.some((other) => other.content === textOf(token) || sameToken(other, token));
  const rest = [...named.values(), ...extra].filter((token) => !isThere(token));
  for (const token of [...again, ...rest]) {
    if (typeof token === 'string') tokens.add(addedToken(token, { special: true }));
    else tokens.add({ ...token, special: token.special || texts.has(token.content) });
  }
}
