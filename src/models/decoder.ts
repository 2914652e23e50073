import { join } from 'node:path';
import { z } from 'zod';
import { positiveInteger, positiveNumber, readConfigField, readRope } from '../checkpoint/index.js';
import { CheckpointError } from '../errors.js';
import type { Value } from '../graph/index.js';
import type { Block, Float } from './block.js';
import type { Architecture, ConfigFile } from './family.js';
import { ACTIVATIONS, type ActivationName, linear, rmsNorm } from './parts.js';
import { rotationOf } from './rope.js';
import type { Rotation } from './rotation.js';

/** What config.json says under the names that Llama made common and most families since have kept. */
export interface Decoder {
  readonly shape: Architecture['shape'];
  readonly activation: ActivationName;
  /** Of every RMS norm. */
  readonly epsilon: number;
  readonly rotation: Rotation;
  /** The unembedding is the embedding. */
  readonly tied: boolean;
}

/** @throws CheckpointError naming the field that is missing, unsupported or at odds with another. */
export function readDecoder(file: ConfigFile, family: string): Decoder {
  const shape = readShape(file, family);
  return {
    shape,
    activation: readActivation(file),
    epsilon: readConfigField(file, 'rms_norm_eps', positiveNumber),
    rotation: readRotation(file, shape),
    tied: readFlag(file, 'tie_word_embeddings'),
  };
}

/** The file with what transformers takes for fields that are absent; `null` stays null. */
export function withDefaults<File extends ConfigFile>(
  file: File,
  defaults: Readonly<Record<string, unknown>>,
): File {
  return { ...file, config: { ...defaults, ...file.config } };
}

export function readShape(file: ConfigFile, family: string): Architecture['shape'] {
  const where = join(file.folder, 'config.json');
  const size = (field: string): number => readConfigField(file, field, positiveInteger);
  const dModel = size('hidden_size');
  const heads = size('num_attention_heads');
  const kvHeads = readConfigField(file, 'num_key_value_heads', positiveInteger.default(heads));
  if (heads % kvHeads !== 0) {
    throw new CheckpointError({
      what: 'num_attention_heads is no multiple of num_key_value_heads',
      where,
      found: `${heads} heads, ${kvHeads} key/value heads`,
      remedy: 'download config.json again',
    });
  }
  const headDim = readConfigField(file, 'head_dim', positiveInteger.default(dModel / heads));
  if (!Number.isInteger(headDim)) {
    throw new CheckpointError({
      what: 'hidden_size is no multiple of num_attention_heads, and there is no head_dim',
      where,
      found: `head size ${headDim} (hidden_size ${dModel}, ${heads} heads)`,
      remedy: 'download config.json again, or give head_dim in it',
    });
  }
  return {
    family,
    layers: size('num_hidden_layers'),
    dModel,
    heads,
    kvHeads,
    headDim,
    dMlp: size('intermediate_size'),
    experts: null,
    vocab: size('vocab_size'),
    maxPositions: size('max_position_embeddings'),
  };
}

/** @param layerType whose rope to read where config.json has one for each type of layer. */
export function readRotation(
  file: ConfigFile,
  shape: Architecture['shape'],
  layerType: string | null = null,
): Rotation {
  const where = join(file.folder, 'config.json');
  return rotationOf(readRope(file.config, where, layerType), { ...shape, where });
}

/** @throws CheckpointError for an activation function that is not known, or for none where there is no default. */
export function readActivation(
  file: ConfigFile,
  field = 'hidden_act',
  byDefault?: ActivationName,
): ActivationName {
  const known = z.enum(ACTIVATION_NAMES);
  return readConfigField(file, field, byDefault === undefined ? known : known.default(byDefault));
}

const ACTIVATION_NAMES = Object.keys(ACTIVATIONS) as [ActivationName, ...ActivationName[]];

/** false where the field is absent. */
export function readFlag(file: ConfigFile, field: string): boolean {
  return readConfigField(file, field, z.boolean().default(false));
}

/** Embedding and unembedding of these families: a table, and a final RMS norm before the logits. */
export function tokenEnds(decoder: Decoder): Pick<Architecture, 'embed' | 'unembed'> {
  const { shape, epsilon, tied } = decoder;
  return {
    embed: (block, ids) => embedTokens(block, ids, shape),
    unembed: (block, hidden) =>
      unembedTokens(block, rmsNorm(block, 'model.norm', hidden, epsilon), shape, tied),
  };
}

/** Rows of the table of embeddings. */
export function embedTokens(
  block: Block,
  ids: Value<'int64'>,
  { vocab, dModel }: Architecture['shape'],
): Float {
  return block.weightRows(`${EMBEDDING}.weight`, [vocab, dModel], ids);
}

/** Logits of a residual stream that the final norm has passed over. */
export function unembedTokens(
  block: Block,
  normed: Float,
  { vocab }: Architecture['shape'],
  tied: boolean,
): Float {
  return linear(block, tied ? EMBEDDING : 'lm_head', normed, vocab, false);
}

const EMBEDDING = 'model.embed_tokens';
