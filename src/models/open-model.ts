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
import { type Choice, chooseFamily } from './choose-family.js';
import { openOnnx } from './exported/open.js';
import type { Architecture, ConfigFile } from './family.js';
import { Block, type BlockOptions } from './layers/block.js';
import { finishLoss } from './layers/loss.js';
import type { WeightSource } from './layers/weights.js';
import { adaptedSource, type LowRankSource } from './lora/adaptation.js';
import { nameTensors } from './stored-names.js';
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
import { unusedWarnings } from './unused-weights.js';

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
  const choice = chooseFamily(checkpoint);
  const quantisation = checkQuantisation(checkpoint, checkpoint);
  const architecture = readArchitecture(choice);
  checkPackedWeights(checkpoint);
  const named = nameTensors(checkpoint, architecture, choice.family);
  const renamed = { ...checkpoint, ...named };
  const used = new Set<string>();
  const source: WeightSource = (name, shape) => {
    for (const part of ['', '_blocks', '_scales']) used.add(named.stored.get(`${name}${part}`) ?? '');
    return requireWeight(renamed, name, shape);
  };
  const absentHead = named.hasHead
    ? null
    : { name: `${architecture.names.head}.weight`, folder: checkpoint.folder };
  const model = modelOf(architecture, source, checkpoint.adapter, edits, absentHead);
  const unused = [...named.stored.values()].filter((name) => !used.has(name));
  const own = choice.hasTowers ? unused.filter((name) => !isOfTower(name)) : unused;
  return {
    ...model,
    warnings: [
      ...choice.warnings,
      ...quantisation,
      ...model.warnings,
      ...(absentHead === null
        ? []
        : [`the weights hold no unembedding (${absentHead.name}): logits and losses cannot be computed`]),
      ...unusedWarnings([...new Set(own)], model.shape.layers + extraLayers(checkpoint)),
    ],
  };
}

/** Towers that see or hear, and what joins them to the language model, which alone is read. */
function isOfTower(name: string): boolean {
  return /(^|\.)(vision|visual|audio|image|multi_modal|mm_|aligner|connector|sound)/.test(name);
}

/**
 * A model as a config.json alone describes it: its sizes, its exact number of parameters among them, its hook points, and
 * graphs that tell sizes too but cannot run.
 *
 * @throws CheckpointError as `openModel` does.
 */
export function describeModel(file: ConfigFile, adapter: Adapter | null = null): LayeredModel {
  checkQuantisation(file);
  return modelOf(readArchitecture(chooseFamily(file)), placeholder, adapter);
}

/** A weight of that shape that lies nowhere. */
function placeholder(name: string, shape: readonly number[]): WeightTensor {
  return { name, shape, dtype: 'F32', location: '', offset: 0, byteLength: 0 };
}

function modelOf(
  architecture: Architecture,
  base: WeightSource,
  adapter: Adapter | null,
  edits: readonly Edit[] = [],
  absentHead: AbsentHead | null = null,
): LayeredModel {
  const { source, lowRank, checkUse } = adaptedSource(adapter, base);
  const { shape, hooks } = describe(new Writer(architecture, source, lowRank), absentHead !== null);
  checkUse();
  const requireHead = (): void => {
    if (absentHead === null) return;
    throw new CheckpointError({
      what: 'the checkpoint has no unembedding, so that there are no logits and no loss',
      where: absentHead.folder,
      expected: `${absentHead.name}, or "tie_word_embeddings": true in config.json`,
      remedy:
        'give the checkpoint of the causal language model; what happens in its layers can be captured without',
    });
  };
  const writer = new Writer(architecture, source, lowRank, placeEdits(edits, hooks));
  return {
    kind: 'layered',
    shape,
    hooks,
    embed: (options) => writer.embed(options).finish(),
    layer(index, taps, options) {
      return writer.layer(checkedLayer(index, shape), taps, options).finish();
    },
    warnings: architecture.warnings ?? [],
    mostPositions: architecture.mostPositions ?? null,
    unembed() {
      requireHead();
      return writer.unembed().finish();
    },
    backward: (index, taps = []) => writer.backward(checkedLayer(index, shape), taps),
    loss(options) {
      requireHead();
      return writer.loss(options);
    },
  };
}

/** The weight of an unembedding that the files do not hold. */
interface AbsentHead {
  readonly name: string;
  readonly folder: string;
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

  /** @param headless to describe a model whose files hold no unembedding */
  unembed(headless = false): Block {
    const head = `${this.architecture.names.head}.weight`;
    const source: WeightSource = headless
      ? (name, shape) => (name === head ? placeholder(name, shape) : this.#source(name, shape))
      : this.#source;
    const block = new Block('unembed', source, { lowRank: this.#lowRank });
    block.graph.output('logits', this.architecture.unembed(block, this.#stream(block)));
    return block;
  }

  #stream({ graph }: Block, name = 'hidden'): Float {
    return graph.input(name, 'float32', ['batch', 'seq', this.architecture.shape.dModel]);
  }
}

/** Layers that predict further tokens in training, as DeepSeek-V3's files hold them behind the others. */
function extraLayers({ config }: ConfigFile): number {
  const extra = config.num_nextn_predict_layers;
  return typeof extra === 'number' && extra > 0 ? extra : 0;
}

function readArchitecture({ family, file, readAs }: Choice): Architecture {
  checkSizes(file);
  return family.read(file, readAs);
}

/**
 * Writes every graph once: hook points are those that its layers pass, parameters the weights that they ask for, each
 * name once, as tied weights share one.
 */
function describe(writer: Writer, headless: boolean): ModelDescription {
  const { shape: sizes, names } = writer.architecture;
  const embed = writer.embed();
  const layers = Array.from({ length: sizes.layers }, (_, layer) => writer.layer(layer, []));
  const parameters = new Map(
    [embed, ...layers, writer.unembed(headless)].flatMap((block) => [...block.parameters]),
  );
  if (headless) parameters.delete(`${names.head}.weight`);
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
  const model = openModel(checkpoint, options);
  const { architecture, modelType } = chooseFamily(checkpoint);
  return {
    model,
    weightsRoot: checkpoint.weightsRoot,
    weights,
    inputs: [...weights.map(({ path }) => path), ...others],
    tokenizer: checkpoint,
    warnings: warningsOf(checkpoint, model),
    identify: async () => ({
      ...(await identifyCheckpoint(checkpoint)),
      architecture,
      modelType,
      parameters: model.shape.parameters,
    }),
  };
}

/** All that one should know of a checkpoint before one believes what a run of it gives. */
export function warningsOf(checkpoint: Checkpoint, { warnings }: Pick<LayeredModel, 'warnings'>): string[] {
  return [...checkpoint.warnings, ...warnings, ...(checkpoint.adapter?.warnings ?? [])];
}
