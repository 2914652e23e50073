import { isObject } from '../../read-json.js';
import { addedToken, type Fields, type NamedToken } from './added-tokens.js';
import { mapComponents } from './components.js';
import type { SpecialToken } from './settings.js';

/** What a fast tokenizer class of transformers 4.57 does to a tokenizer.json. */
export interface TokenizerClass4 {
  /** Special tokens it has where no file names them; an empty text is none, whatever the padding of tokenizer.json names. */
  readonly tokens: Partial<Record<SpecialToken, NamedToken>>;
  /** `add_prefix_space` where no file gives it; null leaves the pre-tokenizer alone. */
  readonly prefixSpace: boolean | null;
  /** Builds its own post-processor of BOS and EOS; the value is its `add_bos_token` where no file gives it. */
  readonly ownTemplate?: boolean;
  /** More special tokens it adds, given those that the files name. */
  readonly more?: (named: readonly NamedToken[] | null) => readonly NamedToken[];
  /** A special token named as text becomes this. */
  readonly asAdded?: (key: SpecialToken, content: string) => NamedToken;
  /** `add_prefix_space` makes it build normalizer and pre-tokenizer anew, which needs tokenizer.model. */
  readonly rebuilds?: 'llama' | 'never';
  /** It cannot be created where a file sets `add_bos_token`. */
  readonly refusesBos?: true;
  /** Changes of its own at the end. */
  readonly finish?: (json: Fields, fields: Fields) => Fields;
}

const ENDOFTEXT = '<|endoftext|>';
const SENTENCE = { bos_token: '<s>', eos_token: '</s>' };
const XLM = { ...SENTENCE, sep_token: '</s>', cls_token: '<s>', unk_token: '<unk>', pad_token: '<pad>' };
const GPT2 = { unk_token: ENDOFTEXT, bos_token: ENDOFTEXT, eos_token: ENDOFTEXT };
const MADE_UP = Array.from({ length: 7 }, (_, i) => `<madeupword${i}>`);
const EXTRA_IDS = Array.from({ length: 100 }, (_, i) => `<extra_id_${i}>`);
const INFILLING = ['▁<PRE>', '▁<MID>', '▁<SUF>', '▁<EOT>'];

const CLASSES: Readonly<Record<string, TokenizerClass4>> = {
  PreTrainedTokenizer: { tokens: {}, prefixSpace: false },
  LlamaTokenizer: {
    tokens: { unk_token: '<unk>', ...SENTENCE },
    prefixSpace: null,
    ownTemplate: true,
    rebuilds: 'llama',
  },
  CodeLlamaTokenizer: {
    tokens: { unk_token: '<unk>', ...SENTENCE },
    prefixSpace: false,
    ownTemplate: true,
    more: (named) => [...(named ?? []), ...INFILLING],
  },
  GemmaTokenizer: {
    tokens: { unk_token: '<unk>', bos_token: '<bos>', eos_token: '<eos>', pad_token: '<pad>' },
    prefixSpace: false,
    ownTemplate: true,
  },
  CohereTokenizer: {
    tokens: { unk_token: '<UNK>', bos_token: '<BOS_TOKEN>', eos_token: '<|END_OF_TURN_TOKEN|>' },
    prefixSpace: false,
    ownTemplate: true,
    finish: prefixEverywhere,
  },
  BloomTokenizer: {
    tokens: { unk_token: '<unk>', ...SENTENCE, pad_token: '<pad>' },
    prefixSpace: false,
    finish: prefixEverywhere,
  },
  GPTNeoXTokenizer: { tokens: { ...GPT2, pad_token: '' }, prefixSpace: false, ownTemplate: false },
  GPT2Tokenizer: { tokens: GPT2, prefixSpace: false },
  CodeGenTokenizer: { tokens: GPT2, prefixSpace: false, refusesBos: true },
  Qwen2Tokenizer: {
    tokens: { unk_token: ENDOFTEXT, eos_token: ENDOFTEXT, pad_token: ENDOFTEXT },
    prefixSpace: false,
    asAdded: (key, content) =>
      ['bos_token', 'eos_token', 'unk_token', 'pad_token'].includes(key)
        ? addedToken(content, { special: true })
        : content,
  },
  XGLMTokenizer: {
    tokens: XLM,
    prefixSpace: false,
    more: (named) => [...(named ?? []), ...MADE_UP.filter((word) => !(named ?? []).includes(word))],
  },
  XLMRobertaTokenizer: {
    tokens: { ...XLM, mask_token: '<mask>' },
    prefixSpace: false,
    asAdded: (key, content) => (key === 'mask_token' ? addedToken(content, { lstrip: true }) : content),
  },
  RobertaTokenizer: {
    tokens: { ...XLM, mask_token: '<mask>' },
    prefixSpace: false,
    asAdded: (key, content) =>
      key === 'mask_token' ? addedToken(content, { lstrip: true, normalized: false }) : content,
  },
  T5Tokenizer: {
    tokens: { eos_token: '</s>', unk_token: '<unk>', pad_token: '<pad>' },
    prefixSpace: null,
    rebuilds: 'never',
    more: extraIds,
  },
  BertTokenizer: {
    tokens: {
      unk_token: '[UNK]',
      sep_token: '[SEP]',
      pad_token: '[PAD]',
      cls_token: '[CLS]',
      mask_token: '[MASK]',
    },
    prefixSpace: false,
    finish: bertNormalizer,
  },
};

/** Classes by name, without "Fast". A class that is not here is refused. */
export const CLASSES4: ReadonlyMap<string, TokenizerClass4> = new Map([
  ...Object.entries(CLASSES),
  // These differ from another in name alone.
  ['MT5Tokenizer', CLASSES.T5Tokenizer!],
  ['DistilBertTokenizer', CLASSES.BertTokenizer!],
  ['ElectraTokenizer', CLASSES.BertTokenizer!],
]);

function extraIds(named: readonly NamedToken[] | null): readonly NamedToken[] {
  if (named === null) return EXTRA_IDS;
  const has = named.some((token) =>
    (typeof token === 'string' ? token : token.content).includes('<extra_id_'),
  );
  return has ? named : [...named, ...EXTRA_IDS];
}

/** Cohere and BLOOM set `add_prefix_space` of every member of a sequence, and never unset it. */
function prefixEverywhere(json: Fields, { add_prefix_space: asked }: Fields): Fields {
  if (asked !== true) return json;
  const set = (one: Fields) => (one.add_prefix_space === false ? { ...one, add_prefix_space: true } : one);
  return { ...json, pre_tokenizer: mapComponents(json.pre_tokenizer, 'pretokenizers', set) };
}

/** BERT sets its normalizer's switches as tokenizer_config.json says. A sequence has none. */
function bertNormalizer(json: Fields, fields: Fields): Fields {
  const { normalizer } = json;
  const { do_lower_case = true, tokenize_chinese_chars = true, strip_accents = null } = fields;
  if (!isObject(normalizer) || normalizer.type !== 'BertNormalizer') return json;
  return {
    ...json,
    normalizer: {
      ...normalizer,
      lowercase: do_lower_case,
      strip_accents,
      handle_chinese_chars: tokenize_chinese_chars,
    },
  };
}
