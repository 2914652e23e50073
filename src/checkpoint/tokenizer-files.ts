import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { CheckpointError } from '../errors.js';
import { isObject, readJson } from '../read-json.js';
import { sha256OfFiles } from './sha256-of-files.js';

/** Files that say which tokens a text becomes. */
export const TOKENIZER_FILES: readonly string[] = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'vocab.txt',
  'merges.txt',
  'tokenizer.model',
  'spiece.model',
  'sentencepiece.bpe.model',
];

/** Settings of tokenizer_config.json that change no token of a prompt: conversations, decoding, batches, names. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  'chat_template',
  'clean_up_tokenization_spaces',
  'max_length',
  'model_input_names',
  'model_max_length',
  'name_or_path',
  'pad_to_multiple_of',
  'padding_side',
  'processor_class',
  'response_schema',
  'special_tokens_map_file',
  'stride',
  'tokenizer_file',
  'truncation_side',
  'truncation_strategy',
]);

/** Paths of the tokenizer's files, as far as `find` knows them. */
export function findTokenizerFiles(find: (name: string) => string | null): string[] {
  return TOKENIZER_FILES.flatMap((name) => find(name) ?? []);
}

/**
 * SHA-256 of each of the tokenizer's files, by its name: of its bytes, but of tokenizer_config.json without the settings
 * that change no token.
 */
export async function hashTokenizerFiles(paths: readonly string[]): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const path of paths) {
    const name = basename(path);
    hashes[name] = name === 'tokenizer_config.json' ? await hashSettings(path) : await sha256OfFiles([path]);
  }
  return hashes;
}

async function hashSettings(path: string): Promise<string> {
  const settings = await readJson(path, 'download it again', CheckpointError);
  if (!isObject(settings)) return sha256OfFiles([path]);
  const decisive = Object.entries(settings)
    .filter(([key]) => !WITHOUT_EFFECT.has(key))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(decisive)).digest('hex');
}
