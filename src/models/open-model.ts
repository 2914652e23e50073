import { join } from 'node:path';
import { z } from 'zod';
import {
  type Adapter,
  type Checkpoint,
  checkPackedWeights,
  checkQuantisation,
  checkSizes,
  filesOf,
  identifyCheckpoint,
  identifyTokenizer,
  openCheckpoint,
  openTokenizer,
  readConfigField,
  requireWeight,
  type WeightTensor,
} from '../checkpoint/index.js';
import { CheckpointError, UsageError } from '../errors.js';
import type { Float } from '../graph/index.js';
import {
  type Edit,
  type GradientTap,
  hookPoints,
  type PlacedEdit,
  placeEdits,
  type Tap,
} from '../hooks/index.js';
import { openOnnx } from './exported/open.js';
import * as families from './families/index.js';
import type { Architecture, ConfigFile, Family } from './family.js';
import { Block, type BlockOptions } from './layers/block.js';
import { finishLoss } from './layers/loss.js';
import type { WeightSource } from './layers/weights.js';
import { adaptedSource, type LowRankSource } from './lora/adaptation.js';
import type {
  GraphOptions,
  LayeredModel,
  LossOptions,
  ModelDescription,
  ModelGraph,
  ModelShape,
  Subject,
  SubjectOptions,
} from './types.js';

/** Every family that can be read. */
export const FAMILIES: readonly Family[] = Object.values(families);

export interface OpenModelOptions {
  /** Changes of activations inside the graphs, in this order; whatever runs the model runs it changed. */
  readonly edits?: readonly Edit[] | undefined;
}

/**
 * The checkpoint as graphs, its adapter and edits applied in them. Every weight the graphs will read is looked up, none is loaded.
 *
 * @throws CheckpointError for an architecture that no family reads, a configuration that contradicts itself, a weight
 *   that is missing or of another shape than the configuration implies, or an adapter that does not fit; UsageError for
 *   an edit at a hook point or of units that the model does not have
 */
export function openModel(checkpoint: Checkpoint, { edits = [] }: OpenModelOptions = {}): LayeredModel {
  const family = familyOf(checkpoint);
  const architecture = readArchitecture(checkpoint, family);
  checkPackedWeights(checkpoint);
  const prefix = missingPrefix(checkpoint, family);
  const source: WeightSource = (name, shape) => {
    const own = name.startsWith(prefix) ? name.slice(prefix.length) : name;
    return requireWeight(checkpoint, storedName(checkpoint, family, own), shape);
  };
  return modelOf(architecture, source, checkpoint.adapter, edits);
}

/**
 * A model as a config.json alone describes it: its sizes, its exact number of parameters among them, its hook points, and
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

function modelOf(
  architecture: Architecture,
  base: WeightSource,
  adapter: Adapter | null,
  edits: readonly Edit[] = [],
): LayeredModel {
  const { source, lowRank, checkUse } = adaptedSource(adapter, base);
  const { shape, hooks } = describe(new Writer(architecture, source, lowRank));
  checkUse();
  const writer = new Writer(architecture, source, lowRank, placeEdits(edits, hooks));
  return {
    kind: 'layered',
    shape,
    hooks,
    embed: (options) => writer.embed(options).finish(),
    layer(index, taps, options) {
      return writer.layer(checkedLayer(index, shape), taps, options).finish();
    },
    unembed: () => writer.unembed().finish(),
    backward: (index, taps = []) => writer.backward(checkedLayer(index, shape), taps),
    loss: (options) => writer.loss(options),
  };
}

function checkedLayer(index: number, { layers }: Pick<ModelShape, 'layers'>): number {
  if (Number.isInteger(index) && index >= 0 && index < layers) return index;
  throw new UsageError({
    what: `the model has no layer ${index}`,
    expected: `a layer from 0 to ${layers - 1}`,
  });
}

/** Writes the graphs of an architecture. */
class Writer {
  readonly architecture: Architecture;
  readonly #source: WeightSource;
  readonly #lowRank: LowRankSource;
  readonly #edits: readonly PlacedEdit[];

  constructor(
    architecture: Architecture,
    source: WeightSource,
    lowRank: LowRankSource,
    edits: readonly PlacedEdit[] = [],
  ) {
    this.architecture = architecture;
    this.#source = source;
    this.#lowRank = lowRank;
    this.#edits = edits;
  }

