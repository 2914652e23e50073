import type { Checkpoint } from '../checkpoint/index.js';
import type { Float, Value } from '../graph/index.js';
import type { Block } from './layers/block.js';
import type { ModelShape } from './types.js';

/** config.json and the folder it is in, which errors name. */
export type ConfigFile = Pick<Checkpoint, 'folder' | 'config'>;

/** A family of architectures that one file here reads. */
export interface Family {
  readonly name: string;
  /** Names in `architectures` of config.json. */
  readonly architectures: readonly string[];
  /** The `model_type` of each of them. */
  readonly modelTypes: readonly string[];
  /** Its configuration holds that of a language model, in `text_config`, and its weights those of other towers. */
  readonly hasTextPart?: boolean;
  /** The name that the graphs ask for, of one that another version of transformers stores. */
  readonly rename?: (name: string) => string;
  /** @throws CheckpointError for a configuration that is incomplete, contradicts itself or is not supported. */
  readonly read: (file: ConfigFile, architecture: string) => Architecture;
}

/** Names of weights that are in no half of a layer. */
export interface WeightNames {
  /** The embedding. */
  readonly table: string;
  /** Begins the names of a layer's weights, before its number. */
  readonly layers: string;
  /** The norm before the unembedding. */
  readonly norm: string;
  /** The unembedding where it has a table of its own. */
  readonly head: string;
}

/** One configuration of a family, and how its graphs are written. Activations are float32 [batch, seq, dModel]. */
export interface Architecture {
  readonly shape: Omit<ModelShape, 'parameters' | 'mixture'> & Partial<Pick<ModelShape, 'mixture'>>;
  readonly names: WeightNames;
  /** The unembedding is the embedding. */
  readonly tied: boolean;
  /** The most tokens that a prompt can have, where each position has a learned vector. Default: any number. */
  readonly mostPositions?: number;
  /** Warnings about what the configuration asks for and transformers does not do. */
  readonly warnings?: readonly string[];
  /** `ids` int64 [batch, seq] → the residual stream before layer 0. */
  readonly embed: (block: Block, ids: Value<'int64'>) => Float;
  /** The residual stream after layer `index`, passing every hook point on the way. */
  readonly layer: (block: Block, index: number, hidden: Float) => Float;
  /** Logits [batch, seq, vocab]. */
  readonly unembed: (block: Block, hidden: Float) => Float;
}
