import { join } from 'node:path';
import { z } from 'zod';
import {
  type Adapter,
  type Checkpoint,
  checkPackedWeights,
  checkQuantisation,
  checkSizes,
  identifyCheckpoint,
  openCheckpoint,
  readConfigField,
  requireWeight,
  type WeightTensor,
} from '../checkpoint/index.js';
import { CheckpointError, UsageError } from '../errors.js';
import { hookPoints, type Tap } from '../hooks/index.js';
import { openOnnx } from './exported/open.js';
import * as families from './families/index.js';
import type { Architecture, ConfigFile, Family } from './family.js';
import { Block } from './layers/block.js';
import type { WeightSource } from './layers/weights.js';
import { adaptedSource, type LowRankSource } from './lora/adaptation.js';
import type { LayeredModel, ModelDescription, Subject, SubjectOptions } from './types.js';

/** Every family there is an adapter for. */
export const FAMILIES: readonly Family[] = Object.values(families);

/**
 * The checkpoint as graphs, its adapter applied in them. Every weight the graphs will read is looked up, none is loaded.
 *
 * @throws CheckpointError for an architecture that no family reads, a configuration that contradicts itself, a weight
 * that is missing or of another shape than the configuration implies, or an adapter that does not fit.
 */
export function openModel(checkpoint: Checkpoint): LayeredModel {
  const family = familyOf(checkpoint);
  const architecture = readArchitecture(checkpoint, family);
  checkPackedWeights(checkpoint);
  const prefix = missingPrefix(checkpoint, family);
  return modelOf(
    architecture,
    (name, shape) => {
      const own = name.startsWith(prefix) ? name.slice(prefix.length) : name;
      return requireWeight(checkpoint, storedName(checkpoint, family, own), shape);
    },
    checkpoint.adapter,
  );
}

/**
 * What a config.json alone tells of a model: its sizes, its exact number of parameters among them, its hook points, and
 * graphs that tell sizes too but cannot run.
 *
 * @throws CheckpointError as `openModel` does.
 */
export function describeModel(file: ConfigFile, adapter: Adapter | null = null): LayeredModel {
  return modelOf(
    readArchitecture(file, familyOf(file)),
    (name, shape): WeightTensor => ({
      name,
      shape,
      dtype: 'F32',
      location: '',
      offset: 0,
      byteLength: 0,
    }),
    adapter,
  );
}

function modelOf(architecture: Architecture, base: WeightSource, adapter: Adapter | null): LayeredModel {
  const { source, lowRank, checkUse } = adaptedSource(adapter, base);
  const { shape, hooks } = describe(architecture, source, lowRank);
  checkUse();
  return {
    kind: 'layered',
    shape,
    hooks,
    embed: () => embedBlock(architecture, source).finish(),
    layer(index, taps) {
      if (!(Number.isInteger(index) && index >= 0 && index < shape.layers)) {
        throw new UsageError({
          what: `the model has no layer ${index}`,
          expected: `a layer from 0 to ${shape.layers - 1}`,
        });
      }
      return layerBlock(architecture, source, index, taps, lowRank).finish();
    },
    unembed: () => unembedBlock(architecture, source, lowRank).finish(),
  };
}

/** The part that the names of a file's weights lack; empty where they have it. */
function missingPrefix({ tensors }: Checkpoint, { base }: Family): string {
  if (base === undefined) return '';
  const prefix = `${base}.`;
  return [...tensors.keys()].some((name) => name.startsWith(prefix)) ? '' : prefix;
}

function storedName({ tensors }: Checkpoint, { stored }: Family, name: string): string {
  const names = stored?.(name) ?? [name];
  return names.find((candidate) => tensors.has(candidate)) ?? names[0]!;
}

function architectureName(file: ConfigFile): string {
  return readConfigField(file, 'architectures', z.tuple([z.string()]).rest(z.string()))[0];
}

function familyOf(file: ConfigFile): Family {
  const where = join(file.folder, 'config.json');
  const architecture = architectureName(file);
  const family = FAMILIES.find(({ architectures }) => architectures.includes(architecture));
  if (family === undefined) {
    throw new CheckpointError({
      what: `there is no adapter for the architecture ${architecture}`,
      where,
      expected: FAMILIES.flatMap(({ architectures }) => architectures).join(', '),
      found: architecture,
      remedy: 'CONTRIBUTING.md tells how to add a family',
    });
  }
  return family;
}

function readArchitecture(file: ConfigFile, family: Family): Architecture {
  checkQuantisation(file);
  checkSizes(file);
  return family.read(file, architectureName(file));
}

/**
 * Writes every graph once: hook points are those that its layers pass, parameters the weights that they ask for, each
 * name once, as tied weights share one.
 */
function describe(
  architecture: Architecture,
  source: WeightSource,
  lowRank: LowRankSource,
): ModelDescription {
  const shape = { ...architecture.shape, mixture: architecture.shape.mixture ?? null };
  const parameters = new Map<string, number>();
  const count = (block: Block): void => {
    for (const [name, size] of block.parameters) parameters.set(name, size);
  };
  count(embedBlock(architecture, source));
  const passed = Array.from({ length: shape.layers }, (_, layer) => {
    const block = layerBlock(architecture, source, layer, [], lowRank);
    count(block);
    return block.passed;
  });
  count(unembedBlock(architecture, source, lowRank));
  return {
    shape: { ...shape, parameters: [...parameters.values()].reduce((sum, size) => sum + size, 0) },
    hooks: hookPoints(shape, passed),
  };
}

function embedBlock(architecture: Architecture, source: WeightSource): Block {
  const block = new Block('embed', source);
  const ids = block.graph.input('input_ids', 'int64', ['batch', 'seq']);
  block.graph.output('hidden', architecture.embed(block, ids));
  return block;
}

function layerBlock(
  architecture: Architecture,
  source: WeightSource,
  index: number,
  taps: readonly Tap[],
  lowRank: LowRankSource,
): Block {
  const block = new Block(`layer ${index}`, source, taps, lowRank);
  const hidden = block.graph.input('hidden', 'float32', ['batch', 'seq', architecture.shape.dModel]);
  block.graph.output('next', architecture.layer(block, index, hidden));
  return block;
}

function unembedBlock(architecture: Architecture, source: WeightSource, lowRank: LowRankSource): Block {
  const block = new Block('unembed', source, [], lowRank);
  const hidden = block.graph.input('hidden', 'float32', ['batch', 'seq', architecture.shape.dModel]);
  block.graph.output('logits', architecture.unembed(block, hidden));
  return block;
}

/**
 * Opens a checkpoint folder, a model on the hub, or an .onnx file of another exporter.
 *
 * @throws CheckpointError and others as `openCheckpoint` and `openModel` do, or `openOnnx`.
 */
export async function openSubject(source: string, options: SubjectOptions = {}): Promise<Subject> {
  if (source.endsWith('.onnx')) return openOnnx(source, options);
  const checkpoint = await openCheckpoint(source, options);
  return {
    model: openModel(checkpoint),
    weightsRoot: checkpoint.weightsRoot,
    tokenizer: checkpoint,
    warnings: checkpoint.adapter?.warnings ?? [],
    identify: () => identifyCheckpoint(checkpoint),
  };
}
