import {
  identifyCheckpoint,
  type ModelIdentity,
  type OpenCheckpointOptions,
  openCheckpoint,
} from '../checkpoint/index.js';
import { UsageError } from '../errors.js';
import type { TokenizerFiles } from '../tokenizer/index.js';
import { openModel } from './open-model.js';
import { openOnnx } from './open-onnx.js';
import type { Model } from './types.js';

/** What a capture runs, whatever it is kept as. */
export interface Subject {
  readonly model: Model;
  /** Directory that the locations of the model's weights are relative to. */
  readonly weightsRoot: string;
  readonly tokenizer: TokenizerFiles;
  /** What a run with it should say. */
  readonly warnings: readonly string[];
  /** Reads every byte of the weights. */
  readonly identify: () => Promise<ModelIdentity>;
}

/** How a checkpoint is opened, and what is applied to it. */
export type SubjectOptions = Pick<OpenCheckpointOptions, 'adapter' | 'signal' | 'onDownload'>;

/**
 * Opens a checkpoint folder, a model on the hub, or an .onnx file of another exporter.
 *
 * @throws CheckpointError and others as `openCheckpoint` and `openModel` do, or `openOnnx`.
 */
export async function openSubject(source: string, options: SubjectOptions = {}): Promise<Subject> {
  if (source.endsWith('.onnx')) {
    refuseAdapter(source, options);
    return openOnnx(source);
  }
  const checkpoint = await openCheckpoint(source, options);
  return {
    model: openModel(checkpoint),
    weightsRoot: checkpoint.weightsRoot,
    tokenizer: checkpoint,
    warnings: checkpoint.adapter?.warnings ?? [],
    identify: () => identifyCheckpoint(checkpoint),
  };
}

/** @throws UsageError if an adapter is to be applied to a graph of another exporter */
export function refuseAdapter(source: string, { adapter }: SubjectOptions): void {
  if (adapter === undefined) return;
  throw new UsageError({
    what: 'an adapter cannot be applied to the graph of another exporter',
    where: source,
    remedy: 'merge the adapter before exporting, or give the safetensors folder of the base with --adapter',
  });
}
