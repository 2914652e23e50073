import { isObject } from '../../read-json.js';
import { type Fields, modelVocabulary } from './added-tokens.js';
import type { RewrittenTokenizer } from './outcome.js';

/**
 * Names the parts in which two rewritten files may give other ids. What changes no id is left out: decoders, offsets,
 * switches that are off, and the unknown-token of a model that spells every byte.
 */
export function differences(a: RewrittenTokenizer, b: RewrittenTokenizer): string[] {
  const parts: Readonly<Record<string, (json: Fields) => unknown>> = {
    normalizer: ({ normalizer }) => plain(normalizer, 'normalizers'),
    pre_tokenizer: ({ pre_tokenizer }) => plain(pre_tokenizer, 'pretokenizers'),
    model: modelOf,
    'special tokens around a text': ({ post_processor }) => around(post_processor),
    'added tokens': addedOf,
  };
  return Object.entries(parts)
    .filter(([, part]) => JSON.stringify(part(a.json)) !== JSON.stringify(part(b.json)))
    .map(([name]) => name);
}

const WITHOUT_EFFECT = new Set(['trim_offsets']);

/** Fields in the order of their names; a sequence of one is its member, an empty one nothing. */
function plain(component: unknown, members: string): unknown {
  if (!isObject(component)) return component ?? null;
  const inner = component[members];
  if (Array.isArray(inner)) {
    const parts = inner.map((one: unknown) => plain(one, members)).filter((one) => one !== null);
    return parts.length < 2 ? (parts[0] ?? null) : parts;
  }
  return sorted(component);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !WITHOUT_EFFECT.has(key))
      .sort(([x], [y]) => (x < y ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

function modelOf(json: Fields): unknown {
  const { model } = json;
  if (!isObject(model)) return null;
  const { vocab: _, merges: __, type: ___, ...switches } = model;
  const vocabulary = modelVocabulary(json);
  const spellsBytes = model.byte_fallback === true && vocabulary.has('<0x00>') && vocabulary.has('<0xFF>');
  const isByteLevel =
    JSON.stringify(json.pre_tokenizer ?? null).includes('"ByteLevel"') && vocabulary.has('Ā');
  const unknown = ['unk_token', 'unk_id', 'fuse_unk', ...(isByteLevel ? ['byte_fallback'] : [])];
  return Object.entries(switches)
    .filter(([key, value]) => Boolean(value) && !((spellsBytes || isByteLevel) && unknown.includes(key)))
    .sort(([x], [y]) => (x < y ? -1 : 1));
}

/** Ids before and after a text. */
function around(processor: unknown): unknown {
  if (!isObject(processor) || processor.type === 'ByteLevel') return null;
  if (Array.isArray(processor.processors)) {
    const parts = processor.processors.map(around).filter((one) => one !== null);
    return parts.length < 2 ? (parts[0] ?? null) : parts;
  }
  if (processor.type !== 'TemplateProcessing' || !Array.isArray(processor.single)) return sorted(processor);
  const defined = isObject(processor.special_tokens) ? processor.special_tokens : {};
  const pieces = processor.single.map((piece: unknown) => {
    const token = isObject(piece) && isObject(piece.SpecialToken) ? piece.SpecialToken.id : null;
    const entry = typeof token === 'string' && Object.hasOwn(defined, token) ? defined[token] : null;
    return isObject(entry) ? entry.ids : 'text';
  });
  return pieces.length < 2 ? null : pieces;
}

/** The last entry of each token counts. */
function addedOf({ added_tokens: list }: Fields): unknown {
  const tokens = new Map<string, unknown>();
  for (const entry of Array.isArray(list) ? list : [])
    if (isObject(entry)) tokens.set(JSON.stringify(entry.content), sorted(entry));
  return [...tokens].sort(([x], [y]) => (x < y ? -1 : 1));
}
