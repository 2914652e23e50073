import { z } from 'zod';
import { checkSizes, readConfigField } from '../../checkpoint/index.js';
import type { ConfigFile } from '../family.js';

/**
 * The configuration of the language model in that of a model with other towers. Whether its unembedding is tied stands inside
 * (transformers 4) or beside it (5); one that stands beside and is stored is not tied.
 *
 * @throws CheckpointError without `text_config`, or for sizes that no model has
 */
export function readTextPart(file: ConfigFile): ConfigFile {
  const text = readConfigField(file, 'text_config', z.record(z.string(), z.unknown()));
  const ofText = {
    ...file,
    config: file.config.tie_word_embeddings === false ? { ...text, tie_word_embeddings: false } : text,
  };
  checkSizes(ofText);
  return ofText;
}
