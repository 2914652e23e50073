import { join } from 'node:path';
import { z } from 'zod';
import { positiveInteger, positiveNumber, readConfigField, readRope } from '../../checkpoint/index.js';
import { CheckpointError } from '../../errors.js';
import type { MixtureShape } from '../../hooks/index.js';
import type { Architecture, ConfigFile } from '../family.js';
import { ACTIVATIONS, type ActivationName } from '../layers/mlp.js';
import type { Rotation } from '../layers/rope.js';
import { rotationOf } from './rope.js';

/** The fields of config.json under the names that Llama made common and most families since have kept. */
export interface Decoder {
  readonly shape: Architecture['shape'];
  readonly activation: ActivationName;
  /** ε of every RMS norm. */
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

/** dModel / heads, the size of a head in families whose heads share the model's width. @throws CheckpointError */
export function headSize({ folder }: ConfigFile, dModel: number, heads: number): number {
  if (dModel % heads === 0) return dModel / heads;
  throw new CheckpointError({
    what: 'the heads do not divide the model',
    where: join(folder, 'config.json'),
    found: `${heads} heads, a width of ${dModel}`,
    remedy: 'download config.json again',
  });
}

/**
 * The window of each layer, how many of the latest positions a token sees there, itself included; null: all.
 *
 * @param slides whether a layer has a window where the file has no `layer_types`.
 * @throws CheckpointError for `layer_types` of another length, or without the `sliding_window` they need.
 */
export function readWindows(
  file: ConfigFile,
  layers: number,
  slides: (layer: number) => boolean,
): readonly (number | null)[] {
  const layerTypes = z.array(z.enum(['full_attention', 'sliding_attention'])).length(layers);
  const types = readConfigField(file, 'layer_types', layerTypes.optional());
  const sliding = Array.from({ length: layers }, (_, layer) =>
    types === undefined ? slides(layer) : types[layer] === 'sliding_attention',
  );
  if (!sliding.includes(true)) return sliding.map(() => null);
  const window = readConfigField(file, 'sliding_window', positiveInteger);
  return sliding.map((has) => (has ? window : null));
}

/**
 * The sizes of a mixture of experts.
 *
 * @throws CheckpointError where a token would go to more experts than there are.
 */
export function readMixture(
  { folder }: ConfigFile,
  experts: number,
  layers: number,
  sizes: Omit<MixtureShape, 'layers'>,
  hasExperts: (layer: number) => boolean = () => true,
): { readonly experts: number; readonly mixture: MixtureShape } {
  if (sizes.perToken > experts) {
    throw new CheckpointError({
      what: 'a token would go to more experts than a layer has',
      where: join(folder, 'config.json'),
      found: `${sizes.perToken} experts a token, ${experts} experts`,
      remedy: 'download config.json again',
    });
  }
  return {
    experts,
    mixture: { ...sizes, layers: Array.from({ length: layers }, (_, layer) => layer).filter(hasExperts) },
  };
}

/** The unembedding's name if the configuration has one of its own; these families share tables by default. */
export function readHead(file: ConfigFile, name: string, tiedByDefault: boolean): string | null {
  return readConfigField(file, 'tie_word_embeddings', z.boolean().default(tiedByDefault)) ? null : name;
}
