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
import { CLASSES4, type TokenizerClass4 } from './classes4.js';
import { CLASSES5 } from './classes5.js';
import { metaspace, replace, template } from './components.js';
import { CLASS_OF_MODEL_TYPE4, SLOW_MODEL_TYPES4 } from './model-types.js';
import type { Outcome, Refusal } from './outcome.js';
import {
  readSettings,
  type Settings,
  SPECIAL_TOKENS,
  type SpecialToken,
  type TokenizerSources,
  tokensOf,
} from './settings.js';

/**
 * Rewrites a tokenizer.json as `AutoTokenizer` of transformers 4.57 does: its tokenization_auto.py (the class),
 * tokenization_utils_base.py (the files), tokenization_utils_fast.py (added tokens, prefix space) and the class itself.
 */
export function transformers4(sources: TokenizerSources): Outcome {
  const name = className(sources);
  if (typeof name !== 'string') return name;
  const known = CLASSES4.get(name);
  if (known === undefined && (CLASSES5.has(name) || name === 'TokenizersBackend'))
    return { refused: `it has no class ${name}` };
  if (known === undefined) return { refused: `its class ${name}Fast is not known here`, unknown: true };
  const settings = readSettings(sources);
  const { fields } = settings;
  if (known.refusesBos && fields.add_bos_token) return { refused: 'its class cannot add a BOS token' };
  const specials = specialTokens(known, fields, sources.tokenizer);
  const added = addTokens(specials, settings, sources);
  let json: Fields = { ...sources.tokenizer, added_tokens: added.entries };
  if (known.rebuilds !== undefined && fields.add_prefix_space != null) {
    if (known.rebuilds !== 'llama' || !sources.names.has('tokenizer.model'))
      return { refused: 'add_prefix_space makes it convert tokenizer.model, which is not there' };
    json = rebuildLlama(json, fields);
  }
  json = setPrefixSpace(json, 'add_prefix_space' in fields ? fields.add_prefix_space : known.prefixSpace);
  const bos = specials.get('bos_token');
  if (known.ownTemplate !== undefined) {
    const around = ownTemplate(known.ownTemplate, fields, specials, added);
    if ('refused' in around) return around;
    json = { ...json, post_processor: around.template };
  }
  if (known.finish !== undefined) json = known.finish(json, fields);
  return { json, className: `${name}Fast`, bos: bos === undefined ? null : textOf(bos) };
}

/** The class's name without "Fast": of tokenizer_config.json, else of config.json, else of its model type. */
function className({ config, model }: TokenizerSources): string | Refusal {
  const named = config?.tokenizer_class ?? model?.tokenizer_class;
  if (typeof named === 'string') return named.replace(/Fast$/, '');
  const type = model?.model_type;
  if (typeof type !== 'string') return { refused: 'no file names a tokenizer class or a model type' };
  if (SLOW_MODEL_TYPES4.has(type))
    return { refused: `model type ${type} has no fast tokenizer class, and no file names one` };
  const ofType = CLASS_OF_MODEL_TYPE4.get(type);
  return (
    ofType ?? { refused: `it does not know the model type ${type}, and no file names a tokenizer class` }
  );
}

/** Special tokens by name, and those without a name, as the class is created with them. */
class SpecialTokens {
  readonly named: ReadonlyMap<string, NamedToken>;
  readonly unnamed: readonly NamedToken[];
  readonly extra: readonly NamedToken[];

  constructor(
    named: ReadonlyMap<string, NamedToken>,
    unnamed: readonly NamedToken[],
    extra: readonly NamedToken[],
  ) {
    this.named = named;
    this.unnamed = unnamed;
    this.extra = extra;
  }

  get(key: SpecialToken): NamedToken | undefined {
    return this.named.get(key);
  }

  /** All, in the order in which they are added, each text once. */
  get all(): readonly NamedToken[] {
    const seen = new Set<string>();
    return [...this.named.values(), ...this.unnamed, ...this.extra].filter((token) => {
      const isNew = !seen.has(textOf(token));
      seen.add(textOf(token));
      return isNew;
    });
  }
}

