import { isObject } from '../../read-json.js';
import type { Fields } from './added-tokens.js';

/** Parts of a tokenizer.json, as the tokenizers library writes them. */

export function byteLevel(addPrefixSpace: boolean, useRegex = true): Fields {
  return { type: 'ByteLevel', add_prefix_space: addPrefixSpace, trim_offsets: true, use_regex: useRegex };
}

export function metaspace(prependScheme: 'always' | 'first' | 'never', split: boolean): Fields {
  return { type: 'Metaspace', replacement: '▁', prepend_scheme: prependScheme, split };
}

export function split(pattern: Fields, behavior: string): Fields {
  return { type: 'Split', pattern, behavior, invert: false };
}

export function replace(pattern: Fields, content: string): Fields {
  return { type: 'Replace', pattern, content };
}

export const NFC: Fields = { type: 'NFC' };

/** A byte-pair model with the vocabulary and merges of another, and none of its switches. */
export function bytePairs({ vocab, merges }: Fields, switches: Fields = {}): Fields {
  return {
    type: 'BPE',
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: false,
    ignore_merges: false,
    ...switches,
    vocab,
    merges,
  };
}

export interface IdOfToken {
  readonly content: string;
  readonly id: number;
}

/** A post-processor that puts tokens before and after a text. */
export function template(before: readonly IdOfToken[], after: readonly IdOfToken[]): Fields {
  const piece = ({ content }: IdOfToken) => ({ SpecialToken: { id: content, type_id: 0 } });
  return {
    type: 'TemplateProcessing',
    single: [...before.map(piece), { Sequence: { id: 'A', type_id: 0 } }, ...after.map(piece)],
    pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
    special_tokens: Object.fromEntries(
      [...before, ...after].map(({ content, id }) => [
        content,
        { id: content, ids: [id], tokens: [content] },
      ]),
    ),
  };
}

/** A component with `change` done to each of its members that is no sequence itself. */
export function mapComponents(component: unknown, members: string, change: (one: Fields) => Fields): unknown {
  if (!isObject(component)) return component;
  const inner = component[members];
  if (!Array.isArray(inner)) return change(component);
  return { ...component, [members]: inner.map((one) => mapComponents(one, members, change)) };
}
