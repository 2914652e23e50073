import { join } from 'node:path';
import { z } from 'zod';
import { positiveInteger, type RopeOptions, readConfigField, readRope } from '../../checkpoint/index.js';
import type { MixtureShape } from '../../hooks/index.js';
import type { Architecture, ConfigFile } from '../family.js';
import { type ActivationName, gatedHalf } from '../layers/mlp.js';
import { rmsNorm } from '../layers/norms.js';
import type { Rotation } from '../layers/rope.js';
import type { Half, Norm } from '../layers/transformer.js';
import { type FieldNames, readActivation, readFlag, readNumber, readSize, unusable } from './fields.js';
import { rotationOf } from './rope.js';

type Shape = Architecture['shape'];

/** The fields of config.json under the names that Llama made common and most families since have kept. */
export interface Decoder {
  readonly shape: Shape;
  readonly activation: ActivationName;
  readonly epsilon: number;
  readonly rotation: Rotation;
  /** The unembedding is the embedding. */
  readonly tied: boolean;
  /** An RMS norm. */
  readonly norm: Norm;
  /** An MLP with a gate and without biases. */
  readonly mlp: Half;
}

export interface DecoderFields {
  /** Field of the activation function. */
  readonly activation?: string;
  /** Field of the ε of every norm, or the ε itself. */
  readonly epsilon?: string | number;
  /** How its rope is read. */
  readonly rope?: RopeOptions;
}

/** @throws CheckpointError naming the field that is missing, unsupported or at odds with another. */
export function readDecoder(file: ConfigFile, family: string, fields: DecoderFields = {}): Decoder {
  const shape = readShape(file, family);
  const activation = readActivation(file, fields.activation ?? 'hidden_act');
  const { epsilon: given = 'rms_norm_eps' } = fields;
  const epsilon = typeof given === 'number' ? given : readNumber(file, given);
  return {
    shape,
    activation,
    epsilon,
    rotation: readRotation(file, shape, fields.rope),
    tied: readFlag(file, 'tie_word_embeddings'),
    norm: (block, name, x) => rmsNorm(block, name, x, epsilon),
    mlp: gatedHalf({ width: shape.dMlp, activation }),
  };
}

function readShape(file: ConfigFile, family: string): Shape {
  const dModel = readSize(file, 'hidden_size');
  const heads = readSize(file, 'num_attention_heads');
  const kvHeads = readSize(file, 'num_key_value_heads', heads);
  if (heads % kvHeads !== 0) {
    const what = 'num_attention_heads is no multiple of num_key_value_heads';
    throw unusable(file, what, `${heads} heads, ${kvHeads} key/value heads`);
  }
  const headDim = readSize(file, 'head_dim', dModel / heads);
  if (!Number.isInteger(headDim)) {
    throw unusable(
      file,
      'hidden_size is no multiple of num_attention_heads, and there is no head_dim',
      `head size ${headDim} (hidden_size ${dModel}, ${heads} heads)`,
      'download config.json again, or give head_dim in it',
    );
  }
  return {
    family,
    layers: readSize(file, 'num_hidden_layers'),
    dModel,
    heads,
    kvHeads,
    headDim,
    dMlp: readSize(file, 'intermediate_size'),
    experts: null,
    vocab: readSize(file, 'vocab_size'),
    maxPositions: readSize(file, 'max_position_embeddings'),
  };
}

/** Where families older than Llama have their sizes. */
export interface OwnFields {
  readonly layers: FieldNames;
  readonly dModel: FieldNames;
  readonly heads: FieldNames;
  /** Default: as many as heads. */
  readonly kvHeads?: (heads: number) => number;
  readonly dMlp: (dModel: number) => number;
  readonly maxPositions: number;
}

/** The sizes of a family with names of its own, whose heads share the model's width. */
export function readOwnShape(file: ConfigFile, family: string, fields: OwnFields): Shape {
  const dModel = readSize(file, fields.dModel);
  const heads = readSize(file, fields.heads);
  if (dModel % heads !== 0) {
    throw unusable(file, 'the heads do not divide the model', `${heads} heads, a width of ${dModel}`);
  }
  return {
    family,
    layers: readSize(file, fields.layers),
    dModel,
    heads,
    kvHeads: fields.kvHeads?.(heads) ?? heads,
    headDim: dModel / heads,
    dMlp: fields.dMlp(dModel),
    experts: null,
    vocab: readSize(file, 'vocab_size'),
    maxPositions: fields.maxPositions,
  };
}

export function readRotation(file: ConfigFile, shape: Shape, options?: RopeOptions): Rotation {
  const where = join(file.folder, 'config.json');
  return rotationOf(readRope(file.config, where, options), { ...shape, where });
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

/** Sizes of a mixture of experts. */
export interface MixtureSizes extends Omit<MixtureShape, 'layers'> {
  /** Experts of a layer that has any. */
  readonly experts: number;
  /** Default: all layers have. */
  readonly hasExperts?: (layer: number) => boolean;
}

/**
 * The shape of a model with a mixture of experts.
 *
 * @throws CheckpointError where a token would go to more experts than there are.
 */
export function withMixture(
  file: ConfigFile,
  shape: Shape,
  { experts, hasExperts = () => true, ...sizes }: MixtureSizes,
): Shape & { readonly mixture: MixtureShape } {
  if (sizes.perToken > experts) {
    const what = 'a token would go to more experts than a layer has';
    throw unusable(file, what, `${sizes.perToken} experts a token, ${experts} experts`);
  }
  const layers = Array.from({ length: shape.layers }, (_, layer) => layer).filter(hasExperts);
  return { ...shape, experts, mixture: { ...sizes, layers } };
}
