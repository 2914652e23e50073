import { stat } from 'node:fs/promises';
import { openCheckpoint, type UnreadableTensor } from '../checkpoint/index.js';
import { expertsOf, type HookPoint, neuronsOf } from '../hooks/index.js';
import { chooseFamily } from './choose-family.js';
import { openOnnx } from './exported/open.js';
import { describeModel, openModel, warningsOf } from './open-model.js';
import type { HiddenHook, Model, ModelShape, SubjectOptions } from './types.js';

/** A description of a checkpoint, made without running it. */
export interface Inspection extends Omit<ModelShape, 'family' | 'maxPositions'> {
  readonly architecture: string;
  /** Storage type of the weights; of a folder without weights, the one its config.json names. */
  readonly dtype: string | null;
  readonly hooks: readonly Pick<HookPoint, 'name' | 'shape' | 'description'>[];
  /** Units a run of it would score, by kind. */
  readonly units: {
    /** MLP neurons, those of experts among them. */
    readonly neurons: number;
    readonly heads: number;
    readonly experts: number;
    /** Neurons of experts that only some tokens pass. */
    readonly expertNeurons: number;
  };
  /** The adapter of `--adapter`; `parameters` above are those of the base. */
  readonly adapter: {
    readonly tensors: number;
    readonly parameters: number;
  } | null;
  /** What a run of it would warn of, whatever the prompts. */
  readonly warnings: readonly string[];
  /** The hook points that the graph of another exporter hides; such a graph runs whole. null for a folder. */
  readonly graph: { readonly hidden: readonly HiddenHook[] } | null;
  /** null for a folder with only a config.json. */
  readonly weights: { readonly files: number; readonly tensors: number; readonly bytes: number } | null;
}

/**
 * Reads a checkpoint folder's configuration and, where there are any, the headers of its weight files, each weight
 * checked against the shape the configuration implies. A config.json alone is enough, and of a model on the hub that is
 * not in the cache only that is fetched.
 *
 * @throws CheckpointError as `openCheckpoint` and `openModel` do.
 */
export async function inspectCheckpoint(source: string, options: SubjectOptions = {}): Promise<Inspection> {
  return (await inspectModel(source, options)).inspection;
}

/** The same, with the model it is of; one without weights tells its sizes and cannot run. */
export async function inspectModel(
  source: string,
  options: SubjectOptions = {},
): Promise<{ readonly inspection: Inspection; readonly model: Model }> {
  if (source.endsWith('.onnx')) return inspectOnnx(source, options);
  const checkpoint = await openCheckpoint(source, { ...options, weights: 'optional' });
  const tensors = [...checkpoint.tensors.values()];
  const { adapter } = checkpoint;
  const model = tensors.length === 0 ? describeModel(checkpoint, adapter) : openModel(checkpoint, options);
  const { architecture } = chooseFamily(checkpoint);
  const stored = [...tensors, ...checkpoint.unreadable.values()];
  const inspection = {
    ...describe(model, architecture, commonestDtype(stored) ?? configDtype(checkpoint.config)),
    adapter:
      adapter === null
        ? null
        : {
            tensors: adapter.tensors.size,
            parameters: [...adapter.tensors.values()].reduce(
              (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1),
              0,
            ),
          },
    warnings: warningsOf(checkpoint, model),
    graph: null,
    weights:
      tensors.length === 0
        ? null
        : {
            files: new Set(stored.map(({ location }) => location)).size,
            tensors: stored.length,
            bytes: stored.reduce((sum, { byteLength }) => sum + byteLength, 0),
          },
  };
  return { inspection, model };
}

async function inspectOnnx(
  path: string,
  options: SubjectOptions,
): Promise<{ inspection: Inspection; model: Model }> {
  const { model, architecture, stored, files, tensors, warnings } = await openOnnx(path, options);
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  const inspection = {
    ...describe(model, architecture, stored.dtype),
    adapter: null,
    warnings,
    graph: { hidden: model.hidden },
    weights: { files: files.length, tensors, bytes: sizes.reduce((a, b) => a + b, 0) },
  };
  return { inspection, model };
}

function describe(
  { shape, hooks }: Model,
  architecture: string,
  dtype: string | null,
): Omit<Inspection, 'weights' | 'adapter' | 'graph' | 'warnings'> {
  const { layers, dModel, heads, kvHeads, headDim, dMlp, experts, mixture, vocab, parameters } = shape;
  const total = (of: (layer: number) => number): number =>
    Array.from({ length: layers }, (_, layer) => of(layer)).reduce((sum, count) => sum + count, 0);
  const units = {
    neurons: total((layer) => neuronsOf(shape, layer)),
    heads: layers * heads,
    experts: total((layer) => expertsOf(shape, layer)),
  };
  return {
    architecture,
    layers,
    dModel,
    heads,
    kvHeads,
    headDim,
    dMlp,
    experts,
    mixture,
    vocab,
    parameters,
    dtype,
    hooks: hooks.map(({ name, shape: perToken, description }) => ({ name, shape: perToken, description })),
    units: { ...units, expertNeurons: units.experts * (mixture?.dExpert ?? 0) },
  };
}

function commonestDtype(tensors: readonly UnreadableTensor[]): string | null {
  const bytes = new Map<string, number>();
  for (const { dtype, byteLength } of tensors) bytes.set(dtype, (bytes.get(dtype) ?? 0) + byteLength);
  return [...bytes].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null;
}

/** transformers wrote `torch_dtype` until version 4 and writes `dtype` since. */
function configDtype(config: Readonly<Record<string, unknown>>): string | null {
  const named = config.dtype ?? config.torch_dtype;
  const known: Readonly<Record<string, string>> = { float32: 'F32', float16: 'F16', bfloat16: 'BF16' };
  return typeof named === 'string' ? (known[named] ?? named) : null;
}
