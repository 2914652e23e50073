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
  /**
   * First part of the names of all weights but the unembedding's. Files saved from the model without its head, as
   * those published for GPT-2 and BLOOM, lack it.
   */
  readonly base?: string;
  /** Names a weight may be stored under, where they are not those that the graphs ask for; the likeliest first. */
  readonly stored?: (name: string) => readonly string[];
  /** @throws CheckpointError for a configuration that is incomplete, contradicts itself or is not supported. */
  readonly read: (file: ConfigFile, architecture: string) => Architecture;
}

/** One configuration of a family, and how its graphs are written. Activations are float32 [batch, seq, dModel]. */
export interface Architecture {
  readonly shape: Omit<ModelShape, 'parameters' | 'mixture'> & Partial<Pick<ModelShape, 'mixture'>>;
  /** `ids` int64 [batch, seq] → the residual stream before layer 0. */
  readonly embed: (block: Block, ids: Value<'int64'>) => Float;
  /** The residual stream after layer `index`, passing every hook point on the way. */
  readonly layer: (block: Block, index: number, hidden: Float) => Float;
  /** Logits [batch, seq, vocab]. */
  readonly unembed: (block: Block, hidden: Float) => Float;
}