function specialTokens(known: TokenizerClass4, fields: Fields, tokenizer: Fields): SpecialTokens {
  const named = new Map<string, NamedToken>();
  const { padding } = tokenizer;
  const ofPadding = isObject(padding) ? { pad_token: padding.pad_token } : {};
  for (const key of SPECIAL_TOKENS) {
    const value = key in fields ? fields[key] : (known.tokens[key] ?? (ofPadding as Fields)[key]);
    const token = readNamedToken(value);
    if (token === null || token === '') continue;
    named.set(key, typeof token === 'string' ? (known.asAdded?.(key, token) ?? token) : token);
  }
  const given = fields.additional_special_tokens;
  const listed = Array.isArray(given) ? tokensOf(given) : null;
  const unnamed = known.more === undefined ? (listed ?? []) : known.more(listed);
  const extra = isObject(fields.extra_special_tokens) ? Object.values(fields.extra_special_tokens) : [];
  return new SpecialTokens(
    named,
    unnamed,
    extra.flatMap((value) => readNamedToken(value) ?? []),
  );
}

/** Those of tokenizer.json, then those of the other files by id, then special tokens that are not yet among them. */
function addTokens(
  specials: SpecialTokens,
  { added }: Settings,
  { tokenizer }: TokenizerSources,
): AddedTokens {
  const tokens = new AddedTokens(modelVocabulary(tokenizer));
  for (const { id: _, ...token } of storedTokens(tokenizer)) tokens.add(token);
  const texts = new Set(specials.all.map(textOf));
  const again = added.map(([, token]) => token);
  const isThere = (token: NamedToken) =>
    typeof token === 'string'
      ? tokens.has(token) || again.some(({ content }) => content === token)
      : again.some((other) => sameToken(other, token));
  const rest = specials.all.filter((token) => !isThere(token));
  for (const token of [...again, ...rest]) {
    if (typeof token === 'string') tokens.add(addedToken(token, { special: true }));
    else tokens.add({ ...token, special: token.special || texts.has(token.content) });
  }
  return tokens;
}

/** A byte-level pre-tokenizer that is no member of a sequence follows `add_prefix_space`. */
function setPrefixSpace(json: Fields, wanted: unknown): Fields {
  const { pre_tokenizer: own } = json;
  if (!isObject(own) || typeof own.add_prefix_space !== 'boolean' || typeof wanted !== 'boolean') return json;
  return { ...json, pre_tokenizer: { ...own, add_prefix_space: wanted } };
}

/** Normalizer and pre-tokenizer that LlamaConverter builds (convert_slow_tokenizer.py); the vocabulary is tokenizer.json's. */
function rebuildLlama(json: Fields, { add_prefix_space: prefix, legacy }: Fields): Fields {
  const spaces = replace({ String: ' ' }, '▁');
  if (legacy === false)
    return {
      ...json,
      normalizer: null,
      pre_tokenizer: metaspace(prefix === true ? 'first' : 'never', false),
    };
  const normalizers = prefix === true ? [{ type: 'Prepend', prepend: '▁' }, spaces] : [spaces];
  return { ...json, normalizer: { type: 'Sequence', normalizers }, pre_tokenizer: null };
}

function ownTemplate(
  bosByDefault: boolean,
  fields: Fields,
  specials: SpecialTokens,
  added: AddedTokens,
): { readonly template: Fields } | Refusal {
  const asked = { bos_token: fields.add_bos_token, eos_token: fields.add_eos_token };
  const around = {
    bos_token: asked.bos_token === undefined ? bosByDefault : Boolean(asked.bos_token),
    eos_token: Boolean(asked.eos_token),
  };
  const pieces: Record<'bos_token' | 'eos_token', { content: string; id: number }[]> = {
    bos_token: [],
    eos_token: [],
  };
  for (const key of ['bos_token', 'eos_token'] as const) {
    if (!around[key]) continue;
    const token = specials.get(key);
    if (token === undefined) return { refused: `add_${key} is true, and there is no ${key}` };
    const content = textOf(token);
    pieces[key].push({ content, id: added.id(content)! });
  }
  return { template: template(pieces.bos_token, pieces.eos_token) };
}
