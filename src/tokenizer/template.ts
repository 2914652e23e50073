import { isObject } from '../read-json.js';

/**
 * Tokenizer classes of transformers that ignore the post-processor in tokenizer.json and build their own from
 * `add_bos_token` and `add_eos_token` (default false) of tokenizer_config.json (their `update_post_processor`,
 * transformers 4.57), with their default of `add_bos_token`.
 */
const CLASSES_WITH_OWN_TEMPLATE: ReadonlyMap<unknown, boolean> = new Map([
  ['LlamaTokenizer', true],
  ['LlamaTokenizerFast', true],
  ['CodeLlamaTokenizer', true],
  ['CodeLlamaTokenizerFast', true],
  ['GemmaTokenizer', true],
  ['GemmaTokenizerFast', true],
  ['CohereTokenizer', true],
  ['CohereTokenizerFast', true],
  ['GPTNeoXTokenizer', false],
  ['GPTNeoXTokenizerFast', false],
]);

/**
 * The post-processor such a class would build, or null where tokenizer.json's own applies: another class, or a
 * configuration that does not say which tokens to add.
 */
export function templateOfClass(
  tokenizer: Readonly<Record<string, unknown>>,
  config: Readonly<Record<string, unknown>>,
): Record<string, unknown> | null {
  const bosByDefault = CLASSES_WITH_OWN_TEMPLATE.get(config.tokenizer_class);
  if (bosByDefault === undefined) return null;
  const { add_bos_token = bosByDefault, add_eos_token = false } = config;
  const bos = add_bos_token === true ? specialToken(tokenizer, config, 'bos_token') : undefined;
  const eos = add_eos_token === true ? specialToken(tokenizer, config, 'eos_token') : undefined;
  if (bos === null || eos === null) return null;
  const added = [bos, eos].filter((token) => token !== undefined);
  const piece = (token: SpecialToken) => ({ SpecialToken: { id: token.content, type_id: 0 } });
  return {
    type: 'TemplateProcessing',
    single: [
      ...(bos === undefined ? [] : [piece(bos)]),
      { Sequence: { id: 'A', type_id: 0 } },
      ...(eos === undefined ? [] : [piece(eos)]),
    ],
    pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
    special_tokens: Object.fromEntries(
      added.map(({ content, id }) => [content, { id: content, ids: [id], tokens: [content] }]),
    ),
  };
}

export interface SpecialToken {
  readonly content: string;
  readonly id: number;
}

/** A special token that tokenizer_config.json names (as text or as an object with `content`), with its id. */
export function specialToken(
  tokenizer: Readonly<Record<string, unknown>>,
  config: Readonly<Record<string, unknown>>,
  field: 'bos_token' | 'eos_token',
): SpecialToken | null {
  const named = config[field];
  const content = isObject(named) ? named.content : named;
  if (typeof content !== 'string') return null;
  for (const added of Array.isArray(tokenizer.added_tokens) ? tokenizer.added_tokens : []) {
    if (isObject(added) && added.content === content && Number.isInteger(added.id)) {
      return { content, id: added.id as number };
    }
  }
  return null;
}