  embed(options: GraphOptions = {}): Block {
    const block = new Block('embed', this.#source, options);
    const ids = block.graph.input('input_ids', 'int64', ['batch', 'seq']);
    block.graph.output('hidden', this.architecture.embed(block, ids));
    return block;
  }

  layer(index: number, taps: readonly Tap[], options: GraphOptions = {}): Block {
    const block = this.#layerBlock(index, { taps, ...options });
    block.graph.output('next', this.architecture.layer(block, index, this.#stream(block)));
    return block;
  }

  backward(index: number, taps: readonly GradientTap[]): ModelGraph {
    const block = this.#layerBlock(index);
    const hidden = this.#stream(block);
    const next = this.architecture.layer(block, index, hidden);
    return block.finishBackward(hidden, next, this.#stream(block, 'gradient'), taps);
  }

  loss({ gradient = false }: LossOptions = {}): ModelGraph {
    const block = new Block('loss', this.#source, { lowRank: this.#lowRank });
    const hidden = this.#stream(block);
    return finishLoss(block, hidden, this.architecture.unembed(block, hidden), gradient);
  }

  #layerBlock(index: number, options: BlockOptions = {}): Block {
    const edits = this.#edits.filter(({ layer }) => layer === index);
    return new Block(`layer ${index}`, this.#source, { edits, lowRank: this.#lowRank, ...options });
  }

  unembed(): Block {
    const block = new Block('unembed', this.#source, { lowRank: this.#lowRank });
    block.graph.output('logits', this.architecture.unembed(block, this.#stream(block)));
    return block;
  }

  #stream({ graph }: Block, name = 'hidden'): Float {
    return graph.input(name, 'float32', ['batch', 'seq', this.architecture.shape.dModel]);
  }
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
      what: `there is no family for the architecture ${architecture}`,
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
function describe(writer: Writer): ModelDescription {
  const { shape: sizes } = writer.architecture;
  const embed = writer.embed();
  const layers = Array.from({ length: sizes.layers }, (_, layer) => writer.layer(layer, []));
  const parameters = new Map([embed, ...layers, writer.unembed()].flatMap((block) => [...block.parameters]));
  const shape = {
    ...sizes,
    mixture: sizes.mixture ?? null,
    parameters: [...parameters.values()].reduce((sum, size) => sum + size, 0),
  };
  return {
    shape,
    hooks: hookPoints(
      shape,
      layers.map(({ passed }) => passed),
    ),
  };
}

/**
 * Opens a checkpoint folder, a model on the hub, or an .onnx file of another exporter.
 *
 * @throws CheckpointError and others as `openCheckpoint` and `openModel` do, or `openOnnx`.
 */
export async function openSubject(source: string, options: SubjectOptions = {}): Promise<Subject> {
  const own = await openOwn(source, options);
  const { tokenizer: other, tokenizerRules: rules } = options;
  const subject = other === undefined ? own : await withTokenizer(own, other, options);
  return rules === undefined ? subject : { ...subject, tokenizer: { ...subject.tokenizer, rules } };
}

/** A model with the tokenizer of another folder. */
async function withTokenizer(
  subject: Subject,
  source: string,
  { signal, onDownload }: SubjectOptions,
): Promise<Subject> {
  const tokenizer = await openTokenizer(source, subject.tokenizer.config, { signal, onDownload });
  return {
    ...subject,
    tokenizer,
    inputs: [...subject.inputs, ...tokenizer.files],
    identify: async () => ({ ...(await subject.identify()), ...(await identifyTokenizer(tokenizer)) }),
  };
}

async function openOwn(source: string, options: SubjectOptions): Promise<Subject> {
  if (source.endsWith('.onnx')) return openOnnx(source, options);
  const checkpoint = await openCheckpoint(source, options);
  const { weights, others } = filesOf(checkpoint);
  return {
    model: openModel(checkpoint, options),
    weightsRoot: checkpoint.weightsRoot,
    weights,
    inputs: [...weights.map(({ path }) => path), ...others],
    tokenizer: checkpoint,
    warnings: checkpoint.adapter?.warnings ?? [],
    identify: () => identifyCheckpoint(checkpoint),
  };
}
