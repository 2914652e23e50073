import { isObject } from '../../read-json.js';
import type { Fields, NamedToken } from './added-tokens.js';
import { byteLevel, bytePairs, metaspace, NFC, replace, split } from './components.js';
import type { SpecialToken } from './settings.js';

/** A tokenizer class of transformers 5.24 that builds its parts itself, from the vocabulary and merges of tokenizer.json. */
export interface TokenizerClass5 {
  /** Special tokens it has where no file names them; an empty text is none, whatever the padding of tokenizer.json names. */
  readonly tokens: Partial<Record<SpecialToken, NamedToken>>;
  /** Null where transformers fails. */
  readonly build: (model: Fields, fields: Fields, unk: string | null) => Parts | null;
  /** Special tokens are added a second time, with the flags that the library gives to special tokens. */
  readonly specialsAgain?: true;
  /** The post-processor of tokenizer.json goes; `add_bos_token` is not obeyed either. */
  readonly dropsTemplate?: true;
}

/** `normalizer`, `pre_tokenizer` and `model` of a tokenizer.json. */
export interface Parts {
  readonly normalizer: Fields | null;
  readonly pre_tokenizer: Fields;
  readonly model: Fields;
}

const ENDOFTEXT = '<|endoftext|>';
const SENTENCE = { bos_token: '<s>', eos_token: '</s>' };
/** An empty prefix, as these classes give it to the model. */
const EMPTY = { continuing_subword_prefix: '', end_of_word_suffix: '' };

/** Pre-tokenization of Qwen2 and of Qwen3.5. */
const QWEN2 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

const QWEN35 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

const qwen = (pattern: string): TokenizerClass5 => ({
  tokens: { unk_token: ENDOFTEXT, eos_token: ENDOFTEXT, pad_token: ENDOFTEXT },
  build: (model, { add_prefix_space }) => ({
    normalizer: NFC,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        split({ Regex: pattern }, 'Isolated'),
        byteLevel((add_prefix_space ?? false) === true, false),
      ],
    },
    model: bytePairs(model, EMPTY),
  }),
});

const CLASSES: Readonly<Record<string, TokenizerClass5>> = {
  LlamaTokenizer: {
    tokens: { unk_token: '<unk>', ...SENTENCE },
    build: (model, { add_prefix_space, legacy = false }) => {
      const scheme = legacy === false ? 'first' : 'always';
      return {
        normalizer: null,
        pre_tokenizer: metaspace((add_prefix_space ?? true) ? scheme : 'never', false),
        model: bytePairs(model, { fuse_unk: true, byte_fallback: true }),
      };
    },
  },
  GemmaTokenizer: {
    tokens: {
      unk_token: '<unk>',
      bos_token: '<bos>',
      eos_token: '<eos>',
      pad_token: '<pad>',
      mask_token: '<mask>',
    },
    build: (model, _, unk) => ({
      normalizer: replace({ String: ' ' }, '▁'),
      pre_tokenizer: split({ String: ' ' }, 'MergedWithPrevious'),
      model: bytePairs(model, { fuse_unk: true, byte_fallback: true, unk_token: unk ?? 'None' }),
    }),
  },
  GPT2Tokenizer: {
    tokens: { unk_token: ENDOFTEXT, bos_token: ENDOFTEXT, eos_token: ENDOFTEXT, pad_token: '' },
    build: (model, { add_prefix_space: prefix = false }) =>
      typeof prefix !== 'boolean'
        ? null
        : { normalizer: null, pre_tokenizer: byteLevel(prefix), model: bytePairs(model, EMPTY) },
  },
  Qwen2Tokenizer: { ...qwen(QWEN2), specialsAgain: true },
  Qwen3_5Tokenizer: qwen(QWEN35),
  CohereTokenizer: {
    tokens: {
      unk_token: '<UNK>',
      bos_token: '<BOS_TOKEN>',
      eos_token: '<|END_OF_TURN_TOKEN|>',
      pad_token: '<PAD>',
      cls_token: '<CLS>',
      sep_token: '<SEP>',
      mask_token: '<MASK_TOKEN>',
    },
    build: (model, { add_prefix_space: prefix = false }) =>
      typeof prefix !== 'boolean'
        ? null
        : {
            normalizer: NFC,
            pre_tokenizer: {
              type: 'Sequence',
              pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevel(prefix)],
            },
            model: bytePairs(model, EMPTY),
          },
    specialsAgain: true,
  },
  GPTNeoXTokenizer: {
    tokens: {
      unk_token: ENDOFTEXT,
      bos_token: ENDOFTEXT,
      eos_token: ENDOFTEXT,
      pad_token: '<|padding|>',
    },
    build: (model, { add_prefix_space: prefix = false }) =>
      typeof prefix !== 'boolean'
        ? null
        : { normalizer: NFC, pre_tokenizer: byteLevel(prefix), model: bytePairs(model, EMPTY) },
    dropsTemplate: true,
  },
};

export const CLASSES5: ReadonlyMap<string, TokenizerClass5> = new Map(Object.entries(CLASSES));

/** Names that stand for the class which takes tokenizer.json as it is. */
export const BACKENDS5: ReadonlySet<string> = new Set([
  'TokenizersBackend',
  'PreTrainedTokenizer',
  'PreTrainedTokenizerFast',
  'BloomTokenizer',
  'PythonBackend',
]);

/** Whether tokenizer.json has a byte-level pre-tokenizer or decoder. */
export function hasByteLevel({ pre_tokenizer, decoder }: Fields): boolean {
  const isIn = (part: unknown): boolean =>
    isObject(part) &&
    (part.type === 'ByteLevel' || [part.pretokenizers, part.decoders].flat().some((one) => isIn(one)));
  return isIn(pre_tokenizer) || isIn(decoder);
}
